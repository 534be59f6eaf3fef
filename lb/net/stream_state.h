#pragma once
// The inside of a stream: one allocation that holds the libuv handle too. For stream, connector and listener only.
#include <array>
#include <span>

#include "lb/net/soon.h"
#include "lb/net/stream.h"

namespace rr {

/// Who waits for a connection to be made.
class ConnectEvents {
 public:
  virtual void on_connect(int uv_status) = 0;

 protected:
  ~ConnectEvents() = default;
};

/// Lives until its Stream is gone *and* libuv has called back its close, whichever is later:
///
///   Stream --> State{raw} <-- libuv     ~Stream: orphaned, uv_close     close callback: deleted
///   Stream --> State{raw} <-- libuv     close(): uv_close      close callback: kClosed      ~Stream: deleted
struct Stream::State {
  enum class Life : std::uint8_t { kOpen, kClosing, kClosed };
  enum class Input : std::uint8_t {
    kNotStarted,
    kUnwatched,  // to be read, but libuv has not been told yet: see take
    kReading,    // libuv reads (also while paused, until a byte comes that must not be read: see pause)
    kStopped,    // paused, and libuv has been told so
    kEnded,
  };
  enum class Output : std::uint8_t { kOpen, kFinWanted, kFinSent, kDead };
  enum class Domain : std::uint8_t { kTcp, kUnix };

  State(Loop& owner_loop, Domain socket_domain);
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// For a socket that is connected already, not blocking and close-on-exec. Takes it over. `sends_at_once`: it has
  /// TCP_NODELAY, or is none of TCP.
  void take(int fd, bool sends_at_once);
  void prepare_connected();
  /// The end of the owning Stream.
  void dispose();

  void start_reading();
  void read_at_once();
  void start_reading_later();
  void pause(PauseReason reason);
  void resume(PauseReason reason);
  std::size_t write(std::span<const std::string_view> pieces);
  std::size_t queued() const;
  void shutdown();
  void close();
  void reset();
  /// -1: there is none yet, or no more. Asked of libuv once: each read and write wants it.
  int fd() const { return known_fd >= 0 ? known_fd : find_fd(); }
  Time last_seen_activity() const;

  void on_readable();
  void on_uv_written(int status);
  void on_uv_closed();
  void on_late();

  union Raw {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } raw;
  /// What the kernel did not take at once. There only while there is some: few streams ever need it, and an idle one
  /// keeps no buffer.
  struct Backlog {
    uv_write_t request{};
    std::string in_flight;  // what uv_write has now
    std::string waiting;    // what comes after it
  };
  std::unique_ptr<Backlog> backlog;
  std::unique_ptr<uv_connect_t> connect_request;  // until it is connected, or not
  Loop& loop;
  StreamEvents* events = nullptr;
  ConnectEvents* connecting = nullptr;
  Soon late;
  std::uint64_t read_total = 0;
  std::uint64_t accepted_total = 0;  // written and queued
  Time last_activity;
  mutable std::size_t queued_when_seen = 0;
  mutable Time progress_seen;
  Address peer;
  std::optional<Address> local;
  Life life = Life::kOpen;
  Input input = Input::kNotStarted;
  Output output = Output::kOpen;
  Domain domain;
  mutable int known_fd = -1;
  std::uint8_t pauses = 0;
  bool unknown_to_libuv = false;  // the socket is: we close it
  bool reset_told = false;
  bool orphaned = false;

 private:
  ~State() = default;
  friend struct std::default_delete<State>;
  ssize_t try_write(std::span<const std::string_view> pieces) const;
  void write_waiting();
  int find_fd() const;
  void send_at_once();
  void send_fin();
  void fail_output();
  bool may_read() const { return life == Life::kOpen && is_read() && pauses == 0; }
  bool is_read() const { return input == Input::kReading || input == Input::kUnwatched; }
  bool tell_libuv();
  void read_what_came();
  ssize_t receive(std::span<char> space) const;
  void on_received(std::string_view bytes);
  void on_read_over(bool by_fin);
  void end_by_reset();
  void read_what_is_left();
};

}  // namespace rr
