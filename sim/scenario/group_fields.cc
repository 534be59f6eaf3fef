#include "sim/scenario/group_fields.h"

#include <fmt/format.h>

#include <cstdio>

#include "sim/cloud/termination_policy.h"

namespace rr::sim {
namespace {

SettingField optional_duration(const char* key, const char* help, std::optional<Duration> GroupSettings::*member) {
  return {key, help,
          [member](const TierSettings& s) { return s.group.*member ? format_duration(*(s.group.*member)) : "none"; },
          [member](TierSettings& s, const std::string& text) -> Wrong {
            if (text == "none") {
              (s.group.*member).reset();
              return std::nullopt;
            }
            const Result<Duration> read = parse_duration(text);
            if (!read) return "none or a time is right, such as 30s";
            s.group.*member = *read;
            return std::nullopt;
          }};
}

SettingField maintenance_field() {
  return {"auto_scaling_group.instance_maintenance_policy",
          "none, or least and most healthy percentage such as 100-200 (launch before terminate).",
          [](const TierSettings& s) {
            const auto& policy = s.group.maintenance_policy;
            return policy ? fmt::format("{}-{}", policy->min_healthy_percentage, policy->max_healthy_percentage)
                          : "none";
          },
          [](TierSettings& s, const std::string& text) -> Wrong {
            if (text == "none") {
              s.group.maintenance_policy.reset();
              return std::nullopt;
            }
            int least = -1;
            int most = -1;
            char rest = 0;
            if (std::sscanf(text.c_str(), "%d-%d%c", &least, &most, &rest) != 2 || least < 0 || least > 100 ||
                most < 100 || most > 200 || most - least > 100) {
              return "none, or 0 to 100 and 100 to 200, at most 100 apart, such as 100-200, is right";
            }
            s.group.maintenance_policy = InstanceMaintenancePolicy{least, most};
            return std::nullopt;
          }};
}

SettingField termination_field() {
  return {"auto_scaling_group.termination_policies",
          "In order: Default, OldestInstance, NewestInstance, OldestLaunchTemplate, ClosestToNextInstanceHour,\n"
          "  # OldestLaunchConfiguration, AllocationStrategy.",
          [](const TierSettings& s) {
            std::string out;
            for (const TerminationPolicy policy : s.group.termination_policies) {
              out += fmt::format("{}{}", out.empty() ? "" : ", ", to_string(policy));
            }
            return "[" + out + "]";
          },
          [](TierSettings& s, const std::string& text) -> Wrong {
            std::vector<TerminationPolicy> policies;
            for (const std::string& item : split_list(text)) {
              const auto policy = parse_termination_policy(item);
              if (!policy) {
                return fmt::format(
                    "{} is no policy; Default, OldestInstance, NewestInstance, OldestLaunchTemplate, "
                    "ClosestToNextInstanceHour, OldestLaunchConfiguration or AllocationStrategy is right",
                    item);
              }
              policies.push_back(*policy);
            }
            if (policies.empty()) return "at least one policy is right, such as [Default]";
            s.group.termination_policies = policies;
            return std::nullopt;
          },
          true};
}

SettingField distribution_field() {
  return {"auto_scaling_group.capacity_distribution_strategy",
          "When a zone refuses a launch: balanced-best-effort tries another one, balanced-only waits for it.",
          [](const TierSettings& s) { return std::string(to_string(s.group.capacity_distribution_strategy)); },
          [](TierSettings& s, const std::string& text) -> Wrong {
            using Strategy = CapacityDistributionStrategy;
            for (const Strategy strategy : {Strategy::kBalancedBestEffort, Strategy::kBalancedOnly}) {
              if (text != to_string(strategy)) continue;
              s.group.capacity_distribution_strategy = strategy;
              return std::nullopt;
            }
            return "balanced-best-effort or balanced-only is right";
          }};
}

}  // namespace

std::vector<SettingField> group_fields() {
  using S = TierSettings;
  return {
      name("auto_scaling_group.name", "", [](S& s) -> std::string& { return s.group.name; }),
      integer("auto_scaling_group.min_size", "", 0, 100, [](S& s) -> int& { return s.group.min_size; }),
      integer("auto_scaling_group.max_size", "", 0, 100, [](S& s) -> int& { return s.group.max_size; }),
      integer("auto_scaling_group.desired_capacity", "", 0, 100, [](S& s) -> int& { return s.desired_capacity; }),
      {"auto_scaling_group.health_check_type",
       "ELB: an instance that fails the balancer's check is replaced. EC2: not.",
       [](const S& s) { return std::string(s.group.health_check_type == HealthCheckType::kElb ? "ELB" : "EC2"); },
       [](S& s, const std::string& text) -> Wrong {
         if (text != "ELB" && text != "EC2") return "ELB or EC2 is right";
         s.group.health_check_type = text == "ELB" ? HealthCheckType::kElb : HealthCheckType::kEc2;
         return std::nullopt;
       }},
      duration("auto_scaling_group.health_check_grace_period",
               "From InService; until then the balancer's check ends nobody.",
               [](S& s) -> Duration& { return s.group.health_check_grace_period; }),
      duration("auto_scaling_group.default_cooldown",
               "After a change of the desired capacity, for calls that honor it.",
               [](S& s) -> Duration& { return s.group.default_cooldown; }),
      optional_duration("auto_scaling_group.default_instance_warmup", "none, or a time.",
                        &GroupSettings::default_instance_warmup),
      optional_duration("auto_scaling_group.max_instance_lifetime",
                        "none, or a time of at least 24h after which an instance is replaced.",
                        &GroupSettings::max_instance_lifetime),
      maintenance_field(),
      termination_field(),
      distribution_field(),
      boolean("auto_scaling_group.new_instances_protected_from_scale_in", "From their coming into service on.",
              [](S& s) -> bool& { return s.group.new_instances_protected_from_scale_in; }),
  };
}

}  // namespace rr::sim
