#pragma once
// Doors: listening sockets outside, through which an instance inside the tier's own network is reached from the
// machine. One process a tier relays their bytes, so that the keeper has nothing to do with traffic.
#include <cstdint>
#include <string>

#include "lb/base/address.h"
#include "lb/base/result.h"
#include "sim/keeper/descriptor.h"

namespace rr::sim {

/// The keeper's hold on the door process.
class DoorKeeper {
 public:
  /// Forks it, in the network namespace of the caller. It ends when the caller does.
  static Result<DoorKeeper> start();
  pid_t pid() const { return pid_; }
  /// Takes over a listening socket; each connection is led to `target`.
  Status open(const std::string& name, const Address& target, int listening);
  /// Closes the doors of that name and what goes through them.
  void close(const std::string& name);

 private:
  DoorKeeper(pid_t pid, Descriptor socket) : pid_(pid), socket_(std::move(socket)) {}
  pid_t pid_;
  Descriptor socket_;
};

}  // namespace rr::sim
