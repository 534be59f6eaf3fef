#pragma once
// What the parsers hand out: heads with their framing decided.
#include <cstdint>
#include <optional>
#include <string_view>

#include "lb/base/request_view.h"

namespace rr {

/// How the end of a body is found. There is always exactly one reading.
enum class Framing : std::uint8_t { kNone, kContentLength, kChunked, kUntilClose };

enum class ParseError : std::uint8_t;

struct RequestHead {
  RequestView view;
  /// Read strictly, with nothing to be left out. False only with Reading::kTolerant: the view then is as received, with
  /// names that are no tokens, and the writer forwards what can be forwarded.
  bool clean = true;
  /// With Reading::kTolerant: there is no reading that everybody would share. The head is for looking at only.
  std::optional<ParseError> unsafe{};
  Framing framing = Framing::kNone;
  std::uint64_t content_length = 0;  // with kContentLength
  bool keep_alive = true;            // what the client wants, by version and Connection
  bool expect_continue = false;
  bool upgrade = false;  // asks for another protocol (Upgrade, named by Connection too)
};

struct ResponseHead {
  ResponseView view;
  Framing framing = Framing::kNone;
  std::uint64_t content_length = 0;
  bool keep_alive = true;  // whether the peer will read another request on this connection
  bool interim = false;    // 1xx but 101: another head follows
};

/// Why bytes are not a message. Each has one status that a server answers with (see suggested_status).
enum class ParseError : std::uint8_t {
  kBadSyntax,              // 400
  kBadVersion,             // 505: HTTP/2 preface and the like (what is no version at all is kBadSyntax)
  kBadFraming,             // 400: both lengths, two lengths, a length that is no number, chunked not last
  kUnknownTransferCoding,  // 501
  kBadChunk,               // 400
  kStartLineTooLong,       // 414
  kHeaderTooLarge,         // 431 for our own servers; the ALB answers 400
  kTooManyHeaders,         // 431
  kMissingHost,            // 400: HTTP/1.1 without Host, or with two
};

std::string_view to_string(ParseError error);  // "bad framing"
int suggested_status(ParseError error);
/// What the ALB answers: 400 where others say 431.
int alb_status(ParseError error);

}  // namespace rr
