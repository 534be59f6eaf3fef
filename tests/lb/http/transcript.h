#pragma once
// What a parser said about some bytes, as text that a table can hold:
//
//   head GET / 1.1 {Host=a} length 5 keep-alive | body hello | end | left GET
//
// Pieces of one body are joined, so that the transcript does not depend on how the bytes were cut.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "lb/base/check.h"
#include "lb/http/request_parser.h"

namespace rr {

inline std::string fields_text(std::span<const HeaderView> fields) {
  std::string text = "{";
  for (const HeaderView& field : fields) {
    if (text.size() > 1) text += ", ";
    text.append(field.name).append("=").append(field.value);
  }
  return text + "}";
}

inline std::string framing_text(Framing framing, std::uint64_t length) {
  switch (framing) {
    case Framing::kNone:
      return "no-body";
    case Framing::kContentLength:
      return "length " + std::to_string(length);
    case Framing::kChunked:
      return "chunked";
    case Framing::kUntilClose:
      return "until-close";
  }
  return "?";
}

inline std::string version_text(int major, int minor) { return std::to_string(major) + "." + std::to_string(minor); }

inline std::string head_text(const RequestHead& head) {
  std::string text = "head ";
  text.append(head.view.method).append(" ").append(head.view.target).append(" ");
  text += version_text(head.view.major, head.view.minor) + " " + fields_text(head.view.headers) + " ";
  text += framing_text(head.framing, head.content_length) + (head.keep_alive ? " keep-alive" : " close");
  if (head.expect_continue) text += " expects-continue";
  if (head.upgrade) text += " upgrade";
  return text;
}

inline std::string head_text(const ResponseHead& head) {
  std::string text = "head " + std::to_string(head.view.status) + " (";
  text.append(head.view.reason).append(") ");
  text += version_text(head.view.major, head.view.minor) + " " + fields_text(head.view.headers) + " ";
  text += framing_text(head.framing, head.content_length) + (head.keep_alive ? " keep-alive" : " close");
  if (head.interim) text += " interim";
  return text;
}

/// Feeds a parser and writes down what it said. `stop_at_end`: the bytes after the first message are left alone.
template <class Parser>
class Listener {
 public:
  Listener(Parser& parser, bool stop_at_end) : parser_(parser), stop_at_end_(stop_at_end) {}

  /// Feeds one piece, from memory of its own size, so that a sanitizer sees every byte read beyond it.
  void feed(std::string_view piece) {
    if (over_) {
      left_ += piece;
      return;
    }
    const std::vector<char> copy(piece.begin(), piece.end());
    std::string_view bytes(copy.data(), copy.size());
    while (!over_) {
      const ParseStep step = parser_.next(bytes);
      RR_CHECK(step.consumed <= bytes.size(), "a parser consumes what it was given");
      if (step.kind == ParseStep::Kind::kNeedMore) {
        EXPECT_EQ(step.consumed, bytes.size());
        return;
      }
      note(step, bytes);
      bytes.remove_prefix(step.consumed);
    }
    left_ += bytes;
  }

  std::string text() const {
    std::string text = transcript_;
    if (!body_.empty()) text += separator() + "body " + body_;
    if (!over_) text += separator() + (parser_.idle() ? "idle" : "waiting");
    if (!left_.empty() && !failed_) text += separator() + "left " + left_;
    return text;
  }

 private:
  void note(const ParseStep& step, std::string_view bytes) {
    if (step.kind == ParseStep::Kind::kBody) {
      EXPECT_FALSE(step.body.empty());
      EXPECT_GE(step.body.data(), bytes.data());
      EXPECT_LE(step.body.data() + step.body.size(), bytes.data() + step.consumed);
      body_ += step.body;
      return;
    }
    if (!body_.empty()) say("body " + body_);
    body_.clear();
    if (step.kind == ParseStep::Kind::kHead) say(head_text(parser_.head()));
    if (step.kind == ParseStep::Kind::kMessageEnd) {
      say(parser_.trailers().empty() ? "end" : "end " + fields_text(parser_.trailers()));
      over_ = stop_at_end_;
    }
    if (step.kind == ParseStep::Kind::kError) {
      say("error " + std::string(to_string(parser_.error())));
      over_ = failed_ = true;
    }
  }
  std::string separator() const { return transcript_.empty() ? "" : " | "; }
  void say(const std::string& text) { transcript_ += separator() + text; }

  Parser& parser_;
  bool stop_at_end_;
  bool over_ = false;
  bool failed_ = false;
  std::string transcript_;
  std::string body_;
  std::string left_;
};

inline std::string read_requests(const std::vector<std::string_view>& pieces, const HttpLimits& limits = {}) {
  RequestParser parser(limits);
  Listener<RequestParser> listener(parser, false);
  for (std::string_view piece : pieces) listener.feed(piece);
  return listener.text();
}

inline std::string read_response(const std::vector<std::string_view>& pieces, bool to_head = false,
                                 const HttpLimits& limits = kAlbResponseLimits) {
  ResponseParser parser(limits);
  parser.expect(to_head);
  Listener<ResponseParser> listener(parser, true);
  for (std::string_view piece : pieces) listener.feed(piece);
  return listener.text();
}

inline std::vector<std::string_view> single_bytes(std::string_view bytes) {
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < bytes.size(); ++i) pieces.push_back(bytes.substr(i, 1));
  return pieces;
}

/// Expects `read` (pieces -> transcript) to say the same about the bytes however they are cut in two, byte by byte, and
/// in three.
template <class Read>
void expect_same_for_every_split(std::string_view bytes, const std::string& expected, Read read) {
  EXPECT_EQ(read(single_bytes(bytes)), expected) << "byte by byte";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    ASSERT_EQ(read({bytes.substr(0, cut), bytes.substr(cut)}), expected) << "cut at " << cut;
    const std::size_t second = cut + (bytes.size() - cut) / 3;
    ASSERT_EQ(read({bytes.substr(0, cut), bytes.substr(cut, second - cut), bytes.substr(second)}), expected)
        << "cut at " << cut << " and " << second;
  }
}

}  // namespace rr
