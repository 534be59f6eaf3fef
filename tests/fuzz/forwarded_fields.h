#pragma once
// Which fields of a head must arrive on the other side of the load balancer: said here a second time, in the simplest
// way, so that the head writer is compared with something that is not itself. And a reader of heads that knows nothing
// of our parsers.
#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rr::fuzz {

using Fields = std::vector<std::pair<std::string, std::string>>;  // names in lower case

inline std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

inline std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return std::string(text);
}

/// A head as anybody on the way would read it who splits lines and colons.
struct PlainHead {
  std::string first_line;
  Fields fields;

  std::vector<std::string> all(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [key, value] : fields) {
      if (key == name) values.push_back(value);
    }
    return values;
  }
};

/// Nothing when it is not a head that everybody reads alike: lines that end in CRLF with no other control byte, names
/// that are tokens directly before a colon, one empty line at the end. `size` is how many bytes it has.
inline std::optional<PlainHead> read_plain_head(std::string_view bytes, std::size_t& size) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  size = end + 4;
  PlainHead head;
  std::string_view rest = bytes.substr(0, end + 2);
  for (bool first = true; !rest.empty(); first = false) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(line.size() + 2);
    for (const char c : line) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte < 0x20 && c != '\t') || byte == 0x7f) return std::nullopt;
    }
    if (first) {
      head.first_line = line;
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos) return std::nullopt;
    for (const char c : line.substr(0, colon)) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (!letter && std::string_view("!#$%&'*+-.^_`|~").find(c) == std::string_view::npos) return std::nullopt;
    }
    head.fields.emplace_back(lower(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  }
  return head;
}

/// Whether a name that is neither Content-Length nor Transfer-Encoding has its letters, in their order: a head loses
/// such a field on its way.
inline bool looks_like_framing(const std::string& lower_name) {
  if (lower_name == "content-length" || lower_name == "transfer-encoding") return false;
  std::string letters;
  for (const char c : lower_name) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) letters += c;
  }
  return letters == "contentlength" || letters == "transferencoding";
}

inline bool any_looks_like_framing(const PlainHead& head) {
  return std::any_of(head.fields.begin(), head.fields.end(),
                     [](const auto& one) { return looks_like_framing(one.first); });
}

/// Without the fields of one connection (RFC 9110 section 7.6.1, and those that Connection names), without the framing
/// and what looks like it, and without those of `rewritten`. A field called "close" or "keep-alive" is one that our own
/// Connection field names.
template <class Headers>
Fields end_to_end(const Headers& headers, const std::vector<std::string_view>& rewritten) {
  static constexpr std::array<std::string_view, 9> kOneHop{"connection",       "keep-alive",     "te",
                                                           "proxy-connection", "trailer",        "transfer-encoding",
                                                           "upgrade",          "content-length", "close"};
  std::vector<std::string> named;
  for (const auto& header : headers) {
    if (lower(header.name) != "connection") continue;
    std::string_view list = header.value;
    while (true) {
      const std::size_t comma = list.find(',');
      named.push_back(lower(trimmed(list.substr(0, comma))));
      if (comma == std::string_view::npos) break;
      list.remove_prefix(comma + 1);
    }
  }
  Fields kept;
  for (const auto& header : headers) {
    const std::string name = lower(header.name);
    const auto is_name = [&](std::string_view one) { return one == name; };
    if (std::any_of(kOneHop.begin(), kOneHop.end(), is_name) || looks_like_framing(name)) continue;
    if (std::any_of(named.begin(), named.end(), is_name)) continue;
    if (std::any_of(rewritten.begin(), rewritten.end(), is_name)) continue;
    kept.emplace_back(name, std::string(header.value));
  }
  return kept;
}

}  // namespace rr::fuzz
