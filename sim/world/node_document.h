#pragma once
// The control channel's two documents: what a node is told (PUT /desired) and what it saw (GET /observed).
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/address.h"
#include "sim/cloud/region.h"

namespace rr::sim {

/// The sockets that a node inherits, as it names them.
struct NodeSockets {
  std::string front = "fd:3";  // of the load balancer's one listener; shared with the other nodes
  std::string zonal = "fd:4";  // its own
  std::uint16_t zonal_port = 0;
};

/// The whole configuration of a node as JSON. Being out of DNS means to accept nobody on the front; on its own zonal
/// socket a node always accepts, or the check that could bring it back could never pass. So the zonal socket is a
/// listener of its own, with the same action and so the same turn.
std::string desired_document(const ConfigureNode& wanted, std::uint64_t generation, const NodeSockets& sockets,
                             const std::function<Address(const TargetSpec&)>& wire_of);

struct Observation {
  std::uint64_t generation = 0;
  std::vector<TargetHealthReported::Target> targets;
  std::vector<std::string> drained;  // targets that have finished draining, since the cursor asked for
  std::uint64_t drains_cursor = 0;
};
/// Nothing when the text is no observation.
std::optional<Observation> parse_observation(std::string_view text);

}  // namespace rr::sim
