#include "sim/scenario/setting_field.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace rr::sim {

Wrong read_integer(const std::string& text, long least, long most, const std::function<void(long)>& take) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    return fmt::format("a whole number from {} to {} is right", least, most);
  }
  take(value);
  return std::nullopt;
}

Wrong read_number(const std::string& text, bool zero_is_fine, const std::string& example, double& out) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !(value >= 0) || value > 1e6 || (value == 0 && !zero_is_fine)) {
    return fmt::format("a number {} is right, such as {}", zero_is_fine ? "from 0 to 1000000" : "above 0", example);
  }
  out = value;
  return std::nullopt;
}

Wrong read_boolean(const std::string& text, bool& out) {
  if (text != "true" && text != "false") return "true or false is right";
  out = text == "true";
  return std::nullopt;
}

Wrong read_name(const std::string& text, std::string& out) {
  const bool fine = !text.empty() && text.size() <= kMaximumName && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!fine) return fmt::format("1 to {} letters, digits and hyphens are right", kMaximumName);
  out = text;
  return std::nullopt;
}

std::vector<std::string> split_list(std::string text) {
  if (!text.empty() && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  std::vector<std::string> items;
  std::stringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');) {
    const auto from = item.find_first_not_of(' ');
    if (from != std::string::npos) items.push_back(item.substr(from, item.find_last_not_of(' ') - from + 1));
  }
  return items;
}

}  // namespace rr::sim
