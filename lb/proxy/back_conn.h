#pragma once
// A connection to a target: one request at a time, never pipelined.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "lb/base/intrusive_list.h"
#include "lb/http/request_parser.h"
#include "lb/http/trailers.h"
#include "lb/net/loop.h"
#include "lb/net/stream.h"
#include "lb/net/timer.h"
#include "lb/policy/pool_rules.h"

namespace rr {

class BackConn;
class TargetPool;
struct Worker;

/// Who uses a connection. Each call may end the exchange; then the connection is no longer its.
class BackUser {
 public:
  virtual void on_back_connected() = 0;
  virtual void on_back_connect_failed(ConnectFailure failure) = 0;
  virtual void on_interim_head(const ResponseHead& head) = 0;
  virtual void on_response_head(const ResponseHead& head) = 0;
  /// 101, after begin_request() was told that it may come. From now on bytes are neither read nor framed. Whether this
  /// `protocol` was asked for is left to the user.
  virtual void on_switched(const ResponseHead& head, std::string_view protocol) = 0;
  virtual void on_tunnel_bytes(std::string_view bytes) = 0;
  virtual void on_response_body(std::string_view bytes) = 0;
  /// Nothing more for the moment: time to hand on what was collected.
  virtual void on_response_pause() = 0;
  /// `trailers` are valid during the call only.
  virtual void on_response_end(bool reusable, std::span<const HeaderView> trailers) = 0;
  virtual void on_response_malformed(const char* detail) = 0;
  virtual void on_back_end(StreamEnd end) = 0;
  virtual void on_back_drained() = 0;
  virtual void on_drain_ended() = 0;

 protected:
  ~BackUser() = default;
};

struct BusyTag;

/// Belongs to its TargetPool, which destroys it through the loop's deferred list.
class BackConn final : public StreamEvents, public Deferred, public ListLink<IdleTag>, public ListLink<BusyTag> {
 public:
  enum class State : std::uint8_t { kConnecting, kBusy, kIdle, kTunnel, kClosed };

  BackConn(Worker& worker, TargetPool& pool);
  ~BackConn() override;

  /// Calls back on `user` later, never from within.
  void connect(const Address& wire, Duration timeout, BackUser& user);
  /// An idle one goes into use.
  void attach(BackUser& user);
  /// The user has no more business with it; it must be released to its pool right after.
  void detach() { user_ = nullptr; }
  BackUser* user() const { return user_; }

  /// Before the head of a request is written. `may_switch`: it asks for another protocol.
  void begin_request(Framing framing, bool head_request, bool may_switch);
  /// Writes at once, in one system call; returns what the target has not taken yet.
  std::size_t write(std::string_view head, std::string_view body);
  void send_body(std::string& head, std::string_view bytes);
  void send_end(std::string& head, std::span<const HeaderView> trailers, const TrailerRules& rules);
  std::size_t queued() const { return stream_ ? stream_->queued() : 0; }

  void pause() { stream_->pause(PauseReason::kPeerSlow); }
  void resume() { stream_->resume(PauseReason::kPeerSlow); }
  Time last_activity() const { return stream_->last_activity(); }
  /// When the target closed it, while the news is on its way (see network_delay in PoolSettings).
  std::optional<Time> closed_at() const { return late_ ? std::optional(late_->closed_at) : std::nullopt; }
  State state() const { return state_; }
  TargetPool& pool() const { return pool_; }
  /// Where it leads to, which is not where its target is once that has moved.
  const Address& wire() const { return wire_; }

  Time idle_since{};

 private:
  friend class TargetPool;
  /// The news of the target's close, which is not known yet.
  struct LateNews {
    Time closed_at;
    StreamEnd how;
    Timer timer;
  };
  void to(State next);
  void on_connect(Result<Stream, ConnectFailure> result);
  void on_read(std::string_view bytes) override;
  void on_end(StreamEnd end) override;
  void on_drained() override;
  void take_bytes(std::string_view bytes);
  void switch_protocol(std::string_view rest);
  void on_idle_end(StreamEnd end);
  void on_news();

  Worker& worker_;
  TargetPool& pool_;
  Address wire_;
  State state_ = State::kConnecting;
  BackUser* user_ = nullptr;
  std::unique_ptr<Connector> connector_;
  std::optional<Stream> stream_;
  ResponseParser parser_;
  Framing request_framing_ = Framing::kNone;
  bool response_keeps_alive_ = false;
  bool may_switch_ = false;
  std::uint64_t requests_ = 0;
  std::uint64_t sent_after_poll_ = 0;  // of the loop; of the present request's head
  bool response_expected_ = false;     // nothing of the present response was read yet
  std::unique_ptr<LateNews> late_;
};

}  // namespace rr
