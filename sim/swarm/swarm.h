#pragma once
// Tiers and troubles drawn from a seed: first faults are on and nothing forbidden may happen (safety), then they are
// off and everything must come to rest within a bound (liveness).
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lb/base/journal.h"
#include "lb/base/time.h"

namespace rr::sim {

struct SwarmOptions {
  /// Every registered target gets requests, healthy or not: a policy that is wrong on purpose, to see it caught.
  bool broken_policy = false;
  /// Is told each line of the journal.
  std::function<void(const JournalLine&)> on_line{};
};

struct SwarmOutcome {
  std::uint64_t seed = 0;
  std::uint64_t digest = 0;  // of the journal and of what the clients saw
  std::string tier;          // what was drawn, in one line
  std::vector<std::string> troubles;
  std::uint64_t happenings = 0;
  std::uint64_t requests = 0;
  std::uint64_t failed = 0;
  Duration settled_after{};             // the faults' end
  std::vector<std::string> losses;      // attempts of clients that failed: how many, and to what
  std::vector<std::string> violations;  // none: all is well

  bool holds() const { return violations.empty(); }
};

/// One run. The same seed and options give the same outcome, always.
SwarmOutcome run_seed(std::uint64_t seed, const SwarmOptions& options = {});

}  // namespace rr::sim
