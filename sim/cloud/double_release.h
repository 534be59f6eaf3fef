#pragma once
// The classic release: double the group with the new launch-template version, wait until the new instances are healthy
// and answer the new commit, halve it again and verify that only the new commit is left. What it assumes (the termination
// policy removes the old ones) is checked, not hoped for.
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
  kDoubling,    // waiting for the new instances: in service, healthy, answering the new commit
  kHalving,     // waiting until the old ones have gone
  kVerifying,   // asking through the front
  kReleased,
  kFailed,      // see `outcome`: why, and how the group stands
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
  Time deadline;                     // of the phase
  std::optional<Time> next_question;
  std::set<InstanceId> confirmed;    // new instances that answered the new commit
  int front_answers = 0;             // consecutive, through the front, all new
  std::set<std::string> front_hosts; // who gave them
  std::set<InstanceId> asked;        // asked and not answered yet
  int front_asked = 0;               // questions through the front not answered yet
  std::string last_wrong;            // the last answer that was not the new commit, as a clause
  bool commit_unproved = false;      // the image or the answers name no commit: health alone counted
  bool hosts_unproved = false;       // answers through the front do not say who gave them
  int ended_singly = 0;              // old instances that the halving kept and that were ended one by one
  std::string outcome;               // one sentence when ended
  bool operator==(const DoubleRelease&) const = default;
};

}  // namespace rr::sim
