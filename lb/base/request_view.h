#pragma once
// A parsed message head as spans into somebody else's buffer: valid only as long as that buffer is.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "lb/base/field_name.h"

namespace rr {

/// ASCII only, as header names and tokens of RFC 9110 are.
constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

struct HeaderView {
  std::string_view name{};   // as received, case kept
  std::string_view value{};  // without the white space around it
};

inline std::optional<std::string_view> first_value(std::span<const HeaderView> headers, std::string_view name) {
  for (const HeaderView& one : headers) {
    if (equals_ignoring_case(one.name, name)) return one.value;
  }
  return std::nullopt;
}
inline std::optional<std::string_view> first_value(std::span<const HeaderView> headers, FieldName name) {
  for (const HeaderView& one : headers) {
    if (field_name(one.name) == name) return one.value;
  }
  return std::nullopt;
}

/// A request head as rules and the desync classification see it.
struct RequestView {
  std::string_view method{};
  std::string_view target{};  // as sent, not normalised
  int major = 1;
  int minor = 1;
  std::span<const HeaderView> headers{};
  /// As sent. One that begins with a space stands for a request line with more spaces than two.
  std::string_view version = "HTTP/1.1";
  /// No other of the known names occurs in `headers`: a parsed, clean head says exactly which ones do.
  FieldNames names = FieldNames::all();
  /// Of a parsed, clean head: the bytes that `headers` are spans of, one line a field and each with its CRLF.
  std::string_view lines{};
  /// Every name is of letters, digits and '-' only. False: nobody has looked, or one is not.
  bool plain_names = false;

  /// The first header of that name, any case.
  std::optional<std::string_view> header(std::string_view name) const { return first_value(headers, name); }
  std::optional<std::string_view> header(FieldName name) const {
    if (!names.has(name)) return std::nullopt;
    return first_value(headers, name);
  }
};

/// A response head.
struct ResponseView {
  int status = 0;
  std::string_view reason{};
  int major = 1;
  int minor = 1;
  std::span<const HeaderView> headers{};
  FieldNames names = FieldNames::all();  // these three as of a request
  std::string_view lines{};
  bool plain_names = false;

  std::optional<std::string_view> header(std::string_view name) const { return first_value(headers, name); }
  std::optional<std::string_view> header(FieldName name) const {
    if (!names.has(name)) return std::nullopt;
    return first_value(headers, name);
  }
};

}  // namespace rr
