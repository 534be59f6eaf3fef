#pragma once
// Bodies, by their framing: which of the bytes are content, and where it ends. Nothing is copied.
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "lb/http/head_reader.h"
#include "lb/http/request_parser.h"

namespace rr {

/// Reads one body after the other. Chunks are read here and not by llhttp, whose versions differ in exactly the places
/// that matter: line ends inside chunk framing, blanks after a size, extensions without bound.
class BodyReader {
 public:
  /// `head_reader` is used for the trailers of a chunked body; its limits bound them.
  explicit BodyReader(HeadReader& head_reader, std::vector<HeaderView>& fields)
      : head_reader_(head_reader), fields_(fields) {}

  void begin(Framing framing, std::uint64_t content_length);

  /// kBody, kMessageEnd, kNeedMore or kError. After kMessageEnd begin() must be called.
  ParseStep next(std::string_view bytes);
  ParseError error() const { return error_; }
  /// Whether the end of the stream would be the end of this body.
  bool may_end_here() const { return state_ == State::kUntilClose || state_ == State::kEnd; }

 private:
  enum class State : std::uint8_t {
    kLength,        // `left_` bytes of content to come
    kUntilClose,    // all bytes are content
    kSizeFirst,     // the first digit of a chunk's size
    kSize,          // further digits
    kExtension,     // after ';', ignored but bounded
    kSizeLineFeed,  // the LF after a size line
    kData,          // `left_` bytes of the chunk to come
    kDataReturn,    // the CR after them
    kDataLineFeed,  // the LF after it
    kTrailers,      // field lines, then an empty line
    kEnd,           // the end is to be told
  };

  ParseStep take_content(std::string_view bytes, std::size_t used, State after);
  ParseStep read_chunks(std::string_view bytes);
  ParseStep read_trailers(std::string_view bytes, std::size_t used);
  ParseStep fail(ParseError error);
  /// One byte of chunk framing. False when it may not stand there.
  bool take_framing(char c);
  bool take_size_digit(char c);

  HeadReader& head_reader_;
  std::vector<HeaderView>& fields_;
  State state_ = State::kEnd;
  ParseError error_ = ParseError::kBadChunk;
  std::uint64_t left_ = 0;
  std::size_t line_ = 0;  // bytes of the size line so far
};

}  // namespace rr
