#pragma once
// Every setting of load balancers, and the one validate() of all settings, which the command line, the YAML file, the
// admin API and the simulated control plane all call. Names are those of the ELBv2 API.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/result.h"
#include "lb/base/time.h"
#include "lb/policy/listener_settings.h"
#include "lb/policy/target_group_settings.h"

namespace rr {

constexpr std::size_t kMaximumName = 32;
constexpr std::size_t kMaximumListeners = 50;
constexpr std::size_t kMaximumTargetGroups = 100;
constexpr Duration kMinimumIdleTimeout = std::chrono::seconds(1);
constexpr Duration kMaximumIdleTimeout = std::chrono::seconds(4000);
constexpr Duration kMinimumClientKeepAlive = std::chrono::seconds(60);
constexpr Duration kMaximumClientKeepAlive = std::chrono::seconds(604'800);
constexpr Duration kMaximumConnectTimeout = std::chrono::seconds(60);
constexpr Duration kMaximumNetworkDelay = std::chrono::seconds(1);
constexpr Duration kMaximumPropagationDelay = std::chrono::seconds(300);
constexpr Duration kMinimumZonalShift = std::chrono::minutes(1);
constexpr std::size_t kCookieKeyDigits = 64;
constexpr Duration kMaximumZonalShift = std::chrono::hours(72);
constexpr int kMaximumIdleConnections = 65'536;

/// routing.http.desync_mitigation_mode
enum class DesyncMode : std::uint8_t { kMonitor, kDefensive, kStrictest };
std::string_view to_string(DesyncMode mode);  // "defensive"
std::optional<DesyncMode> parse_desync_mode(std::string_view text);

/// routing.http.xff_header_processing.mode
enum class XffMode : std::uint8_t { kAppend, kPreserve, kRemove };
std::string_view to_string(XffMode mode);  // "append"
std::optional<XffMode> parse_xff_mode(std::string_view text);

/// Who is told in X-RR-Explain why an answer is the load balancer's own. Not AWS's.
enum class ExplainTo : std::uint8_t { kNobody, kLoopback, kEveryone };
std::string_view to_string(ExplainTo who);  // "loopback"
std::optional<ExplainTo> parse_explain_to(std::string_view text);

/// One zone is left alone for a while: its node is out of DNS, and where cross-zone is on no node uses its targets.
struct ZonalShift {
  std::string zone{};
  Time expires{};
  bool operator==(const ZonalShift&) const = default;
};

struct LoadBalancerSettings {
  std::string name = "app";
  Duration idle_timeout = std::chrono::seconds(60);         // idle_timeout.timeout_seconds, 1 to 4000 s
  Duration client_keep_alive = std::chrono::seconds(3600);  // client_keep_alive.seconds, 60 to 604800 s
  /// Fixed at 10 s on AWS; here 10 ms to 60 s.
  Duration connect_timeout = std::chrono::seconds(10);
  DesyncMode desync_mitigation_mode = DesyncMode::kDefensive;
  bool drop_invalid_header_fields = false;           // routing.http.drop_invalid_header_fields.enabled
  bool preserve_host_header = false;                 // routing.http.preserve_host_header.enabled
  bool xff_client_port = false;                      // routing.http.xff_client_port.enabled
  XffMode xff_header_processing = XffMode::kAppend;  // routing.http.xff_header_processing.mode
  /// The enabled zones, as of AWS's subnets; none: every zone. Targets in others are unused.
  std::vector<std::string> availability_zones{};
  bool zonal_shift_enabled = false;         // zonal_shift.config.enabled: whether a shift is permitted
  std::optional<ZonalShift> zonal_shift{};  // the one in force
  /// Not AWS's. How long a node learns late of what a target's connection does, within its zone and across zones (0 to
  /// 1 s): on a laptop the window in which a request meets a closing connection would otherwise never be seen.
  Duration network_delay_same_zone = Duration::zero();
  Duration network_delay_cross_zone = Duration::zero();
  /// Not AWS's, though AWS has one: a node keeps giving requests to a deregistered target for that long (0 to 300 s).
  Duration propagation_delay = Duration::zero();
  /// Of the following AWS does not say, or says two things; each default is the likelier one.
  /// What answers headers beyond the limits: AWS lists them under both 400 and 413.
  int oversized_head_status = 400;
  /// What answers a transfer coding that nobody knows: 501 as documented, or the 400 of desync mitigation before it.
  int unknown_coding_status = 501;
  /// Whether a client that says nothing between two requests gets a 408 at the idle timeout, or just the close.
  bool answer_silent_clients = false;
  /// Whether X-Forwarded-Proto and X-Forwarded-Port of a client are replaced. Kept, a client can claim to have come by
  /// TLS.
  bool replace_forwarded_proto = true;
  /// Idle connections kept for one target, 0 to 65536.
  int maximum_idle_connections = 4096;
  ExplainTo explain = ExplainTo::kNobody;
  /// Not AWS's, which keeps its own: what stickiness cookies are sealed with, 64 hexadecimal digits. Every node of a
  /// load balancer needs the same one. Empty: each node draws one at its start. Secret: no message and no log shows it.
  std::string cookie_key{};
  /// Permits idle_timeout and client_keep_alive below AWS's minimum, down to 10 ms, for tests and time-lapse runs.
  bool unrestricted = false;
  std::vector<ListenerSettings> listeners{};
  std::vector<TargetGroupSettings> target_groups{};
  bool operator==(const LoadBalancerSettings&) const = default;
};

/// A broken setting: which one, and the whole sentence about it.
struct SettingError {
  std::string field;    // "health_check.interval"
  std::string message;  // "health_check.interval: 2s is out of range: 5s to 300s (or unrestricted: true)"
  bool operator==(const SettingError&) const = default;
};

/// All errors at once, in the order of the fields; empty when everything is in order. Fields are named from the struct
/// that is validated: "health_check.interval" of a HealthCheck or a TargetGroupSettings,
/// "target_groups[web].health_check.interval" of a LoadBalancerSettings.
///
/// One rule is not a plain range: health_check.timeout must be smaller than health_check.interval, as AWS's API demands
/// ("Health check timeout '10' must be smaller than the interval '10'"). With `unrestricted` it may be longer, because
/// a time-lapse run divides the interval but cannot divide what a real process needs to answer; probes of one target
/// then overlap.
std::vector<SettingError> validate(const HealthCheck& settings);
std::vector<SettingError> validate(const TargetGroupSettings& settings);
std::vector<SettingError> validate(const LoadBalancerSettings& settings);

}  // namespace rr
