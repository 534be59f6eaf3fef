#pragma once
// How long the tier took to find out about a fault and to make up for it, read from the region's state as it changes.
#include <optional>
#include <set>
#include <string>

#include "lb/base/time.h"
#include "sim/cloud/region.h"

namespace rr::sim {

/// A fault that was done to a zone or an instance, and what became of it. The region knows nothing of this: it is the
/// experimenter's notebook.
struct Incident {
  std::string target;            // zone or instance id
  std::string what;              // "power loss"
  std::optional<ZoneName> zone;  // when a whole zone was hit
  Time began;
  std::optional<Time> done;             // every process that was hit is gone or frozen (the world's word)
  std::set<InstanceId> lost;            // that ran there
  std::optional<Time> detected;         // no live node routes to any of them any more
  std::optional<Time> node_removed;     // the zone's node has left DNS
  std::optional<Time> replaced;         // as many others in service and healthy as are desired
  std::optional<Time> healed;           // the fault was ended
  std::optional<Time> balanced;         // after that: desired capacity, even over the zones, nodes in DNS
  std::optional<int> least_in_service;  // and healthy, from the fault's end until the balance was back
  bool operator==(const Incident&) const = default;
};

/// The incident as it begins: what runs at the target now.
Incident begin_incident(const RegionState& state, std::optional<ZoneName> zone, std::optional<InstanceId> instance,
                        std::string what, Time now);

/// Takes note of what `state` shows for the first time.
void follow_incident(Incident& incident, const RegionState& state, Time now);

/// Instances in service that the nodes call healthy.
int healthy_in_service(const RegionState& state);
/// Desired capacity reached by instances that every running node calls healthy, no zone more than one ahead of another,
/// every node in DNS, and nothing starting or ending.
bool settled(const RegionState& state);

}  // namespace rr::sim
