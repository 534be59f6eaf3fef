#include "lb/policy/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "lb/policy/group_use.h"

namespace rr {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

std::vector<std::string> messages(const std::vector<SettingError>& errors) {
  std::vector<std::string> result;
  for (const SettingError& error : errors) {
    EXPECT_EQ(error.message.find(error.field + ": "), 0U) << error.message;
    EXPECT_EQ(error.message.find('\n'), std::string::npos) << error.message;
    result.push_back(error.message);
  }
  return result;
}

using Messages = std::vector<std::string>;

TEST(HealthCheckSettings, DefaultsAreInOrder) {
  EXPECT_EQ(messages(validate(HealthCheck{})), Messages{});
  EXPECT_EQ(messages(validate(TargetGroupSettings{})), Messages{});
  EXPECT_EQ(messages(validate(LoadBalancerSettings{})), Messages{});
}

TEST(HealthCheckSettings, EachLimitAndOnePastIt) {
  using Change = std::function<void(HealthCheck&)>;
  const struct {
    const char* story;
    Change change;
    Messages expected;
  } kTable[] = {
      {"interval 5 s",
       [](HealthCheck& c) {
         c.interval = seconds(5);
         c.timeout = seconds(2);
       },
       {}},
      {"interval below",
       [](HealthCheck& c) {
         c.interval = seconds(5) - nanoseconds(1);
         c.timeout = seconds(2);
       },
       {"health_check.interval: 4.999999999s is out of range: 5s to 300s (or unrestricted: true)"}},
      {"interval 300 s", [](HealthCheck& c) { c.interval = seconds(300); }, {}},
      {"interval above",
       [](HealthCheck& c) { c.interval = seconds(301); },
       {"health_check.interval: 301s is out of range: 5s to 300s"}},
      {"interval zero",
       [](HealthCheck& c) { c.interval = seconds(0); },
       {"health_check.interval: 0s is out of range: 5s to 300s",
        "health_check.timeout: 5s must be smaller than health_check.interval, which is 0s"}},
      {"timeout 2 s", [](HealthCheck& c) { c.timeout = seconds(2); }, {}},
      {"timeout below",
       [](HealthCheck& c) { c.timeout = seconds(1); },
       {"health_check.timeout: 1s is out of range: 2s to 120s (or unrestricted: true)"}},
      {"timeout negative",
       [](HealthCheck& c) { c.timeout = -seconds(1); },
       {"health_check.timeout: -1s is out of range: 2s to 120s"}},
      {"timeout 120 s",
       [](HealthCheck& c) {
         c.timeout = seconds(120);
         c.interval = seconds(121);
       },
       {}},
      {"timeout above",
       [](HealthCheck& c) {
         c.timeout = seconds(121);
         c.interval = seconds(300);
       },
       {"health_check.timeout: 121s is out of range: 2s to 120s"}},
      {"timeout just below the interval",
       [](HealthCheck& c) {
         c.interval = seconds(6);
         c.timeout = seconds(6) - nanoseconds(1);
       },
       {}},
      {"timeout the interval",
       [](HealthCheck& c) {
         c.interval = seconds(6);
         c.timeout = seconds(6);
       },
       {"health_check.timeout: 6s must be smaller than health_check.interval, which is 6s"}},
      {"unrestricted: a time-lapse run at speed 50",
       [](HealthCheck& c) {
         c.unrestricted = true;
         c.interval = milliseconds(200);
         c.timeout = milliseconds(250);
       },
       {}},
      {"unrestricted: 10 ms",
       [](HealthCheck& c) {
         c.unrestricted = true;
         c.interval = milliseconds(10);
         c.timeout = milliseconds(10);
       },
       {}},
      {"unrestricted: below",
       [](HealthCheck& c) {
         c.unrestricted = true;
         c.interval = milliseconds(10) - nanoseconds(1);
         c.timeout = milliseconds(9);
       },
       {"health_check.interval: 0.009999999s is out of range: 10ms to 300s",
        "health_check.timeout: 9ms is out of range: 10ms to 120s"}},
      {"unrestricted: zero and negative",
       [](HealthCheck& c) {
         c.unrestricted = true;
         c.interval = seconds(0);
         c.timeout = -milliseconds(1);
       },
       {"health_check.interval: 0s is out of range: 10ms to 300s",
        "health_check.timeout: -1ms is out of range: 10ms to 120s"}},
      {"unrestricted: above",
       [](HealthCheck& c) {
         c.unrestricted = true;
         c.interval = seconds(301);
         c.timeout = seconds(121);
       },
       {"health_check.interval: 301s is out of range: 10ms to 300s",
        "health_check.timeout: 121s is out of range: 10ms to 120s"}},
      {"healthy threshold 2", [](HealthCheck& c) { c.healthy_threshold = 2; }, {}},
      {"healthy threshold below",
       [](HealthCheck& c) { c.healthy_threshold = 1; },
       {"health_check.healthy_threshold: 1 is out of range: 2 to 10"}},
      {"healthy threshold 10", [](HealthCheck& c) { c.healthy_threshold = 10; }, {}},
      {"healthy threshold above",
       [](HealthCheck& c) { c.healthy_threshold = 11; },
       {"health_check.healthy_threshold: 11 is out of range: 2 to 10"}},
      {"unhealthy threshold 2", [](HealthCheck& c) { c.unhealthy_threshold = 2; }, {}},
      {"unhealthy threshold below",
       [](HealthCheck& c) { c.unhealthy_threshold = 1; },
       {"health_check.unhealthy_threshold: 1 is out of range: 2 to 10"}},
      {"unhealthy threshold 10", [](HealthCheck& c) { c.unhealthy_threshold = 10; }, {}},
      {"unhealthy threshold above",
       [](HealthCheck& c) { c.unhealthy_threshold = 11; },
       {"health_check.unhealthy_threshold: 11 is out of range: 2 to 10"}},
      {"initial threshold 1", [](HealthCheck& c) { c.initial_unhealthy_threshold = 1; }, {}},
      {"initial threshold 10", [](HealthCheck& c) { c.initial_unhealthy_threshold = 10; }, {}},
      {"initial threshold below",
       [](HealthCheck& c) { c.initial_unhealthy_threshold = 0; },
       {"health_check.initial_unhealthy_threshold: 0 is out of range: 1 to 10"}},
      {"initial threshold above",
       [](HealthCheck& c) { c.initial_unhealthy_threshold = 11; },
       {"health_check.initial_unhealthy_threshold: 11 is out of range: 1 to 10"}},
      {"port 1", [](HealthCheck& c) { c.port = 1; }, {}},
      {"port 65535", [](HealthCheck& c) { c.port = 65535; }, {}},
      {"port 0", [](HealthCheck& c) { c.port = 0; }, {"health_check.port: 0 is out of range: 1 to 65535"}},
      {"path with a query", [](HealthCheck& c) { c.path = "/health?deep=1&x=%20"; }, {}},
      {"path without a slash",
       [](HealthCheck& c) { c.path = "healthz"; },
       {"health_check.path: 'healthz' does not begin with /: write one like /healthz"}},
      {"path empty",
       [](HealthCheck& c) { c.path = ""; },
       {"health_check.path: '' does not begin with /: write one like /healthz"}},
      {"path that would break the request line",
       [](HealthCheck& c) { c.path = "/a\r\nX: y"; },
       {"health_check.path: '/a??X: y' may hold visible ASCII characters only, and no #: percent-encode the others"}},
      {"path of 1024", [](HealthCheck& c) { c.path = "/" + std::string(1023, 'a'); }, {}},
      {"path of 1025",
       [](HealthCheck& c) { c.path = "/" + std::string(1024, 'a'); },
       {"health_check.path: '/" + std::string(59, 'a') + "...' has 1025 characters: 1 to 1024"}},
  };
  for (const auto& row : kTable) {
    HealthCheck check;
    row.change(check);
    EXPECT_EQ(messages(validate(check)), row.expected) << row.story;
  }
}

TEST(TargetGroupSettings, EachLimitAndOnePastIt) {
  using Change = std::function<void(TargetGroupSettings&)>;
  const auto no_name = [](const std::string& name) {
    return Messages{"name: '" + name + "' is not a name: 1 to 32 letters, digits and hyphens, no hyphen at either end"};
  };
  const struct {
    const char* story;
    Change change;
    Messages expected;
  } kTable[] = {
      {"name of 1", [](auto& s) { s.name = "a"; }, {}},
      {"name of 32", [](auto& s) { s.name = std::string(32, 'a'); }, {}},
      {"name of 33", [](auto& s) { s.name = std::string(33, 'a'); }, no_name(std::string(33, 'a'))},
      {"name empty", [](auto& s) { s.name = ""; }, no_name("")},
      {"name with hyphens", [](auto& s) { s.name = "web-Tier-2"; }, {}},
      {"hyphen first", [](auto& s) { s.name = "-web"; }, no_name("-web")},
      {"hyphen last", [](auto& s) { s.name = "web-"; }, no_name("web-")},
      {"underscore", [](auto& s) { s.name = "web_1"; }, no_name("web_1")},
      {"delay 0", [](auto& s) { s.deregistration_delay = seconds(0); }, {}},
      {"delay below",
       [](auto& s) { s.deregistration_delay = -nanoseconds(1); },
       {"deregistration_delay: -1ns is out of range: 0s to 3600s"}},
      {"delay 3600 s", [](auto& s) { s.deregistration_delay = seconds(3600); }, {}},
      {"delay above",
       [](auto& s) { s.deregistration_delay = seconds(3601); },
       {"deregistration_delay: 3601s is out of range: 0s to 3600s"}},
      {"minimum 0",
       [](auto& s) { s.unhealthy_state_routing.count = 0; },
       {"unhealthy_state_routing.minimum_healthy_targets_count: 0 is out of range: 1 to 10000"}},
      {"minimum 10000", [](auto& s) { s.dns_failover.count = s.unhealthy_state_routing.count = 10000; }, {}},
      {"minimum above",
       [](auto& s) { s.dns_failover.count = {}, s.unhealthy_state_routing.count = 10001; },
       {"unhealthy_state_routing.minimum_healthy_targets_count: 10001 is out of range: 1 to 10000"}},
      {"weighted random", [](auto& s) { s.algorithm = Algorithm::kWeightedRandom; }, {}},
      {"least outstanding requests", [](auto& s) { s.algorithm = Algorithm::kLeastOutstandingRequests; }, {}},
      {"slow start of 30 s", [](auto& s) { s.slow_start = seconds(30); }, {}},
      {"slow start of 29 s",
       [](auto& s) { s.slow_start = seconds(29); },
       {"slow_start: 29s is out of range: 0s, or 30s to 900s"}},
      {"slow start of 29 s, unrestricted", [](auto& s) { s.slow_start = seconds(29), s.unrestricted = true; }, {}},
      {"slow start of 900 s", [](auto& s) { s.slow_start = seconds(900); }, {}},
      {"slow start of 901 s",
       [](auto& s) { s.slow_start = seconds(901); },
       {"slow_start: 901s is out of range: 0s, or 30s to 900s"}},
      {"floor of 1 %", [](auto& s) { s.slow_start_floor_percent = 1; }, {}},
      {"floor of 100 %", [](auto& s) { s.slow_start_floor_percent = 100; }, {}},
      {"floor below",
       [](auto& s) { s.slow_start_floor_percent = 0; },
       {"slow_start_floor_percent: 0 is out of range: 1 to 100"}},
      {"floor above",
       [](auto& s) { s.slow_start_floor_percent = 101; },
       {"slow_start_floor_percent: 101 is out of range: 1 to 100"}},
      {"mitigation with its algorithm",
       [](auto& s) { s.anomaly_mitigation = true, s.algorithm = Algorithm::kWeightedRandom; },
       {}},
      {"mitigation without it",
       [](auto& s) { s.anomaly_mitigation = true; },
       {"anomaly_mitigation: true goes with algorithm weighted_random only, which is round_robin"}},
      {"percentages of 1 and 100",
       [](auto& s) { s.unhealthy_state_routing.percentage = 1, s.dns_failover.percentage = 100; },
       {}},
      {"a percentage of 0",
       [](auto& s) { s.unhealthy_state_routing.percentage = 0; },
       {"unhealthy_state_routing.minimum_healthy_targets_percentage: 0 is out of range: 1 to 100"}},
      {"a percentage of 101",
       [](auto& s) { s.dns_failover.percentage = 101; },
       {"dns_failover.minimum_healthy_targets_percentage: 101 is out of range: 1 to 100"}},
      {"slow start without its algorithm",
       [](auto& s) { s.slow_start = seconds(30), s.algorithm = Algorithm::kWeightedRandom; },
       {"slow_start: goes with algorithm round_robin only, which is weighted_random"}},
      {"without cross-zone", [](auto& s) { s.cross_zone = false; }, {}},
      {"DNS before routing",
       [](auto& s) { s.unhealthy_state_routing.count = 2; },
       {"dns_failover.minimum_healthy_targets_count: 1 is below unhealthy_state_routing's 2: it must be at least as "
        "high"}},
      {"DNS without a threshold", [](auto& s) { s.dns_failover.count.reset(); }, {}},
      {"routing without a threshold",
       [](auto& s) { s.unhealthy_state_routing.count.reset(); },
       {"unhealthy_state_routing.minimum_healthy_targets_count: cannot be off: 1 or more"}},
      {"the cookie's name is AWS's",
       [](auto& s) { s.stickiness.app_cookie_name = "AWSALBX"; },
       {"stickiness.app_cookie_name: 'AWSALBX' begins with AWSALB, which is reserved: choose another"}},
      {"stickiness", [](auto& s) { s.stickiness.enabled = true; }, {}},
      {"stickiness by the application's cookie",
       [](auto& s) {
         s.stickiness = {.enabled = true, .type = StickinessType::kAppCookie, .app_cookie_name = "session"};
       },
       {}},
      {"stickiness by a cookie without a name",
       [](auto& s) { s.stickiness = {.enabled = true, .type = StickinessType::kAppCookie}; },
       {"stickiness.app_cookie_name: '' is not a cookie's name: name the cookie that the application sets"}},
      {"a cookie's name that is no token",
       [](auto& s) { s.stickiness.app_cookie_name = "a;b"; },
       {"stickiness.app_cookie_name: 'a;b' is not a cookie's name: a token as in RFC 6265"}},
      {"stickiness, 1 s and 7 days",
       [](auto& s) {
         s.stickiness.lb_cookie_duration = seconds(1), s.stickiness.app_cookie_duration = seconds(604'800);
       },
       {}},
      {"stickiness, below and above",
       [](auto& s) {
         s.stickiness.lb_cookie_duration = milliseconds(999), s.stickiness.app_cookie_duration = seconds(604'801);
       },
       {"stickiness.lb_cookie_duration: 999ms is out of range: 1s to 604800s",
        "stickiness.app_cookie_duration: 604801s is out of range: 1s to 604800s"}},
      {"stickiness with weighted random and without cross-zone",
       [](auto& s) { s.stickiness.enabled = true, s.cross_zone = false, s.algorithm = Algorithm::kWeightedRandom; },
       {"stickiness.enabled: true does not go with algorithm weighted_random: choose one of them",
        "stickiness.enabled: true does not go with cross_zone false: choose one of them"}},
      {"the health check is looked at too",
       [](auto& s) { s.health_check.healthy_threshold = 0; },
       {"health_check.healthy_threshold: 0 is out of range: 2 to 10"}},
  };
  for (const auto& row : kTable) {
    TargetGroupSettings settings;
    row.change(settings);
    EXPECT_EQ(messages(validate(settings)), row.expected) << row.story;
  }
}

/// A load balancer with listener http and target groups web and api, in order.
LoadBalancerSettings good() {
  LoadBalancerSettings settings;
  settings.target_groups = {{.name = "web"}, {.name = "api"}};
  settings.listeners = {{.name = "http", .port = 80, .default_action = ForwardAction{{{"web", 1}, {"api", 999}}}}};
  return settings;
}

TEST(LoadBalancerSettings, EachLimitAndOnePastIt) {
  using Change = std::function<void(LoadBalancerSettings&)>;
  const auto forward = [](ForwardAction action) {
    return [action](LoadBalancerSettings& s) { s.listeners[0].default_action = action; };
  };
  const auto fixed = [](FixedResponseAction action) {
    return [action](LoadBalancerSettings& s) { s.listeners[0].default_action = action; };
  };
  const std::string at = "listeners[http].default_action.";
  const auto many_groups = [](std::size_t count) {
    return [count](LoadBalancerSettings& s) {
      ForwardAction action;
      for (std::size_t i = 0; i < count; ++i) {
        s.target_groups.push_back({.name = "g" + std::to_string(i)});
        action.target_groups.push_back({"g" + std::to_string(i), 1});
      }
      s.listeners[0].default_action = action;
    };
  };
  const struct {
    const char* story;
    Change change;
    Messages expected;
  } kTable[] = {
      {"good", [](auto&) {}, {}},
      {"name",
       [](auto& s) { s.name = "a b"; },
       {"name: 'a b' is not a name: 1 to 32 letters, digits and hyphens, no hyphen at either end"}},
      {"reserved name",
       [](auto& s) { s.name = "internal-app"; },
       {"name: 'internal-app' begins with internal-, which is reserved: choose another"}},
      {"idle 1 s", [](auto& s) { s.idle_timeout = seconds(1); }, {}},
      {"idle below",
       [](auto& s) { s.idle_timeout = milliseconds(999); },
       {"idle_timeout: 999ms is out of range: 1s to 4000s (or unrestricted: true)"}},
      {"idle 4000 s", [](auto& s) { s.idle_timeout = seconds(4000); }, {}},
      {"idle above",
       [](auto& s) { s.idle_timeout = seconds(4001); },
       {"idle_timeout: 4001s is out of range: 1s to 4000s"}},
      {"keep-alive 60 s", [](auto& s) { s.client_keep_alive = seconds(60); }, {}},
      {"keep-alive below",
       [](auto& s) { s.client_keep_alive = seconds(59); },
       {"client_keep_alive: 59s is out of range: 60s to 604800s (or unrestricted: true)"}},
      {"keep-alive 604800 s", [](auto& s) { s.client_keep_alive = seconds(604800); }, {}},
      {"keep-alive above",
       [](auto& s) { s.client_keep_alive = seconds(604801); },
       {"client_keep_alive: 604801s is out of range: 60s to 604800s"}},
      {"connect 10 ms", [](auto& s) { s.connect_timeout = milliseconds(10); }, {}},
      {"connect below",
       [](auto& s) { s.connect_timeout = milliseconds(9); },
       {"connect_timeout: 9ms is out of range: 10ms to 60s"}},
      {"connect 60 s", [](auto& s) { s.connect_timeout = seconds(60); }, {}},
      {"connect above",
       [](auto& s) { s.connect_timeout = seconds(61); },
       {"connect_timeout: 61s is out of range: 10ms to 60s"}},
      {"unrestricted",
       [](auto& s) {
         s.unrestricted = true;
         s.idle_timeout = milliseconds(10);
         s.client_keep_alive = milliseconds(10);
       },
       {}},
      {"unrestricted, below",
       [](auto& s) {
         s.unrestricted = true;
         s.idle_timeout = milliseconds(9);
         s.client_keep_alive = seconds(0);
       },
       {"idle_timeout: 9ms is out of range: 10ms to 4000s", "client_keep_alive: 0s is out of range: 10ms to 604800s"}},
      {"oversized heads 413", [](auto& s) { s.oversized_head_status = 413; }, {}},
      {"oversized heads 431",
       [](auto& s) { s.oversized_head_status = 431; },
       {"oversized_head_status: 431 is neither 400 nor 413"}},
      {"unknown codings 400", [](auto& s) { s.unknown_coding_status = 400; }, {}},
      {"unknown codings 500",
       [](auto& s) { s.unknown_coding_status = 500; },
       {"unknown_coding_status: 500 is neither 501 nor 400"}},
      {"no idle connections", [](auto& s) { s.maximum_idle_connections = 0; }, {}},
      {"65536 idle connections", [](auto& s) { s.maximum_idle_connections = 65536; }, {}},
      {"idle connections below",
       [](auto& s) { s.maximum_idle_connections = -1; },
       {"maximum_idle_connections: -1 is out of range: 0 to 65536"}},
      {"idle connections above",
       [](auto& s) { s.maximum_idle_connections = 65537; },
       {"maximum_idle_connections: 65537 is out of range: 0 to 65536"}},
      {"weight 0 beside another", forward({{{"web", 0}, {"api", 1}}}), {}},
      {"weight below",
       forward({{{"web", -1}, {"api", 1}}}),
       {at + "target_groups[web].weight: -1 is out of range: 0 to 999"}},
      {"weight above", forward({{{"web", 1000}}}), {at + "target_groups[web].weight: 1000 is out of range: 0 to 999"}},
      {"all weights 0",
       forward({{{"web", 0}, {"api", 0}}}),
       {at + "target_groups: every weight is 0: give one a weight of 1 to 999"}},
      {"no target group", forward({}), {at + "target_groups: 0 target groups: 1 to 5"}},
      {"five target groups", many_groups(5), {}},
      {"six target groups",
       many_groups(6),
       {at + "target_groups: 6 target groups: 1 to 5 (TooManyUniqueTargetGroupsPerLoadBalancer)"}},
      {"unknown target group",
       forward({{{"shop", 1}}}),
       {at + "target_groups[shop]: 'shop' is not a target group of this load balancer"}},
      {"target group twice",
       forward({{{"web", 1}, {"web", 2}}}),
       {at + "target_groups[web]: 'web' is named twice: name each target group once"}},
      {"sticky among groups", forward({{{"web", 1}, {"api", 1}}, {.enabled = true}}), {}},
      {"sticky among groups, below",
       forward({{{"web", 1}}, {.enabled = true, .duration = milliseconds(999)}}),
       {at + "stickiness.duration: 999ms is out of range: 1s to 604800s"}},
      {"sticky among groups, above",
       forward({{{"web", 1}}, {.enabled = true, .duration = seconds(604'801)}}),
       {at + "stickiness.duration: 604801s is out of range: 1s to 604800s"}},
      {"sticky targets of several groups need sticky groups",
       [](auto& s) { s.target_groups[0].stickiness.enabled = true; },
       {at + "stickiness.enabled: false does not go with target group 'web', which has stickiness: enable both or none "
             "(InvalidConfigurationRequest)"}},
      {"a cookie of the application does not go with several groups",
       [](auto& s) {
         s.target_groups[0].stickiness = {
             .enabled = true, .type = StickinessType::kAppCookie, .app_cookie_name = "session"};
       },
       {at +
        "target_groups[web]: 'web' has stickiness of type app_cookie, which does not go with several target groups "
        "(InvalidConfigurationRequest)"}},
      {"a key", [](auto& s) { s.cookie_key = std::string(32, '0') + "abcdefABCDEF01234567890123456789"; }, {}},
      {"a key with a digit too few",
       [](auto& s) { s.cookie_key = std::string(63, 'a'); },
       {"cookie_key: is not a key: 64 hexadecimal digits"}},
      {"a key with a digit too many",
       [](auto& s) { s.cookie_key = std::string(65, 'a'); },
       {"cookie_key: is not a key: 64 hexadecimal digits"}},
      {"a key with what is no digit",
       [](auto& s) { s.cookie_key = std::string(63, 'a') + "g"; },
       {"cookie_key: is not a key: 64 hexadecimal digits"}},
      {"fixed response", fixed({.status = 200, .body = std::string(1024, 'x')}), {}},
      {"fixed response, body too long",
       fixed({.body = std::string(1025, 'x')}),
       {at + "body: '" + std::string(60, 'x') + "...' has 1025 bytes: 0 to 1024"}},
      {"fixed response 299", fixed({.status = 299}), {}},
      {"fixed response 400", fixed({.status = 400}), {}},
      {"fixed response 599", fixed({.status = 599}), {}},
      {"fixed response 199", fixed({.status = 199}), {at + "status: 199 is out of range: 200 to 299 or 400 to 599"}},
      {"fixed response 300", fixed({.status = 300}), {at + "status: 300 is out of range: 200 to 299 or 400 to 599"}},
      {"fixed response 399", fixed({.status = 399}), {at + "status: 399 is out of range: 200 to 299 or 400 to 599"}},
      {"fixed response 600", fixed({.status = 600}), {at + "status: 600 is out of range: 200 to 299 or 400 to 599"}},
      {"content type",
       fixed({.content_type = "image/png"}),
       {at + "content_type: 'image/png' is not offered: text/plain, text/css, text/html, application/javascript, "
             "application/json"}},
      {"port 0", [](auto& s) { s.listeners[0].port = 0; }, {"listeners[http].port: 0 is out of range: 1 to 65535"}},
      {"listener twice",
       [](auto& s) { s.listeners.push_back(s.listeners[0]); },
       {"listeners[http].name: 'http' is taken: give each listener a name of its own",
        "listeners[http].port: 80 is taken: give each listener a port of its own"}},
      {"listener without a name",
       [](auto& s) { s.listeners[0].name = ""; },
       {"listeners[].name: '' is not a name: 1 or more characters"}},
      {"target group name twice",
       [](auto& s) { s.target_groups.push_back(s.target_groups[0]); },
       {"target_groups[web].name: 'web' is taken: give each target group a name of its own"}},
      {"inner field",
       [](auto& s) { s.target_groups[1].health_check.interval = seconds(2); },
       {"target_groups[api].health_check.interval: 2s is out of range: 5s to 300s (or unrestricted: true)",
        "target_groups[api].health_check.timeout: 5s must be smaller than health_check.interval, which is 2s"}},
  };
  for (const auto& row : kTable) {
    LoadBalancerSettings settings = good();
    row.change(settings);
    EXPECT_EQ(messages(validate(settings)), row.expected) << row.story;
  }
}

TEST(LoadBalancerSettings, NumbersOfListenersAndTargetGroups) {
  LoadBalancerSettings settings = good();
  const ListenerSettings listener = settings.listeners[0];
  settings.listeners.clear();
  for (std::uint16_t i = 1; i <= 50; ++i) {
    settings.listeners.push_back(listener);
    settings.listeners.back().name = "l" + std::to_string(i);
    settings.listeners.back().port = i;
  }
  for (int i = 3; i <= 100; ++i) settings.target_groups.push_back({.name = "g" + std::to_string(i)});
  EXPECT_EQ(messages(validate(settings)), Messages{});
  settings.listeners.push_back(listener);
  settings.target_groups.push_back({.name = "g101"});
  EXPECT_EQ(messages(validate(settings)),
            (Messages{"listeners: 51 listeners: 0 to 50", "target_groups: 101 target groups: 0 to 100"}));
}

TEST(LoadBalancerValidation, AvailabilityZonesAreNamedOnce) {
  LoadBalancerSettings settings;
  settings.availability_zones = {"eu-west-1a", "", "eu-west-1a"};
  EXPECT_EQ(messages(validate(settings)),
            (std::vector<std::string>{"availability_zones: '' is not a zone",
                                      "availability_zones: 'eu-west-1a' is named twice: name each zone once"}));
  settings.availability_zones = {"eu-west-1a", "eu-west-1b"};
  settings.propagation_delay = kMaximumPropagationDelay;
  settings.zonal_shift_enabled = true;
  EXPECT_EQ(messages(validate(settings)), std::vector<std::string>{});
}

TEST(GroupUse, EveryForwardOfEveryListenerCounts) {
  LoadBalancerSettings settings;
  for (const char* name : {"default", "rule", "zero", "spare"}) {
    settings.target_groups.emplace_back().name = name;
  }
  ListenerSettings& listener = settings.listeners.emplace_back();
  listener.default_action = ForwardAction{{{"default", 1}, {"zero", 0}}};
  listener.rules.push_back({.priority = 1, .action = ForwardAction{{{"rule", 1}}}});
  listener.rules.push_back({.priority = 2, .action = FixedResponseAction{}});
  for (const char* name : {"default", "rule", "zero"}) EXPECT_TRUE(forwards_to(settings, name)) << name;
  EXPECT_FALSE(forwards_to(settings, "spare"));
}

}  // namespace
}  // namespace rr
