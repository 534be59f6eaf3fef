#include "lb/net/socket_address.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace rr {

SocketAddress to_socket_address(const Address& address) {
  SocketAddress result;
  if (address.family == Address::Family::kV4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::memcpy(&v4.sin_addr, address.ip.data(), 4);
    std::memcpy(&result.storage, &v4, sizeof v4);
    result.length = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    std::memcpy(&v6.sin6_addr, address.ip.data(), 16);
    std::memcpy(&result.storage, &v6, sizeof v6);
    result.length = sizeof v6;
  }
  return result;
}

Address from_socket_address(const SocketAddress& address) {
  Address result;
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address.storage, sizeof v4);
    std::memcpy(result.ip.data(), &v4.sin_addr, 4);
    result.port = ntohs(v4.sin_port);
  } else if (address.storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address.storage, sizeof v6);
    result.port = ntohs(v6.sin6_port);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&v6.sin6_addr);
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) != 0;
    result.family = mapped ? Address::Family::kV4 : Address::Family::kV6;
    std::copy_n(mapped ? bytes + 12 : bytes, mapped ? 4 : 16, result.ip.begin());
  }
  return result;
}

Address local_address_of(int fd) {
  SocketAddress name;
  name.length = sizeof name.storage;
  if (getsockname(fd, name.get(), &name.length) != 0) return {};
  return from_socket_address(name);
}

}  // namespace rr
