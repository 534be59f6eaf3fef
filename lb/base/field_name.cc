#include "lb/base/field_name.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "lb/base/framing_lookalike.h"

namespace rr {
namespace {

template <std::size_t kSize>
struct LowerCase {
  consteval LowerCase(const char (&literal)[kSize]) { std::copy_n(literal, kSize, text); }
  char text[kSize];
};

/// A word of a name at a time: a letter is compared without its case by setting the bit that the case is in, every
/// other character as it is.
template <class Word, LowerCase kName, std::size_t kAt>
bool word_equals(const char* name) {
  constexpr auto kFilled = [](auto of) {
    std::array<char, sizeof(Word)> bytes{};
    for (std::size_t i = 0; i < sizeof(Word); ++i) bytes[i] = of(kName.text[kAt + i]);
    return std::bit_cast<Word>(bytes);
  };
  constexpr Word kLetters = kFilled([](char c) { return c; });
  constexpr Word kCases = kFilled([](char c) { return static_cast<char>(c >= 'a' && c <= 'z' ? 0x20 : 0); });
  Word word = 0;
  std::memcpy(&word, name + kAt, sizeof word);
  return static_cast<Word>(word | kCases) == kLetters;
}

/// For a `name` of the right size. The last word overlaps the one before it where the size is no multiple.
template <LowerCase kName>
bool equals(std::string_view name) {
  constexpr std::size_t kSize = sizeof kName.text - 1;
  static_assert(kSize >= 2 && kSize <= 24);
  using Word =
      std::conditional_t<kSize >= 8, std::uint64_t, std::conditional_t<kSize >= 4, std::uint32_t, std::uint16_t>>;
  if (!word_equals<Word, kName, 0>(name.data())) return false;
  if constexpr (kSize > 2 * sizeof(Word)) {
    if (!word_equals<Word, kName, sizeof(Word)>(name.data())) return false;
  }
  return word_equals<Word, kName, kSize - sizeof(Word)>(name.data());
}

FieldName known_name(std::string_view name) {
  switch (name.size()) {
    case 2:
      return equals<"te">(name) ? FieldName::kTe : FieldName::kOther;
    case 4:
      return equals<"host">(name) ? FieldName::kHost : FieldName::kOther;
    case 6:
      return equals<"expect">(name) ? FieldName::kExpect : FieldName::kOther;
    case 7:
      if (equals<"upgrade">(name)) return FieldName::kUpgrade;
      return equals<"trailer">(name) ? FieldName::kTrailer : FieldName::kOther;
    case 10:
      if (equals<"connection">(name)) return FieldName::kConnection;
      return equals<"keep-alive">(name) ? FieldName::kKeepAlive : FieldName::kOther;
    case 14:
      return equals<"content-length">(name) ? FieldName::kContentLength : FieldName::kOther;
    case 15:
      if (equals<"x-forwarded-for">(name)) return FieldName::kXForwardedFor;
      return equals<"x-amzn-trace-id">(name) ? FieldName::kXAmznTraceId : FieldName::kOther;
    case 16:
      if (equals<"x-forwarded-port">(name)) return FieldName::kXForwardedPort;
      return equals<"proxy-connection">(name) ? FieldName::kProxyConnection : FieldName::kOther;
    case 17:
      if (equals<"transfer-encoding">(name)) return FieldName::kTransferEncoding;
      return equals<"x-forwarded-proto">(name) ? FieldName::kXForwardedProto : FieldName::kOther;
    default:
      return FieldName::kOther;
  }
}

}  // namespace

FieldName field_name(std::string_view name) {
  const FieldName known = known_name(name);
  return known == FieldName::kOther && is_framing_lookalike(name) ? FieldName::kFramingLookalike : known;
}

}  // namespace rr
