#pragma once
#include <cstdint>
#include <memory>

#include "lb/net/stream.h"
#include "sim/relay/wire_faults.h"

namespace rr::sim {

/// How a port meets who connects to it.
enum class PortMode : std::uint8_t {
  kAccepts,
  kRefuses,  // bound, and nobody listens: the kernel refuses
  kSilent,   // its queue of one connection is full, so the kernel leaves attempts unanswered, as if they got lost
};

/// What a link's faults make of its port; silence before refusal.
PortMode port_mode(const WireFaults& faults);

/// Where a node connects to for one link, on a port of the kernel's choice.
class LinkPort {
 public:
  /// The address's port is not read. The error is one line.
  static Result<LinkPort> open(Loop& loop, const Address& address, PortMode mode, StreamListener::OnAccept on_accept);
  ~LinkPort();
  LinkPort(LinkPort&&) noexcept;
  LinkPort& operator=(LinkPort&&) noexcept;

  const Address& address() const;
  PortMode mode() const;

 private:
  struct State;
  explicit LinkPort(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rr::sim
