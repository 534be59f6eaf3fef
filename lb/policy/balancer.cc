#include "lb/policy/balancer.h"

#include <algorithm>
#include <array>

#include "lb/base/check.h"

namespace rr {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 3> kNames{"round_robin", "least_outstanding_requests", "weighted_random"};

bool contains(std::span<const TargetId> targets, TargetId target) {
  return std::find(targets.begin(), targets.end(), target) != targets.end();
}

}  // namespace

std::string_view to_string(Algorithm algorithm) { return kNames[static_cast<std::size_t>(algorithm)]; }

std::optional<Algorithm> parse_algorithm(std::string_view text) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == text) return static_cast<Algorithm>(i);
  }
  return std::nullopt;
}

void Balancer::rebuild(std::span<const TargetId> targets) {
  RR_CHECK(std::is_sorted(targets.begin(), targets.end()), "the routing list must be ascending");
  targets_.assign(targets.begin(), targets.end());
  next_ = 0;
  if (!last_) return;
  const auto after = std::upper_bound(targets_.begin(), targets_.end(), *last_);
  // Past the end the round begins again.
  if (after != targets_.end()) next_ = static_cast<std::size_t>(after - targets_.begin());
}

std::optional<TargetId> Balancer::pick_in_turn(std::span<const TargetId> tried) {
  for (std::size_t looked_at = 0; looked_at < targets_.size(); ++looked_at) {
    const TargetId candidate = targets_[next_];
    if (++next_ == targets_.size()) next_ = 0;
    if (contains(tried, candidate)) continue;
    last_ = candidate;
    return candidate;
  }
  return std::nullopt;
}

std::optional<TargetId> Balancer::pick_at_random(Rng& random, std::span<const TargetId> tried) const {
  std::size_t eligible = targets_.size();
  if (!tried.empty()) {
    eligible = static_cast<std::size_t>(
        std::count_if(targets_.begin(), targets_.end(), [&](TargetId target) { return !contains(tried, target); }));
  }
  if (eligible == 0) return std::nullopt;
  std::size_t skip = random.below(eligible);
  if (tried.empty()) return targets_[skip];
  for (const TargetId target : targets_) {
    if (contains(tried, target)) continue;
    if (skip-- == 0) return target;
  }
  return std::nullopt;
}

}  // namespace rr
