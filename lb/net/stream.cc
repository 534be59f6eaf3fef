#include "lb/net/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "lb/base/check.h"
#include "lb/net/socket_address.h"
#include "lb/net/stream_state.h"

namespace rr {

namespace {

/// Pieces given to the kernel in one call; a message has three or four. What is beyond is queued.
constexpr std::size_t kMaxPieces = 32;

/// How often a stream is read before others have their turn, 256 KiB each time.
constexpr int kMostReads = 32;

/// A write buffer larger than this is given back once it has been written, though more waits.
constexpr std::size_t kKeptBuffer = 64 * 1024;

void empty(std::string& buffer) {
  buffer.clear();
  if (buffer.capacity() > kKeptBuffer) buffer.shrink_to_fit();
}

std::size_t size_of(std::span<const std::string_view> pieces) {
  std::size_t total = 0;
  for (const std::string_view piece : pieces) total += piece.size();
  return total;
}

/// Appends what follows the first `skip` bytes of the pieces.
void append_rest(std::string& out, std::span<const std::string_view> pieces, std::size_t skip) {
  for (std::string_view piece : pieces) {
    const std::size_t skipped = std::min(skip, piece.size());
    skip -= skipped;
    out += piece.substr(skipped);
  }
}

Stream::State* state_of(const uv_handle_t* handle) { return static_cast<Stream::State*>(handle->data); }
Stream::State* state_of(const uv_stream_t* stream) { return static_cast<Stream::State*>(stream->data); }

ssize_t send_pieces(int socket, std::span<const std::string_view> pieces) {
  std::array<iovec, kMaxPieces> places;
  const std::size_t count = std::min(pieces.size(), kMaxPieces);
  for (std::size_t i = 0; i < count; ++i) {
    places[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};  // the kernel only reads it
  }
  msghdr message{};
  message.msg_iov = places.data();
  message.msg_iovlen = count;
  return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

uv_buf_t piece_of(std::string_view bytes) {
  return uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));  // libuv only reads it
}

}  // namespace

// ---- life

Stream::State::State(Loop& owner_loop, Domain socket_domain)
    : loop(owner_loop),
      late(
          owner_loop, [](void* self) noexcept { static_cast<State*>(self)->on_late(); }, this),
      last_activity(owner_loop.now()),
      domain(socket_domain) {
  std::memset(&raw, 0, sizeof raw);
  const int status =
      domain == Domain::kTcp ? uv_tcp_init(loop.raw(), &raw.tcp) : uv_pipe_init(loop.raw(), &raw.pipe, 0);
  RR_CHECK(status == 0, "uv_tcp_init or uv_pipe_init");
  raw.handle.data = this;
}

// libuv gets the socket when it has something to wait for. To it and to epoll a connection costs three system calls (it
// sets what is set, adds, and removes before the close that removes), and epoll looks at it in each pass: 2.5 us of the
// 40 us of a small request on a connection of its own. A connection for one request, which most often comes with it, is
// gone before anything had to be waited for.
void Stream::State::take(int socket, bool sends_at_once) {
  known_fd = socket;
  unknown_to_libuv = true;
  last_activity = loop.now();
  if (!sends_at_once) send_at_once();
}

/// False: it will not have it.
bool Stream::State::tell_libuv() {
  if (!unknown_to_libuv) return true;
  const int status = domain == Domain::kTcp ? uv_tcp_open(&raw.tcp, known_fd) : uv_pipe_open(&raw.pipe, known_fd);
  unknown_to_libuv = status != 0;
  return status == 0;
}

void Stream::State::prepare_connected() {
  last_activity = loop.now();
  send_at_once();
}

void Stream::State::send_at_once() {
  const int yes = 1;
  if (domain == Domain::kTcp) setsockopt(fd(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

void Stream::State::dispose() {
  orphaned = true;
  close();
  if (life == Life::kClosed) delete this;
}

void Stream::State::close() {
  if (life != Life::kOpen) return;
  accepted_total -= queued();
  life = Life::kClosing;
  if (std::exchange(unknown_to_libuv, false)) ::close(known_fd);
  known_fd = -1;
  events = nullptr;
  connecting = nullptr;
  late.disarm();
  uv_close(&raw.handle, [](uv_handle_t* handle) noexcept { state_of(handle)->on_uv_closed(); });
}

void Stream::State::on_uv_closed() {
  life = Life::kClosed;
  if (orphaned) delete this;
}

void Stream::State::reset() {
  if (life != Life::kOpen) return;
  const linger at_once{1, 0};
  if (domain == Domain::kTcp) setsockopt(fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

int Stream::State::find_fd() const {
  uv_os_fd_t descriptor = -1;
  if (uv_fileno(&raw.handle, &descriptor) != 0) return -1;
  return known_fd = descriptor;
}

// ---- reading

void Stream::State::start_reading() {
  RR_CHECK(events != nullptr, "set_events comes before start_reading");
  if (life != Life::kOpen || input == Input::kReading || input == Input::kEnded) return;
  input = Input::kStopped;
  if (pauses != 0) return;
  // Without a buffer libuv does not read, but says that it could: then we read, by recv(2), which has a shorter way to
  // the socket than libuv's read(2) (60 ns of a small message).
  const auto no_buffer = [](uv_handle_t*, std::size_t, uv_buf_t* buffer) noexcept {
    *buffer = uv_buf_init(nullptr, 0);
  };
  const auto readable = [](uv_stream_t* stream, ssize_t, const uv_buf_t*) noexcept { state_of(stream)->on_readable(); };
  if (tell_libuv() && uv_read_start(&raw.stream, no_buffer, readable) == 0) {
    input = Input::kReading;
  } else {
    fail_output();  // the kernel has given the socket up
  }
}

void Stream::State::read_at_once() {
  RR_CHECK(events != nullptr, "set_events comes before read_at_once");
  if (life != Life::kOpen || input != Input::kNotStarted) return;
  input = Input::kUnwatched;
  read_what_came();
}

void Stream::State::start_reading_later() {
  if (life != Life::kOpen || (input != Input::kNotStarted && input != Input::kUnwatched)) return;
  input = Input::kUnwatched;
  late.arm_later();
}

// Stopping and starting a read costs two epoll_ctl. So libuv is told only when a byte comes while paused: on_readable
// stops it then. A pause that ends before the next byte costs nothing.
void Stream::State::pause(PauseReason reason) { pauses = static_cast<std::uint8_t>(pauses | static_cast<int>(reason)); }

void Stream::State::resume(PauseReason reason) {
  pauses = static_cast<std::uint8_t>(pauses & ~static_cast<int>(reason));
  if (pauses == 0 && life == Life::kOpen && input == Input::kStopped) start_reading();
}

void Stream::State::on_readable() {
  if (pauses != 0) {
    uv_read_stop(&raw.stream);
    input = Input::kStopped;
    return;
  }
  read_what_came();
}

void Stream::State::read_what_came() {
  // A buffer that was not filled took all there was. One that is filled again and again leaves others their turn.
  for (int left = kMostReads; left > 0 && may_read(); --left) {
    const std::span<char> space = loop.read_buffer();
    const ssize_t count = receive(space);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (count <= 0) return on_read_over(count == 0);
    on_received({space.data(), static_cast<std::size_t>(count)});
    if (static_cast<std::size_t>(count) < space.size()) return;
  }
}

ssize_t Stream::State::receive(std::span<char> space) const {
  while (true) {
    const ssize_t count = ::recv(fd(), space.data(), space.size(), 0);
    if (count >= 0 || errno != EINTR) return count;
  }
}

void Stream::State::on_received(std::string_view bytes) {
  read_total += bytes.size();
  last_activity = loop.now();
  events->on_read(bytes);
}

void Stream::State::on_read_over(bool by_fin) {
  if (!by_fin || output == Output::kDead) {
    end_by_reset();
    return;
  }
  uv_read_stop(&raw.stream);
  input = Input::kEnded;
  events->on_end(StreamEnd::kClosed);
}

void Stream::State::end_by_reset() {
  if (output != Output::kDead) fail_output();
  late.disarm();
  if (input == Input::kReading) uv_read_stop(&raw.stream);
  input = Input::kEnded;
  if (std::exchange(reset_told, true) || events == nullptr) return;
  events->on_end(StreamEnd::kReset);
}

// A peer that answers early and closes makes our next write fail while its answer still lies in the receive queue. It
// is handed out before the end is told.
void Stream::State::read_what_is_left() {
  const std::span<char> space = loop.read_buffer();
  while (may_read()) {
    const ssize_t count = receive(space);
    if (count <= 0) return;
    on_received({space.data(), static_cast<std::size_t>(count)});
  }
}

void Stream::State::on_late() {
  if (output != Output::kDead) {
    if (input == Input::kUnwatched) start_reading();
    return;
  }
  read_what_is_left();
  if (life == Life::kOpen) end_by_reset();
}

// ---- writing

std::size_t Stream::State::queued() const {
  if (output == Output::kDead || life != Life::kOpen || !backlog) return 0;
  // All may have been handed over already with the callback yet to come: that still counts as one byte.
  return backlog->waiting.size() + std::max<std::size_t>(uv_stream_get_write_queue_size(&raw.stream), 1);
}

std::size_t Stream::State::write(std::span<const std::string_view> pieces) {
  if (life != Life::kOpen) return 0;
  if (output == Output::kDead && !reset_told) late.arm();
  const std::size_t total = size_of(pieces);
  if (output != Output::kOpen || total == 0) return queued();
  ssize_t taken = 0;
  if (!backlog) {
    taken = try_write(pieces);
    if (taken < 0) {
      fail_output();
      return 0;
    }
    if (taken > 0) last_activity = loop.now();
  }
  accepted_total += total;
  const auto written = static_cast<std::size_t>(taken);
  if (written == total) return 0;
  const bool begins = !backlog;
  if (begins) backlog = std::make_unique<Backlog>();
  append_rest(backlog->waiting, pieces, written);
  if (begins) write_waiting();
  return queued();
}

/// How many bytes the kernel took; negative: it takes no more, ever. Not by uv_try_write: that calls write(2), and
/// send(2) has a shorter way to the socket (80 ns of a small message, measured back to back), 200 instructions of
/// libuv's beside.
ssize_t Stream::State::try_write(std::span<const std::string_view> pieces) const {
  const int socket = fd();
  while (true) {
    const ssize_t written = pieces.size() == 1
                                ? ::send(socket, pieces.front().data(), pieces.front().size(), MSG_NOSIGNAL)
                                : send_pieces(socket, pieces);
    if (written >= 0) return written;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return 0;
    if (errno != EINTR) return -1;
  }
}

void Stream::State::write_waiting() {
  backlog->in_flight.swap(backlog->waiting);
  const uv_buf_t buffer = piece_of(backlog->in_flight);
  const auto written = [](uv_write_t* done, int status) noexcept { state_of(done->handle)->on_uv_written(status); };
  if (tell_libuv() && uv_write(&backlog->request, &raw.stream, &buffer, 1, written) == 0) return;
  fail_output();
  backlog.reset();
}

void Stream::State::on_uv_written(int status) {
  if (life != Life::kOpen) return;  // cancelled by close
  if (output == Output::kDead || status < 0) {
    if (output != Output::kDead) fail_output();
    backlog.reset();
    return;
  }
  empty(backlog->in_flight);
  last_activity = loop.now();
  if (!backlog->waiting.empty()) {
    write_waiting();
    return;
  }
  backlog.reset();
  if (output == Output::kFinWanted) send_fin();
  if (events != nullptr) events->on_drained();
}

void Stream::State::fail_output() {
  accepted_total -= queued();
  output = Output::kDead;
  if (backlog) backlog->waiting.clear();  // what is in flight stays until libuv has done with it
  if (!reset_told) late.arm();
}

void Stream::State::shutdown() {
  if (life != Life::kOpen || output != Output::kOpen) return;
  output = Output::kFinWanted;
  if (!backlog) send_fin();
}

void Stream::State::send_fin() {
  ::shutdown(fd(), SHUT_WR);  // uv_shutdown would do it in a later pass and for two epoll_ctl
  output = Output::kFinSent;
}

// A large queue drains in steps that libuv does not tell. Whoever asks in between sees whether it became shorter.
Time Stream::State::last_seen_activity() const {
  const std::size_t now_queued = queued();
  if (now_queued < queued_when_seen) progress_seen = loop.now();
  queued_when_seen = now_queued;
  return std::max(last_activity, progress_seen);
}

// ---- the public face

Stream::Stream(std::unique_ptr<State> state) : state_(std::move(state)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream::~Stream() {
  if (state_) state_.release()->dispose();
}

void Stream::set_events(StreamEvents* events) {
  state_->events = state_->life == State::Life::kOpen ? events : nullptr;
}
void Stream::start_reading() { state_->start_reading(); }
void Stream::read_at_once() { state_->read_at_once(); }
void Stream::start_reading_later() { state_->start_reading_later(); }
void Stream::pause(PauseReason reason) { state_->pause(reason); }
void Stream::resume(PauseReason reason) { state_->resume(reason); }
bool Stream::paused() const { return state_->pauses != 0; }
std::size_t Stream::write(std::string_view bytes) { return state_->write(std::span(&bytes, 1)); }
std::size_t Stream::write(std::span<const std::string_view> pieces) { return state_->write(pieces); }
std::size_t Stream::queued() const { return state_->queued(); }
void Stream::shutdown() { state_->shutdown(); }
void Stream::close() { state_->close(); }
void Stream::reset() { state_->reset(); }
bool Stream::open() const { return state_->life == State::Life::kOpen; }
Address Stream::peer() const { return state_->peer; }
Address Stream::local() const {
  if (!state_->local && open()) state_->local = local_address_of(state_->fd());
  return state_->local.value_or(Address{});
}
std::uint64_t Stream::bytes_read() const { return state_->read_total; }
std::uint64_t Stream::bytes_written() const { return state_->accepted_total - state_->queued(); }
Time Stream::last_activity() const { return state_->last_seen_activity(); }

}  // namespace rr
