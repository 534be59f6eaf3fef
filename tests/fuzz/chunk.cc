// A chunked body of any bytes: the same content however it is cut, and the same that a reader says who has all of it at
// once and takes the grammar of RFC 9112 section 7.1 word by word.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/check.h"
#include "lb/http/body_reader.h"

namespace {

constexpr std::size_t kMostOfChunkLine = 40;

/// What came of reading: the content, how many bytes the body had, or nothing of that.
struct Reading {
  enum class End { kComplete, kError, kNeedMore } end = End::kNeedMore;
  std::string content;
  std::size_t consumed = 0;
};

Reading read_in_pieces(std::string_view bytes, std::size_t piece) {
  std::vector<rr::HeaderView> fields;
  rr::HeadReader heads({.start_line = 64, .header_line = 64, .head = 256, .headers = 4, .chunk_line = kMostOfChunkLine},
                       fields);
  rr::BodyReader reader(heads, fields);
  reader.begin(rr::Framing::kChunked, 0);
  Reading result;
  for (std::string_view rest = bytes;;) {
    const std::string copy(rest.substr(0, piece));
    std::string_view fed = copy;
    while (true) {
      const rr::ParseStep step = reader.next(fed);
      RR_CHECK(step.consumed <= fed.size(), "no more is consumed than there is");
      result.content += step.body;
      if (step.kind == rr::ParseStep::Kind::kError) {
        result.end = Reading::End::kError;
        return result;
      }
      result.consumed += step.consumed;
      fed.remove_prefix(step.consumed);
      if (step.kind == rr::ParseStep::Kind::kMessageEnd) {
        result.end = Reading::End::kComplete;
        return result;
      }
      if (step.kind == rr::ParseStep::Kind::kNeedMore) break;
    }
    RR_CHECK(fed.empty(), "more is needed only when everything was consumed");
    rest.remove_prefix(copy.size());
    if (rest.empty()) return result;
  }
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

/// The size that a line of a chunk says (without its CRLF); nothing when it says none.
std::optional<std::uint64_t> size_of_line(std::string_view line) {
  const std::string_view digits = line.substr(0, line.find(';'));
  if (digits.empty() || line.size() > kMostOfChunkLine) return std::nullopt;
  std::uint64_t size = 0;
  for (const char c : digits) {
    const std::size_t value =
        std::string_view("0123456789abcdef").find(static_cast<char>(c >= 'A' && c <= 'F' ? c + 32 : c));
    if (value == std::string_view::npos || size > std::numeric_limits<std::int64_t>::max() / 16 - 1)
      return std::nullopt;
    size = size * 16 + value;
  }
  for (const char c : line) {
    if (is_control(c)) return std::nullopt;
  }
  return size;
}

/// The chunks up to the last one (of size 0); the trailers are left to the reader itself.
Reading read_chunks_at_once(std::string_view bytes) {
  Reading result;
  while (true) {
    const std::string_view rest = bytes.substr(result.consumed);
    const std::size_t end = rest.find("\r\n");
    if (end == std::string_view::npos) return result;
    const auto size = size_of_line(rest.substr(0, end));
    if (!size) {
      result.end = Reading::End::kError;
      return result;
    }
    result.consumed += end + 2;
    if (*size == 0) {
      result.end = Reading::End::kComplete;
      return result;
    }
    const std::string_view data = bytes.substr(result.consumed);
    result.content += data.substr(0, *size);
    if (data.size() < *size) return result;
    const std::string_view after = data.substr(*size, 2);
    if (after != std::string_view("\r\n").substr(0, after.size())) {
      result.end = Reading::End::kError;
      return result;
    }
    if (after.size() < 2) return result;
    result.consumed += *size + 2;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Reading whole = read_in_pieces(bytes, std::string_view::npos);
  const Reading pieces = read_in_pieces(bytes, 1 + data[0] % 16);
  RR_CHECK(pieces.end == whole.end && pieces.content == whole.content, "however the bytes are cut");
  RR_CHECK(pieces.end == Reading::End::kError || pieces.consumed == whole.consumed, "so long is the body");

  const Reading plain = read_chunks_at_once(bytes);
  if (plain.end == Reading::End::kError) {
    RR_CHECK(whole.end == Reading::End::kError, "what is no chunk is refused");
  }
  if (whole.end == Reading::End::kComplete) {
    RR_CHECK(plain.end == Reading::End::kComplete && plain.content == whole.content, "the content of the chunks");
    RR_CHECK(whole.consumed >= plain.consumed + 2, "and an empty line at least");
  }
  RR_CHECK(plain.content.substr(0, whole.content.size()) == whole.content, "nothing is handed out that is no content");
  return 0;
}
