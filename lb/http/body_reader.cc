#include "lb/http/body_reader.h"

#include <algorithm>
#include <limits>

#include "lb/http/characters.h"
#include "lb/http/field_tokenizer.h"
#include "lb/http/framing.h"

namespace rr {
namespace {

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

void BodyReader::begin(Framing framing, std::uint64_t content_length) {
  left_ = content_length;
  line_ = 0;
  switch (framing) {
    case Framing::kNone:
      state_ = State::kEnd;
      return;
    case Framing::kContentLength:
      state_ = content_length == 0 ? State::kEnd : State::kLength;
      return;
    case Framing::kChunked:
      state_ = State::kSizeFirst;
      return;
    case Framing::kUntilClose:
      state_ = State::kUntilClose;
      return;
  }
}

ParseStep BodyReader::fail(ParseError error) {
  error_ = error;
  return {ParseStep::Kind::kError, 0, {}};
}

ParseStep BodyReader::take_content(std::string_view bytes, std::size_t used, State after) {
  const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - used));
  left_ -= size;
  if (left_ == 0) state_ = after;
  return {ParseStep::Kind::kBody, used + size, bytes.substr(used, size)};
}

ParseStep BodyReader::next(std::string_view bytes) {
  if (state_ == State::kEnd) return {ParseStep::Kind::kMessageEnd, 0, {}};
  if (bytes.empty()) return {ParseStep::Kind::kNeedMore, 0, {}};
  if (state_ == State::kUntilClose) return {ParseStep::Kind::kBody, bytes.size(), bytes};
  if (state_ == State::kLength) return take_content(bytes, 0, State::kEnd);
  return read_chunks(bytes);
}

ParseStep BodyReader::read_chunks(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size()) {
    if (state_ == State::kData) return take_content(bytes, used, State::kDataReturn);
    if (state_ == State::kTrailers) return read_trailers(bytes, used);
    if (!take_framing(bytes[used])) return fail(ParseError::kBadChunk);
    ++used;
  }
  return {ParseStep::Kind::kNeedMore, used, {}};
}

bool BodyReader::take_size_digit(char c) {
  const int value = hex_value(c);
  // Sixteen times the size must stay a number that everybody can hold.
  if (value < 0 || left_ > std::numeric_limits<std::int64_t>::max() / 16 - 1) return false;
  left_ = left_ * 16 + static_cast<std::uint64_t>(value);
  state_ = State::kSize;
  return true;
}

bool BodyReader::take_framing(char c) {
  switch (state_) {
    case State::kSizeFirst:
    case State::kSize:
    case State::kExtension:
      if (c == '\r' && state_ != State::kSizeFirst) {
        state_ = State::kSizeLineFeed;
        return true;
      }
      if (++line_ > head_reader_.limits().chunk_line) return false;
      if (state_ == State::kExtension) return !is_control(c);
      if (state_ == State::kSize && c == ';') {
        state_ = State::kExtension;
        return true;
      }
      return take_size_digit(c);
    case State::kSizeLineFeed:
      line_ = 0;
      state_ = left_ == 0 ? State::kTrailers : State::kData;
      if (state_ == State::kTrailers) head_reader_.begin(HeadReader::Kind::kTrailers);
      return c == '\n';
    case State::kDataReturn:
      state_ = State::kDataLineFeed;
      return c == '\r';
    case State::kDataLineFeed:
      state_ = State::kSizeFirst;
      left_ = 0;
      return c == '\n';
    case State::kLength:
    case State::kUntilClose:
    case State::kData:
    case State::kTrailers:
    case State::kEnd:
      return false;
  }
  return false;
}

ParseStep BodyReader::read_trailers(std::string_view bytes, std::size_t used) {
  const HeadReader::Progress progress = head_reader_.read(bytes.substr(used));
  switch (progress.outcome) {
    case HeadReader::Outcome::kNeedMore:
      return {ParseStep::Kind::kNeedMore, used + progress.consumed, {}};
    case HeadReader::Outcome::kError:
      return fail(head_reader_.error() == ParseError::kBadSyntax ? ParseError::kBadChunk : head_reader_.error());
    case HeadReader::Outcome::kComplete:
      break;
  }
  if (!tokenize_fields(head_reader_.fields(), fields_)) return fail(ParseError::kBadChunk);
  const bool reframes =
      std::any_of(fields_.begin(), fields_.end(), [](const HeaderView& field) { return is_framing_field(field.name); });
  if (reframes) return fail(ParseError::kBadFraming);
  state_ = State::kEnd;
  return {ParseStep::Kind::kMessageEnd, used + progress.consumed, {}};
}

}  // namespace rr
