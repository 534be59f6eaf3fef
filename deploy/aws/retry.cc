#include "deploy/aws/retry.h"

#include <algorithm>

namespace rr::deploy {

std::optional<Duration> delay_after(int attempt, Rng& chance) {
  if (attempt >= kAttempts) return std::nullopt;
  const Duration bound = std::min<Duration>(300 * kMillisecond * (1 << (attempt - 1)), kMostDelay);
  return Duration(static_cast<Duration::rep>(chance.below(static_cast<std::uint64_t>(bound.count()) + 1)));
}

}  // namespace rr::deploy
