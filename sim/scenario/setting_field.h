#pragma once
// One setting of a tier: its key, how its value is shown and how it is read; and the kinds that most settings are of.
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "sim/scenario/settings.h"

namespace rr::sim {

/// A value that is not right: what would be.
using Wrong = std::optional<std::string>;

struct SettingField {
  std::string key;  // "target_group.health_check.path"
  std::string comment;
  std::function<std::string(const TierSettings&)> show;
  std::function<Wrong(TierSettings&, const std::string&)> read;  // changes the settings only if the text is right
  bool raw = false;                                              // show() gives YAML, not a scalar to be quoted
};

/// `take` gets a whole number from `least` to `most`.
Wrong read_integer(const std::string& text, long least, long most, const std::function<void(long)>& take);
/// A number above 0, or from 0; `example` stands in what would be right.
Wrong read_number(const std::string& text, bool zero_is_fine, const std::string& example, double& out);
Wrong read_boolean(const std::string& text, bool& out);
/// The name of a load balancer, a group or a zone.
Wrong read_name(const std::string& text, std::string& out);
/// "[a, b]" or "a, b".
std::vector<std::string> split_list(std::string text);

// Kinds of settings. `get` gives the member of the settings that the field is.

template <class Get>
SettingField duration(std::string key, std::string comment, Get get) {
  return {std::move(key), std::move(comment),
          [get](const TierSettings& s) { return format_duration(get(const_cast<TierSettings&>(s))); },
          [get](TierSettings& s, const std::string& text) -> Wrong {
            const Result<Duration> read = parse_duration(text);
            if (!read) return "a time is right, such as 10, 0.5, 250ms, 10s or 5m";
            get(s) = *read;
            return std::nullopt;
          }};
}

template <class Get>
SettingField integer(std::string key, std::string comment, long least, long most, Get get) {
  return {std::move(key), std::move(comment),
          [get](const TierSettings& s) { return std::to_string(get(const_cast<TierSettings&>(s))); },
          [get, least, most](TierSettings& s, const std::string& text) {
            using Value = std::remove_reference_t<decltype(get(s))>;
            return read_integer(text, least, most, [&](long value) { get(s) = static_cast<Value>(value); });
          }};
}

template <class Get>
SettingField name(std::string key, std::string comment, Get get) {
  return {std::move(key), std::move(comment),
          [get](const TierSettings& s) { return get(const_cast<TierSettings&>(s)); },
          [get](TierSettings& s, const std::string& text) { return read_name(text, get(s)); }};
}

template <class Get>
SettingField plain_text(std::string key, std::string comment, Get get) {
  return {std::move(key), std::move(comment),
          [get](const TierSettings& s) { return get(const_cast<TierSettings&>(s)); },
          [get](TierSettings& s, const std::string& text) -> Wrong {
            if (text.find('\n') != std::string::npos) return "one line is right";
            get(s) = text;
            return std::nullopt;
          }};
}

template <class Get>
SettingField boolean(std::string key, std::string comment, Get get) {
  return {std::move(key), std::move(comment),
          [get](const TierSettings& s) { return std::string(get(const_cast<TierSettings&>(s)) ? "true" : "false"); },
          [get](TierSettings& s, const std::string& text) { return read_boolean(text, get(s)); }};
}

}  // namespace rr::sim
