#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "lb/base/check.h"
#include "lb/net/socket_address.h"
#include "lb/net/stream.h"
#include "lb/net/stream_state.h"
#include "lb/net/timer.h"

namespace rr {

namespace {

ConnectFailure failure_of(int uv_status) {
  switch (uv_status) {
    case UV_ECONNREFUSED:
    case UV_ECONNRESET:
    case UV_ENOENT:  // a Unix path that nobody listens on
      return ConnectFailure::kRefused;
    case UV_ENETUNREACH:
    case UV_EHOSTUNREACH:
    case UV_ENETDOWN:
    case UV_EHOSTDOWN:
      return ConnectFailure::kUnreachable;
    case UV_ETIMEDOUT:
      return ConnectFailure::kTimedOut;
    case UV_EMFILE:
    case UV_ENFILE:
    case UV_ENOBUFS:
    case UV_ENOMEM:
    case UV_EADDRNOTAVAIL:  // no free local port
    case UV_EADDRINUSE:
    case UV_EAGAIN:  // the queue of a Unix listener is full
      return ConnectFailure::kLimit;
    default:
      return ConnectFailure::kOther;
  }
}

/// A socket bound to `source`, or a negative libuv error.
int open_bound_socket(const Address& source, int domain) {
  const int fd = ::socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return uv_translate_sys_error(errno);
  // The port is chosen at connect, per destination: otherwise all destinations share one range of ports.
  const int yes = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  const SocketAddress from = to_socket_address(source);
  if (::bind(fd, from.get(), from.length) == 0) return fd;
  const int error = uv_translate_sys_error(errno);
  ::close(fd);
  return error;
}

}  // namespace

std::string_view to_string(ConnectFailure failure) {
  switch (failure) {
    case ConnectFailure::kRefused:
      return "connection refused";
    case ConnectFailure::kUnreachable:
      return "no route";
    case ConnectFailure::kTimedOut:
      return "connect timed out";
    case ConnectFailure::kLimit:
      return "no descriptor or port left";
    case ConnectFailure::kOther:
      return "could not connect";
  }
  return {};  // no other value exists
}

struct Connector::State final : ConnectEvents {
  State(Loop& owner_loop, OnDone callback)
      : loop(owner_loop),
        on_done(std::move(callback)),
        failed_at_once(
            owner_loop, [](void* self) noexcept { static_cast<State*>(self)->fail(); }, this) {}
  ~State() { abandon(); }

  void begin(const Endpoint& to, const std::optional<Address>& source) {
    if (const auto* address = std::get_if<Address>(&to)) {
      connect_tcp(*address, source);
    } else if (const auto* path = std::get_if<UnixPath>(&to)) {
      connect_unix(path->path);
    } else {
      fail_later(UV_EINVAL);  // a listening socket is nothing to connect to
    }
  }

  Stream::State* make(Stream::State::Domain domain) {
    auto made = std::make_unique<Stream::State>(loop, domain);
    made->connecting = this;
    state = made.get();
    stream.emplace(std::move(made));
    return state;
  }

  void connect_tcp(const Address& address, const std::optional<Address>& source) {
    Stream::State* made = make(Stream::State::Domain::kTcp);
    made->peer = address;
    const SocketAddress to = to_socket_address(address);
    if (source) {
      const int fd = open_bound_socket(*source, to.storage.ss_family);
      if (fd < 0) return fail_later(fd);
      const int opened = uv_tcp_open(&made->raw.tcp, fd);
      RR_CHECK(opened == 0, "uv_tcp_open of a new socket");
    }
    const auto done = [](uv_connect_t* request, int status) noexcept { told(request, status); };
    made->connect_request = std::make_unique<uv_connect_t>();
    const int status = uv_tcp_connect(made->connect_request.get(), &made->raw.tcp, to.get(), done);
    if (status != 0) fail_later(status);
  }

  void connect_unix(const std::string& path) {
    Stream::State* made = make(Stream::State::Domain::kUnix);
    if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) return fail_later(UV_ENAMETOOLONG);
    const auto done = [](uv_connect_t* request, int status) noexcept { told(request, status); };
    made->connect_request = std::make_unique<uv_connect_t>();
    uv_pipe_connect(made->connect_request.get(), &made->raw.pipe, path.c_str(), done);
  }

  // The stream may have been abandoned: then nobody waits any more, and the callback is the cancellation.
  static void told(uv_connect_t* request, int status) noexcept {
    auto* state = static_cast<Stream::State*>(request->handle->data);
    const std::unique_ptr<uv_connect_t> done = std::move(state->connect_request);
    if (state->connecting != nullptr) state->connecting->on_connect(status);
  }

  void on_connect(int status) override {
    if (status == 0 && is_connected_to_itself()) status = UV_ECONNREFUSED;
    if (status != 0) return finish(failure_of(status));
    state->connecting = nullptr;
    state->prepare_connected();
    Stream done = std::move(*stream);
    finish(std::move(done));
  }

  // Connecting to a free port of the ephemeral range on one's own address may meet itself (both sides open at once):
  // then nobody listens there, and the port would be kept from whoever wants to.
  bool is_connected_to_itself() {
    if (state->domain != Stream::State::Domain::kTcp || !state->peer.is_loopback()) return false;
    state->local = local_address_of(state->fd());
    if (*state->local != state->peer) return false;
    state->reset();
    return true;
  }

  void fail_later(int status) {
    failure = failure_of(status);
    failed_at_once.arm();
  }
  void fail() { finish(failure); }

  // Last: the callback may destroy the connector.
  void finish(Result<Stream, ConnectFailure> result) {
    OnDone call = std::move(on_done);
    abandon();
    call(std::move(result));
  }

  void abandon() {
    failed_at_once.disarm();
    timer.reset();
    stream.reset();
    state = nullptr;
  }

  Loop& loop;
  OnDone on_done;
  Soon failed_at_once;
  ConnectFailure failure = ConnectFailure::kOther;
  std::optional<Stream> stream;
  Stream::State* state = nullptr;  // of `stream`
  std::optional<Timer> timer;
};

Connector::Connector(Loop& loop, const Endpoint& to, Duration timeout, OnDone on_done, std::optional<Address> source)
    : state_(std::make_unique<State>(loop, std::move(on_done))) {
  state_->begin(to, source);
  if (timeout <= Duration::zero()) return;
  state_->timer.emplace(loop, [state = state_.get()] { state->finish(ConnectFailure::kTimedOut); });
  state_->timer->arm(timeout);
}

Connector::Connector(Connector&&) noexcept = default;
Connector::~Connector() = default;

}  // namespace rr
