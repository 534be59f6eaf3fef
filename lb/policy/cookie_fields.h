#pragma once
// Cookies in the fields of heads, RFC 6265 sections 4.1.1 and 5.4. Names are compared with their case, as browsers do.
#include <optional>
#include <string_view>

#include "lb/base/request_view.h"

namespace rr {

/// The value of a cookie that the request brings once, quotes and percent signs included. One that comes several times,
/// in one Cookie field or in several, could mean either: then there is none.
std::optional<std::string_view> find_cookie(const RequestView& request, std::string_view name);

/// Whether the request brings the cookie, however often.
bool has_cookie(const RequestView& request, std::string_view name);

/// Whether one of the response's Set-Cookie fields is about the cookie; its value and its attributes say nothing.
bool sets_cookie(const ResponseView& response, std::string_view name);

}  // namespace rr
