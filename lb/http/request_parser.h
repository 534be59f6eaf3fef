#pragma once
// Requests out of a byte stream, one step at a time. Owns no socket and no clock; never copies a body.
//
//   for (;;) {
//     const ParseStep step = parser.next(bytes);
//     bytes.remove_prefix(step.consumed);
//     switch (step.kind) { ... }   // leave the loop at kNeedMore and kError, and wherever the caller wants to pause
//   }
//
// next() takes an empty view too: a message without a body ends (kMessageEnd) with no byte more than its head, so the
// loop asks until it hears kNeedMore, not until its bytes are used up.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "lb/http/limits.h"
#include "lb/http/message.h"

namespace rr {

struct ParseStep {
  enum class Kind : std::uint8_t {
    kNeedMore,    // everything was consumed (kept inside where it must be); read more
    kHead,        // head() is valid until the next call of next() or reset()
    kBody,        // `body` is a piece of the body (chunk framing removed), inside the bytes that were passed in
    kMessageEnd,  // the message is complete; what was not consumed belongs to the next one
    kError,       // error() says why; the parser is of no more use
  };
  Kind kind = Kind::kNeedMore;
  std::size_t consumed = 0;
  std::string_view body;
};

/// How a head is taken that is not clean.
enum class Reading : std::uint8_t {
  kStrict,    // it is an error
  kTolerant,  // it is handed out once complete, to be classified; see RequestHead::clean and ::unsafe
};

/// Requests of one connection, strictly: whatever could be read in two ways is an error (RFC 9112 sections 2.2, 3, 5, 6
/// and 11). After kMessageEnd the next call begins the next message.
///
/// Methods: any token is a method (RFC 9110 section 9.1), known or not, case kept; what to do with one is the server's
/// choice (405, 501, or passing it on as the ALB does). CONNECT is refused, as nobody here is a forward proxy.
/// With Reading::kTolerant nothing is read otherwise than strictly; what strict reading refuses gets a second look,
/// which finds the one reading that is safe or none. Line ends other than CRLF are refused either way (stricter than
/// AWS). Targets: origin-form, absolute-form with http or https (head().view.target is as sent), and * for OPTIONS
/// only.
class RequestParser {
 public:
  explicit RequestParser(const HttpLimits& limits = kAlbRequestLimits, Reading reading = Reading::kStrict);
  ~RequestParser();
  RequestParser(RequestParser&&) noexcept;

  ParseStep next(std::string_view bytes);
  const RequestHead& head() const;
  ParseError error() const;
  /// The fields after a chunked body, at its kMessageEnd and until the next call; empty for every other message.
  std::span<const HeaderView> trailers() const;
  /// True between messages with no byte of the next one seen: the connection may be closed without loss.
  bool idle() const;
  /// The last message was read to its end, and nothing after it: nothing in here belongs to this connection any more,
  /// so another one may go on with the parser.
  bool message_ended() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rr

// One include for both directions.
#include "lb/http/response_parser.h"  // IWYU pragma: export
