#pragma once
// Request lines and status lines: RFC 9112 sections 3 and 4, single spaces only.
#include <optional>
#include <string_view>

#include "lb/http/message.h"

namespace rr {

/// Fills method, target and version from "GET / HTTP/1.1" (no line end).
std::optional<ParseError> parse_request_line(std::string_view line, RequestView& request);

/// The same for a line that parse_request_line() refused: spaces within the target, more spaces than two, control and
/// non-ASCII bytes in the target, HTTP/1.2 to 1.9 (read as 1.1). `unsafe` is set where the parts can be told apart and
/// nobody may act on them. The error: not even that.
std::optional<ParseError> parse_unclean_request_line(std::string_view line, RequestView& request,
                                                     std::optional<ParseError>& unsafe);

/// Fills version, status and reason from "HTTP/1.1 200 OK" (no line end). The reason and its space may be missing.
std::optional<ParseError> parse_status_line(std::string_view line, ResponseView& response);

/// The two parts of an absolute-form target, "http://host:80/path?query".
struct AbsoluteTarget {
  std::string_view authority;  // "host:80", never empty
  std::string_view rest;       // "/path?query", "?query" or ""
};

/// Nothing when the target is in another form or its authority is not usable (empty, or with a user name).
std::optional<AbsoluteTarget> split_absolute_target(std::string_view target);

/// Whether what follows the colon of "a:80" or "[::1]:80" is a port, or nothing: with another text there one reader may
/// see another host than the next.
bool has_proper_port(std::string_view host);

}  // namespace rr
