#include "sim/world/listening_socket.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace rr::sim {

namespace {

constexpr std::uint16_t kLowestPort = 10'240;
constexpr std::uint16_t kFewestPorts = 1'000;
constexpr int kTries = 2'000;

Result<ListeningSocket> open_v4(const Address& address, int backlog) {
  ListeningSocket socket{Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), address};
  sockaddr_in name{};
  name.sin_family = AF_INET;
  std::memcpy(&name.sin_addr, address.ip.data(), 4);
  name.sin_port = htons(address.port);
  socklen_t size = sizeof name;
  const int yes = 1;  // have the port back at once after a restart; no two listen on it
  ::setsockopt(socket.fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  auto* raw = reinterpret_cast<sockaddr*>(&name);
  if (::bind(socket.fd.get(), raw, size) != 0 || ::listen(socket.fd.get(), backlog) != 0 ||
      ::getsockname(socket.fd.get(), raw, &size) != 0) {
    return Error{std::strerror(errno)};
  }
  socket.address.port = ntohs(name.sin_port);
  return socket;
}

Result<ListeningSocket> open_v6(const Address& address, int backlog) {
  ListeningSocket socket{Descriptor(::socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), address};
  sockaddr_in6 name{};
  name.sin6_family = AF_INET6;
  std::memcpy(&name.sin6_addr, address.ip.data(), 16);
  name.sin6_port = htons(address.port);
  socklen_t size = sizeof name;
  const int yes = 1;
  ::setsockopt(socket.fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  auto* raw = reinterpret_cast<sockaddr*>(&name);
  if (::bind(socket.fd.get(), raw, size) != 0 || ::listen(socket.fd.get(), backlog) != 0 ||
      ::getsockname(socket.fd.get(), raw, &size) != 0) {
    return Error{std::strerror(errno)};
  }
  socket.address.port = ntohs(name.sin6_port);
  return socket;
}

/// Whether a program may bind the port on any address, IPv4 and IPv6: many frameworks bind all of them.
bool is_free(std::uint16_t port) {
  const auto bindable = [port](int family) {
    const Descriptor probe(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!probe.open()) return family == AF_INET6;  // a machine without IPv6
    const int yes = 1;
    if (family == AF_INET6) ::setsockopt(probe.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    if (family == AF_INET) return ::bind(probe.get(), reinterpret_cast<sockaddr*>(&v4), sizeof v4) == 0;
    return ::bind(probe.get(), reinterpret_cast<sockaddr*>(&v6), sizeof v6) == 0;
  };
  return bindable(AF_INET) && bindable(AF_INET6);
}

}  // namespace

Result<ListeningSocket> open_listening_socket(const Address& address, int backlog) {
  auto socket = address.family == Address::Family::kV4 ? open_v4(address, backlog) : open_v6(address, backlog);
  if (socket) return socket;
  const std::string where = format_address(address);
  if (errno == EADDRINUSE) return Error{fmt::format("{} is in use by another program", where)};
  if (errno == EADDRNOTAVAIL) return Error{fmt::format("{} is not an address of this machine", where)};
  if (errno == EACCES)
    return Error{fmt::format("{} may not be bound without more rights: use a port above 1023", where)};
  return Error{fmt::format("{} cannot be listened on: {}", where, socket.error().message)};
}

Result<std::uint16_t> find_free_port(std::uint32_t seed) {
  std::uint32_t first_chosen_by_kernel = 32'768;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first_chosen_by_kernel;
  if (first_chosen_by_kernel < kLowestPort + kFewestPorts) first_chosen_by_kernel = 65'536;  // nothing is left below
  const std::uint32_t span = first_chosen_by_kernel - kLowestPort;
  for (std::uint32_t attempt = 0; attempt < kTries; ++attempt) {
    const auto port = static_cast<std::uint16_t>(kLowestPort + (seed + attempt) % span);
    if (is_free(port)) return port;
  }
  return Error{"no free port was found for an instance"};
}

Address own_loopback(const Address& logical, std::uint16_t port) {
  return Address::v4(127, logical.ip[1], logical.ip[2], logical.ip[3], port);
}

}  // namespace rr::sim
