#include "lb/proxy/front_conn.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lb/base/check.h"
#include "lb/http/head_writer.h"
#include "lb/http/trailers.h"
#include "lb/proxy/connection_log.h"
#include "lb/proxy/exchange.h"
#include "lb/proxy/listener.h"
#include "lb/proxy/load_balancer.h"
#include "lb/proxy/worker.h"

namespace rr {
namespace {

/// How long a client has to read a last answer before its connection is closed under it.
constexpr Duration kLingerTime = std::chrono::seconds(2);
/// A connection that drains and has never brought a request: its first one is likely on its way.
constexpr Duration kFirstRequestGrace = std::chrono::seconds(1);
/// A kept connection that drains: long enough to read a request that had arrived already.
constexpr Duration kIdleGrace = std::chrono::milliseconds(20);

}  // namespace

FrontConn::FrontConn(Worker& worker, Listener& listener, Stream stream)
    : worker_(worker),
      listener_(listener),
      stream_(std::move(stream)),
      created_(worker.loop.now()),
      client_keep_alive_(listener.load_balancer().settings().client_keep_alive),
      peer_(stream_.peer()) {
  const std::string text = format_ip(peer_);
  ip_length_ = static_cast<std::uint8_t>(std::min(text.size(), sizeof ip_text_));
  std::copy_n(text.begin(), ip_length_, ip_text_);
  if (worker.access_log || worker.connection_log) {
    local_ip_ = format_ip(stream_.local());
    connection_high_ = worker.random.next();
    connection_low_ = worker.random.next();
  }
}

FrontConn::~FrontConn() = default;

void FrontConn::start() {
  if (worker_.connection_log) write_connection_log();
  stream_.set_events(this);
  // Not now: the configuration may be about to change, and the end of this pass is when the request is there.
  worker_.run_later(*this);
}

void FrontConn::read_first() {
  stream_.read_at_once();
  if (state_ == State::kClosed) return;
  // Of a client that waits for its answer nothing is expected, and it may be the only one on this connection.
  if (state_ == State::kBusy && !message_open_) {
    stream_.start_reading_later();
  } else {
    stream_.start_reading();
  }
}

void FrontConn::write_connection_log() {
  ConnectionLogEntry entry;
  entry.accepted = created_;
  entry.client_ip = std::string_view(ip_text_, ip_length_);
  entry.client_port = peer_.port;
  entry.listener_port = listener_.port();
  entry.connection_high = connection_high_;
  entry.connection_low = connection_low_;
  entry.load_balancer = listener_.load_balancer().log_name();
  entry.node_ip = local_ip_;
  worker_.connection_log->write([&](std::string& out) { append_connection_log_line(out, entry); });
}

void FrontConn::to(State next) {
  // Rows: from. Columns: to.              reading busy   tunnel linger closed
  static constexpr bool kLegal[5][5] = {{false, true, false, true, true},      // reading
                                        {true, false, true, true, true},       // busy
                                        {false, false, false, true, true},     // tunnel
                                        {false, false, false, false, true},    // lingering
                                        {false, false, false, false, false}};  // closed
  RR_CHECK(kLegal[static_cast<std::size_t>(state_)][static_cast<std::size_t>(next)], "a move of a front connection");
  state_ = next;
}

// ------------------------------------------------------------------------------------------------------- reading

void FrontConn::on_read(std::string_view bytes) {
  worker_.count_event();
  switch (state_) {
    case State::kClosed:
    case State::kLingering:
      return;  // nobody will answer it
    case State::kTunnel:
      take_tunnel_bytes(bytes);
      return;
    case State::kReading:
    case State::kBusy:
      break;
  }
  if (!pending_.empty() || !can_parse()) {
    hold(bytes);
    return;
  }
  pump(bytes);
}

/// Whether the next byte may be looked at: not while an earlier request has no answer, not while the target's
/// connection is in the making, not while the client does not take what it was sent.
bool FrontConn::can_parse() const {
  switch (state_) {
    case State::kReading:
      return stream_.queued() == 0;
    case State::kBusy:
      return message_open_ && (!message_has_body_ || exchange_->takes_body());
    case State::kTunnel:
    case State::kLingering:
    case State::kClosed:
      return false;
  }
  return false;
}

void FrontConn::pump(std::string_view bytes) {
  pumping_ = true;
  if (!parser_) parser_.emplace(worker_.new_parser());
  while (can_parse()) {
    const ParseStep step = parser_->next(bytes);
    bytes.remove_prefix(step.consumed);
    received_ += step.consumed;
    if (!take(step)) break;
  }
  pumping_ = false;
  if (parser_->message_ended()) {
    worker_.recycle(std::move(*parser_));
    parser_.reset();
  }
  if (state_ == State::kClosed || state_ == State::kLingering) return;
  if (!bytes.empty()) hold(bytes);
  if (state_ == State::kReading && inside_head()) {
    if (!head_since_) head_since_ = worker_.loop.now();
  } else {
    head_since_.reset();
  }
  if (exchange_) exchange_->flush_request();
}

/// False: nothing more to be done with the bytes at hand.
bool FrontConn::take(const ParseStep& step) {
  switch (step.kind) {
    case ParseStep::Kind::kNeedMore:
      return false;
    case ParseStep::Kind::kHead:
      begin_exchange();
      return true;
    case ParseStep::Kind::kBody:
      exchange_->on_request_body(step.body);
      return true;
    case ParseStep::Kind::kMessageEnd:
      message_open_ = false;
      if (exchange_) exchange_->on_request_end(parser_->trailers());
      return true;
    case ParseStep::Kind::kError:
      refuse(parser_->error());
      return false;
  }
  return false;
}

void FrontConn::begin_exchange() {
  const RequestHead& head = parser_->head();
  ++requests_;
  sent_ = 0;
  message_open_ = !head.unsafe;
  if (head.unsafe) unreadable_ = true;
  message_has_body_ = head.framing != Framing::kNone;
  minor_ = head.view.minor;
  head_request_ = head.view.method == "HEAD";
  exchange_ = worker_.new_exchange();
  to(State::kBusy);
  exchange_->begin(*this, listener_, head, !draining_ && !lifetime_over(worker_.loop.now()));
}

void FrontConn::refuse(ParseError error) {
  unreadable_ = true;
  if (exchange_) {
    exchange_->on_request_malformed(to_string(error).data());
    return;
  }
  sent_ = 0;
  head_request_ = false;
  exchange_ = worker_.new_exchange();
  to(State::kBusy);
  exchange_->refuse(*this, listener_, listener_.load_balancer().refusal_status(error), to_string(error).data());
}

void FrontConn::hold(std::string_view bytes) {
  pending_ += bytes;
  stream_.pause(PauseReason::kPipelined);
}

void FrontConn::go_on() {
  if (!started_) {
    started_ = true;
    read_first();
    return;
  }
  if (pending_.empty() || !can_parse()) return;
  const std::string bytes = std::exchange(pending_, {});
  stream_.resume(PauseReason::kPipelined);
  pump(bytes);
}

void FrontConn::resume_request() {
  stream_.resume(PauseReason::kPeerSlow);
  if (pumping_) return;
  if (!pending_.empty()) {
    go_on();
  } else if (can_parse()) {
    pump({});  // the end of a message may be waiting without a byte
  }
}

void FrontConn::on_end(StreamEnd end) {
  switch (state_) {
    case State::kTunnel:
      unreadable_ = false;  // all of it was read
      exchange_->on_client_end(end);
      return;
    case State::kBusy:
      exchange_->on_client_end(end);
      return;
    case State::kReading:
    case State::kLingering:
      dispose();
      return;
    case State::kClosed:
      return;
  }
}

void FrontConn::on_drained() {
  switch (state_) {
    case State::kBusy:
    case State::kTunnel:
      exchange_->on_front_drained();
      return;
    case State::kReading:
      go_on();
      return;
    case State::kLingering:  // read to the end, or the client's FIN is never seen
      deadline_ = worker_.loop.now() + kLingerTime;
      stream_.resume(PauseReason::kShutdown);
      return;
    case State::kClosed:
      return;
  }
}

// ------------------------------------------------------------------------------------------------------- writing

void FrontConn::send_continue() {
  worker_.front_out += "HTTP/1.1 100 Continue\r\n\r\n";
  flush();
}

void FrontConn::send_interim(const ResponseHead& head) {
  if (minor_ == 0) return;
  append_forwarded_response(worker_.front_out, head, true, minor_, listener_.response_changes());
  flush();
}

bool FrontConn::delimits(const ResponseHead& head) const {
  return minor_ >= 1 || head.framing == Framing::kNone || head.framing == Framing::kContentLength;
}

void FrontConn::send_head(const ResponseHead& head, bool keep_alive, std::string_view own_fields) {
  response_framing_ = head.framing;
  sent_before_head_ = sent_;
  collected_before_head_ = worker_.front_out.size();
  if (minor_ == 0) {
    if (head.framing == Framing::kChunked) response_framing_ = Framing::kUntilClose;
    append_forwarded_response(worker_.front_out, head, keep_alive, minor_, listener_.response_changes(), own_fields);
    return;
  }
  if (head.framing != Framing::kUntilClose) {
    append_forwarded_response(worker_.front_out, head, keep_alive, minor_, listener_.response_changes(), own_fields);
    return;
  }
  // A body that ends with the target's connection gets chunks: the client can then tell a cut from an end.
  ResponseHead chunked = head;
  chunked.framing = response_framing_ = Framing::kChunked;
  append_forwarded_response(worker_.front_out, chunked, keep_alive, minor_, listener_.response_changes(), own_fields);
}

bool FrontConn::take_back_response() {
  if (sent_ != sent_before_head_) return false;
  worker_.front_out.resize(collected_before_head_);
  response_framing_ = Framing::kNone;
  return true;
}

void FrontConn::open_tunnel(const ResponseHead& head, std::string_view own_fields) {
  append_forwarded_response(worker_.front_out, head, false, minor_, listener_.response_changes(), own_fields);
  response_framing_ = Framing::kUntilClose;  // only a reset tells a cut from an end
  unreadable_ = true;                        // the client may be talking when the target ends it
  stream_.start_reading();
  flush();
  to(State::kTunnel);
  const std::string early = std::exchange(pending_, {});
  if (!early.empty()) take_tunnel_bytes(early);
  stream_.resume(PauseReason::kPipelined);
}

void FrontConn::take_tunnel_bytes(std::string_view bytes) {
  received_ += bytes.size();
  exchange_->on_client_bytes(bytes);
}

void FrontConn::send_tunnel(std::string_view bytes) {
  sent_ += bytes.size();
  stream_.write(bytes);
}

void FrontConn::send_body(std::string_view bytes) {
  if (bytes.empty()) return;
  std::string& out = worker_.front_out;
  const bool chunked = response_framing_ == Framing::kChunked;
  if (chunked) append_chunk_header(out, bytes.size());
  if (out.size() + bytes.size() <= kCopyLimit) {
    out += bytes;
    if (chunked) out += "\r\n";
    return;
  }
  const std::array<std::string_view, 3> pieces{out, bytes, chunked ? "\r\n" : ""};
  sent_ += out.size() + bytes.size() + pieces[2].size();
  stream_.write(std::span(pieces.data(), chunked ? 3U : 2U));
  out.clear();
}

void FrontConn::send_end(std::span<const HeaderView> trailers, std::string_view hop_names) {
  if (response_framing_ != Framing::kChunked) return;
  append_last_chunk(worker_.front_out, trailers, {hop_names, listener_.response_changes().overrides});
}

void FrontConn::send_error(int status, bool keep_alive, std::string_view explanation) {
  std::string& out = worker_.front_out;
  const std::size_t begin = out.size();
  append_error_response(out, status, worker_.loop.now(), keep_alive, head_request_, listener_.response_changes());
  if (explanation.empty()) return;
  // The page is AWS's to the byte; what is ours is put behind its last header.
  constexpr std::string_view kHeadEnd = "\r\n\r\n";
  std::string line = "\r\nX-RR-Explain: ";
  line += explanation;
  out.insert(out.find(kHeadEnd, begin), line);
}

void FrontConn::send_redirect(int status, std::string_view location, bool keep_alive) {
  append_redirect_response(worker_.front_out, status, location, worker_.loop.now(), keep_alive, head_request_,
                           listener_.response_changes());
}

void FrontConn::send_fixed_response(const FixedResponseAction& action, bool keep_alive) {
  std::string& out = worker_.front_out;
  append_status_line(out, action.status);
  const ResponseChanges& changes = listener_.response_changes();
  if (changes.server_header) append_header(out, "Server", "awselb/2.0");
  append_header(out, "Date", format_http_date(worker_.loop.now()));
  append_header(out, "Content-Type", action.content_type + "; charset=utf-8");
  append_header(out, "Content-Length", std::to_string(action.body.size()));
  append_header(out, "Connection", keep_alive ? "keep-alive" : "close");
  out += changes.inserted;
  out += "\r\n";
  if (!head_request_) out += action.body;
}

std::size_t FrontConn::flush() {
  std::string& out = worker_.front_out;
  if (!out.empty()) {
    sent_ += out.size();
    stream_.write(out);
    out.clear();
  }
  return stream_.queued();
}

FrontPeer FrontConn::peer() const {
  return {peer_, std::string_view(ip_text_, ip_length_), local_ip_, connection_high_, connection_low_};
}

// -------------------------------------------------------------------------------------------------------- the end

void FrontConn::finished(FrontEnd end) {
  worker_.recycle(std::move(exchange_));
  if (peer_.family == Address::Family::kV6) {
    LoadBalancerCounters& counters = listener_.load_balancer().counters();
    ++counters.ipv6_requests;
    counters.ipv6_bytes += received_ + sent_;
  }
  received_ = 0;
  const bool until_close = std::exchange(response_framing_, Framing::kNone) == Framing::kUntilClose;
  // No exchange, no reason to wait for one; a read that failed meanwhile tells itself.
  stream_.resume(PauseReason::kPeerSlow);
  const bool body_left = message_open_ && message_has_body_;
  switch (end) {
    case FrontEnd::kKeep:
      RR_CHECK(!body_left, "a connection is kept with a request half read");
      to(State::kReading);
      stream_.start_reading();
      if (draining_) deadline_ = worker_.loop.now() + kIdleGrace;
      if (!pumping_ && !pending_.empty()) worker_.run_later(*this);
      return;
    case FrontEnd::kClose:
      close_gently();
      return;
    case FrontEnd::kTruncate:
      // Only the close ends such a body, so an orderly one would pass for the end of it.
      if (until_close) {
        stream_.reset();
        dispose();
      } else {
        close_gently();
      }
      return;
    case FrontEnd::kAbandon:
      dispose();
      return;
  }
}

/// Closing with unread bytes in the kernel's buffer makes it send RST, which may overtake the answer. So the write side
/// is closed first, and the client has a while to follow.
void FrontConn::close_gently() {
  const bool unread = unreadable_ || !pending_.empty() || (message_open_ && message_has_body_);
  if (!unread && stream_.queued() == 0) {
    dispose();
    return;
  }
  pending_.clear();
  // Nothing is read while the client does not take what it was sent, so that only taking counts as a sign of life.
  if (stream_.queued() > 0) stream_.pause(PauseReason::kShutdown);
  stream_.resume(PauseReason::kPipelined);
  stream_.shutdown();
  stream_.start_reading();  // to its end
  to(State::kLingering);
  deadline_ = worker_.loop.now() + kLingerTime;
}

void FrontConn::dispose() {
  to(State::kClosed);
  stream_.close();
  static_cast<ListLink<FrontTag>&>(*this).unlink();
  static_cast<ListLink<ReadyTag>&>(*this).unlink();
  listener_.connection_closed();
  worker_.loop.destroy_later(std::unique_ptr<Deferred>(this));
}

bool FrontConn::lifetime_over(Time now) const { return now - created_ >= client_keep_alive_; }

void FrontConn::drain() {
  if (draining_ || state_ == State::kClosed) return;
  draining_ = true;
  if (exchange_) exchange_->close_front();
  if (state_ == State::kReading) {
    deadline_ = worker_.loop.now() + (requests_ == 0 ? kFirstRequestGrace : kIdleGrace);
  }
}

void FrontConn::stop() {
  switch (state_) {
    case State::kBusy:
    case State::kTunnel:
      exchange_->on_stopped();
      return;  // lingers or is gone
    case State::kReading:
    case State::kLingering:
      dispose();
      return;
    case State::kClosed:
      return;
  }
}

void FrontConn::refuse_silence(bool between_requests) {
  unreadable_ = true;
  sent_ = 0;
  head_request_ = false;
  exchange_ = worker_.new_exchange();
  to(State::kBusy);
  exchange_->refuse(*this, listener_, 408,
                    between_requests ? "no request came" : "the head of the request did not come to its end");
}

void FrontConn::check_deadline(Time now) {
  const Duration silence = now - stream_.last_activity();
  const Duration idle_timeout = listener_.load_balancer().settings().idle_timeout;
  switch (state_) {
    case State::kBusy:
    case State::kTunnel:
      exchange_->check_deadline(now);
      return;
    case State::kLingering:
      // Bytes that the client still takes (a slow reader) move the deadline, within the idle timeout.
      if (now >= deadline_ && (stream_.queued() == 0 || silence >= idle_timeout)) dispose();
      return;
    case State::kReading: {
      const bool between_requests = !inside_head() && pending_.empty();
      // A byte now and then is life in a body, but a head that takes that long is a way to use up connections.
      const bool head_is_late = head_since_ && now - *head_since_ >= idle_timeout;
      if (draining_ && between_requests && now >= deadline_) {
        dispose();
      } else if (silence >= idle_timeout || head_is_late) {
        const bool answers = !between_requests || listener_.load_balancer().settings().answer_silent_clients;
        if (!answers || stream_.queued() > 0) {
          dispose();
        } else {
          refuse_silence(between_requests);
        }
      }
      return;
    }
    case State::kClosed:
      return;
  }
}

}  // namespace rr
