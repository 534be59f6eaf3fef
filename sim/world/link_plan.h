#pragma once
#include <optional>
#include <span>
#include <string>

#include "sim/cloud/model.h"
#include "sim/relay/wire_faults.h"
#include "sim/world/fault.h"

namespace rr::sim {

/// A link: from a node to a target, with what fault targets name of both ends.
struct LinkPlace {
  std::string node;
  std::string instance;
  ZoneName instance_zone;
};

/// What a fault does to a link that it reaches; none for a fault that is not of the network. A fault of a zone or an
/// instance reaches the links into it, one of a node the links out of it.
std::optional<WireFaults> wire_faults_of(const Fault& fault);
bool reaches(const FaultTarget& target, const LinkPlace& link);

/// All that is wrong with a link.
WireFaults wire_faults(std::span<const FaultStatus> in_force, const LinkPlace& link);

}  // namespace rr::sim
