#pragma once
// What both parsers are made of: a head, then its body, then the next head. Included by their .cc files only.
#include <cstdint>
#include <optional>
#include <vector>

#include "lb/http/body_reader.h"
#include "lb/http/field_tokenizer.h"
#include "lb/http/framing.h"
#include "lb/http/head_reader.h"

namespace rr {

/// `Side` says what is particular to one direction:
///   Head head;  static constexpr HeadReader::Kind kKind;
///   std::optional<ParseError> parse_start_line(std::string_view line);
///   std::optional<ParseError> decide();      // framing of the head whose view is complete
///   bool ends_with_head() const;             // an interim head: the next head follows at once
///   bool salvage(std::string_view block, std::vector<HeaderView>& fields);  // a head that is not clean
///   bool is_clean() const;                   // the start line was
///   bool may_be_followed() const;            // false: nothing after the head can be read
///   static constexpr FieldNames kConfirmed;  // llhttp is heard about a head that has one of these
///   void message_ended();
template <class Side>
struct MessageState {
  enum class Phase : std::uint8_t { kHead, kBody, kEnded, kFailed };

  explicit MessageState(const HttpLimits& limits, bool tolerant = false)
      : head_reader(limits, fields, tolerant), body_reader(head_reader, fields) {
    head_reader.begin(Side::kKind);
  }
  MessageState(const MessageState&) = delete;

  Side side;
  std::vector<HeaderView> fields;
  HeadReader head_reader;
  BodyReader body_reader;
  Phase phase = Phase::kHead;
  bool start_line_judged = false;
  bool fresh = true;     // nothing of the current message has been handed out
  bool trailed = false;  // `fields` are trailers
  ParseError error = ParseError::kBadSyntax;

  ParseStep next(std::string_view bytes) {
    switch (phase) {
      case Phase::kEnded:
        begin_head();
        fresh = true;
        return read_head(bytes);
      case Phase::kHead:
        return read_head(bytes);
      case Phase::kBody:
        return read_body(bytes);
      case Phase::kFailed:
        break;
    }
    return {ParseStep::Kind::kError, 0, {}};
  }

  bool idle() const { return phase == Phase::kEnded || (phase == Phase::kHead && fresh && head_reader.empty()); }

 private:
  // An idle connection should not keep the array that one unusual message needed.
  static constexpr std::size_t kFieldsKept = 64;

  void begin_head() {
    phase = Phase::kHead;
    start_line_judged = trailed = false;
    fields.clear();
    if (fields.capacity() > kFieldsKept) fields.shrink_to_fit();
    head_reader.begin(Side::kKind);
  }

  ParseStep fail(ParseError why) {
    phase = Phase::kFailed;
    error = why;
    return {ParseStep::Kind::kError, 0, {}};
  }

  ParseStep read_head(std::string_view bytes) {
    if (bytes.empty()) return {ParseStep::Kind::kNeedMore, 0, {}};
    if (interim_told) begin_next_head();
    const HeadReader::Progress progress = head_reader.read(bytes);
    const bool complete = progress.outcome == HeadReader::Outcome::kComplete;
    // The start line is judged before what follows it, and again when the head is complete: its spans may have moved.
    if (head_reader.has_start_line() && (complete || !start_line_judged)) {
      start_line_judged = true;
      if (const auto bad = side.parse_start_line(head_reader.start_line())) return fail(*bad);
    }
    if (progress.outcome == HeadReader::Outcome::kError) return fail(head_reader.error());
    if (!complete) return {ParseStep::Kind::kNeedMore, progress.consumed, {}};
    return take_head(progress.consumed);
  }

  ParseStep take_head(std::size_t consumed) {
    if (const std::optional<ParseError> bad = read_fields()) {
      if (!side.salvage(head_reader.fields(), fields)) return fail(*bad);
    }
    fresh = false;
    if (!side.may_be_followed()) {
      phase = Phase::kFailed;
      return {ParseStep::Kind::kHead, consumed, {}};
    }
    if (side.ends_with_head()) {
      interim_told = true;
    } else {
      phase = Phase::kBody;
      body_reader.begin(side.head.framing, side.head.content_length);
    }
    return {ParseStep::Kind::kHead, consumed, {}};
  }

  std::optional<ParseError> read_fields() {
    if (!side.is_clean() || !head_reader.clean()) return ParseError::kBadSyntax;
    const std::string_view lines = head_reader.fields();
    const bool noted = head_reader.fields_noted();
    bool agreed = noted || tokenize_fields(lines, fields);
    if (!agreed) split_fields(lines, fields);
    side.head.view.headers = fields;
    if (const std::optional<ParseError> bad = side.decide()) return bad;
    if (noted && side.head.view.names.has_any_of(Side::kConfirmed)) agreed = confirm_fields(lines, fields.size());
    if (!agreed) return ParseError::kBadSyntax;
    side.head.view.lines = head_reader.fields();
    side.head.view.plain_names = head_reader.plain_names();
    return std::nullopt;
  }

  void begin_next_head() {
    interim_told = false;
    begin_head();
  }

  ParseStep read_body(std::string_view bytes) {
    const ParseStep step = body_reader.next(bytes);
    if (step.kind == ParseStep::Kind::kError) return fail(body_reader.error());
    if (step.kind != ParseStep::Kind::kMessageEnd) return step;
    trailed = side.head.framing == Framing::kChunked;
    phase = Phase::kEnded;
    side.message_ended();
    return step;
  }

  bool interim_told = false;
};

}  // namespace rr
