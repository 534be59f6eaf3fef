// What the nodes count, reduced to one value a period.
#include "sim/telemetry/metric_reduction.h"

#include <gtest/gtest.h>

namespace rr::sim {
namespace {

RegionState region_of_two() {
  RegionState region;
  region.groups["web"].settings.name = "web";
  for (const char* id : {"i-1", "i-2"}) {
    Instance instance;
    instance.id = InstanceId(id);
    instance.group = "web";
    instance.lifecycle = LifecycleState::kInService;
    region.instances[instance.id] = instance;
  }
  region.target_health[InstanceId("i-1")] = {{TargetState::kHealthy, TargetReason::kNone, 200}, false};
  return region;
}

std::optional<double> value_of(const std::vector<MetricReported>& metrics, Metric metric) {
  for (const MetricReported& one : metrics) {
    if (one.metric == metric) return one.value;
  }
  ADD_FAILURE() << to_string(metric);
  return std::nullopt;
}

TEST(MetricReduction, ReadsANodesObservation) {
  const auto counters = parse_node_counters("lb-a", R"({"load_balancers": [{
      "counters": {"own_responses": {"404": 7, "502": 2, "503": 1}},
      "target_groups": [{"targets": [{"id": "i-1", "requests": 10}, {"id": "i-2", "requests": 5}]}]}]})");
  ASSERT_TRUE(counters.has_value());
  EXPECT_EQ(*counters, (NodeCounters{"lb-a", {{"i-1", 10}, {"i-2", 5}}, 3}));
  EXPECT_EQ(parse_node_counters("lb-a", ""), std::nullopt);
  EXPECT_EQ(parse_node_counters("lb-a", "{"), std::nullopt);
  EXPECT_EQ(parse_node_counters("lb-a", "{}"), (NodeCounters{"lb-a", {}, 0}));
}

TEST(MetricReduction, CountsWhatAPeriodAdded) {
  const RegionState region = region_of_two();
  MetricReduction reduction;
  auto metrics = reduction.reduce(region, {{"a", {{"i-1", 10}, {"i-2", 20}}, 0}, {"b", {{"i-1", 30}}, 2}});
  EXPECT_EQ(value_of(metrics, Metric::kRequestCount), 60);
  EXPECT_EQ(value_of(metrics, Metric::kRequestCountPerTarget), 30) << "two targets";
  EXPECT_EQ(value_of(metrics, Metric::kElb5xxCount), 2);
  EXPECT_EQ(value_of(metrics, Metric::kHealthyHostCount), 1);
  EXPECT_EQ(value_of(metrics, Metric::kUnHealthyHostCount), 1);
  // Node a goes on, node b has started again: 5 + 4 more, no error.
  metrics = reduction.reduce(region, {{"a", {{"i-1", 15}, {"i-2", 20}}, 0}, {"b", {{"i-1", 4}}, 0}});
  EXPECT_EQ(value_of(metrics, Metric::kRequestCount), 9);
  EXPECT_EQ(value_of(metrics, Metric::kElb5xxCount), std::nullopt) << "none is no value, as in CloudWatch";
  metrics = reduction.reduce(region, {});
  EXPECT_EQ(value_of(metrics, Metric::kRequestCount), std::nullopt);
  EXPECT_EQ(value_of(metrics, Metric::kRequestCountPerTarget), 0) << "this one always has a value";
}

TEST(MetricReduction, WithoutTargetsThereIsNoCountPerTarget) {
  RegionState region = region_of_two();
  region.instances.clear();
  EXPECT_EQ(value_of(MetricReduction().reduce(region, {}), Metric::kRequestCountPerTarget), std::nullopt);
}

}  // namespace
}  // namespace rr::sim
