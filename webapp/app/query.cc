#include "webapp/app/query.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace rr::webapp {
namespace {

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      unsigned char byte = 0;
      const std::string_view digits = text.substr(i + 1, 2);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
      if (error != std::errc() || digits.size() != 2 || end != digits.data() + 2) return std::nullopt;
      out += static_cast<char>(byte);
      i += 2;
    }
  }
  return out;
}

}  // namespace

Result<Query> parse_query(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::size_t end = text.find('&');
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    const auto name = decoded(part.substr(0, equals));
    const auto value = decoded(equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1));
    if (!name || !value)
      return Error{fmt::format("'{}': a percent sign takes two hexadecimal digits, as in %20", part)};
    query.emplace_back(*name, *value);
  }
  return query;
}

Result<std::uint64_t> parse_whole_number(std::string_view name, std::string_view text, std::uint64_t least,
                                         std::uint64_t most) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    return Error{fmt::format("{} '{}': write a whole number from {} to {}", name, text, least, most)};
  }
  return number;
}

Result<bool> parse_switch(std::string_view name, std::string_view text) {
  if (text == "on") return true;
  if (text == "off") return false;
  return Error{fmt::format("{} '{}': write on or off", name, text)};
}

}  // namespace rr::webapp
