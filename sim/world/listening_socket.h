#pragma once
#include <cstdint>

#include "lb/base/address.h"
#include "lb/base/result.h"
#include "sim/keeper/descriptor.h"

namespace rr::sim {

struct ListeningSocket {
  Descriptor fd;
  Address address;  // with the port that the kernel chose
};

/// Opens it exclusively: no SO_REUSEPORT, so a second program on the same port is refused and does not join silently.
/// The error names the address: "127.0.0.1:8080 is in use by another program".
Result<ListeningSocket> open_listening_socket(const Address& address, int backlog = 1024);

/// A port that no socket of this machine has, on any address, for a program that will bind it in a moment. From below
/// the range in which the kernel chooses the ports of outgoing connections: one of those could take it meanwhile, and
/// the balancer makes thousands. `seed` tells where to begin to search.
Result<std::uint16_t> find_free_port(std::uint32_t seed);

/// The instance's own loopback address: 172.31.16.10 is 127.31.16.10.
Address own_loopback(const Address& logical, std::uint16_t port);

}  // namespace rr::sim
