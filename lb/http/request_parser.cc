#include "lb/http/request_parser.h"

#include "lb/http/message_state.h"
#include "lb/http/start_line.h"

namespace rr {
namespace {

struct RequestSide {
  static constexpr HeadReader::Kind kKind = HeadReader::Kind::kRequest;
  // What a message's end, or the end of HTTP on the connection, may depend on: strangers write it, and two readers must
  // agree. About a browser's GET, which has none of these, asking took 4,800 instructions.
  static constexpr FieldNames kConfirmed{FieldName::kContentLength, FieldName::kTransferEncoding, FieldName::kUpgrade,
                                         FieldName::kFramingLookalike};
  RequestHead head;
  bool tolerant = false;

  std::optional<ParseError> parse_start_line(std::string_view line) {
    head = {};
    const std::optional<ParseError> bad = parse_request_line(line, head.view);
    if (!bad || !tolerant) return bad;
    head = {};
    head.clean = false;
    return parse_unclean_request_line(line, head.view, head.unsafe);
  }
  /// The second look. False: there is nothing to be looked at.
  bool salvage(std::string_view block, std::vector<HeaderView>& fields) {
    if (!tolerant) return false;
    head.clean = false;
    if (!split_raw_fields(block, fields)) return false;
    head.view.headers = fields;
    head.view.names = FieldNames::all();
    if (const auto bad = find_safe_reading(head); bad && !head.unsafe) head.unsafe = bad;
    return true;
  }
  bool is_clean() const { return head.clean; }
  bool may_be_followed() const { return !head.unsafe; }
  std::optional<ParseError> decide() { return decide_framing(head); }
  bool ends_with_head() const { return false; }
  void message_ended() {}
};

}  // namespace

struct RequestParser::State : MessageState<RequestSide> {
  State(const HttpLimits& limits, Reading reading) : MessageState(limits, reading == Reading::kTolerant) {
    side.tolerant = reading == Reading::kTolerant;
  }
};

RequestParser::RequestParser(const HttpLimits& limits, Reading reading)
    : state_(std::make_unique<State>(limits, reading)) {}
RequestParser::~RequestParser() = default;
RequestParser::RequestParser(RequestParser&&) noexcept = default;

ParseStep RequestParser::next(std::string_view bytes) { return state_->next(bytes); }
const RequestHead& RequestParser::head() const { return state_->side.head; }
ParseError RequestParser::error() const { return state_->error; }
bool RequestParser::idle() const { return state_->idle(); }
bool RequestParser::message_ended() const { return state_->phase == State::Phase::kEnded; }
std::span<const HeaderView> RequestParser::trailers() const {
  if (!state_->trailed) return {};
  return state_->fields;
}

}  // namespace rr
