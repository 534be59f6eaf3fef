#pragma once
// A connected byte stream, TCP or Unix, with back-pressure in both directions.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lb/base/address.h"
#include "lb/base/result.h"
#include "lb/net/loop.h"

namespace rr {

/// How a stream ended from the peer's side.
enum class StreamEnd : std::uint8_t {
  kClosed,  // orderly: FIN
  kReset,   // RST, broken pipe, time-out by the kernel, any other error
};

/// What happens on a stream. All calls come from the loop. The stream may be closed and destroyed inside any of them,
/// as the last thing the callee does with it.
class StreamEvents {
 public:
  /// `bytes` lie in the loop's shared read buffer (256 KiB): valid only during the call.
  virtual void on_read(std::string_view bytes) = 0;
  /// Nothing more will be read. After kClosed writing may still be possible; after kReset the stream is dead.
  virtual void on_end(StreamEnd end) = 0;
  /// Everything that was queued has been handed to the kernel.
  virtual void on_drained() = 0;

 protected:
  ~StreamEvents() = default;
};

/// Reading pauses while at least one reason holds and goes on when the last is gone. Bits, so that each owner of a
/// reason needs to know only its own.
enum class PauseReason : std::uint8_t {
  kPeerSlow = 1,      // the other side of the relay cannot take more
  kNotConnected = 2,  // nobody to give the bytes to yet
  kPipelined = 4,     // the next request waits for its turn
  kShutdown = 8,
};

class Stream {
 public:
  /// Three states: open, closing, closed. Destroying closes.
  ~Stream();
  Stream(Stream&&) noexcept;

  /// Who gets the events; must be set before start_reading and must outlive the stream or close it.
  void set_events(StreamEvents* events);
  void start_reading();
  /// For a stream that was just accepted and never read: reads what has come with the connection, if anything has;
  /// on_read may be called inside. More is read after start_reading().
  void read_at_once();
  /// start_reading(), for when nothing is expected: what the peer sends nevertheless, or its end, may be told 20 ms
  /// late. An accepted stream that is closed before costs less than half of the system calls around its bytes.
  void start_reading_later();
  void pause(PauseReason reason);
  void resume(PauseReason reason);
  bool paused() const;

  /// Tries to write at once (one system call for all pieces) and queues a copy of what the kernel did not take. Returns
  /// the number of bytes now queued; nothing queued is the common case and makes no on_drained. On a dead stream the
  /// bytes are dropped and on_end(kReset) comes later.
  std::size_t write(std::string_view bytes);
  std::size_t write(std::span<const std::string_view> pieces);
  std::size_t queued() const;

  /// FIN after what is queued. What is written after it is dropped.
  void shutdown();
  /// Closes at once, dropping what is queued. Idempotent; no event comes after it.
  void close();
  /// Closes with RST (SO_LINGER 0): the peer must not take what it got for complete.
  void reset();
  bool open() const;

  Address peer() const;   // zero address for a Unix stream
  Address local() const;  // asks the kernel the first time, so not after close()
  std::uint64_t bytes_read() const;
  std::uint64_t bytes_written() const;  // handed to the kernel
  Time last_activity() const;           // a byte in either direction

  struct State;
  explicit Stream(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

/// Why a connection was not made.
enum class ConnectFailure : std::uint8_t { kRefused, kUnreachable, kTimedOut, kLimit, kOther };
std::string_view to_string(ConnectFailure failure);

/// One attempt to connect. Destroying it abandons the attempt: the callback does not come then.
class Connector {
 public:
  using OnDone = std::function<void(Result<Stream, ConnectFailure>)>;
  /// `timeout` not positive: none beside the kernel's. `source`: address to connect from, if any.
  Connector(Loop& loop, const Endpoint& to, Duration timeout, OnDone on_done, std::optional<Address> source = {});
  ~Connector();
  Connector(Connector&&) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A listening socket.
class StreamListener {
 public:
  using OnAccept = std::function<void(Stream)>;
  /// Binds exclusively (no SO_REUSEPORT), or takes over an inherited socket. The error names the endpoint:
  /// "127.0.0.1:8080 is in use by another program". Begins to accept with start().
  static Result<StreamListener> listen(Loop& loop, const Endpoint& endpoint, int backlog = 1024);
  /// Likewise, beside sockets of ours that are about to end and stand in the way: 127.0.0.1:80 keeps 0.0.0.0:80 from
  /// being bound, and to close it first would refuse whoever connects in between. Until they end, the more specific of
  /// the two gets the connections. When this returns no other program may share the port.
  static Result<StreamListener> listen_beside(Loop& loop, const Endpoint& endpoint,
                                              std::span<const StreamListener* const> leaving, int backlog = 1024);
  /// For another loop of this process, which takes it as InheritedSocket: a descriptor that listens where this one
  /// does. On TCP it is a socket with a queue of its own, and the kernel spreads new connections over all of them
  /// (SO_REUSEPORT, socket(7)): the port was bound exclusively before, so that no other program was there. An
  /// inherited or Unix socket cannot be opened twice: its one queue is shared, and `sole` is false.
  Result<InheritedSocket> open_another();
  ~StreamListener();
  StreamListener(StreamListener&&) noexcept;

  /// Accepts until stop(). When descriptors run out it pauses for a moment and goes on: a listener never dies of it.
  void start(OnAccept on_accept);
  /// Ceases to accept; the socket stays open, so connections keep queueing for other processes that share it.
  void stop();
  bool accepting() const;
  /// From now on accepts nobody while fewer than a quarter of the descriptors that this process may have are free: they
  /// are for what it opens itself. Connections wait in the queue meanwhile.
  void leave_descriptors();
  /// Accepts what has queued, without waiting: before the end of a listener that shares its socket with nobody, as the
  /// kernel resets what is left in the queue. At most 4,096 connections, the kernel's usual bound of a queue.
  void take_queued();
  /// Connections that the kernel has turned away because the queue was full, whoever shares the socket; an attempt that
  /// a client repeats counts each time. Always 0 for a Unix socket, whose clients wait or are told at once.
  std::uint64_t turned_away() const;
  /// With the port that the kernel chose.
  Endpoint endpoint() const;

 private:
  struct State;
  explicit StreamListener(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rr
