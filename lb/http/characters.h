#pragma once
// The character classes of RFC 9110 section 5.6.2 and RFC 9112, as tables, and tests over whole lines.
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <array>
#include <bit>
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

/// The first control byte (HTAB is none) of [at, end), or `end`. Sixteen bytes a step where the processor can compare
/// that many. Elsewhere eight: a word is tested for a byte below 0x20 or equal to 0x7F by the borrow of a subtraction,
/// and only one that has such a byte is looked at byte by byte.
inline const char* find_control(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i most_control = _mm_set1_epi8(0x1F);
  for (; end - at >= 16; at += 16) {
    __m128i bytes;
    std::memcpy(&bytes, at, 16);
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, most_control), bytes);
    const __m128i control = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')), low),
                                         _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(control));
    if (mask != 0) return at + std::countr_zero(mask);
  }
#else
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  for (; end - at >= 8; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
    const std::uint64_t from_del = word ^ (kOnes * 0x7F);
    const std::uint64_t equals_del = (from_del - kOnes) & ~from_del;
    if (((below_space | equals_del) & kHighs) == 0) [[likely]]
      continue;
    for (const char* one = at; one != at + 8; ++one) {
      if (is_control(*one)) return one;
    }
  }
#endif
  while (at != end && !is_control(*at)) ++at;
  return at;
}

/// Whether a line holds a control byte (HTAB is none).
inline bool has_control(std::string_view line) {
  const char* const end = line.data() + line.size();
  return find_control(line.data(), end) != end;
}

/// Letters, digits and '-': what the names of nearly all fields are made of.
constexpr bool is_plain_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-';
}

/// The first byte of [at, end) that is none of them, or `end`.
inline const char* find_not_plain(const char* at, const char* end) {
#if defined(__SSE2__)
  const auto within = [](__m128i bytes, char first, char count) {  // of an alphabet: first, first + 1, ...
    const __m128i place = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
    return _mm_cmpeq_epi8(_mm_min_epu8(place, _mm_set1_epi8(static_cast<char>(count - 1))), place);
  };
  for (; end - at >= 16; at += 16) {
    __m128i bytes;
    std::memcpy(&bytes, at, 16);
    const __m128i letter = within(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 26);
    const __m128i other = _mm_or_si128(within(bytes, '0', 10), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(letter, other)));
    if (mask != 0xFFFF) return at + std::countr_one(mask);
  }
#endif
  while (at != end && is_plain_char(*at)) ++at;
  return at;
}

/// What drop_invalid_header_fields calls a valid name.
inline bool is_plain_name(std::string_view name) {
  const char* const end = name.data() + name.size();
  return !name.empty() && find_not_plain(name.data(), end) == end;
}

}  // namespace rr
