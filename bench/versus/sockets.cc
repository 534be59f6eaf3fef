#include "bench/versus/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace rr::bench {

void give_up(std::string_view what) {
  std::fprintf(stderr, "bench_peer: %.*s\n", static_cast<int>(what.size()), what.data());
  std::exit(2);
}

sockaddr_in parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (colon == std::string_view::npos ||
      inet_pton(AF_INET, std::string(text.substr(0, colon)).c_str(), &address.sin_addr) != 1) {
    give_up("not an IPv4 address with a port: " + std::string(text));
  }
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(std::string(text.substr(colon + 1)).c_str())));
  return address;
}

std::string format_address(const sockaddr_in& address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
  return std::string(text.data()) + ":" + std::to_string(ntohs(address.sin_port));
}

namespace {

const sockaddr* plain(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

void prepare(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

int listen_on(sockaddr_in& address) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, plain(address), sizeof address) != 0 || ::listen(fd, 4096) != 0) {
    give_up("cannot listen on " + format_address(address) + ": " + std::strerror(errno));
  }
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return fd;
}

int connect_to(const sockaddr_in& address) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (::connect(fd, plain(address), sizeof address) != 0) {
    ::close(fd);
    return -1;
  }
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  prepare(fd);
  return fd;
}

int accept_from(int listener) {
  const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) prepare(fd);
  return fd;
}

Poll::Poll() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {}
Poll::~Poll() { ::close(fd_); }

void Poll::sleep_until_ready(std::chrono::nanoseconds time) const {
  pollfd ready{fd_, POLLIN, 0};
  const timespec span{static_cast<time_t>(time.count() / 1'000'000'000),
                      static_cast<long>(time.count() % 1'000'000'000)};
  ::ppoll(&ready, 1, &span, nullptr);
}

void Poll::control(int what, int fd, std::uint32_t events, void* owner) const {
  epoll_event event{};
  event.events = events;
  event.data.ptr = owner;
  ::epoll_ctl(fd_, what, fd, &event);
}

std::string_view header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    bool same = true;
    for (std::size_t i = 0; i < name.size(); ++i) same = same && (line[i] | 0x20) == (name[i] | 0x20);
    if (!same) continue;
    line.remove_prefix(name.size() + 1);
    while (line.starts_with(' ')) line.remove_prefix(1);
    return line;
  }
  return {};
}

}  // namespace rr::bench
