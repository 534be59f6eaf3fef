#pragma once
// Runs a loop until a condition holds, and fails the test when it does not in good time. No test sleeps.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "lb/net/handle.h"
#include "lb/net/loop.h"
#include "lb/net/stream.h"

namespace rr {

/// Looks at the condition once a pass and every few milliseconds.
inline bool run_until(Loop& loop, const std::function<bool()>& condition, Duration limit = std::chrono::seconds(30)) {
  struct Watch {
    Loop& loop;
    const std::function<bool()>& condition;
    Time give_up;
    Handle<uv_timer_t, Watch> timer{this};
    void look() {
      if (condition() || loop.precise_now() > give_up) loop.stop();
    }
  };
  Watch watch{loop, condition, loop.precise_now() + limit};
  uv_timer_init(loop.raw(), watch.timer.raw());
  watch.timer.set_initialised();
  uv_timer_start(
      watch.timer.raw(),
      [](uv_timer_t* raw) {
        if (auto* owner = Handle<uv_timer_t, Watch>::owner(raw)) owner->look();
      },
      0, 1);
  while (!condition() && loop.precise_now() <= watch.give_up) loop.run();
  return condition();
}

#define RUN_UNTIL(loop, condition) ASSERT_TRUE(run_until(loop, [&] { return (condition); })) << #condition

inline Endpoint any_port() { return Address::v4(127, 0, 0, 1, 0); }

/// Keeps what happened on a stream.
struct Recorder final : StreamEvents {
  std::string bytes;
  std::string ends;  // 'c' for each kClosed, 'r' for each kReset, in order
  int drained = 0;
  std::function<void(std::string_view)> on_bytes;
  std::function<void(StreamEnd)> on_ended;
  std::function<void()> on_empty;

  void on_read(std::string_view piece) override {
    bytes += piece;
    if (on_bytes) on_bytes(piece);
  }
  void on_end(StreamEnd end) override {
    ends += end == StreamEnd::kClosed ? 'c' : 'r';
    if (on_ended) on_ended(end);
  }
  void on_drained() override {
    ++drained;
    if (on_empty) on_empty();
  }
};

/// Two ends of one connection in one loop.
struct Pair {
  std::optional<Stream> client, server;
  Recorder at_client, at_server;

  void make(Loop& loop, const Endpoint& where = any_port()) {
    auto listener = StreamListener::listen(loop, where);
    ASSERT_TRUE(listener.ok()) << listener.error().message;
    listener->start([&](Stream stream) { server.emplace(std::move(stream)); });
    Connector connector(loop, listener->endpoint(), std::chrono::seconds(10), [&](auto made) {
      ASSERT_TRUE(made.ok());
      client.emplace(*std::move(made));
    });
    RUN_UNTIL(loop, client && server);
    client->set_events(&at_client);
    server->set_events(&at_server);
    client->start_reading();
    server->start_reading();
  }
};

/// A plain blocking socket, as a client that knows nothing of loops: what is written to it is in the kernel at once.
class RawClient {
 public:
  explicit RawClient(const Endpoint& to);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  bool connected() const { return connected_; }
  bool send(std::string_view bytes);
  /// What has come without waiting; appended to received.
  void receive();
  void finish_sending();
  void reset();
  std::string received;
  bool ended = false;  // the other side closed or reset
  int fd() const { return fd_; }

 private:
  int fd_;
  bool connected_ = false;
};

}  // namespace rr
