#include "lb/proxy/config_path.h"

#include <charconv>

namespace rr {
namespace {

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2) return std::nullopt;
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

/// Nothing where a segment is empty or is none.
std::optional<std::vector<std::string>> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    if (path.front() != '/') return std::nullopt;
    path.remove_prefix(1);
    const std::size_t end = path.find('/');
    auto segment = percent_decoded(path.substr(0, end));
    if (!segment || segment->empty()) return std::nullopt;
    segments.push_back(std::move(*segment));
    path.remove_prefix(end == std::string_view::npos ? path.size() : end);
  }
  return segments;
}

struct Form {
  std::string_view collection;  // the third segment
  std::string_view inner;       // the fifth
  std::size_t segments;
  ConfigPart part;
};

constexpr Form kForms[] = {{"", "", 1, ConfigPart::kLoadBalancers},
                           {"", "", 2, ConfigPart::kLoadBalancer},
                           {"zonal_shift", "", 3, ConfigPart::kZonalShift},
                           {"listeners", "", 3, ConfigPart::kListeners},
                           {"listeners", "", 4, ConfigPart::kListener},
                           {"listeners", "rules", 5, ConfigPart::kRules},
                           {"listeners", "rules", 6, ConfigPart::kRule},
                           {"listeners", "rule_priorities", 5, ConfigPart::kRulePriorities},
                           {"target_groups", "", 3, ConfigPart::kTargetGroups},
                           {"target_groups", "", 4, ConfigPart::kTargetGroup},
                           {"target_groups", "targets", 5, ConfigPart::kTargets},
                           {"target_groups", "targets", 6, ConfigPart::kTarget}};

}  // namespace

std::string_view allowed_methods(ConfigPart part) {
  switch (part) {
    case ConfigPart::kLoadBalancers:
    case ConfigPart::kListeners:
    case ConfigPart::kRules:
    case ConfigPart::kTargetGroups:
      return "GET, HEAD, POST";
    case ConfigPart::kTargets:
      return "GET, HEAD, POST, PUT";
    case ConfigPart::kLoadBalancer:
    case ConfigPart::kListener:
    case ConfigPart::kRule:
    case ConfigPart::kTargetGroup:
    case ConfigPart::kZonalShift:
      return "GET, HEAD, PUT, PATCH, DELETE";
    case ConfigPart::kTarget:
      return "GET, HEAD, DELETE";
    case ConfigPart::kRulePriorities:
      return "PUT";
  }
  return "";
}

bool allows(ConfigPart part, std::string_view method) {
  std::string_view list = allowed_methods(part);
  while (!list.empty()) {
    const std::size_t end = list.find(", ");
    if (list.substr(0, end) == method) return true;
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 2);
  }
  return false;
}

std::optional<ConfigPath> parse_config_path(std::string_view path) {
  const auto segments = segments_of(path);
  if (!segments || segments->empty() || segments->front() != "load_balancers") return std::nullopt;
  const auto at = [&](std::size_t i) { return i < segments->size() ? (*segments)[i] : std::string(); };
  for (const Form& form : kForms) {
    if (segments->size() != form.segments) continue;
    if (form.segments > 2 && at(2) != form.collection) continue;
    if (form.segments > 4 && at(4) != form.inner) continue;
    return ConfigPath{form.part, at(1), at(3), at(5)};
  }
  return std::nullopt;
}

}  // namespace rr
