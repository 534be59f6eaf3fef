// How long it took to find out about a fault and to make up for it, read from the region's state.
#include "sim/scenario/incident.h"

#include <gtest/gtest.h>

namespace rr::sim {
namespace {

Time at(int seconds) { return Time(std::chrono::seconds(1'000 + seconds)); }
const InstanceId kA{"i-a"}, kB{"i-b"}, kC{"i-c"};
const ZoneName kZoneA{"eu-west-1a"}, kZoneB{"eu-west-1b"};

void put(RegionState& state, const InstanceId& id, const ZoneName& zone, LifecycleState lifecycle, TargetState health) {
  Instance one;
  one.id = id;
  one.group = "web";
  one.zone = zone;
  one.lifecycle = lifecycle;
  state.instances[id] = one;
  state.target_health[id].health.state = health;
  state.reports[id].clear();
  for (const auto& [name, node] : state.nodes) {
    HealthReport report;
    report.node = name;
    report.health.state = health;
    state.reports[id].push_back(report);
  }
}

RegionState two_by_two() {
  RegionState state;
  state.settings.zones = {Zone{kZoneA, {}, 20, 10}, Zone{kZoneB, {}, 20, 10}};
  Group group;
  group.settings.name = "web";
  group.desired_capacity = 2;
  state.groups["web"] = group;
  for (const ZoneName& zone : {kZoneA, kZoneB}) {
    Node node;
    node.zone = zone;
    node.name = "lb-" + zone.value;
    node.running = node.in_dns = true;
    state.nodes[node.name] = node;
  }
  put(state, kA, kZoneA, LifecycleState::kInService, TargetState::kHealthy);
  put(state, kB, kZoneB, LifecycleState::kInService, TargetState::kHealthy);
  return state;
}

TEST(Incident, AZonesDeathFromTheFaultToTheBalance) {
  RegionState state = two_by_two();
  Incident incident = begin_incident(state, kZoneB, std::nullopt, "power loss", at(0));
  EXPECT_EQ(incident.lost, std::set<InstanceId>{kB});
  follow_incident(incident, state, at(1));
  EXPECT_FALSE(incident.detected);
  EXPECT_FALSE(incident.node_removed);

  state.nodes["lb-eu-west-1b"].in_dns = false;
  state.nodes["lb-eu-west-1b"].running = false;
  follow_incident(incident, state, at(2));
  EXPECT_EQ(incident.node_removed, at(2));
  EXPECT_FALSE(incident.detected) << "the live node still calls it healthy";

  // The dead node's last word stays in the reports; only the live one's counts.
  for (HealthReport& report : state.reports[kB]) {
    if (report.node == "lb-eu-west-1a") report.health.state = TargetState::kUnhealthy;
  }
  follow_incident(incident, state, at(3));
  EXPECT_EQ(incident.detected, at(3));
  EXPECT_FALSE(incident.replaced);

  put(state, kB, kZoneB, LifecycleState::kTerminated, TargetState::kUnused);
  put(state, kC, kZoneA, LifecycleState::kInService, TargetState::kInitial);
  follow_incident(incident, state, at(4));
  EXPECT_FALSE(incident.replaced) << "in service, but not healthy yet";
  put(state, kC, kZoneA, LifecycleState::kInService, TargetState::kHealthy);
  follow_incident(incident, state, at(5));
  EXPECT_EQ(incident.replaced, at(5));
  EXPECT_FALSE(incident.balanced);

  incident.healed = at(6);
  state.nodes["lb-eu-west-1b"].in_dns = state.nodes["lb-eu-west-1b"].running = true;
  EXPECT_FALSE(incident.least_in_service) << "counted from the fault's end only";
  follow_incident(incident, state, at(7));
  EXPECT_FALSE(incident.balanced) << "2 + 0 is no balance";
  put(state, kB, kZoneB, LifecycleState::kInService, TargetState::kHealthy);
  follow_incident(incident, state, at(8));
  EXPECT_FALSE(incident.balanced) << "2 + 1 is one too many";
  put(state, kC, kZoneA, LifecycleState::kTerminating, TargetState::kDraining);
  follow_incident(incident, state, at(9));
  EXPECT_FALSE(incident.balanced) << "one is still ending";
  put(state, kC, kZoneA, LifecycleState::kTerminated, TargetState::kUnused);
  follow_incident(incident, state, at(10));
  EXPECT_EQ(incident.balanced, at(10));
  EXPECT_EQ(incident.detected, at(3)) << "the first time counts";
  EXPECT_EQ(incident.least_in_service, 2) << "3 at the most and never below 2: launched before terminated";
}

TEST(Incident, OneInstance) {
  RegionState state = two_by_two();
  Incident incident = begin_incident(state, std::nullopt, kA, "crash", at(0));
  EXPECT_EQ(incident.lost, std::set<InstanceId>{kA});
  put(state, kA, kZoneA, LifecycleState::kTerminating, TargetState::kUnhealthy);
  follow_incident(incident, state, at(1));
  EXPECT_EQ(incident.detected, at(1));
  EXPECT_FALSE(incident.node_removed) << "no node was hit";
}

TEST(Incident, SettledIsFalseWhileOneOfTheNodesStillFindsOut) {
  RegionState state = two_by_two();
  state.reports[kB].back().health.state = TargetState::kInitial;
  EXPECT_FALSE(settled(state)) << "its turns all go to the other instance";
  EXPECT_EQ(healthy_in_service(state), 2) << "one node that says so is enough for the group";
  state.reports[kB].pop_back();
  EXPECT_FALSE(settled(state)) << "it has not been heard of";
  state.nodes["lb-eu-west-1b"].running = false;
  EXPECT_FALSE(settled(state)) << "but a node is down";
}

TEST(Incident, SettledIsFalseWhileANodeIsOutOfDns) {
  RegionState state = two_by_two();
  EXPECT_TRUE(settled(state));
  EXPECT_EQ(healthy_in_service(state), 2);
  state.nodes.begin()->second.in_dns = false;
  EXPECT_FALSE(settled(state));
}

}  // namespace
}  // namespace rr::sim
