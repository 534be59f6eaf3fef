#pragma once
// What a rollout is to do: everything that was decided before it begins.
#include <optional>
#include <string>
#include <vector>

#include "deploy/rollout/job.h"
#include "lb/base/time.h"

namespace rr::deploy {

/// How answers through the load balancer are judged.
struct Verification {
  int answers = 0;            // so many one after another must be right
  int instances = 0;          // from at least so many instances (or all, where the group has fewer)
  Duration limit{};           // for the proof
  int allowed_failures = 0;   // during the rollout; one more ends a release
  bool commits_known = true;  // false: the application does not say which version it is
};

struct Plan {
  JobKind kind = JobKind::kRelease;
  Strategy strategy = Strategy::kRefresh;
  std::string account;  // that it must be; empty: any
  std::string group;
  std::string target_group;  // ARN; empty: the group's first
  std::vector<std::string> alarms;
  Lane lane;           // of a release
  std::string commit;  // that must answer in the end; empty: what the image's tags say
  std::string build;
  std::optional<std::string> to;  // of a rollback: the version to go to
  bool force = false;             // a release although targets are unhealthy or alarms fire

  Duration warm_up{};
  Duration bake{};
  Duration drain{};     // the target group's, for what is said about the time
  Duration poll{};      // between two looks
  Duration deadline{};  // for the rollout, bake time not counted
  Duration patience{};  // with an AWS that does not answer
  Duration lease{};     // a lock that was not renewed for so long is nobody's
  Verification verification;
  int keep_versions = 0;

  std::string token;  // of this run, unique
  std::string owner;
  std::string host;
  std::string process;

  /// So often the lock is renewed: a round that comes late by as much still comes in time.
  Duration renewal() const { return lease / 3; }
};

}  // namespace rr::deploy
