#pragma once
// The few requests to the kernel's network configuration that the tier needs, as rtnetlink messages (man 7 rtnetlink):
// nothing has to be installed for it, and wiring an instance takes a millisecond.
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>

#include "lb/base/address.h"
#include "lb/base/result.h"
#include "sim/keeper/descriptor.h"

namespace rr::sim {

using MacAddress = std::array<std::uint8_t, 6>;
/// An address of its own for every IPv4 address, the same each time: whoever takes over a dead one's address is found
/// under the entry that the others already have.
MacAddress mac_of(const Address& address);

/// A connection to the configuration of the network namespace in which it was opened.
class Netlink {
 public:
  static Result<Netlink> open();

  Status create_bridge(const std::string& name);
  /// A cable: `name` here, `peer` with `mac` in the network namespace of process `peer_pid`.
  Status create_cable(const std::string& name, const std::string& peer, const MacAddress& mac, pid_t peer_pid);
  Status plug_into(const std::string& name, const std::string& bridge);
  Status set_up(const std::string& name, bool up);
  Status add_address(const std::string& name, const Address& address, int prefix);
  Status add_default_route(const Address& gateway);

 private:
  explicit Netlink(Descriptor socket) : socket_(std::move(socket)) {}
  Status talk(const std::string& what, std::string message);
  Descriptor socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace rr::sim
