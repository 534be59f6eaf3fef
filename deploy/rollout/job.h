#pragma once
// What a release or rollback must remember between two runs of the program. It is kept at AWS (two SSM parameters) and
// nowhere else: whoever has the credentials can go on from any machine.
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lb/base/time.h"

namespace rr::deploy {

enum class JobKind { kRelease, kRollback };
/// kRefresh: an instance refresh, launch before terminate. kDouble: twice the group, wait, half of it again.
enum class Strategy { kRefresh, kDouble };

const char* to_string(JobKind kind);
const char* to_string(Strategy strategy);

/// What a release changes in the launch template.
struct ImageLane {
  std::string image;  // an AMI id
  bool operator==(const ImageLane&) const = default;
};
/// The image stays; the instance fetches this object at boot and checks its hash.
struct ArtifactLane {
  std::string url;  // "s3://bucket/key"
  std::string sha256;
  bool operator==(const ArtifactLane&) const = default;
};
/// A container lane (a task definition in place of a template version) will be a further alternative.
using Lane = std::variant<ImageLane, ArtifactLane>;

/// A version that serves or served.
struct Released {
  std::string version;  // of the launch template, a number
  std::string image;
  std::string artifact;
  std::string commit;
  std::string build;
  std::optional<Time> at;
  bool operator==(const Released&) const = default;
};

/// The job that is under way; the content of the lock.
struct Job {
  std::string id;     // of the job, the same for every run that works at it
  std::string token;  // of this run of the program; another one in the lock means that it was taken away
  std::string owner;  // for people: "deploy@ci-runner-7"
  std::string host;   // with `process`, says on that machine whether the holder still lives
  std::string process;
  JobKind kind = JobKind::kRelease;
  Strategy strategy = Strategy::kRefresh;
  Lane lane;
  Released from;  // what served when the job began: the way back
  Released to;    // what is to serve; its version is empty until it was created
  /// The newest refresh that there was before: only a later one can be this job\'s, whatever number its version has.
  std::string refresh_before;
  bool turned = false;                 // a release that goes back to `from`
  std::string why;                     // it turned
  int desired = 0;                     // kDouble: the size before and after
  int zones = 0;                       // kDouble: in so many stood those that leave
  Duration driven{};                   // kDouble: for so long a program was at it; without one nothing moves
  std::vector<std::string> leaving;    // kDouble: ids that have to go
  std::vector<std::string> suspended;  // kDouble: processes that this job suspended and has to resume
  std::optional<Time> started;
  bool operator==(const Job&) const = default;
};

/// The lock as found. Both ages are by AWS's clock, so two machines need not agree on the time.
struct Lock {
  std::optional<Job> job;    // none: nobody holds it
  Duration age{};            // since it was last written
  bool holder_gone = false;  // the holder ran on this machine and has ended
  bool operator==(const Lock&) const = default;
};

enum class Outcome { kReleased, kRolledBack, kBroken };
const char* to_string(Outcome outcome);

/// The release record: what serves, what served before, and how the last job ended.
struct Record {
  Outcome outcome = Outcome::kReleased;
  Released current;
  std::optional<Released> previous;
  /// The version that was left by a rollback or a failed release. A rollback never goes there by itself.
  std::optional<Released> left;
  std::string why;
  std::string by;
  std::optional<Time> at;
  bool operator==(const Record&) const = default;
};

}  // namespace rr::deploy
