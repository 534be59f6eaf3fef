#include "lb/proxy/back_conn.h"

#include <array>
#include <utility>

#include "lb/base/check.h"
#include "lb/http/framing.h"
#include "lb/http/head_writer.h"
#include "lb/proxy/back_pool.h"
#include "lb/proxy/worker.h"

namespace rr {

BackConn::BackConn(Worker& worker, TargetPool& pool) : worker_(worker), pool_(pool) {}
BackConn::~BackConn() = default;

void BackConn::to(State next) {
  // Rows: from. Columns: to.              connecting busy   idle   tunnel closed
  static constexpr bool kLegal[5][5] = {{false, true, false, false, true},     // connecting
                                        {false, false, true, true, true},      // busy
                                        {false, true, false, false, true},     // idle
                                        {false, false, false, false, true},    // tunnel
                                        {false, false, false, false, false}};  // closed
  RR_CHECK(kLegal[static_cast<std::size_t>(state_)][static_cast<std::size_t>(next)], "a move of a back connection");
  state_ = next;
}

void BackConn::connect(const Address& wire, Duration timeout, BackUser& user) {
  user_ = &user;
  wire_ = wire;
  connector_ =
      std::make_unique<Connector>(worker_.loop, Endpoint(wire), timeout,
                                  [this](Result<Stream, ConnectFailure> result) { on_connect(std::move(result)); });
}

void BackConn::on_connect(Result<Stream, ConnectFailure> result) {
  worker_.count_event();
  if (state_ != State::kConnecting || user_ == nullptr) return;
  if (!result) {
    user_->on_back_connect_failed(result.error());
    return;
  }
  stream_.emplace(std::move(result).value());
  stream_->set_events(this);
  stream_->start_reading();
  to(State::kBusy);
  ++pool_.counters.connections_opened;
  user_->on_back_connected();
}

void BackConn::attach(BackUser& user) {
  to(State::kBusy);
  user_ = &user;
}

void BackConn::begin_request(Framing framing, bool head_request, bool may_switch) {
  may_switch_ = may_switch;
  request_framing_ = framing;
  response_keeps_alive_ = false;
  ++requests_;
  sent_after_poll_ = worker_.loop.polls();
  response_expected_ = true;
  parser_.expect(head_request);
}

// What is written to a connection that the target has closed is lost on the way: nobody takes it, nothing waits.
std::size_t BackConn::write(std::string_view head, std::string_view body) {
  if (late_) return 0;
  if (body.empty()) return stream_->write(head);
  const std::array<std::string_view, 2> pieces{head, body};
  return stream_->write(pieces);
}

void BackConn::send_body(std::string& head, std::string_view bytes) {
  if (bytes.empty() || late_) return;
  const bool chunked = request_framing_ == Framing::kChunked;
  if (chunked) append_chunk_header(head, bytes.size());
  if (head.size() + bytes.size() <= kCopyLimit) {
    head += bytes;
    if (chunked) head += "\r\n";
    return;
  }
  const std::array<std::string_view, 3> pieces{head, bytes, chunked ? "\r\n" : ""};
  stream_->write(std::span(pieces.data(), chunked ? 3U : 2U));
  head.clear();
}

void BackConn::send_end(std::string& head, std::span<const HeaderView> trailers, const TrailerRules& rules) {
  if (request_framing_ == Framing::kChunked) append_last_chunk(head, trailers, rules);
}

void BackConn::on_read(std::string_view bytes) {
  worker_.count_event();
  if (state_ == State::kIdle) {
    // Nobody asked: the target sent more than its response. Whoever got this connection next would read it as theirs.
    pool_.close(*this);
    return;
  }
  if (state_ == State::kTunnel && user_ != nullptr) {
    user_->on_tunnel_bytes(bytes);
    return;
  }
  if (state_ != State::kBusy || user_ == nullptr) return;
  if (std::exchange(response_expected_, false) && requests_ > 1 && worker_.waited_before(sent_after_poll_)) {
    // They were in the kernel's buffer before the request was sent, so they are no answer to it, but would be read as
    // one.
    user_->on_response_malformed("bytes that came before the request was sent");
    return;
  }
  take_bytes(bytes);
}

void BackConn::take_bytes(std::string_view bytes) {
  for (;;) {
    if (user_ == nullptr) return;
    const ParseStep step = parser_.next(bytes);
    bytes.remove_prefix(step.consumed);
    switch (step.kind) {
      case ParseStep::Kind::kNeedMore:
        user_->on_response_pause();
        return;
      case ParseStep::Kind::kHead: {
        const ResponseHead& head = parser_.head();
        if (head.view.status == 101) {
          switch_protocol(bytes);
          return;
        }
        response_keeps_alive_ = head.keep_alive && head.framing != Framing::kUntilClose;
        if (head.interim) {
          user_->on_interim_head(head);
        } else {
          if (pool_.keep_alive().awaits_response()) pool_.note_first_response(head.view.header(FieldName::kKeepAlive));
          user_->on_response_head(head);
        }
        break;
      }
      case ParseStep::Kind::kBody:
        user_->on_response_body(step.body);
        break;
      case ParseStep::Kind::kMessageEnd:
        user_->on_response_end(response_keeps_alive_ && bytes.empty() && queued() == 0, parser_.trailers());
        return;
      case ParseStep::Kind::kError:
        user_->on_response_malformed(to_string(parser_.error()).data());
        return;
    }
  }
}

/// `rest` is what the target said in the new protocol behind its 101.
void BackConn::switch_protocol(std::string_view rest) {
  const ResponseHead& head = parser_.head();
  const auto protocol = tunnel_protocol(head);
  if (!may_switch_ || !protocol) {
    user_->on_response_malformed("101 Switching Protocols, which was not asked for");
    return;
  }
  to(State::kTunnel);
  user_->on_switched(head, *protocol);
  if (user_ != nullptr && !rest.empty()) user_->on_tunnel_bytes(rest);
}

void BackConn::on_end(StreamEnd end) {
  worker_.count_event();
  if (state_ == State::kTunnel && user_ != nullptr) {
    user_->on_back_end(end);
    return;
  }
  if (state_ == State::kIdle) {
    on_idle_end(end);
    return;
  }
  if (state_ != State::kBusy || user_ == nullptr || late_) return;
  if (end == StreamEnd::kClosed && parser_.finish()) {
    user_->on_response_end(false, {});
  } else {
    user_->on_back_end(end);
  }
}

void BackConn::on_idle_end(StreamEnd end) {
  const Time now = worker_.loop.now();
  if (late_) return;  // a reset behind the close
  pool_.note_idle_close(now - idle_since);
  const Duration delay = pool_.network_delay();
  if (delay == Duration::zero()) {
    pool_.close(*this);
    return;
  }
  late_.reset(new LateNews{now, end, Timer(worker_.loop, [this] { on_news(); })});
  late_->timer.arm(delay);
}

void BackConn::on_news() {
  if (state_ == State::kIdle) {
    pool_.close(*this);
  } else if (state_ == State::kBusy && user_ != nullptr) {
    user_->on_back_end(late_->how);
  }
}

void BackConn::on_drained() {
  worker_.count_event();
  if (user_ != nullptr) user_->on_back_drained();
}

}  // namespace rr
