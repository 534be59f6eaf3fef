#pragma once
// Header lines into names and values, by llhttp. The only place that knows llhttp.
#include <cstddef>
#include <string_view>
#include <vector>

#include "lb/http/message.h"

namespace rr {

/// Splits a block of header lines (each with its CRLF, then an empty line) into spans of that block. `fields` is
/// cleared first and only grows: no allocation once it has been large enough. False when llhttp does not find exactly
/// these headers and exactly this end: then nobody may act on the message.
[[nodiscard]] bool tokenize_fields(std::string_view block, std::vector<HeaderView>& fields);

/// Whether llhttp finds `count` fields in such a block and exactly this end: its word on one that was split already.
[[nodiscard]] bool confirm_fields(std::string_view block, std::size_t count);

/// As tokenize_fields() by the first colon of each line, for saying what is wrong with a block that llhttp has refused.
void split_fields(std::string_view block, std::vector<HeaderView>& fields);

/// The same with names and values as they stand, control bytes and blanks around names included. A line that begins
/// with a blank (RFC 9112 section 5.2) and has no colon becomes a name without a value, which is what the ALB makes of
/// it. False for another line without a colon.
[[nodiscard]] bool split_raw_fields(std::string_view block, std::vector<HeaderView>& fields);

}  // namespace rr
