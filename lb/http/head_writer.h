#pragma once
// Heads as bytes. Appends to a buffer of the caller; refuses nothing, so names and values must be clean already.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/time.h"
#include "lb/http/message.h"

namespace rr {

/// routing.http.xff_header_processing.mode
enum class ForwardedFor : std::uint8_t {
  kAppend,    // what came in, then the peer
  kPreserve,  // what came in, as it is, or nothing
  kRemove,    // nothing
};

/// What the load balancer knows of a request beside its head.
struct ForwardContext {
  std::string_view client_ip;      // of the TCP peer
  std::string_view client_port{};  // where routing.http.xff_client_port asks for it, else empty
  ForwardedFor forwarded_for = ForwardedFor::kAppend;
  bool preserve_host = false;     // routing.http.preserve_host_header.enabled
  bool replace_proto = true;      // false: X-Forwarded-Proto and -Port that came in go on as they are
  std::string_view scheme;        // "http"
  std::string_view port;          // listener port as text
  std::string_view trace_root;    // "Root=1-67891233-abcdef012345678912345678", used where the request brings none
  std::string_view trace_self;    // "Self=1-...", put before an incoming Root
  std::string_view default_host;  // Host for an HTTP/1.0 request that has none
  std::string_view rewritten_target{};  // path and query in place of the request's own, where a rule rewrites them
  std::string_view rewritten_host{};    // likewise of Host, before its port is seen to
  bool upgrade = false;                 // pass the Upgrade header on, because a tunnel may follow (WebSocket)
  bool drop_invalid = false;            // names that are not [-A-Za-z0-9]+ stay here
};

/// Names that are not [-A-Za-z0-9]+, and what nobody may see: names that are no token or look like framing, control
/// bytes.
struct InvalidFields {
  bool dropped = false;
  bool forwarded = false;
};

/// The head that goes to the target: hop-by-hop headers out (RFC 9110 section 7.6.1, and those Connection names),
/// X-Forwarded-For by its mode, -Proto and -Port replaced, X-Amzn-Trace-Id by the ALB's rules, at most one framing
/// header. The target is written in origin-form; an absolute-form one decides the host. Host as it came where it is
/// preserved, else as the ALB writes it: the name in lower case; its port removed behind a listener on 80 or 443, else
/// added where missing. With a client port the peer is "203.0.113.7:41522" or "[2001:db8::1]:41522".
/// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
/// Expect stays here: the load balancer itself answers it. Trailer goes on with a body in chunks, by its names that may
/// (lb/http/trailers.h).
///
/// Of a head that is not clean the one normalised form is written: spaces and control bytes in the target
/// percent-encoded, fields that are none or that look like framing left out, a continuation line whose text is a token
/// as a field of that name without a value (as the ALB does).
InvalidFields append_forwarded_request(std::string& out, const RequestHead& head, const ForwardContext& context);

/// What a listener's attributes do to the heads of its responses.
/// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html
struct ResponseChanges {
  bool server_header = true;                // false: our own answers carry no Server
  std::string inserted;                     // whole header lines, "X-Frame-Options: DENY\r\n..."
  std::vector<std::string_view> overrides;  // the names in it: a target's own headers of these names are left out
};

/// The head that goes to the client. `keep_alive` decides the Connection header; the framing is `head.framing`, written
/// for a client of `client_minor` (HTTP/1.0 knows no chunks: such a body ends with the connection, as one with
/// Framing::kUntilClose does, and Connection: close is written whatever `keep_alive` says). A head without a body keeps
/// the Content-Length that the target gave it for HEAD and 304. Interim heads get neither framing nor Connection.
/// `changes` do not touch interim heads. `own_fields` are whole lines that are added.
void append_forwarded_response(std::string& out, const ResponseHead& head, bool keep_alive, int client_minor,
                               const ResponseChanges& changes = {}, std::string_view own_fields = {});

/// "HTTP/1.1 200 OK\r\n" with the standard reason phrase (RFC 9110 section 15; empty for a status without one).
void append_status_line(std::string& out, int status);
void append_header(std::string& out, std::string_view name, std::string_view value);
std::string_view reason_phrase(int status);

/// An error page of the load balancer's own, byte for byte as the ALB sends it: Server, Date, Content-Type,
/// Content-Length, Connection, then the page. Without the page for HEAD. The texts are the ALB's where they are known
/// ("504 Gateway Time-out") and the standard ones elsewhere.
void append_error_response(std::string& out, int status, Time now, bool keep_alive, bool head_request,
                           const ResponseChanges& changes = {});

/// A redirect of the load balancer's own: as an error page, with Location last. Its page is titled "302 Found" where
/// the status line says "302 Moved Temporarily". `location` must hold no control character.
void append_redirect_response(std::string& out, int status, std::string_view location, Time now, bool keep_alive,
                              bool head_request, const ResponseChanges& changes = {});

/// "5\r\nhello\r\n" is the chunk for "hello": this is the line before it; kChunkEnd goes after it, kLastChunk ends all.
constexpr std::string_view kChunkEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";
void append_chunk_header(std::string& out, std::size_t size);

}  // namespace rr
