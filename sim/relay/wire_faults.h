#pragma once
// What is wrong with a link between a node and a target, and what that does to each piece and request that crosses it.
#include <cstdint>

#include "lb/base/rng.h"
#include "lb/base/time.h"

namespace rr::sim {

/// All faults of one link together; default: none.
struct WireFaults {
  Duration latency{};        // what the target sends comes so much later
  Duration jitter{};         // and, by chance, by up to so much more
  double loss_percent = 0;   // of the pieces, in either direction, must be sent again
  double reset_percent = 0;  // of the connections are reset with the first request that they carry
  double gray_percent = 0;   // of the requests end with a reset
  bool refuse = false;       // who connects is refused
  bool blackhole = false;    // nothing gets through, and nobody is told
  bool operator==(const WireFaults&) const = default;

  bool any() const { return *this != WireFaults{}; }
};

/// Two faults of one link at once: delays add up, shares are independent of each other.
WireFaults combined(const WireFaults& one, const WireFaults& other);

/// From the target to the node, or the other way.
enum class LinkDirection : std::uint8_t { kToTarget, kToNode };

/// How much later a piece of bytes arrives than it would on a good link. A lost one is sent again after 200 ms, after
/// 400 ms when that is lost too, and so on, as TCP's retransmission timer does (RFC 6298, with Linux's least value); a
/// relay cannot lose packets itself, for the kernel would send them again at once.
Duration delay_of_piece(const WireFaults& faults, LinkDirection direction, Rng& rng);

constexpr Duration kFirstRetransmission = std::chrono::milliseconds(200);
/// So often, then it counts as arrived: at 100 % loss nothing ever would, and a blackhole is a fault of its own.
constexpr int kMostRetransmissions = 6;

/// True in so many of a hundred cases.
bool strikes(double percent, Rng& rng);

}  // namespace rr::sim
