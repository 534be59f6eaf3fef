#include "sim/relay/link_port.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "lb/net/socket_address.h"

namespace rr::sim {

namespace {

class Socket {
 public:
  explicit Socket(const Address& address)
      : fd_(::socket(address.family == Address::Family::kV6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Error failed(std::string_view what, const Address& address) {
  return Error{fmt::format("{} {}: {}", what, format_ip(address), std::strerror(errno))};
}

}  // namespace

struct LinkPort::State {
  PortMode mode = PortMode::kAccepts;
  Address address;
  std::optional<StreamListener> listener;  // kAccepts
  std::optional<Socket> socket;            // the others
  std::optional<Socket> filler;            // kSilent: the one connection that its queue has room for

  Status bind_it() {
    socket.emplace(address);
    const SocketAddress wanted = to_socket_address(address);
    if (socket->get() < 0 || ::bind(socket->get(), wanted.get(), wanted.length) != 0) return failed("bind", address);
    address = local_address_of(socket->get());
    return Ok{};
  }

  // Linux completes one connection more than the backlog says, and drops attempts from then on.
  Status fill() {
    filler.emplace(address);
    const SocketAddress own = to_socket_address(address);
    if (::listen(socket->get(), 0) != 0) return failed("listen", address);
    if (filler->get() < 0 || ::connect(filler->get(), own.get(), own.length) != 0) return failed("connect", address);
    return Ok{};
  }
};

PortMode port_mode(const WireFaults& faults) {
  if (faults.blackhole) return PortMode::kSilent;
  return faults.refuse ? PortMode::kRefuses : PortMode::kAccepts;
}

LinkPort::LinkPort(std::unique_ptr<State> state) : state_(std::move(state)) {}
LinkPort::~LinkPort() = default;
LinkPort::LinkPort(LinkPort&&) noexcept = default;
LinkPort& LinkPort::operator=(LinkPort&&) noexcept = default;
const Address& LinkPort::address() const { return state_->address; }
PortMode LinkPort::mode() const { return state_->mode; }

Result<LinkPort> LinkPort::open(Loop& loop, const Address& address, PortMode mode, StreamListener::OnAccept on_accept) {
  auto state = std::make_unique<State>();
  state->mode = mode;
  state->address = address;
  state->address.port = 0;
  if (mode == PortMode::kAccepts) {
    auto listener = StreamListener::listen(loop, Endpoint(state->address));
    if (!listener) return listener.error();
    state->listener.emplace(*std::move(listener));
    state->address = std::get<Address>(state->listener->endpoint());
    state->listener->start(std::move(on_accept));
    return LinkPort(std::move(state));
  }
  if (Status bound = state->bind_it(); !bound) return bound.error();
  if (mode == PortMode::kSilent) {
    if (Status full = state->fill(); !full) return full.error();
  }
  return LinkPort(std::move(state));
}

}  // namespace rr::sim
