#pragma once
// Addresses between our values and the kernel's.
#include <sys/socket.h>

#include "lb/base/address.h"

namespace rr {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress to_socket_address(const Address& address);

/// The zero address for anything but IPv4 and IPv6. An IPv4 peer of an IPv6 socket (::ffff:192.0.2.1) is given as IPv4.
Address from_socket_address(const SocketAddress& address);

/// Of a bound or connected socket; the zero address when it has none.
Address local_address_of(int fd);

}  // namespace rr
