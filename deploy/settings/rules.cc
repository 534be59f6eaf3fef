#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <set>

#include "deploy/settings/partition.h"
#include "deploy/settings/settings.h"

namespace rr::deploy {
namespace {

/// An Application Load Balancer's and a target group's name has at most 32 characters, and the target group's ends in a
/// hyphen and six digits of a hash.
constexpr std::size_t kLongestTier = 25;
/// CloudWatch refuses other numbers.
constexpr std::array kRetentionDays = {1,   3,   5,   7,   14,   30,   60,   90,   120,  150,  180,
                                       365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};
constexpr Duration kDay = std::chrono::hours(24);
constexpr Duration kLeastSlowStart = std::chrono::seconds(30);
constexpr Duration kAlarmStep = std::chrono::minutes(1);
constexpr int kWidestMaintenance = 100;
/// A release that fails at its deadline needs as long again to go back, and the last to verify.
constexpr int kReleasesInAJob = 2;
/// The lock is renewed at every third of its timeout, at the first look after it: with fewer looks one could come late.
constexpr int kLooksInALock = 6;

using Broken = std::vector<BrokenRule>;

/// Whether AWS's naming says that a type has Graviton processors: a g after the generation's number, or a1.
bool is_graviton(const std::string& type) { return RE2::PartialMatch(type, "^([a-z]+[0-9]+g[a-z]*|a1)[.]"); }

void check_type(Broken& broken, const char* key, const std::string& type, const std::string& architecture) {
  if (is_graviton(type) == (architecture == "arm64")) return;
  broken.push_back({key, fmt::format("{}: a type of instance.architecture ({}) is right, such as {}", type,
                                     architecture, architecture == "arm64" ? "t4g.micro" : "t3.micro")});
}

/// `longer` must be more than `than`, or at least as much with `equal_is_fine`.
void check_longer(Broken& broken, const char* longer_key, Duration longer, const char* than_key, Duration than,
                  bool equal_is_fine = false) {
  if (longer > than || (equal_is_fine && longer == than)) return;
  broken.push_back(
      {longer_key, fmt::format("{}: {} {} ({}) is right", format_duration(longer),
                               equal_is_fine ? "at least" : "more than", than_key, format_duration(than))});
}

void check_names(Broken& broken, const Settings& s) {
  const std::size_t length = names_of(s).tier.size();
  if (length <= kLongestTier) return;
  broken.push_back(
      {"name", fmt::format("{}: with the environment and a hyphen it has {} characters, {} or less is right", s.name,
                           length, kLongestTier)});
}

void check_group(Broken& broken, const AutoScalingGroupSettings& group) {
  if (group.desired_capacity < group.min_size) {
    broken.push_back({"auto_scaling_group.desired_capacity",
                      fmt::format("{}: at least min_size ({}) is right", group.desired_capacity, group.min_size)});
  }
  if (group.max_size < 2 * group.desired_capacity) {
    broken.push_back(
        {"auto_scaling_group.max_size",
         fmt::format("{}: at least twice desired_capacity ({}) is right: a release launches before it terminates",
                     group.max_size, 2 * group.desired_capacity)});
  }
  if (group.max_healthy_percentage - group.min_healthy_percentage > kWidestMaintenance) {
    broken.push_back({"auto_scaling_group.max_healthy_percentage",
                      fmt::format("{}: at most {} above min_healthy_percentage ({}) is right",
                                  group.max_healthy_percentage, kWidestMaintenance, group.min_healthy_percentage)});
  }
  if (group.termination_policies.empty()) {
    broken.push_back({"auto_scaling_group.termination_policies", "at least one is right, such as [Default]"});
  }
}

void check_balancer(Broken& broken, const Settings& s) {
  const LoadBalancerSettings& balancer = s.load_balancer;
  if (balancer.http_port == balancer.https_port) {
    broken.push_back(
        {"load_balancer.https_port", fmt::format("{}: another port than http_port is right", balancer.https_port)});
  }
  if (!balancer.certificate_arn.empty() && balancer.host_name.empty()) {
    broken.push_back({"load_balancer.host_name",
                      "with certificate_arn the name that the certificate is for is right: a release verifies it"});
  }
  if (balancer.allowed_cidrs.empty()) {
    broken.push_back({"load_balancer.allowed_cidrs", "at least one block is right, such as [0.0.0.0/0]"});
  }
  const HealthCheckSettings& check = s.target_group.health_check;
  check_longer(broken, "target_group.health_check.interval", check.interval, "timeout", check.timeout);
  const Duration slow = s.target_group.slow_start;
  if (slow != Duration::zero() && slow < kLeastSlowStart) {
    broken.push_back({"target_group.slow_start", fmt::format("{}: 0s, or at least {} is right", format_duration(slow),
                                                             format_duration(kLeastSlowStart))});
  }
  check_longer(broken, "unit.stop_timeout", s.unit.stop_timeout, "target_group.deregistration_delay",
               s.target_group.deregistration_delay);
}

void check_release(Broken& broken, const Settings& s) {
  if (s.verification.minimum_instances > s.auto_scaling_group.desired_capacity) {
    broken.push_back({"verification.minimum_instances",
                      fmt::format("{}: at most auto_scaling_group.desired_capacity ({}) is right",
                                  s.verification.minimum_instances, s.auto_scaling_group.desired_capacity)});
  }
  check_longer(broken, "release.deadline", s.release.deadline, "release.bake_time", s.release.bake_time);
  check_longer(broken, "release.deadline", s.release.deadline, "release.patience", s.release.patience, true);
  check_longer(broken, "release.lock_timeout", s.release.lock_timeout, "six times release.poll_interval",
               kLooksInALock * s.release.poll_interval, true);
  check_longer(broken, "ci.release_timeout", s.ci.release_timeout, "twice release.deadline",
               kReleasesInAJob * s.release.deadline);
  if (s.release.keep_versions < s.release.keep_images) {
    broken.push_back({"release.keep_versions", fmt::format("{}: at least keep_images ({}) is right: an image without "
                                                           "its version cannot be gone back to",
                                                           s.release.keep_versions, s.release.keep_images)});
  }
}

void check_alarms(Broken& broken, const Settings& s) {
  const AlarmSettings& alarms = s.alarms;
  if (alarms.period % kAlarmStep != Duration::zero()) {
    broken.push_back({"alarms.period", fmt::format("{}: whole minutes are right", format_duration(alarms.period))});
  }
  const auto most = [&](const char* key, int datapoints, const char* of, int periods) {
    if (datapoints <= periods) return;
    broken.push_back({key, fmt::format("{}: at most {} ({}) is right", datapoints, of, periods)});
  };
  most("alarms.datapoints", alarms.datapoints, "evaluation_periods", alarms.evaluation_periods);
  most("alarms.unhealthy_datapoints", alarms.unhealthy_datapoints, "unhealthy_evaluation_periods",
       alarms.unhealthy_evaluation_periods);
  if (s.release.bake_time != Duration::zero()) {
    check_longer(broken, "release.bake_time", s.release.bake_time, "alarms.period times datapoints",
                 alarms.period * alarms.datapoints, true);
  }
}

void check_keeping(Broken& broken, const Settings& s) {
  if (std::find(kRetentionDays.begin(), kRetentionDays.end(), s.logs.retention_days) == kRetentionDays.end()) {
    broken.push_back({"logs.retention_days",
                      fmt::format("{}: one of {} is right", s.logs.retention_days, fmt::join(kRetentionDays, ", "))});
  }
  if (s.artifacts.expire_after % kDay != Duration::zero()) {
    broken.push_back({"artifacts.expire_after", fmt::format("{}: whole days are right, such as 720h",
                                                            format_duration(s.artifacts.expire_after))});
  }
}

/// An account has one role of a name; two purposes with one role would have each other's rights.
void check_roles(Broken& broken, const Settings& s) {
  const Names names = names_of(s);
  std::set<std::string> taken = {names.tier, names.bake_profile};
  const std::pair<const char*, const std::string*> roles[] = {{"ci.plan_role", &s.ci.plan_role},
                                                              {"ci.apply_role", &s.ci.apply_role},
                                                              {"ci.bake_role", &s.ci.bake_role},
                                                              {"ci.deploy_role", &s.ci.deploy_role}};
  for (const auto& [key, role] : roles) {
    if (taken.insert(*role).second) continue;
    broken.push_back({key, fmt::format("{}: another role's name: a name of its own is right", *role)});
  }
}

void check_subnets(Broken& broken, const char* key, const std::vector<std::string>& ids, int zones) {
  if (ids.empty() || static_cast<int>(ids.size()) >= zones) return;
  broken.push_back({key, fmt::format("{} of them: none, or at least zones ({}) is right", ids.size(), zones)});
}

void check_place(Broken& broken, const Settings& s) {
  if (!partition_of(s.aws.region)) {
    broken.push_back({"aws.region", fmt::format("{}: {}", s.aws.region, kKnownPartitions)});
  }
  check_subnets(broken, "aws.subnet_ids", s.aws.subnet_ids, s.aws.zones);
  check_subnets(broken, "aws.instance_subnet_ids", s.aws.instance_subnet_ids, s.aws.zones);
  check_type(broken, "instance.type", s.instance.type, s.instance.architecture);
  check_type(broken, "bake.instance_type", s.bake.instance_type, s.instance.architecture);
}

}  // namespace

std::vector<BrokenRule> broken_rules(const Settings& settings) {
  Broken broken;
  check_names(broken, settings);
  check_place(broken, settings);
  check_group(broken, settings.auto_scaling_group);
  check_balancer(broken, settings);
  check_release(broken, settings);
  check_alarms(broken, settings);
  check_keeping(broken, settings);
  check_roles(broken, settings);
  return broken;
}

}  // namespace rr::deploy
