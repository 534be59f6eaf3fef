#pragma once
// Header names that are not Transfer-Encoding or Content-Length, but that somebody may read as one of them.
#include <cstddef>
#include <string_view>

#include "lb/base/request_view.h"

namespace rr {

/// Whether the letters of `name`, taken without everything that is neither letter nor digit, are those of `letters`
/// (lower case). The long s and the dotless i, which some upper-casing maps to S and I, count as s and i.
/// https://github.com/aws/http-desync-guardian
constexpr bool has_letters_of(std::string_view name, std::string_view letters) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    char c = ascii_lower(name[i]);
    if (i + 1 < name.size() && name[i] == '\xC5' && name[i + 1] == '\xBF') {
      c = 's';
      ++i;
    } else if (i + 1 < name.size() && name[i] == '\xC4' && name[i + 1] == '\xB1') {
      c = 'i';
      ++i;
    }
    const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!alphanumeric) continue;
    if (at == letters.size() || letters[at] != c) return false;
    ++at;
  }
  return at == letters.size();
}

/// "Transfer_Encoding", "Content-Length " (with its space): similar and not equal.
constexpr bool is_transfer_encoding_lookalike(std::string_view name) {
  return name.size() >= 16 && !equals_ignoring_case(name, "transfer-encoding") &&
         has_letters_of(name, "transferencoding");
}
constexpr bool is_content_length_lookalike(std::string_view name) {
  return name.size() >= 13 && !equals_ignoring_case(name, "content-length") && has_letters_of(name, "contentlength");
}
constexpr bool is_framing_lookalike(std::string_view name) {
  return name.size() >= 13 && (is_transfer_encoding_lookalike(name) || is_content_length_lookalike(name));
}

}  // namespace rr
