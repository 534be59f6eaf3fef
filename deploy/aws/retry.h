#pragma once
#include <optional>

#include "lb/base/rng.h"
#include "lb/base/time.h"

namespace rr::deploy {

constexpr int kAttempts = 5;
constexpr Duration kMostDelay = std::chrono::seconds(8);

/// How long to wait after the `attempt`-th attempt (from 1) failed; nothing: it was the last. Evenly between zero and a
/// bound that doubles from 300 ms (AWS architecture blog, "Exponential backoff and jitter": full jitter), so that many
/// who were refused together do not come back together.
std::optional<Duration> delay_after(int attempt, Rng& chance);

}  // namespace rr::deploy
