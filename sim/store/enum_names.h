#pragma once
// The names of an enum's values in text, and back.
#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>

#include "sim/cloud/region.h"

namespace rr::sim {

inline constexpr std::array kHealthCheckTypes{"EC2", "ELB"};
inline constexpr std::array kChangeReasons{
    "desired-capacity", "elb-health-check", "ec2-health-check", "user-health-check", "replace-unhealthy",
    "rebalance",        "user-request",     "launch-failed",    "instance-refresh",  "max-instance-lifetime"};

inline std::string name_of(HealthCheckType type) { return kHealthCheckTypes.at(static_cast<std::size_t>(type)); }
inline std::string name_of(ChangeReason reason) { return kChangeReasons.at(static_cast<std::size_t>(reason)); }
template <class Enum>
requires requires(Enum value) { to_string(value); }
std::string name_of(Enum value) { return std::string(to_string(value)); }

template <class Enum, class Names>
std::optional<Enum> find_name(const Names& names, const std::string& text) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (text == names[i]) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

/// Of an enum of ours whose to_string answers nothing beyond its last value.
template <class Enum>
std::optional<Enum> find_value(const std::string& text) {
  for (std::uint8_t i = 0; !to_string(static_cast<Enum>(i)).empty(); ++i) {
    if (to_string(static_cast<Enum>(i)) == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

template <class Enum>
std::optional<Enum> parse_name(const std::string& text) {
  if constexpr (std::same_as<Enum, HealthCheckType>) {
    return find_name<Enum>(kHealthCheckTypes, text);
  } else if constexpr (std::same_as<Enum, ChangeReason>) {
    return find_name<Enum>(kChangeReasons, text);
  } else if constexpr (std::same_as<Enum, TargetState>) {
    return parse_target_state(text);
  } else if constexpr (std::same_as<Enum, TargetReason>) {
    return parse_target_reason(text);
  } else {
    return find_value<Enum>(text);
  }
}

}  // namespace rr::sim
