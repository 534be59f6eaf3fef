#include "sim/scenario/balancer_fields.h"

namespace rr::sim {

std::vector<SettingField> balancer_fields() {
  using S = TierSettings;
  return {
      name("load_balancer.name", "", [](S& s) -> std::string& { return s.region.load_balancer.name; }),
      integer("load_balancer.port", "The listener's port as X-Forwarded-Port and logs show it.", 1, 65535,
              [](S& s) -> std::uint16_t& { return s.region.load_balancer.listeners.front().port; }),
      duration("load_balancer.idle_timeout", "", [](S& s) -> Duration& { return s.region.load_balancer.idle_timeout; }),
      duration("load_balancer.client_keep_alive", "",
               [](S& s) -> Duration& { return s.region.load_balancer.client_keep_alive; }),
      duration("load_balancer.connect_timeout", "To a target. Fixed at 10s on AWS.",
               [](S& s) -> Duration& { return s.region.load_balancer.connect_timeout; }),
      duration("load_balancer.network_delay_same_zone",
               "How late a node learns what a target of its own zone does with its connection.",
               [](S& s) -> Duration& { return s.region.load_balancer.network_delay_same_zone; }),
      duration("load_balancer.network_delay_cross_zone", "Likewise a target of another zone.",
               [](S& s) -> Duration& { return s.region.load_balancer.network_delay_cross_zone; }),
      boolean("load_balancer.zonal_shift_enabled", "Whether rr-sim zonal-shift is permitted. AWS's default is false.",
              [](S& s) -> bool& { return s.region.load_balancer.zonal_shift_enabled; }),
  };
}

std::vector<SettingField> target_group_fields() {
  using S = TierSettings;
  return {
      name("target_group.name", "", [](S& s) -> std::string& { return s.target_group().name; }),
      integer("target_group.port", "Logical port of every instance; PORT where an instance has a network of its own.",
              1, 65535, [](S& s) -> std::uint16_t& { return s.region.target_port; }),
      duration("target_group.deregistration_delay", "AWS's default is 300s; short requests need no more than this.",
               [](S& s) -> Duration& { return s.target_group().deregistration_delay; }),
      integer("target_group.minimum_healthy_targets", "With fewer, all targets are used (fail-open).", 1,
              kMaximumTargets, [](S& s) -> int& { return *s.target_group().unhealthy_state_routing.count; }),
      boolean("target_group.stickiness.enabled",
              "true: a client's requests stay with the instance that answered its first one.",
              [](S& s) -> bool& { return s.target_group().stickiness.enabled; }),
      {"target_group.stickiness.type", "lb_cookie, or app_cookie: as long as the application's own cookie comes along.",
       [](const S& s) { return std::string(to_string(s.target_group().stickiness.type)); },
       [](S& s, const std::string& text) -> Wrong {
         const auto type = parse_stickiness_type(text);
         if (!type) return "lb_cookie or app_cookie is right";
         s.target_group().stickiness.type = *type;
         return std::nullopt;
       }},
      duration("target_group.stickiness.lb_cookie_duration", "Never divided by the speed.",
               [](S& s) -> Duration& { return s.target_group().stickiness.lb_cookie_duration; }),
      duration("target_group.stickiness.app_cookie_duration", "Likewise.",
               [](S& s) -> Duration& { return s.target_group().stickiness.app_cookie_duration; }),
      plain_text("target_group.stickiness.app_cookie_name", "The application's cookie; not AWSALB....",
                 [](S& s) -> std::string& { return s.target_group().stickiness.app_cookie_name; }),
      plain_text("target_group.health_check.path", "",
                 [](S& s) -> std::string& { return s.target_group().health_check.path; }),
      duration("target_group.health_check.interval", "",
               [](S& s) -> Duration& { return s.target_group().health_check.interval; }),
      duration("target_group.health_check.timeout", "",
               [](S& s) -> Duration& { return s.target_group().health_check.timeout; }),
      integer("target_group.health_check.healthy_threshold",
              "For one that was unhealthy; a new target needs one success.", 0, 1000,
              [](S& s) -> int& { return s.target_group().health_check.healthy_threshold; }),
      integer("target_group.health_check.unhealthy_threshold", "", 0, 1000,
              [](S& s) -> int& { return s.target_group().health_check.unhealthy_threshold; }),
      {"target_group.health_check.matcher", "Status codes that count as success.",
       [](const S& s) { return s.target_group().health_check.matcher.text(); },
       [](S& s, const std::string& text) -> Wrong {
         const Result<Matcher> read = Matcher::parse(text);
         if (!read) return "codes from 200 to 499 are right, such as 200, 200,202 or 200-299";
         s.target_group().health_check.matcher = *read;
         return std::nullopt;
       }},
  };
}

}  // namespace rr::sim
