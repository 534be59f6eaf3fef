#include "sim/relay/wire_faults.h"

namespace rr::sim {

namespace {

double either(double one, double other) { return 100 - (100 - one) * (100 - other) / 100; }

}  // namespace

WireFaults combined(const WireFaults& one, const WireFaults& other) {
  return {.latency = one.latency + other.latency,
          .jitter = one.jitter + other.jitter,
          .loss_percent = either(one.loss_percent, other.loss_percent),
          .reset_percent = either(one.reset_percent, other.reset_percent),
          .gray_percent = either(one.gray_percent, other.gray_percent),
          .refuse = one.refuse || other.refuse,
          .blackhole = one.blackhole || other.blackhole};
}

Duration delay_of_piece(const WireFaults& faults, LinkDirection direction, Rng& rng) {
  Duration delay{};
  if (direction == LinkDirection::kToNode) {
    delay += faults.latency;
    if (faults.jitter > Duration{}) {
      delay += Duration(static_cast<Duration::rep>(rng.below(static_cast<std::uint64_t>(faults.jitter.count()) + 1)));
    }
  }
  Duration again = kFirstRetransmission;
  for (int sent = 0; sent < kMostRetransmissions && strikes(faults.loss_percent, rng); ++sent) {
    delay += again;
    again *= 2;
  }
  return delay;
}

bool strikes(double percent, Rng& rng) { return percent > 0 && rng.unit() * 100 < percent; }

}  // namespace rr::sim
