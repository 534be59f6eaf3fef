#include "lb/policy/zone_health.h"

#include <gtest/gtest.h>

namespace rr {
namespace {

const std::vector<std::string> kZones{"a", "b"};

GroupHealth group(bool cross_zone, MinimumHealthyTargets minimum, std::vector<ZoneCount> zones) {
  return {"web", cross_zone, minimum, std::move(zones)};
}

/// "a:in b:out", with the reason where it is not kHealthy.
std::string shown(const std::vector<GroupHealth>& groups, const std::optional<std::string>& shifted = std::nullopt) {
  std::string text;
  for (const DnsVerdict& one : zones_in_dns(kZones, groups, shifted)) {
    text += (text.empty() ? "" : " ") + one.zone + ":" + (one.in_dns ? "in" : "out");
    if (one.reason != DnsReason::kHealthy) text += "(" + std::string(to_string(one.reason)) + ")";
  }
  return text;
}

TEST(MinimumHealthy, EitherThresholdIsEnough) {
  const struct {
    MinimumHealthyTargets minimum;
    std::size_t healthy, registered;
    bool below;
  } kTable[] = {
      {{1, {}}, 0, 5, true},    {{1, {}}, 1, 5, false},   {{3, {}}, 2, 5, true},  {{3, {}}, 3, 5, false},
      {{{}, 50}, 4, 10, true},  {{{}, 50}, 5, 10, false}, {{{}, 50}, 1, 3, true},  // 33 %
      {{{}, 50}, 2, 3, false},                                                     // 67 %
      {{{}, 100}, 9, 10, true}, {{{}, 1}, 0, 10, true},   {{1, 50}, 4, 10, true}, {{5, 10}, 4, 10, true},
      {{{}, {}}, 0, 10, false}, {{1, {}}, 0, 0, true},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(is_below(row.minimum, row.healthy, row.registered), row.below)
        << row.minimum.count.value_or(-1) << " " << row.minimum.percentage.value_or(-1) << "% " << row.healthy << "/"
        << row.registered;
  }
}

// Two zones of 10 targets, thresholds of 50 %, 6 targets of b fail.
TEST(DnsFailover, TheExampleOfAws) {
  const std::vector<ZoneCount> counts{{"a", 10, 10}, {"b", 10, 4}};
  EXPECT_EQ(shown({group(false, {{}, 50}, counts)}), "a:in b:out(too_few_healthy_targets)");
  // 14 of 20 are 70 %.
  EXPECT_EQ(shown({group(true, {{}, 50}, counts)}), "a:in b:in");
}

TEST(DnsFailover, WithCrossZoneAllZonesHaveOneVerdictSoAllStay) {
  EXPECT_EQ(shown({group(true, {1, {}}, {{"a", 2, 0}, {"b", 2, 0}})}),
            "a:in(no_zone_is_healthy) b:in(no_zone_is_healthy)");
}

/// "a:dns,routing b:-,-", of zones for which the group counts targets.
std::string shown_states(const GroupHealth& group, MinimumHealthyTargets routing,
                         std::vector<std::string> zones = kZones,
                         const std::optional<std::string>& shifted = std::nullopt) {
  std::string text;
  for (const ZoneStates& one : zone_states(group, routing, zones, shifted)) {
    text += (text.empty() ? "" : " ") + one.zone + ":" + (one.healthy_dns ? "dns" : "-") + "," +
            (one.healthy_routing ? "routing" : "-");
  }
  return text;
}

TEST(ZoneStates, EachThresholdByItself) {
  const std::vector<ZoneCount> counts{{"a", 10, 10}, {"b", 10, 4}};
  EXPECT_EQ(shown_states(group(false, {{}, 50}, counts), {1, {}}), "a:dns,routing b:-,routing");
  EXPECT_EQ(shown_states(group(false, {{}, 50}, counts), {{}, 50}), "a:dns,routing b:-,-");
  EXPECT_EQ(shown_states(group(false, {1, {}}, counts), {5, {}}), "a:dns,routing b:dns,-");
  // With cross-zone each zone counts all: 14 of 20.
  EXPECT_EQ(shown_states(group(true, {{}, 70}, counts), {{}, 71}), "a:dns,- b:dns,-");
}

TEST(ZoneStates, ZonesWithoutTargetsAndTargetsWithoutZone) {
  EXPECT_EQ(shown_states(group(false, {1, {}}, {{"a", 2, 1}}), {1, {}}), "a:dns,routing");
  EXPECT_EQ(shown_states(group(true, {1, {}}, {}), {1, {}}), "");
  EXPECT_EQ(shown_states(group(true, {1, {}}, {{"", 2, 0}}), {1, {}}, {""}), ":-,-");
  EXPECT_EQ(shown_states(group(false, {1, {}}, {{"all", 2, 2}}), {1, {}}), "a:dns,routing b:dns,routing");
}

TEST(ZoneStates, AShiftedZoneIsNotCounted) {
  const std::vector<ZoneCount> counts{{"a", 2, 0}, {"b", 2, 2}};
  EXPECT_EQ(shown_states(group(true, {1, {}}, counts), {1, {}}, kZones, "b"), "a:-,- b:-,-");
  EXPECT_EQ(shown_states(group(true, {1, {}}, counts), {1, {}}), "a:dns,routing b:dns,routing");
}

TEST(DnsFailover, WhenAllZonesAreBadAllAreIn) {
  EXPECT_EQ(shown({group(false, {1, {}}, {{"a", 2, 0}, {"b", 2, 0}})}),
            "a:in(no_zone_is_healthy) b:in(no_zone_is_healthy)");
  EXPECT_EQ(shown({group(false, {1, {}}, {{"a", 2, 0}, {"b", 2, 1}})}), "a:out(too_few_healthy_targets) b:in");
}

TEST(DnsFailover, OneBadGroupTakesTheZoneOutForTheWholeLoadBalancer) {
  const GroupHealth good = group(true, {1, {}}, {{"a", 2, 2}, {"b", 2, 2}});
  GroupHealth bad = group(false, {1, {}}, {{"a", 2, 2}, {"b", 2, 0}});
  bad.target_group = "api";
  EXPECT_EQ(shown({good, bad}), "a:in b:out(too_few_healthy_targets)");
  EXPECT_EQ(zones_in_dns(kZones, std::vector{good, bad}, std::nullopt)[1].target_group, "api");
}

TEST(DnsFailover, AZoneWithoutTargetsStaysAndAnswers503) {
  EXPECT_EQ(shown({group(false, {1, {}}, {{"a", 2, 2}})}), "a:in b:in");
  EXPECT_EQ(shown({group(true, {1, {}}, {})}), "a:in b:in");
}

TEST(DnsFailover, ATargetOfNoZoneCountsInEach) {
  EXPECT_EQ(shown({group(false, {1, {}}, {{"", 1, 1}, {"b", 2, 0}})}), "a:in b:in");
  EXPECT_EQ(shown({group(false, {2, {}}, {{"all", 1, 1}, {"a", 1, 1}, {"b", 2, 0}})}),
            "a:in b:out(too_few_healthy_targets)");
}

TEST(DnsFailover, OffIsOff) { EXPECT_EQ(shown({group(false, {{}, {}}, {{"a", 2, 0}, {"b", 2, 1}})}), "a:in b:in"); }

TEST(ZonalShift, TakesItsZoneOutUnlessNoOtherIsGood) {
  EXPECT_EQ(shown({group(true, {1, {}}, {{"a", 2, 2}, {"b", 2, 2}})}, "b"), "a:in b:out(zonal_shift)");
  EXPECT_EQ(shown({group(false, {1, {}}, {{"a", 2, 0}, {"b", 2, 2}})}, "b"),
            "a:in(no_zone_is_healthy) b:in(no_zone_is_healthy)");
  EXPECT_EQ(shown({}, "c"), "a:in b:in");
}

TEST(ZonalShift, TheShiftedZonesTargetsDoNotCountForTheOthers) {
  // Of all 20 only half is healthy; of those that are used, 10 of 10.
  EXPECT_EQ(shown({group(true, {{}, 60}, {{"a", 10, 10}, {"b", 10, 0}})}, "b"), "a:in b:out(zonal_shift)");
}

}  // namespace
}  // namespace rr
