#pragma once
// How validate() collects what is wrong, and how its messages show values.
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "lb/base/time.h"
#include "lb/policy/settings.h"

namespace rr {

/// Limits are written as AWS writes them, in seconds: "300s", not "5m".
inline std::string seconds_text(Duration span) {
  if (span % kSecond == Duration::zero()) return fmt::format("{}s", span / kSecond);
  return format_duration(span);
}

/// A text as a message may show it: on one line, and not longer than a line.
inline std::string one_line(std::string_view value) {
  constexpr std::size_t kLongest = 60;
  std::string text;
  for (const char c : value.substr(0, kLongest)) text += c >= ' ' && c <= '~' ? c : '?';
  if (value.size() > kLongest) text += "...";
  return text;
}

inline std::string shown(std::string_view value) { return "'" + one_line(value) + "'"; }

/// The errors of one struct; its fields get the prefix in front of their names.
class SettingErrors {
 public:
  explicit SettingErrors(std::string prefix = "") : prefix_(std::move(prefix)) {}

  void add(std::string_view field, std::string_view sentence) {
    const std::string name = prefix_ + std::string(field);
    errors_.push_back({name, fmt::format("{}: {}", name, sentence)});
  }

  /// Errors of an inner struct, whose fields get our prefix.
  void add_all(const std::vector<SettingError>& inner) {
    for (const SettingError& error : inner) errors_.push_back({prefix_ + error.field, prefix_ + error.message});
  }

  void in_range(std::string_view field, Duration value, Duration low, Duration high, std::string_view hint = "") {
    if (value >= low && value <= high) return;
    add(field, fmt::format("{} is out of range: {} to {}{}", seconds_text(value), seconds_text(low), seconds_text(high),
                           hint));
  }

  void in_range(std::string_view field, int value, int low, int high) {
    if (value >= low && value <= high) return;
    add(field, fmt::format("{} is out of range: {} to {}", value, low, high));
  }

  std::vector<SettingError> take() { return std::move(errors_); }

 private:
  std::string prefix_;
  std::vector<SettingError> errors_;
};

}  // namespace rr
