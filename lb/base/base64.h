#pragma once
// Base64 with the standard alphabet and padding, RFC 4648 section 4, read strictly: one text for one value.
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rr {

/// How many characters so many bytes take.
constexpr std::size_t base64_size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

void append_base64(std::string& out, std::span<const unsigned char> bytes);

/// The number of bytes written to `out`. Nothing when the text is no base64 (percent-encoded, of another alphabet, with
/// white space, without its padding, with bits left over) or has more bytes than `out`.
std::optional<std::size_t> read_base64(std::string_view text, std::span<unsigned char> out);

}  // namespace rr
