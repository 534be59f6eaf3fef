#include "lb/http/trailers.h"

#include <algorithm>
#include <array>

#include "lb/base/framing_lookalike.h"
#include "lb/http/characters.h"
#include "lb/http/framing.h"
#include "lb/http/head_writer.h"

namespace rr {
namespace {

constexpr std::array<std::string_view, 48> kNeverTrailers{
    // of one connection
    "connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    "http2-settings",
    // where a request goes, and what may be done with it
    "host", "forwarded", "via", "max-forwards", "expect", "range", "cache-control", "pragma", "if-match",
    "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "x-real-ip", "x-original-url",
    "x-rewrite-url", "x-http-method-override",
    // who sends it
    "authorization", "proxy-authorization", "proxy-authenticate", "www-authenticate", "authentication-info",
    "proxy-authentication-info", "cookie", "set-cookie",
    // what becomes of a response
    "age", "date", "expires", "location", "retry-after", "vary", "warning",
    // how the content is to be read
    "content-encoding", "content-type", "content-range", "content-security-policy", "strict-transport-security",
    "x-content-type-options", "x-frame-options"};

constexpr std::array<std::string_view, 3> kNeverPrefixes{"x-forwarded-", "x-amzn-", "access-control-"};

char folded(char c) { return c == '_' ? '-' : ascii_lower(c); }

bool begins_with(std::string_view name, std::string_view lower_case) {
  return name.size() >= lower_case.size() &&
         std::equal(lower_case.begin(), lower_case.end(), name.begin(), [](char a, char b) { return a == folded(b); });
}

bool is_plain(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    const char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || is_digit(c) || c == '-';
  });
}

bool passes(const HeaderView& trailer, const TrailerRules& rules) {
  if (!may_pass_as_trailer(trailer.name)) return false;
  if (rules.drop_invalid && !is_plain(trailer.name)) return false;
  if (!rules.hop_names.empty() && list_contains(rules.hop_names, trailer.name)) return false;
  return std::none_of(rules.replaced.begin(), rules.replaced.end(),
                      [&](std::string_view name) { return equals_ignoring_case(name, trailer.name); });
}

/// Calls `visit` with each element of a comma-separated list.
template <class Visit>
void for_each_name(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    visit(trim_blanks(list.substr(0, comma)));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
}

}  // namespace

bool may_pass_as_trailer(std::string_view name) {
  if (!is_token(name) || is_framing_lookalike(name)) return false;
  const auto is_name = [&](std::string_view one) { return one.size() == name.size() && begins_with(name, one); };
  const auto is_prefix = [&](std::string_view one) { return begins_with(name, one); };
  return std::none_of(kNeverTrailers.begin(), kNeverTrailers.end(), is_name) &&
         std::none_of(kNeverPrefixes.begin(), kNeverPrefixes.end(), is_prefix);
}

std::string named_by_connection(std::span<const HeaderView> fields) {
  std::string names;
  for (const HeaderView& field : fields) {
    if (!equals_ignoring_case(field.name, "connection")) continue;
    for_each_name(field.value, [&](std::string_view name) {
      // Options, or names that are never passed on as trailers.
      if (equals_ignoring_case(name, "close") || !may_pass_as_trailer(name)) return;
      if (!names.empty()) names += ',';
      names += name;
    });
  }
  return names;
}

void append_last_chunk(std::string& out, std::span<const HeaderView> trailers, const TrailerRules& rules) {
  if (trailers.empty()) {
    out += kLastChunk;
    return;
  }
  out += "0\r\n";
  for (const HeaderView& trailer : trailers) {
    if (passes(trailer, rules)) append_header(out, trailer.name, trailer.value);
  }
  out += "\r\n";
}

void append_trailer_names(std::string& out, std::span<const HeaderView> fields) {
  std::string names;
  for (const HeaderView& field : fields) {
    if (!equals_ignoring_case(field.name, "trailer")) continue;
    for_each_name(field.value, [&](std::string_view name) {
      if (!may_pass_as_trailer(name)) return;
      if (!names.empty()) names += ", ";
      names += name;
    });
  }
  if (!names.empty()) append_header(out, "Trailer", names);
}

}  // namespace rr
