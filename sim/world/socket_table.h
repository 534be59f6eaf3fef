#pragma once
// Which sockets a process listens on, as /proc tells it.
#include <cstdint>
#include <string_view>
#include <vector>

#include "lb/base/address.h"

namespace rr::sim {

struct TableSocket {
  Address address;
  std::uint64_t inode = 0;
  bool operator==(const TableSocket&) const = default;
};

/// The listening sockets of a text as in /proc/net/tcp or tcp6.
std::vector<TableSocket> parse_socket_table(std::string_view text, Address::Family family);

/// What the process or anything that descends from its init listens on, sorted, each once. Empty when nothing can be
/// read.
std::vector<Address> listening_sockets(int pid);

}  // namespace rr::sim
