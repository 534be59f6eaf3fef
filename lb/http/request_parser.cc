#include "lb/http/request_parser.h"

#include "lb/http/message_state.h"
#include "lb/http/start_line.h"

namespace rr {
namespace {

struct RequestSide {
  static constexpr HeadReader::Kind kKind = HeadReader::Kind::kRequest;
  RequestHead head;

  std::optional<ParseError> parse_start_line(std::string_view line) {
    head = {};
    return parse_request_line(line, head.view);
  }
  std::optional<ParseError> decide() { return decide_framing(head); }
  bool ends_with_head() const { return false; }
  void message_ended() {}
};

}  // namespace

struct RequestParser::State : MessageState<RequestSide> {
  using MessageState::MessageState;
};

RequestParser::RequestParser(const HttpLimits& limits) : state_(std::make_unique<State>(limits)) {}
RequestParser::~RequestParser() = default;
RequestParser::RequestParser(RequestParser&&) noexcept = default;

ParseStep RequestParser::next(std::string_view bytes) { return state_->next(bytes); }
const RequestHead& RequestParser::head() const { return state_->side.head; }
ParseError RequestParser::error() const { return state_->error; }
bool RequestParser::idle() const { return state_->idle(); }
std::span<const HeaderView> RequestParser::trailers() const {
  if (!state_->trailed) return {};
  return state_->fields;
}

}  // namespace rr
