#pragma once
// Names that must not be confused with each other.
#include <compare>
#include <functional>
#include <string>
#include <utility>

namespace rr {

/// A string with a meaning: InstanceId and ImageId are different types, so one is never passed for the other.
template <class Tag>
struct Name {
  std::string value;

  Name() = default;
  explicit Name(std::string text) : value(std::move(text)) {}
  bool empty() const { return value.empty(); }
  auto operator<=>(const Name&) const = default;
};

using InstanceId = Name<struct InstanceIdTag>;              // i-0123456789abcdef0
using ImageId = Name<struct ImageIdTag>;                    // ami-0123456789abcdef0
using LaunchTemplateId = Name<struct LaunchTemplateIdTag>;  // lt-0123456789abcdef0
using ZoneName = Name<struct ZoneNameTag>;                  // eu-west-1a

}  // namespace rr

template <class Tag>
struct std::hash<rr::Name<Tag>> {
  std::size_t operator()(const rr::Name<Tag>& name) const noexcept { return std::hash<std::string>{}(name.value); }
};
