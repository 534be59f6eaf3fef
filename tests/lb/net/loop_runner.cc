#include "tests/lb/net/loop_runner.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "lb/net/socket_address.h"

namespace rr {

RawClient::RawClient(const Endpoint& to)
    : fd_(::socket(std::holds_alternative<UnixPath>(to) ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (const auto* path = std::get_if<UnixPath>(&to)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path->path.data(), path->path.size());
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
  } else {
    const SocketAddress name = to_socket_address(std::get<Address>(to));
    connected_ = ::connect(fd_, name.get(), name.length) == 0;
  }
}

RawClient::~RawClient() {
  if (fd_ >= 0) ::close(fd_);
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void RawClient::receive() {
  std::array<char, 65536> space;
  while (!ended) {
    const ssize_t count = ::recv(fd_, space.data(), space.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
      ended = true;
      return;
    }
    received.append(space.data(), static_cast<std::size_t>(count));
  }
}

void RawClient::finish_sending() { ::shutdown(fd_, SHUT_WR); }

void RawClient::reset() {
  const linger at_once{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(fd_);
  fd_ = -1;
}

}  // namespace rr
