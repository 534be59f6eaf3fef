#include "lb/policy/balancer.h"

#include <algorithm>
#include <array>

#include "lb/base/check.h"

namespace rr {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 3> kNames{"round_robin", "least_outstanding_requests", "weighted_random"};

/// So many ids are provided for, for each target that there may be, before the table by id is given up.
constexpr std::size_t kIdsATarget = 4;

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

void Balancer::configure(Algorithm algorithm, Duration slow_start, std::uint32_t slow_start_floor) {
  algorithm_ = algorithm;
  slow_start_ = slow_start;
  slow_start_floor_ = slow_start_floor;
  reserve(slots_.capacity());
}

void Balancer::reserve(std::size_t targets) {
  slots_.reserve(targets);
  before_.reserve(targets);
  if (algorithm_ == Algorithm::kLeastOutstandingRequests) {
    loads_.reserve(targets);
    places_.reserve(kIdsATarget * targets);
  }
  if (algorithm_ == Algorithm::kWeightedRandom) up_to_.reserve(targets);
}

void Balancer::rebuild(std::span<const Candidate> candidates) {
  std::swap(slots_, before_);
  slots_.clear();
  slow_ = 0;
  auto old = before_.begin();
  for (const Candidate& one : candidates) {
    RR_CHECK(slots_.empty() || slots_.back().target < one.target, "the routing list must be ascending");
    while (old != before_.end() && old->target < one.target) ++old;
    const bool goes_on = old != before_.end() && old->target == one.target && old->slow_since == one.slow_since;
    slots_.push_back({one.target, one.outstanding, one.weight, one.slow_since, goes_on ? old->earned : 0});
    if (!one.slow_since) continue;
    slowest_since_ = slow_ == 0 ? *one.slow_since : std::min(slowest_since_, *one.slow_since);
    ++slow_;
  }
  next_ = 0;
  if (last_) {
    const auto after = std::upper_bound(slots_.begin(), slots_.end(), *last_,
                                        [](TargetId last, const Slot& slot) { return last < slot.target; });
    // Past the end the round begins again.
    if (after != slots_.end()) next_ = static_cast<std::size_t>(after - slots_.begin());
  }
  if (algorithm_ == Algorithm::kWeightedRandom) prepare_random();
  if (algorithm_ != Algorithm::kLeastOutstandingRequests) return;
  prepare_places();
  loads_.clear(slots_.size());
  for (std::size_t place = 0; place < slots_.size(); ++place) {
    if (slots_[place].outstanding > 0) loads_.set(place, slots_[place].outstanding);
  }
}

/// Ids are dense, so a table by id is short. Where many have gone in between it is not, and then there is none.
void Balancer::prepare_places() {
  places_.clear();
  if (slots_.empty()) return;
  const std::uint32_t first = slots_.front().target.value;
  const std::size_t span = slots_.back().target.value - first + std::size_t{1};
  if (span > places_.capacity()) return;
  places_.resize(span);  // what is of no target is found out by the slot's own id
  for (std::size_t place = 0; place < slots_.size(); ++place) {
    places_[slots_[place].target.value - first] = static_cast<std::uint32_t>(place);
  }
}

Balancer::Slot* Balancer::find(TargetId target) {
  if (slots_.empty() || target < slots_.front().target || slots_.back().target < target) return nullptr;
  Slot* slot = nullptr;
  if (!places_.empty()) {
    slot = &slots_[places_[target.value - slots_.front().target.value]];
  } else {
    slot = &*std::lower_bound(slots_.begin(), slots_.end(), target,
                              [](const Slot& one, TargetId id) { return one.target < id; });
  }
  return slot->target == target ? slot : nullptr;
}

void Balancer::prepare_random() {
  up_to_.clear();
  if (std::all_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.weight == kFullWeight; })) return;
  std::uint64_t sum = 0;
  for (const Slot& slot : slots_) up_to_.push_back(sum += slot.weight);
}

void Balancer::set_outstanding(TargetId target, std::uint32_t outstanding) {
  if (algorithm_ != Algorithm::kLeastOutstandingRequests) return;
  Slot* const slot = find(target);
  if (slot == nullptr) return;
  slot->outstanding = outstanding;
  loads_.set(static_cast<std::size_t>(slot - slots_.data()), outstanding);
}

std::optional<TargetId> Balancer::pick(Time now, Rng& random, Tried tried) {
  if (slots_.empty()) return std::nullopt;
  switch (algorithm_) {
    case Algorithm::kRoundRobin:
      return slow_ == 0 ? pick_in_turn(tried) : pick_by_earnings(now, tried);
    case Algorithm::kLeastOutstandingRequests:
      return pick_least(tried);
    case Algorithm::kWeightedRandom:
      return pick_at_random(random, tried);
  }
  return std::nullopt;
}

/// The turn is this one's; the next is that of the one behind it.
TargetId Balancer::take(std::size_t place) {
  next_ = place + 1 == slots_.size() ? 0 : place + 1;
  last_ = slots_[place].target;
  return *last_;
}

std::optional<TargetId> Balancer::pick_in_turn(Tried tried) {
  for (std::size_t looked_at = 0; looked_at < slots_.size(); ++looked_at) {
    const std::size_t place = (next_ + looked_at) % slots_.size();
    if (!contains(tried, slots_[place].target)) return take(place);
  }
  return std::nullopt;
}

std::optional<TargetId> Balancer::pick_by_earnings(Time now, Tried tried) {
  // When all are in slow start the one that is furthest counts as a whole one: shares are relative.
  const std::uint32_t whole =
      slow_ < slots_.size() ? kFullWeight : slow_start_weight(now - slowest_since_, slow_start_, slow_start_floor_);
  for (std::size_t looked_at = 0; looked_at < slots_.size(); ++looked_at) {
    const std::size_t place = next_;
    Slot& slot = slots_[place];
    const TargetId target = take(place);
    if (contains(tried, target)) continue;
    if (!slot.slow_since) return target;
    slot.earned += slow_start_weight(now - *slot.slow_since, slow_start_, slow_start_floor_);
    if (slot.earned < whole) continue;
    slot.earned -= whole;
    return target;
  }
  return pick_in_turn(tried);  // what is left when others were tried
}

std::optional<TargetId> Balancer::pick_least(Tried tried) {
  if (tried.empty()) return take(loads_.least_from(next_));
  std::optional<std::size_t> least;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const std::size_t place = (next_ + i) % slots_.size();
    if (contains(tried, slots_[place].target)) continue;
    if (!least || slots_[place].outstanding < slots_[*least].outstanding) least = place;
  }
  if (!least) return std::nullopt;
  return take(*least);
}

std::optional<TargetId> Balancer::pick_at_random(Rng& random, Tried tried) const {
  if (tried.empty() && up_to_.empty()) return slots_[random.below(slots_.size())].target;
  if (tried.empty()) {
    const auto drawn = std::upper_bound(up_to_.begin(), up_to_.end(), random.below(up_to_.back()));
    return slots_[static_cast<std::size_t>(drawn - up_to_.begin())].target;
  }
  std::uint64_t sum = 0;
  for (const Slot& slot : slots_) sum += contains(tried, slot.target) ? 0 : slot.weight;
  if (sum == 0) return std::nullopt;
  std::uint64_t skip = random.below(sum);
  for (const Slot& slot : slots_) {
    if (contains(tried, slot.target)) continue;
    if (skip < slot.weight) return slot.target;
    skip -= slot.weight;
  }
  return std::nullopt;
}

}  // namespace rr
