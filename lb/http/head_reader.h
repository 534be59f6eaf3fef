#pragma once
// Finds the end of a head, line by line, and holds it to the limits. What is inside the lines is read afterwards, in
// one piece, so that a head means the same however it was cut into packets.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lb/http/limits.h"
#include "lb/http/message.h"

namespace rr {

/// Collects one head after the other (or the trailers of a chunked body). A head that comes in one piece is not copied:
/// text() then points into the caller's bytes; otherwise into a buffer here, which the limits bound.
class HeadReader {
 public:
  enum class Kind : std::uint8_t { kRequest, kResponse, kTrailers };
  enum class Outcome : std::uint8_t { kNeedMore, kComplete, kError };
  struct Progress {
    Outcome outcome = Outcome::kNeedMore;
    std::size_t consumed = 0;  // with kNeedMore: everything
  };

  /// `tolerant`: lines of a request's head that are no clean fields are let pass and noted (see clean()). `fields`: see
  /// fields_noted().
  HeadReader(const HttpLimits& limits, std::vector<HeaderView>& fields, bool tolerant = false);

  /// The next byte is the first one of a head of this kind.
  void begin(Kind kind);

  /// Reads up to the end of the head. Every line must end in CRLF, hold no other control byte than HTAB, and be a
  /// token, a colon and a value; no continuation lines (RFC 9112 section 5.2). One empty line before a request is
  /// skipped (RFC 9112 section 2.2).
  Progress read(std::string_view bytes);

  /// Why read() said kError.
  ParseError error() const { return error_; }

  /// Whether the start line has come whole; it can be judged before the rest is here.
  bool has_start_line() const { return start_line_size_ > 0; }
  /// Without its line end. Like fields(), valid until the next call or as long as the caller's bytes.
  std::string_view start_line() const { return text_.substr(0, start_line_size_ - 2); }
  /// The lines after the start line and the empty line that ends the head. Complete after kComplete only.
  std::string_view fields() const { return text_.substr(start_line_size_); }
  /// Every line so far was a token, a colon and a value without control bytes.
  bool clean() const { return clean_; }
  /// At kComplete: names and values are in the vector that this was made with, in order, because the head came in one
  /// piece of clean lines with plain names. Otherwise they are to be taken from fields().
  bool fields_noted() const { return fields_noted_; }
  /// Of every field so far the name is of letters, digits and '-' only. False: of one it may not be.
  bool plain_names() const { return plain_names_; }
  /// No byte of a head has been seen (an empty line before a request is no part of it).
  bool empty() const { return line_begin_ == 0 && kept_.empty(); }
  const HttpLimits& limits() const { return limits_; }

 private:
  enum class Leading : std::uint8_t { kNothing, kReturn, kLine };

  std::size_t skip_empty_line(std::string_view bytes);
  std::size_t take_clean_lines(std::string_view bytes, std::size_t begin, std::size_t used);
  Progress fail(ParseError error);
  /// Whether a line of `size` bytes (ending in `last`, complete with its LF or not) stays within the limits.
  bool fits(std::size_t size, std::string_view piece, bool complete);
  /// Judges the line that ends the text. Sets error_ and returns false when it is none.
  bool take_line();

  HttpLimits limits_;
  Kind kind_ = Kind::kRequest;
  Leading leading_ = Leading::kNothing;
  ParseError error_ = ParseError::kBadSyntax;
  std::string kept_;                 // the head so far, when it does not come in one piece
  std::string_view text_;            // the head so far, here or in the caller's bytes
  std::size_t line_begin_ = 0;       // where in the text the current line begins
  std::size_t start_line_size_ = 0;  // with its line end; 0 before it is complete and for trailers
  std::size_t headers_ = 0;
  bool complete_ = false;
  bool tolerant_ = false;
  bool clean_ = true;
  bool plain_names_ = true;
  bool fields_noted_ = true;
  std::vector<HeaderView>& fields_;
};

}  // namespace rr
