#include "sim/virtual/links.h"

#include <algorithm>

namespace rr::sim {

std::optional<Duration> travel(const LinkCondition& link, Rng& rng) {
  Duration delay = link.latency;
  if (link.jitter > Duration{}) delay += Duration(rng.below(static_cast<std::uint64_t>(link.jitter.count()) + 1));
  if (link.loss <= 0) return delay;
  Duration wait = kRetransmission;
  for (int lost = 0; rng.unit() < link.loss; ++lost) {
    if (lost == kMostRetransmissions) return std::nullopt;
    delay += wait;
    wait *= 2;
  }
  return delay;
}

Links::Links(LinkSettings settings, std::size_t zones)
    : settings_(settings),
      quiet_(settings.same_zone.quiet() && settings.cross_zone.quiet() && settings.outside.quiet()),
      partitioned_(zones, false) {}

const LinkCondition& Links::between(Place from, Place to) const {
  if (from == kOutside || to == kOutside) return settings_.outside;
  return from == to ? settings_.same_zone : settings_.cross_zone;
}

std::optional<Duration> Links::travel(Place from, Place to, const LinkCondition* extra, Rng& rng) const {
  if (quiet_ && extra == nullptr) return reaches(from, to) ? std::optional(Duration{}) : std::nullopt;
  if (!reaches(from, to)) return std::nullopt;
  const std::optional<Duration> base = sim::travel(between(from, to), rng);
  if (!base || extra == nullptr) return base;
  const std::optional<Duration> more = sim::travel(*extra, rng);
  if (!more) return std::nullopt;
  return *base + *more;
}

void Links::partition(Place zone, bool is_partitioned) { partitioned_[zone] = is_partitioned; }

}  // namespace rr::sim
