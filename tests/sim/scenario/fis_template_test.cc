#include "sim/scenario/fis_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/scenario/faults_file.h"

namespace rr::sim {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

FisTemplate made(const std::string& lines) {
  const auto steps = read_fault_list("faults:\n" + lines, "day.yaml");
  EXPECT_TRUE(steps.ok()) << steps.error().message;
  return fis_template(*steps, {.role_arn = "arn:aws:iam::1:role/r"});
}

TEST(FisTemplate, EachKindThatFisHasAndItsParameters) {
  struct Row {
    std::string line;
    std::vector<std::string> says;
  };
  const std::vector<Row> rows{
      {"- {fault: power-loss, target: eu-west-1b, for: 10m}",
       {"\"aws:ec2:stop-instances\"", "\"startInstancesAfterDuration\": \"PT10M\"",
        "\"aws:ec2:asg-insufficient-instance-capacity-error\"", "\"availabilityZoneIdentifiers\": \"eu-west-1b\"",
        "\"Placement.AvailabilityZone\""}},
      {"- {fault: partition, target: eu-west-1b, for: 90s}",
       {"\"aws:network:disrupt-connectivity\"", "\"scope\": \"all\"", "\"duration\": \"PT90S\"", "\"aws:ec2:subnet\""}},
      {"- {fault: zonal-shift, target: eu-west-1b, for: 25m}",
       {"\"aws:arc:start-zonal-autoshift\"", "\"availabilityZoneIdentifier\": \"eu-west-1b\"",
        "\"aws:arc:zonal-shift-managed-resource\"", "\"ManagedResources\""}},
      {"- {fault: latency, target: eu-west-1b, amount: 200ms, for: 5m}",
       {"arn:aws:ssm:eu-west-1::document/AWSFIS-Run-Network-Latency-Sources", "\\\"DelayMilliseconds\\\":\\\"200\\\"",
        "\\\"DurationSeconds\\\":\\\"300\\\""}},
      {"- {fault: loss, target: i-0a1b, amount: 15%, for: 5m}",
       {"AWSFIS-Run-Network-Packet-Loss-Sources", "\\\"LossPercent\\\":\\\"15\\\"", "\"COUNT(1)\""}},
      {"- {fault: timeout, target: eu-west-1b, for: 5m}",
       {"AWSFIS-Run-Network-Blackhole-Port", "\\\"Port\\\":\\\"80\\\""}},
      {"- {at: 5m, fault: launches-refused, target: eu-west-1b, for: 5m}",
       {"\"startAfter\"", "\"wait-PT5M\"", "\"aws:fis:wait\""}},
  };
  for (const Row& row : rows) {
    const FisTemplate result = made(row.line);
    for (const std::string& text : row.says) EXPECT_THAT(result.json, HasSubstr(text)) << row.line;
  }
}

TEST(FisTemplate, WhatFisHasNotIsSaidAndLeftOut) {
  for (const char* line : {"- {fault: gray, target: eu-west-1b}", "- {fault: hang, target: i-0a1b}",
                           "- {fault: node-loss, target: lb-eu-west-1a}", "- {fault: outage, target: control-plane}",
                           "- {fault: reset_peer, target: lb-eu-west-1a/i-0a1b}"}) {
    const FisTemplate result = made(line);
    EXPECT_EQ(result.actions, 0) << line;
    EXPECT_THAT(result.warnings.front(), HasSubstr("left out")) << line;
  }
  const FisTemplate unsaid = fis_template(*read_fault_list("faults: [{fault: partition, target: eu-west-1b}]", ""), {});
  EXPECT_THAT(unsaid.warnings, testing::Contains(HasSubstr("lasts 10m")));
  EXPECT_THAT(unsaid.warnings, testing::Contains(HasSubstr("roleArn is a placeholder")));
  EXPECT_THAT(made("- {fault: partition, target: eu-west-1b, for: 5s}").warnings,
              testing::Contains(HasSubstr("lasts 1m in place of 5s")));
}

TEST(FaultList, SaysWhatIsWrongAndWhere) {
  struct Row {
    std::string text;
    std::string says;
  };
  const std::vector<Row> rows{
      {"faults: []", "one at least"},
      {"", "day.yaml"},
      {"faults:\n  - {fault: hnag, target: i-1}", "day.yaml:2: faults[0].fault: 'hnag'"},
      {"faults:\n  - {fault: hang}", "target"},
      {"faults:\n  - {fault: gray, target: eu-west-1b, amount: 0}", "1 % to 100 %"},
      {"faults:\n  - {fault: power-loss, target: i-1}", "power-loss cannot be done to the instance i-1"},
      {"faults:\n  - {fault: zonal-shift, target: i-1}", "a zone is right"},
      {"faults:\n  - {fault: hang, target: i-1, until: 5}", "until"},
  };
  for (const Row& row : rows) {
    const auto read = read_fault_list(row.text, "day.yaml");
    ASSERT_FALSE(read.ok()) << row.text;
    EXPECT_THAT(read.error().message, HasSubstr(row.says)) << row.text;
  }
}

TEST(FaultsFile, IsReadBackAsItWas) {
  const std::vector<FaultStatus> faults{
      {{FaultKind::kGray, {FaultTargetKind::kZone, "eu-west-1b"}, 12.5, 30s}, Time(5s), Time(35s)},
      {{FaultKind::kRefuse, link_target("lb-a", "i-1")}, Time(7ns), std::nullopt}};
  const auto again = read_faults(write_faults(faults));
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*again, faults);
  for (const char* broken : {"", "{}", R"({"version": 2, "faults": []})", R"({"version": 1, "faults": [{}]})",
                             R"({"version": 1, "faults": [{"kind": "x", "target_kind": "zone"}]})"}) {
    EXPECT_FALSE(read_faults(broken).ok()) << broken;
  }
}

}  // namespace
}  // namespace rr::sim
