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

#if defined(__SSE2__)
inline __m128i sixteen_bytes(const char* at) {
  __m128i bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}

inline __m128i twice_eight_bytes(const char* first, const char* second) {
  std::int64_t low = 0, high = 0;
  std::memcpy(&low, first, 8);
  std::memcpy(&high, second, 8);
  return _mm_set_epi64x(high, low);
}

/// The first byte of [at, end) that `wanted` marks, or `end`. It gets sixteen bytes and returns a bit for each; the
/// last sixteen overlap those before, and eight to fifteen bytes are two overlapping halves, so that few are left for
/// `one`.
template <class Wanted, class One>
const char* find_by_sixteen(const char* at, const char* end, Wanted wanted, One one) {
  if (end - at >= 16) {
    for (; end - at >= 16; at += 16) {
      const unsigned found = wanted(sixteen_bytes(at));
      if (found != 0) return at + std::countr_zero(found);
    }
    if (at == end) return end;
    const unsigned found = wanted(sixteen_bytes(end - 16));
    return found == 0 ? end : end - 16 + std::countr_zero(found);
  }
  if (end - at >= 8) {
    const unsigned found = wanted(twice_eight_bytes(at, end - 8));
    if (found == 0) return end;
    const int bit = std::countr_zero(found);
    return bit < 8 ? at + bit : end - 16 + bit;
  }
  while (at != end && !one(*at)) ++at;
  return at;
}

/// A bit for each control byte; HTAB is one.
inline __m128i control_bytes(__m128i bytes) {
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
  return _mm_or_si128(low, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)));
}

inline unsigned bits_of(__m128i marks) { return static_cast<unsigned>(_mm_movemask_epi8(marks)); }
#endif

/// The first control byte (HTAB is none) of [at, end), or `end`. Sixteen bytes a step where the processor can compare
/// that many. Elsewhere eight: a word is tested for a byte below 0x20 or equal to 0x7F by the borrow of a subtraction,
/// and only one that has such a byte is looked at byte by byte.
inline const char* find_control(const char* at, const char* end) {
#if defined(__SSE2__)
  const auto controls = [](__m128i bytes) {
    return bits_of(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')), control_bytes(bytes)));
  };
  return find_by_sixteen(at, end, controls, is_control);
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
  while (at != end && !is_control(*at)) ++at;
  return at;
#endif
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
  const auto others = [&](__m128i bytes) {
    const __m128i letter = within(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 26);
    const __m128i other = _mm_or_si128(within(bytes, '0', 10), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')));
    return bits_of(_mm_or_si128(letter, other)) ^ 0xFFFFU;
  };
  return find_by_sixteen(at, end, others, [](char c) { return !is_plain_char(c); });
#else
  while (at != end && is_plain_char(*at)) ++at;
  return at;
#endif
}

/// What cannot stand in quotes in a log: the quote, the backslash that escapes, and every control byte.
constexpr bool is_escaped_in_quotes(char c) { return is_control(c) || c == '\t' || c == '"' || c == '\\'; }

/// The first byte of [at, end) that is one of these, or `end`.
inline const char* find_escaped_in_quotes(const char* at, const char* end) {
#if defined(__SSE2__)
  const auto escaped = [](__m128i bytes) {
    const __m128i signs =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    return bits_of(_mm_or_si128(signs, control_bytes(bytes)));
  };
  return find_by_sixteen(at, end, escaped, is_escaped_in_quotes);
#else
  while (at != end && !is_escaped_in_quotes(*at)) ++at;
  return at;
#endif
}

/// What drop_invalid_header_fields calls a valid name.
inline bool is_plain_name(std::string_view name) {
  const char* const end = name.data() + name.size();
  return !name.empty() && find_not_plain(name.data(), end) == end;
}

}  // namespace rr
