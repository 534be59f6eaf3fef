#pragma once
// Transforms of a rule: what the target is told instead of what the client sent. They do not change the routing.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-transforms.html
#include <optional>
#include <string>
#include <string_view>

#include "lb/policy/listener_settings.h"
#include "lb/policy/request_parts.h"
#include "lb/policy/rule_regex.h"

namespace rr {

/// request_transform_status of the access log.
enum class TransformStatus : std::uint8_t {
  kNone,         // the rule has no transform, or none matched: the request goes on untouched
  kSuccess,      // one matched at least
  kInvalidHost,  // it matched and what came out is no host: 500
  kInvalidPath,  // likewise no URL: 500
  kTooLong,      // likewise, beyond what a request line or a header may have: 500
};
std::string_view to_string(TransformStatus status);  // "TransformSuccess"; "" for kNone
constexpr bool failed(TransformStatus status) { return status > TransformStatus::kSuccess; }

struct Transformed {
  TransformStatus status = TransformStatus::kNone;
  std::optional<std::string> host{};    // instead of Host
  std::optional<std::string> target{};  // path and query, in place of the request's target
};

class RuleTransforms {
 public:
  /// What a transform may make: as much as the ALB takes in a request line or a header.
  static constexpr std::size_t kMaximumTarget = 16 * 1024;
  static constexpr std::size_t kMaximumHost = 255;

  /// Of settings that have passed validate().
  RuleTransforms(const std::optional<Rewrite>& host, const std::optional<Rewrite>& url);
  bool empty() const { return !host_ && !url_; }

  /// Compares the host without its port (case ignored), and the path with its query as the client sent them. Of each
  /// what the expression matches first is replaced, the rest stays.
  Transformed apply(const RequestParts& parts) const;

 private:
  struct Transform {
    RuleRegex regex;
    std::string replace;
  };
  static std::optional<Transform> compile(const std::optional<Rewrite>& rewrite, bool ignore_case);

  std::optional<Transform> host_;
  std::optional<Transform> url_;
};

/// A host that may stand in a Host header: a name, an IPv4 or a bracketed IPv6 address, with or without a port.
bool is_host(std::string_view host);
/// A target in origin-form that may stand in a request line.
bool is_origin_target(std::string_view target);

}  // namespace rr
