#include "lb/http/response_parser.h"

#include "lb/http/message_state.h"
#include "lb/http/start_line.h"

namespace rr {
namespace {

struct ResponseSide {
  static constexpr HeadReader::Kind kKind = HeadReader::Kind::kResponse;
  // Not Content-Length, which nearly every response has: decide_framing() takes one field of digits and no more, and
  // such a head llhttp does not refuse (field_tokenizer_test). Asking took 700 instructions.
  static constexpr FieldNames kConfirmed{FieldName::kTransferEncoding, FieldName::kUpgrade,
                                         FieldName::kFramingLookalike};
  ResponseHead head;
  bool to_head_request = false;

  std::optional<ParseError> parse_start_line(std::string_view line) {
    head = {};
    return parse_status_line(line, head.view);
  }
  std::optional<ParseError> decide() { return decide_framing(head, to_head_request); }
  bool ends_with_head() const { return head.interim; }
  void message_ended() { to_head_request = false; }
  bool salvage(std::string_view, std::vector<HeaderView>&) { return false; }
  bool is_clean() const { return true; }
  bool may_be_followed() const { return true; }
};

}  // namespace

struct ResponseParser::State : MessageState<ResponseSide> {
  using MessageState::MessageState;
};

ResponseParser::ResponseParser(const HttpLimits& limits) : state_(std::make_unique<State>(limits)) {}
ResponseParser::~ResponseParser() = default;
ResponseParser::ResponseParser(ResponseParser&&) noexcept = default;

void ResponseParser::expect(bool to_head_request) { state_->side.to_head_request = to_head_request; }
ParseStep ResponseParser::next(std::string_view bytes) { return state_->next(bytes); }

bool ResponseParser::finish() {
  using Phase = State::Phase;
  const bool proper = state_->phase == Phase::kBody && state_->body_reader.may_end_here();
  if (proper) state_->phase = Phase::kEnded;
  return proper;
}

const ResponseHead& ResponseParser::head() const { return state_->side.head; }
ParseError ResponseParser::error() const { return state_->error; }
bool ResponseParser::idle() const { return state_->idle(); }
std::span<const HeaderView> ResponseParser::trailers() const {
  if (!state_->trailed) return {};
  return state_->fields;
}

}  // namespace rr
