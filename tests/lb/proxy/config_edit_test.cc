// Changes of a part of the configuration as values: what comes out, and what is refused with which words.
#include "lb/proxy/config_edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace rr {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kFile = R"(zone: eu-west-1a
load_balancers:
  - name: tier
    zonal_shift_enabled: true
    availability_zones: [eu-west-1a, eu-west-1b]
    listeners:
      - name: http
        sockets: ["127.0.0.1:0"]
        default_action: {type: forward, target_groups: [web]}
        rules:
          - {priority: 10, conditions: [{field: path-pattern, values: [/a]}], action: {target_groups: [spare]}}
          - {priority: 20, conditions: [{field: path-pattern, values: [/b]}], action: {target_groups: [web]}}
    target_groups:
      - name: web
        targets: [127.0.0.1:9001, {id: i-1, address: "10.0.0.1:80"}, {id: i-1, address: "10.0.0.1:81"}]
      - name: spare
      - name: unused
)";

const Time kNow = Time{} + std::chrono::hours(24 * 365 * 56);

NodeConfig start() {
  auto read = read_config_file("lb.yaml", kFile);
  EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().front());
  return read->node;
}

Result<Edit, EditFailure> ask(const NodeConfig& config, std::string_view method, std::string_view path,
                              std::string_view body = "", std::optional<std::uint16_t> port = {}) {
  const auto parsed = parse_config_path(path);
  EXPECT_TRUE(parsed.has_value()) << path;
  EXPECT_TRUE(allows(parsed->part, method)) << method << path;
  return edit(config, {method, *parsed, body, port, kNow});
}

NodeConfig good(std::string_view method, std::string_view path, std::string_view body = "",
                std::optional<std::uint16_t> port = {}) {
  auto edited = ask(start(), method, path, body, port);
  EXPECT_TRUE(edited.ok()) << (edited.ok() ? "" : edited.error().errors.front().message);
  if (!edited.ok()) return {};
  for (const SettingError& error : validate(edited->config)) ADD_FAILURE() << error.message;
  return edited->config;
}

std::string refused(std::string_view method, std::string_view path, std::string_view body = "") {
  const auto edited = ask(start(), method, path, body);
  if (edited.ok()) return "taken";
  const ApiError& error = edited.error().errors.front();
  return std::to_string(edited.error().status) + " " + error.code + " " + error.message;
}

TEST(ConfigPath, NamesEachPart) {
  const auto is = [](std::string_view path, const ConfigPath& expected) {
    EXPECT_EQ(parse_config_path(path), std::optional(expected)) << path;
  };
  is("/load_balancers", {ConfigPart::kLoadBalancers});
  is("/load_balancers/a", {ConfigPart::kLoadBalancer, "a"});
  is("/load_balancers/a/zonal_shift", {ConfigPart::kZonalShift, "a"});
  is("/load_balancers/a/listeners/x%2Fy%20z", {ConfigPart::kListener, "a", "x/y z"});
  is("/load_balancers/a/listeners/b/rules/10", {ConfigPart::kRule, "a", "b", "10"});
  is("/load_balancers/a/listeners/b/rule_priorities", {ConfigPart::kRulePriorities, "a", "b"});
  is("/load_balancers/a/target_groups/b/targets", {ConfigPart::kTargets, "a", "b"});
  is("/load_balancers/a/target_groups/b/targets/127.0.0.1:80", {ConfigPart::kTarget, "a", "b", "127.0.0.1:80"});
  for (const char* none : {"", "/", "/load_balancers/", "/load_balancers//listeners", "/load_balancers/a/rules",
                           "/load_balancers/a/listeners/b/targets", "/load_balancers/a/target_groups/b/rules",
                           "/load_balancers/a/listeners/b/rules/1/x", "/load_balancers/a%2", "/load_balancers/%zz",
                           "/load_balancers/a/zonal_shift/x", "load_balancers"}) {
    EXPECT_EQ(parse_config_path(none), std::nullopt) << none;
  }
}

TEST(ConfigEdit, AttributesAreMergedAndNullBringsTheDefaultBack) {
  NodeConfig config = good("PATCH", "/load_balancers/tier", R"({"idle_timeout": 30, "xff_client_port": true})");
  NodeConfig expected = start();
  expected.load_balancers[0].settings.idle_timeout = 30 * kSecond;
  expected.load_balancers[0].settings.xff_client_port = true;
  EXPECT_EQ(config, expected) << "and nothing else";
  const auto back = ask(config, "PATCH", "/load_balancers/tier", R"({"idle_timeout": null, "xff_client_port": null})");
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->config, start());
}

TEST(ConfigEdit, AHealthCheckIsChangedFieldByField) {
  const NodeConfig config =
      good("PATCH", "/load_balancers/tier/target_groups/web",
           R"({"health_check": {"path": "/ready", "interval": 10}, "deregistration_delay": "20s"})");
  NodeConfig expected = start();
  TargetGroupSettings& group = expected.load_balancers[0].settings.target_groups[0];
  group.health_check.path = "/ready";
  group.health_check.interval = 10 * kSecond;
  group.deregistration_delay = 20 * kSecond;
  EXPECT_EQ(config, expected);
}

TEST(ConfigEdit, AnActionIsReplacedWhole) {
  const NodeConfig config = good("PATCH", "/load_balancers/tier/listeners/http",
                                 R"({"default_action": {"type": "fixed-response", "status": 404}})");
  const auto& action = config.load_balancers[0].settings.listeners[0].default_action;
  ASSERT_TRUE(std::holds_alternative<FixedResponseAction>(action));
  EXPECT_EQ(std::get<FixedResponseAction>(action).status, 404);
}

TEST(ConfigEdit, RulesAreAddedChangedMovedAndRemoved) {
  constexpr std::string_view kRules = "/load_balancers/tier/listeners/http/rules";
  constexpr std::string_view kRule =
      R"({"priority": 5, "conditions": [{"field": "path-pattern", "values": ["/c"]}], "action": {"target_groups": ["web"]}})";
  const auto rules = [](const NodeConfig& config) { return config.load_balancers[0].settings.listeners[0].rules; };
  EXPECT_EQ(rules(good("POST", kRules, kRule)).back().priority, 5);
  const std::string ten = std::string(kRules) + "/10";
  const NodeConfig moved = good("PATCH", ten, R"({"priority": 30})");
  EXPECT_EQ(rules(moved)[0].priority, 30);
  EXPECT_EQ(rules(moved)[0].conditions, rules(start())[0].conditions);
  EXPECT_EQ(rules(good("DELETE", ten)).size(), 1U);
  const auto made =
      ask(start(), "PUT", std::string(kRules) + "/7",
          R"({"conditions": [{"field": "path-pattern", "values": ["/c"]}], "action": {"target_groups": ["web"]}})");
  ASSERT_TRUE(made.ok());
  EXPECT_TRUE(made->created);
  EXPECT_EQ(rules(made->config).back().priority, 7) << "which the path says";
  EXPECT_EQ(refused("POST", kRules, R"({"priority": 10})"),
            "409 PriorityInUse priority: '10' is taken: PUT or PATCH changes the rule that has it");
  EXPECT_THAT(refused("PATCH", ten, R"({"priority": 20})"), HasSubstr("409 PriorityInUse priority: Priority '20' is"));
  EXPECT_EQ(refused("DELETE", std::string(kRules) + "/11"),
            "404 RuleNotFound rules: '11' is not a rule here: there is 10, 20");
}

TEST(ConfigEdit, TwoRulesChangePlaces) {
  constexpr std::string_view kPath = "/load_balancers/tier/listeners/http/rule_priorities";
  const NodeConfig config =
      good("PUT", kPath, R"({"rule_priorities": [{"rule": 10, "priority": 20}, {"rule": 20, "priority": 10}]})");
  EXPECT_EQ(config.load_balancers[0].settings.listeners[0].rules[0].priority, 20);
  EXPECT_EQ(config.load_balancers[0].settings.listeners[0].rules[1].priority, 10);
  EXPECT_THAT(refused("PUT", kPath, R"({"rule_priorities": [{"rule": 11, "priority": 1}]})"),
              HasSubstr("404 RuleNotFound"));
  EXPECT_THAT(
      refused("PUT", kPath, R"({"rule_priorities": [{"rule": 10, "priority": 1}, {"rule": 10, "priority": 2}]})"),
      HasSubstr("rule 10 is named twice"));
  EXPECT_THAT(refused("PUT", kPath, R"({"rule_priorities": [{"rule": 10}]})"),
              HasSubstr("400 ValidationError rule_priorities[0].priority: is missing"));
  EXPECT_THAT(refused("PUT", kPath, "{}"), HasSubstr("rule_priorities: is missing"));
}

TEST(ConfigEdit, TargetsAreRegisteredAndDeregistered) {
  constexpr std::string_view kTargets = "/load_balancers/tier/target_groups/web/targets";
  const auto ids = [](const NodeConfig& config) {
    std::vector<std::string> all;
    for (const TargetSpec& one : config.load_balancers[0].targets[0]) all.push_back(one.id);
    return all;
  };
  EXPECT_THAT(ids(good("POST", kTargets, R"({"targets": ["127.0.0.1:9002", "127.0.0.1:9001"]})")),
              ElementsAre("127.0.0.1:9001", "i-1", "i-1", "127.0.0.1:9002"))
      << "one that is there is fine";
  const NodeConfig moved =
      good("POST", kTargets, R"({"targets": [{"id": "i-1", "address": "10.0.0.1:81", "wire": "127.0.0.9:1"}]})");
  EXPECT_EQ(moved.load_balancers[0].targets[0][2].wire, Address::v4(127, 0, 0, 9, 1));
  EXPECT_THAT(ids(good("PUT", kTargets, R"({"targets": ["127.0.0.1:9009"]})")), ElementsAre("127.0.0.1:9009"));
  const std::string base(kTargets);
  EXPECT_THAT(ids(good("DELETE", base + "/127.0.0.1:9001")), ElementsAre("i-1", "i-1"));
  EXPECT_THAT(ids(good("DELETE", base + "/i-1", "", 80)), ElementsAre("127.0.0.1:9001", "i-1"));
  EXPECT_THAT(refused("DELETE", base + "/i-1"), HasSubstr("registered with 2 ports: say which one, as in ?port=8080"));
  EXPECT_EQ(refused("DELETE", base + "/i-2"), "404 InvalidTarget id: 'i-2' is not registered in this group");
  EXPECT_THAT(refused("POST", kTargets, R"({"targets": ["nowhere"]})"),
              HasSubstr("400 ValidationError targets[0]: 'nowhere'"));
  EXPECT_THAT(refused("POST", kTargets, R"({"targets": [], "target_group": "x"})"), HasSubstr("said by the path"));
  EXPECT_THAT(refused("POST", kTargets, "["), HasSubstr("not JSON"));
  EXPECT_THAT(
      refused("POST", "/load_balancers/tier/target_groups/none/targets", R"({"targets": []})"),
      HasSubstr(
          "404 TargetGroupNotFound target_groups: 'none' is not a target group here: there is web, spare, unused"));
}

TEST(ConfigEdit, PartsAreMadeAndRemoved) {
  const auto groups = [](const NodeConfig& config) { return config.load_balancers[0].settings.target_groups.size(); };
  EXPECT_EQ(groups(good("POST", "/load_balancers/tier/target_groups", R"({"name": "more"})")), 4U);
  EXPECT_EQ(groups(good("PUT", "/load_balancers/tier/target_groups/more", "{}")), 4U);
  EXPECT_EQ(groups(good("DELETE", "/load_balancers/tier/target_groups/unused")), 2U);
  EXPECT_EQ(good("POST", "/load_balancers", R"({"name": "other"})").load_balancers.size(), 2U);
  EXPECT_EQ(good("DELETE", "/load_balancers/tier").load_balancers.size(), 0U);
  EXPECT_EQ(good("DELETE", "/load_balancers/tier/listeners/http").load_balancers[0].settings.listeners.size(), 0U);
  EXPECT_THAT(refused("DELETE", "/load_balancers/tier/target_groups/web"),
              HasSubstr("409 ResourceInUse target_groups: Target group 'web' is currently in use"));
  EXPECT_THAT(refused("DELETE", "/load_balancers/tier/target_groups/spare"), HasSubstr("409 ResourceInUse"));
  EXPECT_THAT(refused("POST", "/load_balancers/tier/target_groups", R"({"name": "web"})"),
              HasSubstr("409 DuplicateTargetGroupName"));
  EXPECT_THAT(refused("POST", "/load_balancers", "{}"), HasSubstr("400 ValidationError name: is missing"));
  EXPECT_THAT(refused("PATCH", "/load_balancers/none", "{}"),
              HasSubstr("404 LoadBalancerNotFound load_balancers: 'none' is not a load balancer here: there is tier"));
  EXPECT_THAT(refused("PATCH", "/load_balancers/none/listeners/x", "{}"), HasSubstr("404 LoadBalancerNotFound"));
}

TEST(ConfigEdit, PutReplacesAndRenamesNothing) {
  const NodeConfig config = good("PUT", "/load_balancers/tier/target_groups/unused", R"({"deregistration_delay": 5})");
  EXPECT_EQ(config.load_balancers[0].settings.target_groups[2].deregistration_delay, 5 * kSecond);
  EXPECT_EQ(refused("PUT", "/load_balancers/tier/target_groups/unused", R"({"name": "other"})"),
            "400 ValidationError name: 'other' is not that of the path, 'unused': a target group keeps its name");
  EXPECT_THAT(refused("PATCH", "/load_balancers/tier", R"({"name": "other"})"), HasSubstr("keeps its name"));
}

TEST(ConfigEdit, ABodyThatIsNoneIsRefused) {
  constexpr std::string_view kPath = "/load_balancers/tier";
  EXPECT_THAT(refused("PATCH", kPath, ""), HasSubstr("not JSON"));
  EXPECT_THAT(refused("PATCH", kPath, "[]"), HasSubstr("the body is a list: write an object"));
  EXPECT_EQ(refused("PATCH", kPath, R"({"a": {"b": 1, "b": 2}})"),
            "400 ValidationError a.b: comes twice: write it once");
  EXPECT_THAT(refused("PATCH", kPath, std::string(100'000, '[')), HasSubstr("nested too deeply"));
  EXPECT_THAT(refused("PATCH", kPath, R"({"idle_timout": 5})"),
              HasSubstr("load_balancers[0].idle_timout: is not a key here"));
}

TEST(ConfigEdit, ErrorsOfValidationHaveValueAndCode) {
  const auto edited = ask(start(), "PATCH", "/load_balancers/tier", R"({"idle_timeout": 5000})");
  ASSERT_TRUE(edited.ok());
  const auto errors = with_values(edited->config, validate(edited->config));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].code, "ValidationError");
  EXPECT_EQ(errors[0].field, "load_balancers[tier].idle_timeout");
  EXPECT_EQ(errors[0].value, "\"5000s\"");
  EXPECT_EQ(code_in("a (PriorityInUse): b"), "PriorityInUse");
  EXPECT_EQ(code_in("5s to 300s (or unrestricted: true)"), "");
  EXPECT_EQ(code_in("( (x) (TooManyWildcards) ()"), "TooManyWildcards");
}

TEST(ConfigEdit, AZonalShiftStartsIsExtendedAndCancelled) {
  constexpr std::string_view kPath = "/load_balancers/tier/zonal_shift";
  const auto shift = [](const NodeConfig& config) { return config.load_balancers[0].settings.zonal_shift; };
  const NodeConfig started = good("PUT", kPath, R"({"away_from": "eu-west-1b", "expires_in": "3h"})");
  EXPECT_EQ(shift(started), (ZonalShift{"eu-west-1b", kNow + std::chrono::hours(3)}));
  const auto longer = ask(started, "PATCH", kPath, R"({"expires_in": "72h"})");
  ASSERT_TRUE(longer.ok());
  EXPECT_EQ(shift(longer->config), (ZonalShift{"eu-west-1b", kNow + std::chrono::hours(72)}));
  const auto cancelled = ask(started, "DELETE", kPath);
  ASSERT_TRUE(cancelled.ok());
  EXPECT_EQ(cancelled->config, start());
  const auto other = ask(started, "PUT", kPath, R"({"away_from": "eu-west-1a", "expires_in": "1h"})");
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().status, 409);
  EXPECT_EQ(other.error().errors[0].code, "ZonalShiftAlreadyExists");
  const auto shown = show(started, *parse_config_path(kPath), kNow);
  ASSERT_TRUE(shown.ok());
  EXPECT_EQ((*shown)["status"], "ACTIVE");
  EXPECT_EQ((*show(started, *parse_config_path(kPath), kNow + std::chrono::hours(3)))["status"], "EXPIRED");
}

TEST(ConfigEdit, AZonalShiftLastsAMinuteToThreeDays) {
  constexpr std::string_view kPath = "/load_balancers/tier/zonal_shift";
  const auto start_for = [&](const std::string& time) {
    return refused("PUT", kPath, R"({"away_from": "eu-west-1b", "expires_in": ")" + time + R"("})");
  };
  EXPECT_EQ(start_for("1m"), "taken");
  EXPECT_EQ(start_for("72h"), "taken");
  EXPECT_EQ(start_for("59s"),
            "400 InvalidExpiresIn expires_in: 59s is out of range: 1m to 72h (or unrestricted: true)");
  EXPECT_EQ(start_for("259201s"), "400 InvalidExpiresIn expires_in: 259201s is out of range: 1m to 72h");
  EXPECT_THAT(start_for("soon"), HasSubstr("400 ValidationError expires_in: 'soon'"));
  EXPECT_EQ(refused("PUT", kPath, R"({"away_from": "us-east-1a", "expires_in": "1h"})"),
            "400 InvalidAz away_from: 'us-east-1a' is not a zone of this load balancer: eu-west-1a, eu-west-1b");
  EXPECT_THAT(refused("PUT", kPath, R"({"expires_in": "1h"})"), HasSubstr("away_from: is missing"));
  EXPECT_THAT(refused("PATCH", kPath, R"({"expires_in": "1h"})"), HasSubstr("404 ResourceNotFoundException"));
  EXPECT_THAT(refused("DELETE", kPath), HasSubstr("404 ResourceNotFoundException"));
}

TEST(ConfigEdit, WhatIsShownIsWhatCanBePut) {
  for (const char* path : {"/load_balancers/tier", "/load_balancers/tier/listeners/http",
                           "/load_balancers/tier/listeners/http/rules/10", "/load_balancers/tier/target_groups/web"}) {
    const auto shown = show(start(), *parse_config_path(path), kNow);
    ASSERT_TRUE(shown.ok()) << path;
    EXPECT_EQ(good("PUT", path, shown->dump()), start()) << path;
  }
}

}  // namespace
}  // namespace rr
