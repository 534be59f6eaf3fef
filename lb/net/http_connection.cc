#include "lb/net/http_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "lb/base/check.h"
#include "lb/http/head_writer.h"

namespace rr {

namespace {

/// A handler may echo what a client sent: it must not be able to make further header lines of it.
void append_clean_header(std::string& out, std::string_view name, std::string_view value) {
  if (value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos) {
    append_header(out, name, value);
    return;
  }
  std::string clean(value);
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  append_header(out, name, clean);
}

/// The server's own business; what a handler says about it is not written.
bool is_written_by_server(std::string_view name) {
  constexpr std::array<std::string_view, 5> kOwn = {"Connection", "Content-Length", "Date", "Keep-Alive",
                                                    "Transfer-Encoding"};
  return std::any_of(kOwn.begin(), kOwn.end(), [&](std::string_view own) { return equals_ignoring_case(name, own); });
}

std::optional<std::string_view> header_of(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

/// RFC 9110 section 6.4.1: these have no body, whatever their head says.
bool is_bodiless(int status) { return status < 200 || status == 204 || status == 304; }

}  // namespace

AnswerSlot::~AnswerSlot() {
  if (connection != nullptr) connection->abandoned();
}

HttpConnection::HttpConnection(HttpConnectionOwner& owner, Stream stream)
    : owner_(owner),
      stream_(std::move(stream)),
      parser_(owner.settings().limits),
      go_on_soon_(
          owner.loop(), [](void* self) noexcept { static_cast<HttpConnection*>(self)->go_on(); }, this),
      deadline_(owner.loop().now() + owner.settings().keep_alive) {
  request_.peer = stream_.peer();
}

HttpConnection::~HttpConnection() {
  if (slot_ != nullptr) slot_->connection = nullptr;
}

void HttpConnection::start() {
  stream_.set_events(this);
  stream_.start_reading();
}

bool HttpConnection::may_move(State from, State to) {
  constexpr auto bit = [](State state) { return 1U << static_cast<unsigned>(state); };
  switch (from) {
    case State::kIdle:
      return to == State::kReceiving || to == State::kClosed;
    case State::kReceiving:
      return (bit(to) & (bit(State::kHandling) | bit(State::kLingering) | bit(State::kClosed))) != 0;
    case State::kHandling:
      return to == State::kStreaming || to == State::kFlushing || to == State::kClosed;
    case State::kStreaming:
      return to == State::kFlushing || to == State::kClosed;
    case State::kFlushing:
      return to == State::kIdle || to == State::kLingering || to == State::kClosed;
    case State::kLingering:
      return to == State::kClosed;
    case State::kClosed:
      return false;
  }
  return false;
}

void HttpConnection::to(State next) {
  RR_CHECK(may_move(state_, next), "a move that an HTTP connection does not make");
  constexpr auto in_progress = [](State state) {
    return state == State::kHandling || state == State::kStreaming || state == State::kFlushing;
  };
  const int change = (in_progress(next) ? 1 : 0) - (in_progress(state_) ? 1 : 0);
  state_ = next;
  if (change != 0) owner_.progress_changed(change);
}

// ---- requests

void HttpConnection::on_read(std::string_view bytes) {
  if (state_ == State::kLingering) {
    dropped_ += bytes.size();
    if (dropped_ > kLingerBytes) die();
  } else if (awaits_input() && rest_.empty()) {
    consume(bytes);
  } else {
    stash(bytes);
  }
}

void HttpConnection::stash(std::string_view bytes) {
  if (bytes.empty()) return;
  rest_ += bytes;
  stream_.pause(PauseReason::kPipelined);
}

// Takes requests until the bytes are used up, or one is not answered at once: what follows it waits in rest_.
void HttpConnection::consume(std::string_view bytes) {
  consuming_ = true;
  while (awaits_input()) {
    const ParseStep step = parser_.next(bytes);
    bytes.remove_prefix(step.consumed);
    const bool begins = state_ == State::kIdle && !(step.kind == ParseStep::Kind::kNeedMore && parser_.idle());
    if (begins) begin_request();
    if (state_ == State::kReceiving) bytes_in_ += step.consumed;
    if (!take_step(step)) break;
  }
  consuming_ = false;
  if (state_ == State::kClosed || state_ == State::kLingering) return;
  if (!awaits_input()) {
    stash(bytes);
  } else if (input_ended_) {
    die();
  }
}

/// False: nothing more can be done with the bytes at hand.
bool HttpConnection::take_step(const ParseStep& step) {
  switch (step.kind) {
    case ParseStep::Kind::kNeedMore:
      return false;
    case ParseStep::Kind::kHead:
      return take_head();
    case ParseStep::Kind::kBody:
      return take_body(step.body);
    case ParseStep::Kind::kMessageEnd:
      dispatch();
      return true;
    case ParseStep::Kind::kError:
      refuse(suggested_status(parser_.error()));
      return false;
  }
  return false;
}

void HttpConnection::begin_request() {
  to(State::kReceiving);
  began_ = owner_.loop().precise_now();
  deadline_ = owner_.loop().now() + owner_.settings().request_timeout;
  request_.method.clear();
  request_.target.clear();
  request_.headers.clear();
  request_.body.clear();
  if (request_.body.capacity() > kKeptBody) request_.body.shrink_to_fit();
  bytes_in_ = 0;
  bytes_out_ = 0;
  status_ = 0;
}

bool HttpConnection::take_head() {
  const RequestHead& head = parser_.head();
  request_.method = head.view.method;
  request_.target = head.view.target;
  request_.minor = head.view.minor;
  for (const HeaderView& header : head.view.headers) request_.headers.emplace_back(header.name, header.value);
  wants_more_ = head.keep_alive;
  if (head.framing == Framing::kContentLength && head.content_length > owner_.settings().max_body) {
    refuse(413);
    return false;
  }
  if (head.expect_continue && head.framing != Framing::kNone && head.view.minor >= 1) {
    stream_.write("HTTP/1.1 100 Continue\r\n\r\n");
  }
  return true;
}

bool HttpConnection::take_body(std::string_view piece) {
  if (request_.body.size() + piece.size() > owner_.settings().max_body) {
    refuse(413);
    return false;
  }
  request_.body += piece;
  return true;
}

void HttpConnection::dispatch() {
  to(State::kHandling);
  owner_.handle(request_, *this);  // may answer, may close
}

void HttpConnection::wait_for(AnswerSlot& slot) {
  slot.connection = this;
  slot_ = &slot;
}

void HttpConnection::go_on() {
  if (!awaits_input()) return;
  const std::string bytes = std::exchange(rest_, {});
  stream_.resume(PauseReason::kPipelined);
  if (!bytes.empty() || input_ended_) consume(bytes);
}

// ---- answers

void HttpConnection::answer(const HttpResponse& response) {
  if (state_ != State::kHandling) return;
  const bool last = is_last(response);
  write_answer(response, last);
  finish(response.status, last);
}

bool HttpConnection::is_last(const HttpResponse& response) const {
  if (response.close || !wants_more_ || input_ended_ || owner_.closing()) return true;
  const auto connection = header_of(response, "Connection");
  return connection && equals_ignoring_case(*connection, "close");
}

void HttpConnection::append_head(std::string& out, const HttpResponse& response, bool last, std::string_view framing) {
  append_status_line(out, response.status);
  append_header(out, "Date", owner_.date());
  for (const auto& [name, value] : response.headers) {
    if (!is_written_by_server(name)) append_clean_header(out, name, value);
  }
  out += framing;
  if (last) {
    append_header(out, "Connection", "close");
  } else {
    const Duration keep_alive = owner_.settings().keep_alive;
    const bool whole_seconds = keep_alive % kSecond == Duration::zero() && keep_alive >= kSecond;
    if (whole_seconds || request_.minor == 0) append_header(out, "Connection", "keep-alive");
    if (whole_seconds) append_header(out, "Keep-Alive", fmt::format("timeout={}", keep_alive / kSecond));
  }
  out += "\r\n";
}

void HttpConnection::write_answer(const HttpResponse& response, bool last) {
  std::string framing;
  if (!is_bodiless(response.status)) {
    const auto said = header_of(response, "Content-Length");
    // A handler may tell HEAD the length of a body that it did not make.
    const bool as_said = head_only() && response.body.empty() && said.has_value();
    append_clean_header(framing, "Content-Length", as_said ? std::string(*said) : std::to_string(response.body.size()));
  }
  const bool with_body = !head_only() && !is_bodiless(response.status);
  const std::string_view body = with_body ? std::string_view(response.body) : std::string_view();
  std::string& out = owner_.scratch();
  out.clear();
  append_head(out, response, last, framing);
  bytes_out_ = out.size() + body.size();
  if (body.size() <= kSmallBody) {
    out += body;
    stream_.write(out);
  } else {
    const std::array<std::string_view, 2> pieces = {out, body};
    stream_.write(pieces);
  }
}

void HttpConnection::begin(const HttpResponse& head) {
  if (state_ != State::kHandling) return;
  const bool chunked = request_.minor >= 1;
  last_ = is_last(head) || !chunked;
  status_ = head.status;
  std::string& out = owner_.scratch();
  out.clear();
  append_head(out, head, last_, chunked ? "Transfer-Encoding: chunked\r\n" : "");
  bytes_out_ = out.size();
  to(State::kStreaming);
  stream_.write(out);
  if (!head.body.empty()) chunk(head.body);
}

bool HttpConnection::chunk(std::string_view bytes) {
  if (state_ != State::kStreaming) return false;
  if (bytes.empty() || head_only()) return true;  // an empty chunk would be the last one
  std::string size;
  if (request_.minor >= 1) append_chunk_header(size, bytes.size());
  const std::array<std::string_view, 3> pieces = {size, bytes, size.empty() ? std::string_view() : kChunkEnd};
  for (const std::string_view piece : pieces) bytes_out_ += piece.size();
  if (stream_.write(pieces) <= kMaxStreamedQueue) return true;
  abort();
  return false;
}

void HttpConnection::end() {
  if (state_ != State::kStreaming) return;
  if (request_.minor >= 1 && !head_only()) {
    stream_.write(kLastChunk);
    bytes_out_ += kLastChunk.size();
  }
  finish(status_, last_);
}

void HttpConnection::abort() {
  if (state_ != State::kHandling && state_ != State::kStreaming) return;
  stream_.reset();
  report(status_);
  die();
}

void HttpConnection::abandoned() {
  slot_ = nullptr;
  if (state_ == State::kHandling) {
    answer({.status = 500, .headers = {{"Content-Type", "text/plain"}}, .body = "no answer was made\n", .close = true});
  } else {
    abort();
  }
}

void HttpConnection::refuse(int status) {
  HttpResponse response{.status = status, .headers = {{"Content-Type", "text/plain"}}, .body = {}, .close = true};
  response.body = fmt::format("{} {}\n", status, reason_phrase(status));
  write_answer(response, true);
  linger();
  report(status);
}

void HttpConnection::finish(int status, bool last) {
  if (slot_ != nullptr) std::exchange(slot_, nullptr)->connection = nullptr;
  to(State::kFlushing);
  last_ = last;
  report(status);
  if (state_ == State::kFlushing && stream_.queued() == 0) after_answer();
}

// The answer is with the kernel.
void HttpConnection::after_answer() {
  if (last_) {
    linger();
    return;
  }
  to(State::kIdle);
  deadline_ = owner_.loop().now() + owner_.settings().keep_alive;
  // Not from here: this may be a call of the handler's own, and the next request would call it again.
  if (!consuming_ && (!rest_.empty() || input_ended_)) go_on_soon_.arm();
}

void HttpConnection::report(int status) {
  if (!owner_.observed()) return;
  HttpExchange exchange;
  exchange.method = request_.method;
  exchange.target = request_.target;
  exchange.peer = request_.peer;
  exchange.status = status;
  exchange.bytes_in = bytes_in_;
  exchange.bytes_out = bytes_out_;
  exchange.began = began_;
  exchange.took = owner_.loop().precise_now() - began_;
  exchange.request_headers = request_.headers;
  owner_.finished(exchange);
}

// ---- the end

void HttpConnection::linger() {
  to(State::kLingering);
  deadline_ = owner_.loop().now() + kLingerTime;
  rest_.clear();
  stream_.resume(PauseReason::kPipelined);
  stream_.shutdown();
  if (input_ended_ && stream_.queued() == 0) die();
}

void HttpConnection::on_end(StreamEnd end) {
  const bool receiving = state_ == State::kReceiving;
  const bool answering = state_ == State::kHandling || state_ == State::kStreaming;
  if (end == StreamEnd::kReset || receiving) {
    if (receiving || answering) report(0);
    if (state_ != State::kClosed) die();
    return;
  }
  input_ended_ = true;
  if (state_ == State::kIdle && rest_.empty()) die();
  if (state_ == State::kLingering && stream_.queued() == 0) die();
}

void HttpConnection::on_drained() {
  if (state_ == State::kFlushing) {
    after_answer();
  } else if (state_ == State::kLingering) {
    deadline_ = owner_.loop().now() + kLingerTime;
    if (input_ended_) die();
  }
}

void HttpConnection::die() {
  if (state_ == State::kClosed) return;
  discard();
  owner_.remove(*this);
}

void HttpConnection::discard() {
  if (state_ == State::kClosed) return;
  if (slot_ != nullptr) std::exchange(slot_, nullptr)->connection = nullptr;
  go_on_soon_.disarm();
  stream_.close();
  to(State::kClosed);
}

void HttpConnection::close_if_idle() {
  if (state_ == State::kIdle && rest_.empty()) die();
}

bool HttpConnection::stalled(Time now) const {
  return stream_.queued() > 0 && now - stream_.last_activity() >= owner_.settings().request_timeout;
}

void HttpConnection::check(Time now) {
  switch (state_) {
    case State::kIdle:
      if (now >= deadline_) close_if_idle();
      return;
    case State::kReceiving:
      if (now >= deadline_) refuse(408);
      return;
    case State::kStreaming:
    case State::kFlushing:
      if (stalled(now)) die();
      return;
    case State::kLingering:
      if (stream_.queued() > 0 ? stalled(now) : now >= deadline_) die();
      return;
    case State::kHandling:  // as long as the handler takes
    case State::kClosed:
      return;
  }
}

}  // namespace rr
