#include "lb/policy/rule_transforms.h"

#include <algorithm>
#include <array>

#include "lb/base/check.h"

namespace rr {
namespace {

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool all_of(std::string_view text, auto predicate) { return std::all_of(text.begin(), text.end(), predicate); }

}  // namespace

std::string_view to_string(TransformStatus status) {
  constexpr std::array<std::string_view, 5> kNames{"", "TransformSuccess", "TransformInvalidHost",
                                                   "TransformInvalidPath", "TransformBufferTooSmall"};
  return kNames[static_cast<std::size_t>(status)];
}

std::optional<RuleTransforms::Transform> RuleTransforms::compile(const std::optional<Rewrite>& rewrite,
                                                                 bool ignore_case) {
  if (!rewrite) return std::nullopt;
  auto regex = RuleRegex::compile(rewrite->regex, ignore_case);
  RR_CHECK(regex.ok(), "an expression of a transform was not validated");
  return Transform{std::move(*regex), rewrite->replace};
}

RuleTransforms::RuleTransforms(const std::optional<Rewrite>& host, const std::optional<Rewrite>& url)
    : host_(compile(host, true)), url_(compile(url, false)) {}

Transformed RuleTransforms::apply(const RequestParts& parts) const {
  Transformed result;
  if (host_) result.host = host_->regex.replace(parts.host, host_->replace);
  if (url_) {
    std::string url = percent_encoded(parts.path);
    if (parts.has_query) url.append("?").append(percent_encoded(parts.query));
    result.target = url_->regex.replace(url, url_->replace);
  }
  if (result.host || result.target) result.status = TransformStatus::kSuccess;
  if (result.host && !is_host(*result.host)) result.status = TransformStatus::kInvalidHost;
  if (result.target && !is_origin_target(*result.target)) result.status = TransformStatus::kInvalidPath;
  if ((result.host && result.host->size() > kMaximumHost) ||
      (result.target && result.target->size() > kMaximumTarget)) {
    result.status = TransformStatus::kTooLong;
  }
  return result;
}

bool is_host(std::string_view host) {
  const std::string_view name = without_port(host);
  const std::string_view port = host.substr(name.size());
  const bool port_is_good = port.empty() || (port.size() > 1 && port.size() <= 6 &&
                                             all_of(port.substr(1), [](char c) { return c >= '0' && c <= '9'; }));
  if (name.empty() || !port_is_good) return false;
  if (name.front() == '[') {
    return name.size() > 2 && name.back() == ']' &&
           all_of(name.substr(1, name.size() - 2), [](char c) { return is_alphanumeric(c) || c == ':' || c == '.'; });
  }
  return all_of(name, [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; });
}

bool is_origin_target(std::string_view target) {
  return target.starts_with('/') && all_of(target, [](char c) { return c > ' ' && c <= '~' && c != '#'; });
}

}  // namespace rr
