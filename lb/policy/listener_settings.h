#pragma once
// Every setting of a listener and its rules, under the names of the ELBv2 API.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-transforms.html
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lb/base/time.h"

namespace rr {

constexpr std::size_t kMaximumForwardTargets = 5;
constexpr int kMaximumWeight = 999;
constexpr std::size_t kMaximumFixedResponseBody = 1024;
constexpr std::size_t kMaximumRules = 100;  // of a load balancer, default actions not counted
constexpr int kMaximumPriority = 50'000;
constexpr std::size_t kMaximumConditionValues = 5;  // of a rule
constexpr std::size_t kMaximumWildcards = 5;        // of a rule
constexpr std::size_t kMaximumConditionValue = 128;
constexpr std::size_t kMaximumHeaderName = 40;
constexpr std::size_t kMaximumMethod = 40;
constexpr std::size_t kMaximumRewrite = 1024;  // regex and replace of a transform, each
constexpr std::size_t kMaximumInsertedHeader = 1024;
/// A redirect's Location beyond it is answered 507.
constexpr std::size_t kMaximumRedirectUrl = 8 * 1024;

struct ForwardTarget {
  std::string target_group{};
  int weight = 1;  // 0 to 999
  bool operator==(const ForwardTarget&) const = default;
};
/// TargetGroupStickinessConfig: a client's requests stay with the target group that was drawn for its first one.
struct TargetGroupStickiness {
  bool enabled = false;
  Duration duration = std::chrono::seconds(3600);  // 1 to 604800 s
  bool operator==(const TargetGroupStickiness&) const = default;
};
struct ForwardAction {
  std::vector<ForwardTarget> target_groups{};
  TargetGroupStickiness stickiness{};
  bool operator==(const ForwardAction&) const = default;
};

/// Each part is text with placeholders #{protocol}, #{host}, #{port}, #{path} (without its leading slash), #{query}.
struct RedirectAction {
  int status = 301;  // or 302
  std::string protocol = "#{protocol}";
  std::string host = "#{host}";
  std::string port = "#{port}";
  std::string path = "/#{path}";
  std::string query = "#{query}";  // without its leading question mark
  bool operator==(const RedirectAction&) const = default;
};

struct FixedResponseAction {
  int status = 503;
  std::string content_type = "text/plain";
  std::string body{};
  bool operator==(const FixedResponseAction&) const = default;
};
using RuleAction = std::variant<ForwardAction, RedirectAction, FixedResponseAction>;

/// Values hold the wildcards * (any characters) and ? (exactly one); regex_values are RE2 expressions. Either list may
/// be used, not both. One value that matches is enough.
struct HostHeaderCondition {
  std::vector<std::string> values{};
  std::vector<std::string> regex_values{};
  bool operator==(const HostHeaderCondition&) const = default;
};
struct PathPatternCondition {
  std::vector<std::string> values{};
  std::vector<std::string> regex_values{};
  bool operator==(const PathPatternCondition&) const = default;
};
struct HttpHeaderCondition {
  std::string name{};
  std::vector<std::string> values{};
  std::vector<std::string> regex_values{};
  bool operator==(const HttpHeaderCondition&) const = default;
};
/// Exact, in upper case.
struct HttpRequestMethodCondition {
  std::vector<std::string> values{};
  bool operator==(const HttpRequestMethodCondition&) const = default;
};
/// Without a key the value is compared with every parameter's. `\*` and `\?` are the characters themselves.
struct QueryStringValue {
  std::optional<std::string> key{};
  std::string value{};
  bool operator==(const QueryStringValue&) const = default;
};
struct QueryStringCondition {
  std::vector<QueryStringValue> values{};
  bool operator==(const QueryStringCondition&) const = default;
};
/// CIDR blocks of the TCP peer, never of what X-Forwarded-For claims.
struct SourceIpCondition {
  std::vector<std::string> values{};
  bool operator==(const SourceIpCondition&) const = default;
};
using RuleCondition = std::variant<HostHeaderCondition, PathPatternCondition, HttpHeaderCondition,
                                   HttpRequestMethodCondition, QueryStringCondition, SourceIpCondition>;

/// A transform: what the regular expression matches is replaced by `replace`, in which $1 ... $9 are its groups.
struct Rewrite {
  std::string regex{};
  std::string replace{};
  bool operator==(const Rewrite&) const = default;
};

struct RuleSettings {
  int priority = 0;  // 1 to 50000, unique in its listener; the lowest that matches wins
  std::vector<RuleCondition> conditions{};
  RuleAction action{};
  std::optional<Rewrite> host_header_rewrite{};
  std::optional<Rewrite> url_rewrite{};
  bool operator==(const RuleSettings&) const = default;
};

/// The response headers that routing.http.response.*.header_value inserts or overrides, in the API's order.
/// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html
constexpr std::array<std::string_view, 10> kInsertedHeaders{
    "strict_transport_security",        "access_control_allow_origin",
    "access_control_allow_methods",     "access_control_allow_headers",
    "access_control_allow_credentials", "access_control_expose_headers",
    "access_control_max_age",           "content_security_policy",
    "x_content_type_options",           "x_frame_options"};
/// The same as they stand in a response.
constexpr std::array<std::string_view, 10> kInsertedHeaderNames{
    "Strict-Transport-Security",        "Access-Control-Allow-Origin",
    "Access-Control-Allow-Methods",     "Access-Control-Allow-Headers",
    "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",           "Content-Security-Policy",
    "X-Content-Type-Options",           "X-Frame-Options"};

struct ListenerSettings {
  std::string name = "http";
  std::uint16_t port = 80;  // logical port: X-Forwarded-Port and logs show it
  RuleAction default_action{};
  std::vector<RuleSettings> rules{};
  bool server_header = true;  // routing.http.response.server.enabled
  /// By kInsertedHeaders; empty: the target's own value is left alone.
  std::array<std::string, kInsertedHeaders.size()> inserted_headers{};
  bool operator==(const ListenerSettings&) const = default;
};

}  // namespace rr
