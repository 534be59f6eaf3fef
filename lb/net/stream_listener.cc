#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "lb/base/check.h"
#include "lb/net/handle.h"
#include "lb/net/socket_address.h"
#include "lb/net/stream.h"
#include "lb/net/stream_state.h"
#include "lb/net/timer.h"

namespace rr {

namespace {

/// How long a listener waits when the process or the machine has no descriptor left. Connections stay in the queue.
constexpr Duration kOutOfDescriptorsPause = std::chrono::milliseconds(50);

/// Connections taken in one pass of the loop, so that a flood of them does not keep the others waiting.
constexpr int kAcceptsPerPass = 256;

/// Connections taken at the end: net.core.somaxconn, the bound of a queue, is that by default.
constexpr int kLastAccepts = 4096;

/// A descriptor that closes itself unless it is released.
class OwnedFd {
 public:
  explicit OwnedFd(int fd) : fd_(fd) {}
  ~OwnedFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// What has been opened to listen on.
struct Listening {
  OwnedFd fd;
  Stream::State::Domain domain;
  Endpoint endpoint;
  struct ::stat file {};  // of a Unix socket that we made, to remove no other
  bool inherited = false;
  bool sends_at_once = true;  // so do its connections
};

Error bind_error(const Endpoint& endpoint, int error) {
  const std::string where = format_endpoint(endpoint);
  if (error == EADDRINUSE) return Error{fmt::format("{} is in use by another program", where)};
  if (error == EADDRNOTAVAIL) return Error{fmt::format("{} is not an address of this machine", where)};
  if (error == EACCES) return Error{fmt::format("{} may not be bound without more rights", where)};
  if (error == ENOENT) return Error{fmt::format("{}: the folder does not exist", where)};
  return Error{fmt::format("{} cannot be listened on: {}", where, std::strerror(error))};
}

void share_port(int fd, bool shared) {
  const int value = shared ? 1 : 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, sizeof value);
}

/// After a bind in a shared port the kernel goes on letting in whoever asks for a share of it, without looking at the
/// sockets that are there, until one is bound there that asks for none. This is that one: of the other family, so that
/// it is in nobody's way. Where there is no other family the port stays open to programs of the same user that ask.
void make_port_exclusive(const Address& address) {
  const bool v4 = address.family == Address::Family::kV4;
  const OwnedFd fd(::socket(v4 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (v4) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  Address other = Address::v4(127, 0, 0, 1, address.port);
  if (v4) {
    other = {Address::Family::kV6, {}, address.port};
    other.ip[15] = 1;
  }
  const SocketAddress name = to_socket_address(other);
  if (fd.get() >= 0) static_cast<void>(::bind(fd.get(), name.get(), name.length));
}

Result<Listening> listen_tcp(const Address& address, int backlog, bool beside_our_own = false) {
  const SocketAddress name = to_socket_address(address);
  OwnedFd fd(::socket(name.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return bind_error(address, errno);
  // Lets a restarted program have its port back at once; it does not let two programs listen on one port.
  const int yes = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  // Every connection is born with it: on each by itself it is a system call. tcp(7) does not promise that, but Linux
  // clones the listening socket for each connection, and a test looks.
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (beside_our_own) share_port(fd.get(), true);
  if (::bind(fd.get(), name.get(), name.length) != 0 || ::listen(fd.get(), backlog) != 0) {
    return bind_error(address, errno);
  }
  const Address bound = local_address_of(fd.get());
  return Listening{std::move(fd), Stream::State::Domain::kTcp, bound, {}};
}

bool somebody_answers(const sockaddr_un& name) {
  const OwnedFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const auto* address = reinterpret_cast<const sockaddr*>(&name);
  return probe.get() < 0 || ::connect(probe.get(), address, sizeof name) == 0 || errno != ECONNREFUSED;
}

/// Whether there is now room for a socket: a file that a killed program left is removed, one in use is not.
bool remove_stale_socket(const sockaddr_un& name) {
  struct ::stat file {};
  if (::lstat(name.sun_path, &file) != 0) return errno == ENOENT;
  return S_ISSOCK(file.st_mode) && !somebody_answers(name) && ::unlink(name.sun_path) == 0;
}

Result<Listening> listen_unix(const UnixPath& path, int backlog) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  constexpr std::size_t kLongest = sizeof name.sun_path - 1;
  if (path.path.empty() || path.path.size() > kLongest) {
    return Error{fmt::format("{}: the path of a Unix socket has 1 to {} characters", format_endpoint(path), kLongest)};
  }
  std::memcpy(name.sun_path, path.path.data(), path.path.size());
  OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return bind_error(path, errno);
  const auto* address = reinterpret_cast<const sockaddr*>(&name);
  int bound = ::bind(fd.get(), address, sizeof name);
  if (bound != 0 && errno == EADDRINUSE) {
    if (!remove_stale_socket(name)) return bind_error(path, EADDRINUSE);
    bound = ::bind(fd.get(), address, sizeof name);
  }
  if (bound != 0 || ::listen(fd.get(), backlog) != 0) return bind_error(path, errno);
  Listening result{std::move(fd), Stream::State::Domain::kUnix, path, {}};
  ::lstat(name.sun_path, &result.file);
  return result;
}

Result<Endpoint> name_of(int fd) {
  SocketAddress name;
  name.length = sizeof name.storage;
  if (getsockname(fd, name.get(), &name.length) != 0) {
    return Error{fmt::format("fd:{} is no open socket: {}", fd, std::strerror(errno))};
  }
  if (name.storage.ss_family != AF_UNIX) return Endpoint(from_socket_address(name));
  sockaddr_un path{};
  std::memcpy(&path, &name.storage, sizeof path);
  return Endpoint(UnixPath{std::string(path.sun_path, strnlen(path.sun_path, sizeof path.sun_path))});
}

Result<Listening> take_inherited(const InheritedSocket& inherited, int backlog) {
  Result<Endpoint> name = name_of(inherited.fd);
  if (!name.ok()) return name.error();
  int listens = 0;
  socklen_t length = sizeof listens;
  getsockopt(inherited.fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length);
  if (listens == 0 && ::listen(inherited.fd, backlog) != 0) return bind_error(inherited, errno);
  // Other processes share the socket: any of them may take the connection that woke us, so accept must not block.
  ::fcntl(inherited.fd, F_SETFL, ::fcntl(inherited.fd, F_GETFL) | O_NONBLOCK);
  ::fcntl(inherited.fd, F_SETFD, FD_CLOEXEC);
  const bool is_unix = std::holds_alternative<UnixPath>(*name);
  const auto domain = is_unix ? Stream::State::Domain::kUnix : Stream::State::Domain::kTcp;
  // A foreign one may have no TCP_NODELAY, or connections that came before it had.
  return Listening{OwnedFd(inherited.fd), domain, *std::move(name), {}, true, is_unix || inherited.sole};
}

Result<Listening> open_listening(const Endpoint& endpoint, int backlog) {
  if (const auto* address = std::get_if<Address>(&endpoint)) return listen_tcp(*address, backlog);
  if (const auto* path = std::get_if<UnixPath>(&endpoint)) return listen_unix(*path, backlog);
  return take_inherited(std::get<InheritedSocket>(endpoint), backlog);
}

enum class AcceptError : std::uint8_t { kNothingThere, kTryNext, kPause };

AcceptError classify(int error) {
  switch (error) {
    case EAGAIN:
      return AcceptError::kNothingThere;
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:  // refused by a firewall rule
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return AcceptError::kTryNext;  // accept(2): errors of the connection that was about to be taken
    default:
      return AcceptError::kPause;
  }
}

}  // namespace

/// The socket is watched by uv_poll and accepted from by hand: libuv's own listening handle goes on polling and taking
/// connections when nobody wants them, and could not be stopped without closing the socket that others share.
struct StreamListener::State {
  State(Loop& owner_loop, Listening opened, int queue)
      : loop(owner_loop), listening(std::move(opened)), backlog(queue), poll(this), pause_over(owner_loop, [this] {
          if (accepting) watch();
        }) {
    const int status = uv_poll_init(loop.raw(), poll.raw(), listening.fd.get());
    RR_CHECK(status == 0, "uv_poll_init of a listening socket");
    poll.set_initialised();
  }
  ~State() {
    poll.close();  // before the descriptor: other processes keep the socket alive, and epoll would keep reporting it
    remove_own_file();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void remove_own_file() const {
    const auto* path = std::get_if<UnixPath>(&listening.endpoint);
    struct ::stat file {};
    if (path == nullptr || listening.file.st_ino == 0 || ::lstat(path->path.c_str(), &file) != 0) return;
    if (file.st_ino == listening.file.st_ino && file.st_dev == listening.file.st_dev) ::unlink(path->path.c_str());
  }

  void watch() {
    const auto ready = [](uv_poll_t* raw, int, int) noexcept {
      if (auto* self = Handle<uv_poll_t, State>::owner(raw)) self->accept_all(raw, kAcceptsPerPass);
    };
    RR_CHECK(uv_poll_start(poll.raw(), UV_READABLE, ready) == 0, "uv_poll_start");
  }

  void stop() {
    accepting = false;
    pause_over.disarm();
    uv_poll_stop(poll.raw());
  }

  void pause_for_a_moment() {
    uv_poll_stop(poll.raw());
    pause_over.arm(kOutOfDescriptorsPause);
  }

  void leave_descriptors() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
    ceiling = static_cast<int>(std::min<rlim_t>(limit.rlim_cur - limit.rlim_cur / 4, INT_MAX));
  }

  /// The kernel gives out the lowest free descriptor, so its number tells how many there are. Asked for only once the
  /// last connection was at the ceiling.
  bool is_at_ceiling() {
    if (!near_ceiling) return false;
    const OwnedFd lowest_free(::fcntl(listening.fd.get(), F_DUPFD_CLOEXEC, 0));
    near_ceiling = lowest_free.get() < 0 || lowest_free.get() >= ceiling;
    return near_ceiling;
  }

  // The callback may stop, restart or destroy the listener. It is moved out, so that it is not destroyed while it runs.
  void accept_all(uv_poll_t* raw, int most) {
    if (is_at_ceiling()) return pause_for_a_moment();
    OnAccept call = std::move(on_accept);
    on_accept = nullptr;
    for (int taken = 0; taken < most && accepting;) {
      if (taken > 0 && !has_another()) break;
      std::unique_ptr<Stream::State> stream = accept_one();
      if (!stream) break;
      ++taken;
      near_ceiling = stream->fd() >= ceiling;
      call(Stream(std::move(stream)));
      if (Handle<uv_poll_t, State>::owner(raw) == nullptr) return;
      if (on_accept) call = std::exchange(on_accept, nullptr);
      if (near_ceiling) break;  // the next pass looks again
    }
    on_accept = std::move(call);
  }

  /// The kernel makes a socket and a file for accept(2) before it looks whether there is a connection: to find none
  /// there costs 4 us, to ask first 0.4.
  bool has_another() const {
    pollfd one{listening.fd.get(), POLLIN, 0};
    return ::poll(&one, 1, 0) != 0;
  }

  /// Null: nothing more to take now.
  std::unique_ptr<Stream::State> accept_one() {
    while (true) {
      SocketAddress peer;
      peer.length = sizeof peer.storage;
      const int fd = ::accept4(listening.fd.get(), peer.get(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        auto stream = std::make_unique<Stream::State>(loop, listening.domain);
        stream->peer = from_socket_address(peer);
        stream->take(fd, listening.sends_at_once);
        return stream;
      }
      const AcceptError error = classify(errno);
      if (error == AcceptError::kTryNext) continue;
      if (error == AcceptError::kPause) pause_for_a_moment();
      return nullptr;
    }
  }

  Loop& loop;
  Listening listening;
  int backlog;
  OnAccept on_accept;
  bool accepting = false;
  bool near_ceiling = false;
  int ceiling = INT_MAX;  // a descriptor that is not lower says that too few are left
  Handle<uv_poll_t, State> poll;
  Timer pause_over;
};

Result<StreamListener> StreamListener::listen(Loop& loop, const Endpoint& endpoint, int backlog) {
  Result<Listening> opened = open_listening(endpoint, backlog);
  if (!opened.ok()) return opened.error();
  return StreamListener(std::make_unique<State>(loop, *std::move(opened), backlog));
}

Result<StreamListener> StreamListener::listen_beside(Loop& loop, const Endpoint& endpoint,
                                                     std::span<const StreamListener* const> leaving, int backlog) {
  const auto* address = std::get_if<Address>(&endpoint);
  if (address == nullptr) return listen(loop, endpoint, backlog);
  // The kernel lets sockets of one user share a port when each of them says so at the moment of the bind.
  const auto all_share = [&](bool shared) {
    for (const StreamListener* one : leaving) share_port(one->state_->listening.fd.get(), shared);
  };
  all_share(true);
  Result<Listening> opened = listen_tcp(*address, backlog, true);
  all_share(false);
  if (!opened.ok()) return opened.error();
  share_port(opened->fd.get(), false);
  make_port_exclusive(*address);
  return StreamListener(std::make_unique<State>(loop, *std::move(opened), backlog));
}

Result<InheritedSocket> StreamListener::open_another() {
  const Listening& present = state_->listening;
  const auto* address = std::get_if<Address>(&present.endpoint);
  if (address == nullptr || present.inherited) {
    const int fd = ::fcntl(present.fd.get(), F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return Error{fmt::format("{}: {}", format_endpoint(present.endpoint), std::strerror(errno))};
    return InheritedSocket{fd, false};
  }
  // It stays set: the kernel looks at it when it spreads connections.
  share_port(present.fd.get(), true);
  Result<Listening> opened = listen_tcp(*address, state_->backlog, true);
  if (!opened.ok()) return opened.error();
  make_port_exclusive(*address);
  return InheritedSocket{opened->fd.release(), true};
}

StreamListener::StreamListener(std::unique_ptr<State> state) : state_(std::move(state)) {}
StreamListener::StreamListener(StreamListener&&) noexcept = default;
StreamListener::~StreamListener() = default;

void StreamListener::start(OnAccept on_accept) {
  state_->on_accept = std::move(on_accept);
  state_->accepting = true;
  if (!state_->pause_over.armed()) state_->watch();
}

void StreamListener::stop() { state_->stop(); }
void StreamListener::take_queued() {
  const bool inside_callback = !state_->on_accept;
  if (state_->accepting && !inside_callback) state_->accept_all(state_->poll.raw(), kLastAccepts);
}
void StreamListener::leave_descriptors() { state_->leave_descriptors(); }
std::uint64_t StreamListener::turned_away() const {
  std::array<std::uint32_t, SK_MEMINFO_VARS> facts{};
  socklen_t length = sizeof facts;
  if (getsockopt(state_->listening.fd.get(), SOL_SOCKET, SO_MEMINFO, facts.data(), &length) != 0) return 0;
  return facts[SK_MEMINFO_DROPS];
}
bool StreamListener::accepting() const { return state_->accepting; }
Endpoint StreamListener::endpoint() const { return state_->listening.endpoint; }

}  // namespace rr
