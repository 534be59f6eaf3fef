// The one settings file: what it prints it reads back, and everything wrong is named with its line.
#include "sim/scenario/settings.h"

#include <gtest/gtest.h>

namespace rr::sim {
namespace {

std::string error_of(const std::string& yaml) {
  SettingsReader reader;
  if (Status read = reader.read_text(yaml, "tier.yaml"); !read) return read.error().message;
  const auto whole = reader.finish();
  return whole ? "" : whole.error().message;
}

TierSettings read(const std::string& yaml) {
  SettingsReader reader;
  const Status status = reader.read_text(yaml, "tier.yaml");
  EXPECT_TRUE(status.ok()) << status.error().message;
  const auto whole = reader.finish();
  EXPECT_TRUE(whole.ok()) << whole.error().message;
  return *whole;
}

TEST(Settings, DefaultsAreInOrder) {
  const auto whole = SettingsReader().finish();
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_EQ(whole->region.zones.size(), 2U);
  EXPECT_EQ(whole->group.zones.size(), 2U);
  EXPECT_EQ(whole->desired_capacity, 2);
  EXPECT_EQ(whole->target_group().health_check.path, "/healthz");
  EXPECT_EQ(format_address(whole->listen), "127.0.0.1:8080");
}

TEST(Settings, WhatIsWrittenReadsBackTheSame) {
  TierSettings settings = *SettingsReader().finish();
  EXPECT_EQ(write_settings(read(write_settings(settings))), write_settings(settings));

  settings = read(R"(
listen: 127.0.0.1:0
ground: plain
speed: 12.5
load: 20
seed: 7
app:
  command: "node 'my server.js' --port={port} # no comment"
  folder: /tmp
  commit: abc
  build: "29"
  version_from: header:X-Version
zones:
  one: 172.31.0.0/24
  two: 172.31.1.0/24
  three: 172.31.2.0/24
target_group:
  name: others
  deregistration_delay: 1500ms
  health_check:
    matcher: 200-299,404
auto_scaling_group:
  termination_policies: [OldestLaunchTemplate, NewestInstance]
  default_instance_warmup: 30s
  max_instance_lifetime: 48h
  instance_maintenance_policy: 100-200
)");
  EXPECT_EQ(settings.app, "node 'my server.js' --port={port} # no comment");
  EXPECT_EQ(settings.region.zones.size(), 3U);
  EXPECT_EQ(settings.group.target_groups, std::vector<std::string>{"others"});
  EXPECT_EQ(settings.group.termination_policies.size(), 2U);
  EXPECT_EQ(settings.group.max_instance_lifetime, std::chrono::hours(48));
  EXPECT_TRUE(settings.region.own_program);
  EXPECT_EQ(write_settings(read(write_settings(settings))), write_settings(settings));
}

TEST(Settings, EveryMistakeIsNamedWithItsPlaceAndWhatIsRight) {
  const struct {
    const char* yaml;
    const char* message;
  } kTable[] = {
      {"speed: fast", "tier.yaml:1: speed: fast: a number above 0 is right, such as 10"},
      {"speed: 0", "tier.yaml:1: speed: 0: a number above 0 is right, such as 10"},
      {"speed: -1", "tier.yaml:1: speed: -1: a number above 0 is right, such as 10"},
      {"\nlisten: localhost:80",
       "tier.yaml:2: listen: localhost:80: a numeric address with a port is right, such as 127.0.0.1:8080"},
      {"ground: air", "tier.yaml:1: ground: air: namespaces, plain or auto is right"},
      {"region:\n  launch_time: soon",
       "tier.yaml:2: region.launch_time: soon: a time is right, such as 10, 0.5, 250ms, 10s or 5m"},
      {"region:\n  node_check_threshold: 11",
       "tier.yaml:2: region.node_check_threshold: 11: a whole number from 1 to 10 is right"},
      {"auto_scaling_group:\n  termination_policies: [Default, Nearest]",
       "tier.yaml:2: auto_scaling_group.termination_policies: Default, Nearest: Nearest is no policy; Default, "
       "OldestInstance, NewestInstance, OldestLaunchTemplate, ClosestToNextInstanceHour, OldestLaunchConfiguration or "
       "AllocationStrategy is right"},
      {"zones:\n  a: 172.31.16.0/20\n  b: 172.31.16.0/24",
       "tier.yaml:1: zones: a: 172.31.16.0/20, b: 172.31.16.0/24: a and b overlap; blocks apart are right"},
      {"zones:\n  a: 172.31.16.0/20\n  b_2: 172.31.32.0/20",
       "tier.yaml:1: zones: a: 172.31.16.0/20, b_2: 172.31.32.0/20: b_2: 1 to 32 letters, digits and hyphens are "
       "right"},
      {"zones:\n  a: 10.0.0.0/20",
       "tier.yaml:1: zones: a: 10.0.0.0/20: a: 10.0.0.0/20: a block within the default VPC, 172.31.0.0/16, is right"},
      {"zones:\n  a: 172.31.16.0/30",
       "tier.yaml:1: zones: a: 172.31.16.0/30: a: 172.31.16.0/30: a prefix from 16 to 28 is right, as in a VPC"},
      {"zones:\n  a: 172.31.17.0/20",
       "tier.yaml:1: zones: a: 172.31.17.0/20: a: 172.31.17.0/20: the bits after the prefix must be 0, as in "
       "172.31.16.0/20"},
      {"app: node", "tier.yaml:1: app: keys below it are right: command, folder, commit, build, version_from"},
      {"app:\n  version_from: body",
       "tier.yaml:2: app.version_from: body: path, path:/version, header:NAME or none is right"},
      {"speed: 1\nspeed: 2", "tier.yaml:2: speed: is there twice; once is right"},
      {"- a", "tier.yaml:1: keys with values are right, as `rr-sim settings` prints them"},
      // What concerns several keys, found when all have been read.
      {"auto_scaling_group:\n  min_size: 3\n  max_size: 2",
       "tier.yaml:3: auto_scaling_group.max_size: 2: min_size (3) or more is right"},
      {"auto_scaling_group:\n  desired_capacity: 9",
       "tier.yaml:2: auto_scaling_group.desired_capacity: 9: min_size (2) to max_size (4) is right"},
  };
  for (const auto& row : kTable) EXPECT_EQ(error_of(row.yaml), row.message) << row.yaml;
}

TEST(Settings, AnUnknownKeyIsAnsweredWithTheKnownOnes) {
  const std::string top = error_of("sped: 10");
  EXPECT_EQ(top.rfind("tier.yaml:1: sped: is no setting; known are: listen, ground, speed", 0), 0U) << top;
  const std::string inner = error_of("target_group:\n  health_check:\n    pth: /");
  EXPECT_EQ(inner.rfind(
                "tier.yaml:3: target_group.health_check.pth: is no setting there; known there are: path, interval", 0),
            0U)
      << inner;
}

TEST(Settings, TheBalancersOwnRulesAreAppliedAndNamedByOurKeys) {
  const std::string path = error_of("target_group:\n  health_check:\n    path: healthz");
  EXPECT_EQ(path.rfind("tier.yaml:3: target_group.health_check.path: ", 0), 0U) << path;
  const std::string interval = error_of("target_group:\n  health_check:\n    interval: 2s");
  EXPECT_EQ(interval.rfind("tier.yaml:3: target_group.health_check.interval: ", 0), 0U) << interval;
  const std::string idle = error_of("load_balancer:\n  idle_timeout: 2h");
  EXPECT_EQ(idle.rfind("tier.yaml:2: load_balancer.idle_timeout: ", 0), 0U) << idle;
}

TEST(Settings, AFlagWinsWhetherItComesBeforeOrAfterTheFile) {
  for (const bool first : {true, false}) {
    SettingsReader reader;
    if (first) {
      ASSERT_TRUE(reader.set("speed", "5", "--speed").ok());
    }
    ASSERT_TRUE(reader.read_text("speed: 2", "tier.yaml").ok());
    if (!first) {
      ASSERT_TRUE(reader.set("speed", "5", "--speed").ok());
    }
    EXPECT_EQ(reader.finish()->region.speed, 5);
  }
}

TEST(Settings, AWrongFlagIsNamedAsItWasTyped) {
  SettingsReader reader;
  EXPECT_EQ(reader.set("speed", "x", "--speed").error().message, "--speed x: a number above 0 is right, such as 10");
  ASSERT_TRUE(reader.set("target_group.health_check.path", "health", "--health-path").ok());
  const std::string message = reader.finish().error().message;
  EXPECT_EQ(message.rfind("--health-path ", 0), 0U) << message;
  EXPECT_EQ(reader.set_by_name("sped", "1").error().message,
            "--set sped: is no setting; `rr-sim settings` prints them all");
}

TEST(Settings, AProgramOfTheUsersIsCheckedAtTheRootUnlessItIsSaidOtherwise) {
  EXPECT_EQ(read("app:\n  command: x").target_group().health_check.path, "/");
  EXPECT_EQ(read("app:\n  command: x").version_from.kind, VersionFrom::Kind::kNone);
  EXPECT_EQ(read("app:\n  command: x\n  version_from: path").version_from.name, "/version");
  EXPECT_EQ(read("app:\n  command: x\ntarget_group:\n  health_check:\n    path: /up").target_group().health_check.path,
            "/up");
}

}  // namespace
}  // namespace rr::sim
