#pragma once
// How long a message takes from one place to another, and whether it arrives.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "lb/base/rng.h"
#include "lb/base/time.h"
#include "sim/virtual/distribution.h"

namespace rr::sim {

/// A lost segment is sent again after this, then after twice as long and so on.
constexpr Duration kRetransmission = std::chrono::milliseconds(200);
constexpr int kMostRetransmissions = 8;

/// One way of a link.
struct LinkCondition {
  Duration latency{};
  Duration jitter{};  // up to so much more, evenly
  double loss = 0;    // share of segments; TCP sends them again, so a loss is a delay
  bool operator==(const LinkCondition&) const = default;
  bool quiet() const { return latency == Duration{} && jitter == Duration{} && loss == 0; }
};

/// The delay of one message; none when it was lost so often that TCP gives up.
std::optional<Duration> travel(const LinkCondition& link, Rng& rng);

/// Zones by number, and those outside of all (clients).
using Place = std::uint8_t;
constexpr Place kOutside = 255;

struct LinkSettings {
  LinkCondition same_zone{};
  LinkCondition cross_zone{};
  LinkCondition outside{};  // between clients and nodes
  bool operator==(const LinkSettings&) const = default;
};

/// The network between zones. A partitioned zone reaches nothing beyond itself and is not reached; nobody is told.
class Links {
 public:
  explicit Links(LinkSettings settings = {}, std::size_t zones = 0);

  /// `extra`: what a fault adds on the way, or nothing.
  std::optional<Duration> travel(Place from, Place to, const LinkCondition* extra, Rng& rng) const;
  void partition(Place zone, bool is_partitioned);
  bool partitioned(Place zone) const { return zone != kOutside && partitioned_[zone]; }
  bool reaches(Place from, Place to) const { return from == to || (!partitioned(from) && !partitioned(to)); }

 private:
  const LinkCondition& between(Place from, Place to) const;

  LinkSettings settings_;
  bool quiet_;  // every message is there at once
  std::vector<bool> partitioned_;
};

}  // namespace rr::sim
