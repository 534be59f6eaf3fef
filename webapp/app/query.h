#pragma once
// The part of a target behind '?', as names and values.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lb/base/result.h"

namespace rr::webapp {

using Query = std::vector<std::pair<std::string, std::string>>;

/// Reads "ms=50&name=a%20b", in order. '+' is a space. Refuses a broken percent escape.
Result<Query> parse_query(std::string_view text);

/// A whole number from `least` to `most`; the error names `name`, what was read and the bounds.
Result<std::uint64_t> parse_whole_number(std::string_view name, std::string_view text, std::uint64_t least,
                                         std::uint64_t most);

/// "on" or "off".
Result<bool> parse_switch(std::string_view name, std::string_view text);

}  // namespace rr::webapp
