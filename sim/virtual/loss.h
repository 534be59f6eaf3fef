#pragma once
// Why a client's attempt came to nothing. Whatever goes wrong on its way leaves its mark on it where it happens: a
// fault, by its number, or a rule by which a tier without faults loses requests too. An attempt that fails without a
// mark was lost for no reason, and that is a violation.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lb/base/time.h"
#include "sim/world/fault.h"

namespace rr::sim {

enum class LossRule : std::uint8_t {
  kUnexplained,
  kFault,            // Blame::fault says which
  kQueueFull,        // the instance answered 503: its profile's queue_limit
  kQueued,           // it waited for a worker, and its client or its node did not wait so long
  kServedSlowly,     // the service alone took longer than its client or its node waited
  kConnectionLimit,  // the instance refused it: its profile's connection_limit
  kOwnErrors,        // its image's error_share
  kKeepAliveRace,    // the instance had closed the connection that it came on, and the node had not heard of that
  kDrainEnded,       // its target was deregistered, and the delay was over
  kStopGrace,        // its instance was told to end, and its grace was over
  kDeregistered,     // the control plane had taken the last healthy target away
  kStarting,         // no node, or no target, has been healthy yet
  kNetwork,          // the links' own loss
};
std::string_view to_string(LossRule rule);  // "the deregistration delay was over"

struct Blame {
  LossRule rule = LossRule::kUnexplained;
  std::uint32_t fault = 0;  // its place in the list of all faults that there have been
  bool operator==(const Blame&) const = default;
  auto operator<=>(const Blame&) const = default;
  bool explains() const { return rule != LossRule::kUnexplained; }
};

/// A fault that is or was in force.
struct FaultRecord {
  Fault fault;
  Time since;
  std::optional<Time> over;
};

/// How many attempts were lost to one cause.
struct Loss {
  Blame blame;
  std::string why;  // "power-loss eu-west-1b", "the deregistration delay was over"
  std::uint64_t attempts = 0;
};

}  // namespace rr::sim
