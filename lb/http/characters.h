#pragma once
// The character classes of RFC 9110 section 5.6.2 and RFC 9112, as tables, and tests over whole lines.
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace rr {

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (char c : std::string_view("!#$%&'*+-.^_`|~0123456789"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}
inline constexpr std::array<bool, 256> kTokenTable = make_token_table();

constexpr bool is_token_char(char c) { return kTokenTable[static_cast<unsigned char>(c)]; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
/// A control byte other than HTAB: NUL, CR, LF, DEL and the rest. Never legal inside a line.
constexpr bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7F;
}

/// One or more token characters: a method, a header name.
constexpr bool is_token(std::string_view text) {
  for (char c : text) {
    if (!is_token_char(c)) return false;
  }
  return !text.empty();
}

/// The text without blanks at its ends (OWS of RFC 9110 section 5.6.3).
constexpr std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Whether a line holds a control byte (HTAB is none). Eight bytes a step: each word is tested for a byte below 0x20
/// or equal to 0x7F by the borrow of a subtraction, and only a word that has one is looked at byte by byte.
inline bool has_control(std::string_view line) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  std::size_t at = 0;
  for (; at + 8 <= line.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, line.data() + at, 8);
    const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
    const std::uint64_t from_del = word ^ (kOnes * 0x7F);
    const std::uint64_t equals_del = (from_del - kOnes) & ~from_del;
    if (((below_space | equals_del) & kHighs) == 0) [[likely]]
      continue;
    for (std::size_t i = at; i < at + 8; ++i) {
      if (is_control(line[i])) return true;
    }
  }
  for (; at < line.size(); ++at) {
    if (is_control(line[at])) return true;
  }
  return false;
}

}  // namespace rr
