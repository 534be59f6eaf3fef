#pragma once
// The classic release: double the group with the new launch-template version, wait until the new instances are healthy
// and answer the new commit, halve it again and verify that only the new commit is left. What it assumes (the
// termination policy removes the old ones) is checked, not hoped for.
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/ids.h"
#include "lb/base/time.h"

namespace rr::sim {

enum class DoublePhase : std::uint8_t {
  kDoubling,   // waiting for the new instances: in service, healthy, answering the new commit
  kHalving,    // waiting until the old ones have gone
  kVerifying,  // asking through the front
  kReleased,
  kFailed,  // see `outcome`: why, and how the group stands
};
std::string_view to_string(DoublePhase phase);

struct DoubleRelease {
  std::string group;
  ImageId image;
  std::string commit;
  int template_version = 0;
  int previous_version = 0;
  std::string previous_specification;  // the group's, may be $Default
  int original_capacity = 0;
  DoublePhase phase = DoublePhase::kDoubling;
  Time started;
  Time phase_began;
  std::optional<Time> ended;
  Time deadline;  // of the phase
  std::optional<Time> next_question;
  std::set<InstanceId> confirmed;     // new instances that answered the new commit
  int front_answers = 0;              // consecutive, through the front, all new
  std::set<std::string> front_hosts;  // who gave them
  std::set<InstanceId> asked;         // asked and not answered yet
  int front_asked = 0;                // questions through the front not answered yet
  std::string last_wrong;             // the last new instance that failed or answer that was not new, as a clause
  bool commit_unproved = false;       // the image or the answers name no commit: health alone counted
  bool hosts_unproved = false;        // answers through the front do not say who gave them
  int ended_singly = 0;               // old instances that the halving kept and that were ended one by one
  bool rolled_back = false;           // kFailed, and the group went back to the previous version and capacity
  std::string outcome;                // one sentence when ended
  bool operator==(const DoubleRelease&) const = default;

  bool in_progress() const { return phase != DoublePhase::kReleased && phase != DoublePhase::kFailed; }
};

/// An instance of the group that is not terminated, as the release sees it.
struct ReleaseMember {
  InstanceId id;
  std::string host_name;
  bool is_new = false;  // of the release's template version
  bool live = false;    // pending or in service, not terminating
  bool in_service = false;
  bool healthy = false;  // by its target groups, now; or nothing checks it
};

struct ReleaseView {
  std::vector<ReleaseMember> members;
};

/// What a release does next; every field that is set is to be done.
struct ReleaseStep {
  std::vector<InstanceId> ask;    // AskInstance
  int ask_front = 0;              // AskFront, so many times
  std::optional<DoublePhase> to;  // the next phase; its deadline begins now
  std::optional<int> desired;     // SetDesiredCapacity
  std::optional<InstanceId> end;  // an old instance to end without decrementing the desired capacity
  bool roll_back = false;         // the group launches the previous version again; new instances end, old ones stay
  std::string outcome;            // with kReleased and kFailed
};

/// Looks at a release in progress. It never ends an old instance before every new one is in service, healthy and known
/// to run the new commit. A doubling that does not get there by its deadline is rolled back; a halving or a
/// verification that does not is left as it is, because the new version already serves.
ReleaseStep advance(const DoubleRelease& release, const ReleaseView& view, Time now);

/// Takes the answer to AskInstance. Returns whether the instance is now confirmed for the first time. An answer that
/// names no commit counts as new (health alone speaks then) and is remembered as unproved, as is an image of unknown
/// commit.
bool observe_instance_answer(DoubleRelease& release, const InstanceId& instance, int status, const std::string& commit);

/// Takes the answer to AskFront: only new ones in a row count.
void observe_front_answer(DoubleRelease& release, int status, const std::string& commit, const std::string& served_by);

}  // namespace rr::sim
