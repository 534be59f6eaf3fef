#pragma once
// Heads as bytes. Appends to a buffer of the caller; refuses nothing, so names and values must be clean already.
#include <string>
#include <string_view>

#include "lb/base/time.h"
#include "lb/http/message.h"

namespace rr {

/// What the load balancer knows of a request beside its head.
struct ForwardContext {
  std::string_view client_ip;    // of the TCP peer
  std::string_view scheme;       // "http"
  std::string_view port;         // listener port as text
  std::string_view trace_root;   // "Root=1-67891233-abcdef012345678912345678", used where the request brings none
  std::string_view trace_self;   // "Self=1-...", put before an incoming Root
  std::string_view default_host; // Host for an HTTP/1.0 request that has none
};

/// The head that goes to the target: hop-by-hop headers out (RFC 9110 section 7.6.1, and those Connection names),
/// X-Forwarded-For appended, -Proto and -Port replaced, X-Amzn-Trace-Id by the ALB's rules, exactly one framing header.
void append_forwarded_request(std::string& out, const RequestHead& head, const ForwardContext& context);

/// The head that goes to the client. `keep_alive` decides the Connection header; the framing is `head.framing`, written
/// for a client of `client_minor` (HTTP/1.0 knows no chunks: such a body ends with the connection).
void append_forwarded_response(std::string& out, const ResponseHead& head, bool keep_alive, int client_minor);

/// "HTTP/1.1 200 OK\r\n" with the standard reason phrase.
void append_status_line(std::string& out, int status);
void append_header(std::string& out, std::string_view name, std::string_view value);
std::string_view reason_phrase(int status);

/// An error page of the load balancer's own, byte for byte as the ALB sends it: Server, Date, Content-Type,
/// Content-Length, Connection, then the page. Without the page for HEAD.
void append_error_response(std::string& out, int status, Time now, bool keep_alive, bool head_request);

/// "5\r\nhello\r\n" is the chunk for "hello": the line before and the line end after it.
void append_chunk_header(std::string& out, std::size_t size);

}  // namespace rr
