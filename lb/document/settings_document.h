#pragma once
// The settings of a load balancer as members of a document (YAML or JSON), and back: one schema for the configuration
// file, the admin interface, the control channel and the simulator's state.
//
// read_fields() reads what belongs to its struct and leaves other keys to the caller's own use of the same reader (a
// listener's sockets, a group's targets); keys that are not there keep their defaults. to_json() writes every member
// (those that are empty or off are left out where that is their default), and reading it gives the same value.
#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "lb/document/map_reader.h"
#include "lb/policy/settings.h"

namespace rr {

void read_fields(MapReader& map, HealthCheck& out);
void read_fields(MapReader& map, TargetGroupSettings& out);
void read_fields(MapReader& map, ListenerSettings& out);
/// Without listeners and target groups.
void read_fields(MapReader& map, LoadBalancerSettings& out);
/// With them.
void read_whole(MapReader& map, LoadBalancerSettings& out);
RuleAction read_action(MapReader& map);

nlohmann::ordered_json to_json(const HealthCheck& settings);
nlohmann::ordered_json to_json(const TargetGroupSettings& settings);
nlohmann::ordered_json to_json(const ListenerSettings& settings);
/// Whether keys are written too: only into what nobody but a node or the simulator itself reads.
enum class Secrets : std::uint8_t { kLeftOut, kWritten };
/// Without listeners and target groups.
nlohmann::ordered_json to_json(const LoadBalancerSettings& settings, Secrets secrets);
/// With them, and with secrets.
nlohmann::ordered_json whole_to_json(const LoadBalancerSettings& settings);
nlohmann::ordered_json to_json(const RuleAction& action);

}  // namespace rr
