#pragma once
// The header fields that something is decided by, so that a name is compared once and not by each who asks.
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace rr {

/// kOther: any other name.
enum class FieldName : std::uint8_t {
  kOther,
  kTe,
  kHost,
  kExpect,
  kTrailer,
  kUpgrade,
  kConnection,
  kKeepAlive,
  kContentLength,
  kXAmznTraceId,
  kXForwardedFor,
  kProxyConnection,
  kXForwardedPort,
  kTransferEncoding,
  kXForwardedProto,
  kFramingLookalike,  // see lb/base/framing_lookalike.h
};

/// Some of them.
class FieldNames {
 public:
  constexpr FieldNames() = default;
  constexpr FieldNames(std::initializer_list<FieldName> names) {
    for (const FieldName name : names) add(name);
  }
  static constexpr FieldNames all() {
    FieldNames names;
    names.bits_ = ~0U;
    return names;
  }
  constexpr void add(FieldName name) { bits_ |= bit(name); }
  constexpr bool has(FieldName name) const { return (bits_ & bit(name)) != 0; }
  constexpr bool has_any_of(FieldNames others) const { return (bits_ & others.bits_) != 0; }
  constexpr bool operator==(const FieldNames&) const = default;

 private:
  static constexpr std::uint32_t bit(FieldName name) { return 1U << static_cast<unsigned>(name); }
  std::uint32_t bits_ = 0;
};

/// Which one `name` is, in any case.
FieldName field_name(std::string_view name);

}  // namespace rr
