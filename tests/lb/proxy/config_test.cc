// The configuration as YAML and as JSON: one schema, and complaints that tell where and what.
#include "lb/proxy/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace rr {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kFile = R"(admin: 127.0.0.1:9000
access_log: "-"
stop_timeout: 2.5
load_balancers:
  - name: tier
    idle_timeout: 90
    listeners:
      - name: http
        sockets: ["127.0.0.1:8080", "unix:/tmp/x.sock"]
        default_action:
          type: forward
          target_groups:
            - target_group: web
              weight: 3
            - spare
    target_groups:
      - name: web
        deregistration_delay: 30s
        health_check:
          path: /healthz
          interval: 10
          matcher: 200-299
        targets:
          - 127.0.0.1:9001
          - id: i-0123456789abcdef0
            address: 172.31.16.10:8080
            wire: 127.31.16.10:40123
            zone: eu-west-1a
      - name: spare
)";

ConfigErrors lines(const std::vector<SettingError>& errors) {
  ConfigErrors lines;
  for (const SettingError& error : errors) lines.push_back(error.message);
  return lines;
}

TEST(Config, AFileIsReadAsAWhole) {
  const auto read = read_config_file("lb.yaml", kFile);
  ASSERT_TRUE(read.ok()) << read.error().front();
  EXPECT_EQ(read->admin, "127.0.0.1:9000");
  EXPECT_EQ(read->access_log, "-");
  EXPECT_EQ(read->stop_timeout, std::chrono::milliseconds(2500));
  ASSERT_EQ(read->node.load_balancers.size(), 1U);
  const LoadBalancerConfig& balancer = read->node.load_balancers[0];
  EXPECT_EQ(balancer.settings.name, "tier");
  EXPECT_EQ(balancer.settings.idle_timeout, 90 * kSecond);
  EXPECT_EQ(balancer.settings.listeners[0].port, 8080);
  EXPECT_EQ(balancer.bindings[0].sockets.size(), 2U);
  EXPECT_EQ(std::get<ForwardAction>(balancer.settings.listeners[0].default_action).target_groups,
            (std::vector<ForwardTarget>{{"web", 3}, {"spare", 1}}));
  EXPECT_EQ(balancer.settings.target_groups[0].health_check.path, "/healthz");
  EXPECT_EQ(balancer.settings.target_groups[0].health_check.interval, 10 * kSecond);
  EXPECT_EQ(balancer.settings.target_groups[0].deregistration_delay, 30 * kSecond);
  EXPECT_EQ(balancer.targets[0][0],
            (TargetSpec{"127.0.0.1:9001", Address::v4(127, 0, 0, 1, 9001), Address::v4(127, 0, 0, 1, 9001), ""}));
  EXPECT_EQ(balancer.targets[0][1], (TargetSpec{"i-0123456789abcdef0", Address::v4(172, 31, 16, 10, 8080),
                                                Address::v4(127, 31, 16, 10, 40123), "eu-west-1a"}));
  EXPECT_THAT(validate(read->node), IsEmpty());
}

TEST(Config, WhatIsWrittenAsJsonReadsBackAsTheSame) {
  const auto read = read_config_file("lb.yaml", kFile);
  ASSERT_TRUE(read.ok());
  const auto again = read_desired(to_json(read->node).dump());
  ASSERT_TRUE(again.ok()) << again.error().front();
  EXPECT_EQ(*again, read->node);
}

TEST(Config, AKeyIsReadAndShownToNobody) {
  const std::string key = "5ec2e7" + std::string(58, '0');
  std::string file(kFile);
  file.insert(file.find("    idle_timeout: 90"), "    cookie_key: " + key + "\n");
  const auto read = read_config_file("lb.yaml", file);
  ASSERT_TRUE(read.ok()) << read.error().front();
  EXPECT_EQ(read->node.load_balancers[0].settings.cookie_key, key);
  EXPECT_EQ(to_json(read->node).dump().find("5ec2e7"), std::string::npos);
  const auto again = read_desired(to_json(read->node, Secrets::kWritten).dump());
  ASSERT_TRUE(again.ok()) << again.error().front();
  EXPECT_EQ(*again, read->node);

  NodeConfig wrong = read->node;
  wrong.load_balancers[0].settings.cookie_key += "0";
  ASSERT_EQ(validate(wrong).size(), 1U);
  EXPECT_EQ(validate(wrong)[0].message, "load_balancers[tier].cookie_key: is not a key: 64 hexadecimal digits");
  for (const std::string& broken :
       {"{\"cookie_key\": \"" + key, "{\"cookie_key\": " + key + "}", "{\"a\": \"" + key + "\" \"" + key + "\"}"}) {
    const auto refused = read_desired(broken);
    ASSERT_FALSE(refused.ok());
    for (const std::string& error : refused.error()) EXPECT_EQ(error.find("5ec2e7"), std::string::npos) << error;
  }
}

struct Wrong {
  std::string yaml;
  std::string error;
};

TEST(Config, EachComplaintNamesPlaceKeyValueAndRemedy) {
  const std::string head = "load_balancers:\n  - name: app\n";
  const std::string group = head + "    target_groups:\n      - name: web\n";
  const std::vector<Wrong> table{
      {"amdin: 1\n",
       "f.yaml:1: amdin: is not a key here: access_log, admin, connection_log, generation, health_check_log, "
       "load_balancers, stop_timeout"},
      {head + "    idle_timeout: soon\n", "f.yaml:3: load_balancers[0].idle_timeout: 'soon' is not a duration"},
      {head + "    idle_timeout: [1]\n", "f.yaml:3: load_balancers[0].idle_timeout: a list: write seconds"},
      {head + "    idle_timeout: 1\n    idle_timeout: 2\n", "f.yaml:4: load_balancers[0].idle_timeout: comes twice"},
      {head + "    unrestricted: 7\n", "f.yaml:3: load_balancers[0].unrestricted: '7': write true or false"},
      {head + "    listeners: 5\n", "f.yaml:3: load_balancers[0].listeners: '5': write a list"},
      {head + "    listeners:\n      - name: x\n", "load_balancers[0].listeners[0].default_action: is missing"},
      {head +
           "    listeners:\n      - default_action: {type: forward, target_groups: []}\n        sockets: [nowhere]\n",
       "f.yaml:5: load_balancers[0].listeners[0].sockets[0]: 'nowhere' has no port"},
      {head + "    listeners:\n      - default_action: {type: reroute}\n",
       "'reroute': forward, redirect or fixed-response"},
      {group + "        targets: [127.0.0.1:0]\n",
       "f.yaml:5: load_balancers[0].target_groups[0].targets[0]: '127.0.0.1:0'"},
      {group + "        targets: [{id: x}]\n", "load_balancers[0].target_groups[0].targets[0].address: is missing"},
      {group + "        algorithm: fastest\n", "f.yaml:5: load_balancers[0].target_groups[0].algorithm: 'fastest'"},
      {group + "        health_check: {healthy_threshold: many}\n", "healthy_threshold: 'many': write a whole number"},
      {group + "        health_check: {healthy_threshold: 2.5}\n", "healthy_threshold: '2.5': write a whole number"},
      {group + "        health_check: {port: 99999}\n", "health_check.port: '99999': write a whole number"},
      {group + "        health_check: {matcher: 200-}\n",
       "f.yaml:5: load_balancers[0].target_groups[0].health_check.matcher"},
      {"- 1\n", "f.yaml:1: configuration: is a list: write a map"},
      {"a: [1\n", "f.yaml:"},
  };
  for (const Wrong& one : table) {
    SCOPED_TRACE(one.yaml);
    const auto read = read_config_file("f.yaml", one.yaml);
    ASSERT_FALSE(read.ok());
    EXPECT_THAT(read.error(), ::testing::Contains(HasSubstr(one.error)));
  }
}

TEST(Config, AllErrorsComeAtOnce) {
  const auto read = read_config_file("f.yaml", "load_balancers:\n  - idle_timeout: x\n    naem: y\nadmni: 1\n");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().size(), 3U);
}

TEST(Config, DesiredNeedsItsGeneration) {
  const auto read = read_desired(R"({"load_balancers": []})");
  ASSERT_FALSE(read.ok());
  EXPECT_THAT(read.error(), ElementsAre("generation: is missing"));
  EXPECT_EQ(read_desired(R"({"generation": 5, "load_balancers": []})")->generation, 5U);
}

TEST(Config, JsonThatIsNoneIsRefusedWithThePlace) {
  EXPECT_THAT(read_desired("{\"generation\": }").error().front(), HasSubstr("not JSON at byte 16"));
  EXPECT_THAT(read_desired("").error().front(), HasSubstr("not JSON"));
  EXPECT_THAT(read_desired("[]").error().front(), HasSubstr("is a list: write a map"));
  const std::string deep(100, '[');
  EXPECT_THAT(read_desired(deep).error().front(), HasSubstr("nested too deeply"));
  EXPECT_THAT(read_desired(R"({"generation": 1, "generation": 2, "load_balancers": []})").error(),
              ElementsAre("generation: comes twice: write it once"));
  EXPECT_THAT(read_desired(R"({"generation": -1, "load_balancers": []})").error(),
              ElementsAre("generation: '-1': write a whole number"));
}

TEST(Config, ValidationSeesWhatConcernsSeveralParts) {
  auto config = read_config_file("lb.yaml", kFile)->node;
  config.load_balancers.push_back(config.load_balancers[0]);
  config.load_balancers[0].targets[0].push_back(config.load_balancers[0].targets[0][0]);
  const ConfigErrors errors = lines(validate(config));
  EXPECT_THAT(errors, ::testing::Contains(HasSubstr("name: 'tier' is taken")));
  EXPECT_THAT(errors, ::testing::Contains(HasSubstr("'127.0.0.1:8080' comes twice: a socket has one listener")));
  EXPECT_THAT(errors, ::testing::Contains(HasSubstr("'127.0.0.1:9001' with port 9001 comes twice")));
}

TEST(Config, RangesAreCheckedByThePolicy) {
  auto config = read_config_file("lb.yaml", kFile)->node;
  config.load_balancers[0].settings.target_groups[0].health_check.interval = kSecond;
  EXPECT_THAT(lines(validate(config)),
              ::testing::Contains(HasSubstr("load_balancers[tier].target_groups[web].health_check.interval")));
}

TEST(Config, AFileIsUtf8) {
  EXPECT_TRUE(read_config_file("f.yaml", "# \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x92\xA9\nload_balancers: []\n").ok());
  // A lone lead, an overlong slash, a surrogate, beyond the last code point, cut off at the end.
  for (const std::string bad : {"\xC3x", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF", "\xE2\x82"}) {
    const auto read = read_config_file("f.yaml", "load_balancers: []\n# " + bad);
    ASSERT_FALSE(read.ok()) << bad;
    EXPECT_EQ(read.error().front().substr(0, 15), "f.yaml:2: byte ") << read.error().front();
  }
}

TEST(Config, AnEscapeThatIsMadeNoUtf8IsRefusedToo) {
  const auto read = read_config_file("f.yaml", "load_balancers: []\nzone: \"a\\_b\"\n");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().front(), "f.yaml:2: text that is not UTF-8");
}

TEST(Config, TargetsAloneCanBeRead) {
  const auto read = read_targets(R"({"target_group": "web", "targets": ["127.0.0.1:1", {"address": "127.0.0.1:2"}]})");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->target_group, "web");
  ASSERT_EQ(read->targets.size(), 2U);
  EXPECT_EQ(read->targets[1].id, "127.0.0.1:2");
  EXPECT_THAT(read_targets("{}").error(), ElementsAre("targets: is missing"));
}

/// What is wrong by itself or beside another: each with the line where it stands.
TEST(Config, WhatIsOutOfItsRangeIsFoundInTheFile) {
  constexpr std::string_view kBad = R"(load_balancers:
  - name: tier
    idle_timeout: 5000
    listeners:
      - name: http
        sockets: ["127.0.0.1:8080"]
        default_action:
          type: forward
          target_groups:
            - {target_group: web, weight: 0}
            - {target_group: spare, weight: 0}
        rules:
          - priority: 10
            conditions: [{field: path-pattern, values: ["/a"]}]
            action: {type: forward, target_groups: [web]}
          - priority: 10
            conditions:
              - {field: path-pattern, values: ["/*a*b*c*d*e*f"]}
            action: {type: forward, target_groups: [nobody]}
      - name: other
        sockets:
          - "127.0.0.1:8081"
          - "127.0.0.1:8080"
        default_action: {type: forward, target_groups: [web]}
    target_groups:
      - name: web
        health_check:
          interval: 2
        targets:
          - 127.0.0.1:9001
          - 127.0.0.1:9001
      - name: spare
        deregistration_delay: 7200
      - name: spare
  - name: tier
)";
  const auto read = read_config_file("f.yaml", kBad);
  ASSERT_TRUE(read.ok()) << read.error().front();
  ConfigErrors found;
  for (const SettingError& error : validate(read->node))
    found.push_back(read->file.place_of(error.field) + error.message);
  const std::vector<std::string> expected{
      "f.yaml:3: load_balancers[tier].idle_timeout: 5000s is out of range: 1s to 4000s",
      "f.yaml:10: load_balancers[tier].listeners[http].default_action.target_groups: every weight is 0",
      "f.yaml:16: load_balancers[tier].listeners[http].rules[1].priority: Priority '10' is currently in use",
      "f.yaml:18: load_balancers[tier].listeners[http].rules[1].conditions: A rule can only have '5' wildcards",
      "f.yaml:19: load_balancers[tier].listeners[http].rules[1].action.target_groups[nobody]: 'nobody' is not a target",
      "f.yaml:28: load_balancers[tier].target_groups[web].health_check.interval: 2s is out of range: 5s to 300s",
      "f.yaml:31: load_balancers[tier].target_groups[web].targets[1]: '127.0.0.1:9001' with port 9001 comes twice",
      "f.yaml:33: load_balancers[tier].target_groups[spare].deregistration_delay: 7200s is out of range: 0s to 3600s",
      "f.yaml:34: load_balancers[tier].target_groups[spare].name: 'spare' is taken",
      "f.yaml:23: load_balancers[tier].listeners[other].sockets[1]: '127.0.0.1:8080' comes twice",
      "f.yaml:35: load_balancers[tier].name: 'tier' is taken"};
  for (const std::string& one : expected) EXPECT_THAT(found, ::testing::Contains(HasSubstr(one)));
}

TEST(Config, APlaceInAFileIsTheNearestThatIsThere) {
  const auto read = read_config_file("f.yaml", kFile);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->file.place_of("load_balancers[tier].idle_timeout"), "f.yaml:6: ");
  // The group stands on line 17, what it leaves out has no line of its own.
  EXPECT_EQ(read->file.place_of("load_balancers[tier].target_groups[web].slow_start"), "f.yaml:17: ");
  EXPECT_EQ(read->file.place_of("load_balancers[tier].target_groups[web].targets[i-0123456789abcdef0].zone"),
            "f.yaml:28: ");
  EXPECT_EQ(read->file.place_of("load_balancers[0].target_groups[1].name"), "f.yaml:29: ");
  EXPECT_EQ(read->file.place_of(""), "f.yaml:1: ");
  for (const char* odd : {"[", "]", "..", "[[]", "load_balancers[tier", "load_balancers[]"}) {
    EXPECT_FALSE(read->file.place_of(odd).empty()) << odd;
  }
}

}  // namespace
}  // namespace rr
