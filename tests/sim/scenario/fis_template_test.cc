#include "sim/scenario/fis_template.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

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

// What the FIS actions reference says of the actions that are used here.
// https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
struct ActionOfFis {
  std::set<std::string> needs, takes;  // parameters
  std::string target, resource;        // the key of its target, and of what type that is; none: it has no target
};
const std::map<std::string, ActionOfFis> kActionsOfFis{
    {"aws:ec2:stop-instances",
     {{}, {"startInstancesAfterDuration", "completeIfInstancesTerminated"}, "Instances", "aws:ec2:instance"}},
    {"aws:ec2:asg-insufficient-instance-capacity-error",
     {{"duration", "availabilityZoneIdentifiers"}, {"percentage"}, "AutoScalingGroups", "aws:ec2:autoscaling-group"}},
    {"aws:network:disrupt-connectivity", {{"duration", "scope"}, {}, "Subnets", "aws:ec2:subnet"}},
    {"aws:ssm:send-command",
     {{"documentArn", "duration"}, {"documentParameters", "documentVersion"}, "Instances", "aws:ec2:instance"}},
    {"aws:arc:start-zonal-autoshift",
     {{"duration", "availabilityZoneIdentifier"},
      {"managedResourceTypes", "zonalAutoshiftStatus"},
      "ManagedResources",
      "aws:arc:zonal-shift-managed-resource"}},
    {"aws:fis:wait", {{"duration"}, {}, "", ""}},
};

// https://docs.aws.amazon.com/fis/latest/userguide/actions-ssm-agent.html: what each document needs and takes.
struct DocumentOfFis {
  std::set<std::string> needs, takes;
};
const std::map<std::string, DocumentOfFis> kDocumentsOfFis{
    {"AWSFIS-Run-Network-Latency-Sources",
     {{"DurationSeconds", "Sources"},
      {"Interface", "DelayMilliseconds", "JitterMilliseconds", "FlowsPercent", "TrafficType", "InstallDependencies"}}},
    {"AWSFIS-Run-Network-Packet-Loss-Sources",
     {{"DurationSeconds", "Sources"},
      {"Interface", "LossPercent", "FlowsPercent", "TrafficType", "InstallDependencies"}}},
    {"AWSFIS-Run-Network-Blackhole-Port",
     {{"DurationSeconds", "Protocol", "Port"}, {"TrafficType", "InstallDependencies"}}},
};

using nlohmann::json;

/// All that is needed is there, all that is there is known, and all values are strings.
void check_parameters(const json& given, const std::set<std::string>& needs, const std::set<std::string>& takes) {
  for (const std::string& name : needs) EXPECT_TRUE(given.contains(name)) << name << " is missing";
  for (const auto& [name, value] : given.items()) {
    EXPECT_TRUE(needs.contains(name) || takes.contains(name)) << name;
    EXPECT_TRUE(value.is_string()) << name;
    if (name != "duration" && name != "startInstancesAfterDuration") continue;
    EXPECT_TRUE(std::regex_match(value.get<std::string>(), std::regex("PT[0-9]+[HMS]"))) << value;
  }
}

void check_document(const json& parameters) {
  const std::string arn = parameters["documentArn"];
  const std::string name = arn.substr(arn.rfind('/') + 1);
  ASSERT_TRUE(std::regex_match(arn, std::regex("arn:aws:ssm:[a-z0-9-]+::document/[A-Za-z-]+"))) << arn;
  ASSERT_TRUE(kDocumentsOfFis.contains(name)) << name;
  const DocumentOfFis& known = kDocumentsOfFis.at(name);
  check_parameters(json::parse(parameters["documentParameters"].get<std::string>()), known.needs, known.takes);
}

void check_action(const json& whole, const json& action) {
  const std::string id = action["actionId"];
  ASSERT_TRUE(kActionsOfFis.contains(id)) << id;
  const ActionOfFis& known = kActionsOfFis.at(id);
  check_parameters(action["parameters"], known.needs, known.takes);
  if (id == "aws:ssm:send-command") check_document(action["parameters"]);
  for (const json& before : action.value("startAfter", json::array())) {
    EXPECT_TRUE(whole["actions"].contains(before.get<std::string>())) << before;
  }
  if (known.target.empty()) return;
  ASSERT_EQ(action["targets"].size(), 1u);
  const json& target = whole["targets"][action["targets"][known.target].get<std::string>()];
  EXPECT_EQ(target["resourceType"], known.resource);
  EXPECT_TRUE(target.contains("resourceTags") && target.contains("selectionMode"));
}

std::string target_name(FaultTargetKind kind) {
  switch (kind) {
    case FaultTargetKind::kZone:
      return "eu-west-1b";
    case FaultTargetKind::kInstance:
      return "i-0a1b2c3d4e5f60718";
    case FaultTargetKind::kNode:
      return "lb-eu-west-1b";
    case FaultTargetKind::kLink:
      return "lb-eu-west-1b/i-0a1b2c3d4e5f60718";
    case FaultTargetKind::kControlPlane:
      return "control-plane";
  }
  return "";
}

TEST(FisTemplate, EveryKindOnEveryTargetIsAnActionOfTheReferenceOrLeftOutByItsName) {
  int made_of_them = 0;
  for (const FaultKindRow& row : fault_kinds()) {
    for (const FaultTargetKind kind : row.targets) {
      const std::string line = fmt::format("- {{at: 90s, fault: {}, target: {}{}}}", row.name, target_name(kind),
                                           row.lasts ? ", for: 5m" : "");
      SCOPED_TRACE(line);
      const FisTemplate result = made(line);
      const json whole = json::parse(result.json);
      EXPECT_EQ(whole["roleArn"], "arn:aws:iam::1:role/r");
      EXPECT_EQ(whole["stopConditions"], json::parse(R"([{"source": "none"}])"));
      EXPECT_EQ(whole["actions"].size(), static_cast<std::size_t>(result.actions));
      for (const auto& [name, action] : whole["actions"].items()) check_action(whole, action);
      made_of_them += result.actions > 0 ? 1 : 0;
      const std::string left_out = fmt::format("{} of {}: ", row.name, target_name(kind));
      const bool said = std::any_of(result.warnings.begin(), result.warnings.end(), [&](const std::string& warning) {
        return warning.starts_with(left_out) && warning.ends_with(": left out");
      });
      EXPECT_EQ(said, result.actions == 0);
    }
  }
  // crash of an instance, launches-refused, power-loss, partition; latency, jitter, loss, blackhole of zones,
  // instances.
  EXPECT_EQ(made_of_them, 4 + 4 * 2);
}

TEST(FisTemplate, MoreActionsThanATemplateMayHaveAreSaid) {
  std::string lines;
  for (int i = 0; i < 20; ++i) lines += "- {fault: crash, target: i-0a1b}\n";
  EXPECT_THAT(made(lines).warnings, testing::Not(testing::Contains(HasSubstr("at most 20"))));
  EXPECT_THAT(made(lines + "- {fault: crash, target: i-0a1b}\n").warnings, testing::Contains(HasSubstr("at most 20")));
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
