// A settings file is read whole or refused with every error in it: file, line, key, value, and what would be right.
#include "deploy/settings/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "deploy/settings/fields.h"
#include "tests/deploy/settings/environments.h"

namespace rr::deploy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> errors_of(const std::string& text, const std::string& file = "production.yaml") {
  const auto read = read_settings(text, file);
  return read ? std::vector<std::string>{} : read.error();
}

/// The one error of production's file after one change.
std::string error_after(const std::string& what, const std::string& instead) {
  const auto errors = errors_of(with(environment_text("production"), what, instead));
  EXPECT_EQ(errors.size(), 1U) << what << " -> " << instead;
  return errors.empty() ? "" : errors.front();
}

int line_of(const std::string& text, const std::string& what) {
  const std::string before = text.substr(0, text.find(what));
  return static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
}

TEST(DeploySettings, TheEnvironmentsOfTheRepositoryAreInOrder) {
  for (const std::string name : {"production", "local"}) {
    EXPECT_THAT(errors_of(environment_text(name), "deploy/settings/" + name + ".yaml"), IsEmpty());
  }
  const Settings production = environment("production");
  EXPECT_EQ(production.application.port, 8080);
  EXPECT_EQ(production.target_group.health_check.interval, std::chrono::seconds(5));
  EXPECT_EQ(production.verification.question_interval, std::chrono::milliseconds(250));
  EXPECT_THAT(production.auto_scaling_group.termination_policies,
              ElementsAre("OldestLaunchTemplate", "OldestInstance"));
}

TEST(DeploySettings, EveryKeyIsInTheTableOnce) {
  std::set<std::string> keys;
  Settings settings;
  std::set<const void*> slots;
  for (const Field& field : fields()) {
    EXPECT_TRUE(keys.insert(field.key).second) << field.key;
    const void* slot = std::visit([](auto* at) -> const void* { return at; }, field.slot(settings));
    EXPECT_TRUE(slots.insert(slot).second) << field.key << " has another's place";
    EXPECT_NE(right_of(field), "") << field.key;
  }
}

TEST(DeploySettings, AnErrorNamesFileLineKeyValueAndWhatIsRight) {
  const std::string text = environment_text("production");
  EXPECT_EQ(error_after("  port: 8080", "  port: 80000"),
            "production.yaml:" + std::to_string(line_of(text, "  port: 8080")) +
                ": application.port: 80000: 1 to 65535 is right");
}

struct Wrong {
  std::string what;
  std::string instead;
  std::string message;
};

TEST(DeploySettings, OutOfRangeIsRefused) {
  const std::vector<Wrong> cases = {
      {"  port: 8080", "  port: 0", "application.port: 0: 1 to 65535 is right"},
      {"  port: 8080", "  port: 65536", "application.port: 65536: 1 to 65535 is right"},
      {"  port: 8080", "  port: eighty", "application.port: eighty: 1 to 65535 is right"},
      {"  port: 8080", "  port: [8080]", "application.port: a list: 1 to 65535 is right"},
      {"name: rr-webapp", "name: RR", "application.name: 'RR': 2 to 31 lower-case letters"},
      {"health_check_path: /healthz", "health_check_path: healthz", "'healthz': a path such as /healthz is right"},
      {"region: eu-west-1", "region: Ireland", "aws.region: 'Ireland': a region such as eu-west-1 is right"},
      {"account: \"\"", "account: \"123\"", "aws.account: '123': 12 digits, or nothing is right"},
      {"architecture: x86_64", "architecture: i386", "'i386': one of x86_64, arm64 is right"},
      {"slow_start: 0s", "slow_start: 16m", "target_group.slow_start: 16m: 0s to 15m, in whole seconds is right"},
      {"watchdog: 10s", "watchdog: 1500ms", "unit.watchdog: 1500ms: 1s to 1h, in whole seconds is right"},
      {"watchdog: 10s", "watchdog: soon", "unit.watchdog: soon: 1s to 1h, in whole seconds is right"},
      {"question_interval: 250ms", "question_interval: 9ms",
       "verification.question_interval: 9ms: 10ms to 1m is right"},
      {"notify: true", "notify: perhaps", "unit.notify: 'perhaps': write true or false"},
      {"[OldestLaunchTemplate, OldestInstance]", "[Oldest]", "termination_policies[0]: Oldest: one of Default"},
      {"allowed_cidrs: [0.0.0.0/0]", "allowed_cidrs: [0.0.0.0/33]", "allowed_cidrs[0]: 0.0.0.0/33: IPv4 blocks"},
      {"allowed_cidrs: [0.0.0.0/0]", "allowed_cidrs: everyone", "write a list"},
      {"start_command: ./rr-webapp --lame-duck 20s --log json", "start_command: \"\"",
       "application.start_command: '': one line"},
      {"start_command: ./rr-webapp --lame-duck 20s --log json", "start_command: \"a\\nb\"", "one line of at most 512"},
      {"1.300072.0b1766", "1.300072.0", "'1.300072.0': a version with its build, such as 1.300072.0b1766 is right"},
      {"host_name: \"\"", "host_name: https://www.example.org",
       "load_balancer.host_name: 'https://www.example.org': a name such as www.example.org, or nothing is right"},
      {"logged_errors: 10", "logged_errors: 0", "alarms.logged_errors: 0: 1 to 1000000 is right"},
      {"instance_subnet_ids: []", "instance_subnet_ids: [private]",
       "aws.instance_subnet_ids[0]: private: ids of subnets is right"},
  };
  for (const Wrong& one : cases) EXPECT_THAT(error_after(one.what, one.instead), HasSubstr(one.message));
}

TEST(DeploySettings, AKeyThatIsMissingUnknownOrThereTwiceIsAnError) {
  EXPECT_THAT(error_after("  watchdog: 10s\n", ""), HasSubstr("unit.watchdog: is missing"));
  EXPECT_THAT(error_after("  watchdog: 10s", "  watchdog: 10s\n  guard_dog: 10s"),
              HasSubstr("unit.guard_dog: is not a key here: notify, open_files, restart_delay, stop_timeout, watchdog, "
                        "write_execute_memory"));
  EXPECT_THAT(error_after("  watchdog: 10s", "  watchdog: 10s\n  watchdog: 20s"), HasSubstr("unit.watchdog"));
}

TEST(DeploySettings, AllErrorsComeAtOnce) {
  std::string text = with(environment_text("production"), "  port: 8080", "  port: 0");
  text = with(text, "region: eu-west-1", "region: here");
  EXPECT_THAT(errors_of(text), ElementsAre(HasSubstr("application.port"), HasSubstr("aws.region")));
}

TEST(DeploySettings, WhatDoesNotGoTogetherIsRefused) {
  const std::vector<Wrong> cases = {
      {"name: round-robin\n", "name: a-very-long-name-indeed\n",
       "name: a-very-long-name-indeed: with the environment and a hyphen it has 34 characters, 25 or less is right"},
      {"region: eu-west-1", "region: us-iso-east-1",
       "aws.region: us-iso-east-1: a region of the partition aws, aws-cn or aws-us-gov is right"},
      {"region: eu-west-1", "region: eusc-de-east-1", "aws.region: eusc-de-east-1: a region of the partition aws"},
      {"max_size: 4", "max_size: 3", "max_size: 3: at least twice desired_capacity (4) is right"},
      {"min_size: 2", "min_size: 3", "desired_capacity: 2: at least min_size (3) is right"},
      {"min_healthy_percentage: 100", "min_healthy_percentage: 99",
       "200: at most 100 above min_healthy_percentage (99)"},
      {"interval: 5s\n    timeout: 2s", "interval: 5s\n    timeout: 5s",
       "interval: 5s: more than timeout (5s) is right"},
      {"slow_start: 0s", "slow_start: 29s", "slow_start: 29s: 0s, or at least 30s is right"},
      {"stop_timeout: 45s", "stop_timeout: 30s", "more than target_group.deregistration_delay (30s) is right"},
      {"type: t3.micro", "type: t4g.micro", "t4g.micro: a type of instance.architecture (x86_64) is right"},
      {"instance_type: t3.small", "instance_type: a1.medium", "bake.instance_type: a1.medium: a type of"},
      {"https_port: 443", "https_port: 80", "https_port: 80: another port than http_port is right"},
      {"certificate_arn: \"\"", "certificate_arn: arn:aws:acm:eu-west-1:123456789012:certificate/0",
       "load_balancer.host_name: with certificate_arn the name that the certificate is for is right"},
      {"allowed_cidrs: [0.0.0.0/0]", "allowed_cidrs: []", "allowed_cidrs: at least one block is right"},
      {"[OldestLaunchTemplate, OldestInstance]", "[]", "termination_policies: at least one is right"},
      {"minimum_instances: 2", "minimum_instances: 3", "3: at most auto_scaling_group.desired_capacity (2) is right"},
      {"bake_time: 2m", "bake_time: 59s", "59s: at least alarms.period times datapoints (1m) is right"},
      {"bake_time: 2m", "bake_time: 20m", "release.deadline: 15m: more than release.bake_time (20m) is right"},
      {"patience: 5m", "patience: 16m", "release.deadline: 15m: at least release.patience (16m) is right"},
      {"lock_timeout: 1m", "lock_timeout: 29s", "29s: at least six times release.poll_interval (30s) is right"},
      {"release_timeout: 45m", "release_timeout: 30m", "30m: more than twice release.deadline (30m) is right"},
      {"keep_versions: 10", "keep_versions: 4", "4: at least keep_images (5) is right"},
      {"  period: 60s", "  period: 90s", "alarms.period: 90s: whole minutes are right"},
      {"  datapoints: 1", "  datapoints: 2", "2: at most evaluation_periods (1) is right"},
      {"unhealthy_datapoints: 2", "unhealthy_datapoints: 4", "4: at most unhealthy_evaluation_periods (3) is right"},
      {"retention_days: 30", "retention_days: 31", "31: one of 1, 3, 5"},
      {"  subnet_ids: []", "  subnet_ids: [subnet-12345678]",
       "aws.subnet_ids: 1 of them: none, or at least zones (2) is right"},
      {"instance_subnet_ids: []", "instance_subnet_ids: [subnet-12345678]",
       "aws.instance_subnet_ids: 1 of them: none, or at least zones (2) is right"},
      {"bake_role: round-robin-production-bake", "bake_role: round-robin-production-plan",
       "ci.bake_role: round-robin-production-plan: another role's name: a name of its own is right"},
      {"deploy_role: round-robin-production-deploy", "deploy_role: round-robin-production", "ci.deploy_role"},
      {"expire_after: 2160h", "expire_after: 25h", "25h: whole days are right"},
  };
  for (const Wrong& one : cases) EXPECT_THAT(error_after(one.what, one.instead), HasSubstr(one.message));
}

TEST(DeploySettings, NoBakeTimeNeedsNoAlarm) {
  EXPECT_THAT(errors_of(with(environment_text("production"), "bake_time: 2m", "bake_time: 0s")), IsEmpty());
}

TEST(DeploySettings, ACopiedFileDoesNotTouchTheEnvironmentItWasCopiedFrom) {
  EXPECT_THAT(errors_of(environment_text("production"), "deploy/settings/staging.yaml"),
              ElementsAre(HasSubstr("environment: production: staging, as the file is called, is right")));
  EXPECT_THAT(errors_of(environment_text("production"), ""), IsEmpty());
}

TEST(DeploySettings, WhatIsNoDocumentIsRefused) {
  EXPECT_THAT(errors_of("a: [1"), ElementsAre(HasSubstr("production.yaml")));
  EXPECT_THAT(errors_of("{\"name\": "), ElementsAre(HasSubstr("production.yaml")));
  EXPECT_FALSE(errors_of("").empty());
  EXPECT_FALSE(errors_of("- name").empty());
}

TEST(DeploySettings, TheAccountIsPutWhereItBelongs) {
  const Settings settings = in_account(environment("production"), "123456789012");
  EXPECT_EQ(settings.artifacts.bucket, "round-robin-production-artifacts-123456789012");
  EXPECT_EQ(settings.ci.state_bucket, "round-robin-production-state-123456789012");
  EXPECT_EQ(settings.aws.account, "123456789012");
}

TEST(DeploySettings, NamesAreMadeOfNameAndEnvironment) {
  const Names names = names_of(environment("production"));
  EXPECT_EQ(names.tier, "round-robin-production");
  for (const auto& [word, name] : listed(names)) {
    EXPECT_TRUE(name.rfind("round-robin-production", 0) == 0 || name.rfind("/round-robin/production", 0) == 0) << word;
  }
}

}  // namespace
}  // namespace rr::deploy
