#pragma once
// What the header fields say about the message itself: where its body ends, what becomes of the connection.
// RFC 9112 section 6, read so that a message has one meaning or none.
#include <optional>
#include <span>

#include "lb/http/message.h"

namespace rr {

/// Fills framing, content_length, keep_alive, expect_continue, upgrade and the view's names from its headers, or says
/// why there is no safe reading. The view must be complete.
std::optional<ParseError> decide_framing(RequestHead& head);

/// The same for a head that is not clean, or that decide_framing() refused: the one reading that no other reader can
/// contradict once it is written anew, or why there is none. Chunked wins over a length; equal lengths are one; names
/// that only look like framing say nothing. RFC 9112 sections 5.2, 6.1 and 6.3.
std::optional<ParseError> find_safe_reading(RequestHead& head);

/// Fills framing, content_length, keep_alive, interim and the view's names. A response to HEAD, a 1xx, 204 or 304 has
/// no body, whatever its fields say (RFC 9112 section 6.3).
std::optional<ParseError> decide_framing(ResponseHead& head, bool to_head_request);

/// Whether a tunnel may follow the request: it asks, cleanly and without a body, for another protocol than HTTP/2 in
/// clear text (h2c), which would carry requests past whoever reads HTTP/1.1.
bool may_open_tunnel(const RequestHead& head);
/// Whether this element of an Upgrade field is one that is passed on.
bool is_tunnel_protocol(std::string_view protocol);
/// The protocol that a 101 switches to. None: it names not exactly one, or one that is never passed on.
std::optional<std::string_view> tunnel_protocol(const ResponseHead& head);

/// Whether a trailer of this name would change the framing that was already acted on (RFC 9110 section 6.5.1).
bool is_framing_field(std::string_view name);

/// Whether a comma-separated list holds this token, in any case: "keep-alive, Upgrade" holds "upgrade".
bool list_contains(std::string_view list, std::string_view token);

}  // namespace rr
