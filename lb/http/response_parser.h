#pragma once
// Responses out of a byte stream, in the same steps as requests (see request_parser.h).
#include <memory>
#include <span>
#include <string_view>

#include "lb/http/request_parser.h"

namespace rr {

/// Responses of one connection. expect() says which request the next response answers. An interim head (1xx but 101) is
/// a kHead without a kMessageEnd: the next kHead follows it, and counting them is the caller's. After a kMessageEnd the
/// bytes that were not consumed belong to no request of ours (or, after a 101, to the other protocol): the caller must
/// not call next() with them.
class ResponseParser {
 public:
  explicit ResponseParser(const HttpLimits& limits = kAlbResponseLimits);
  ~ResponseParser();
  ResponseParser(ResponseParser&&) noexcept;

  /// Before the first byte of a response: a response to HEAD has no body whatever its head says.
  void expect(bool to_head_request);
  ParseStep next(std::string_view bytes);
  /// The peer closed. True: that ended the message properly (a body until close, or nothing but its kMessageEnd was
  /// left); false: it is cut off, or never began. Not to be followed by next().
  bool finish();
  const ResponseHead& head() const;
  ParseError error() const;
  /// As RequestParser::trailers().
  std::span<const HeaderView> trailers() const;
  bool idle() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rr
