#pragma once
// Chance as an argument. The standard's engines are portable but its distributions are not, so both are our own: the
// same seed gives the same sequence on every compiler.
#include <array>
#include <cstdint>

namespace rr {

/// xoshiro256** (Blackman, Vigna), seeded through splitmix64 so that any seed will do, 0 too.
class Rng {
 public:
  explicit Rng(std::uint64_t seed);
  /// Goes on from what state() gave. All zeros, which no seed leads to, would stay zeros for ever and crash.
  explicit Rng(const std::array<std::uint64_t, 4>& state);

  std::uint64_t next();

  /// Evenly in [0, bound); bound must not be 0.
  std::uint64_t below(std::uint64_t bound);

  /// Evenly in [0, 1), with 53 bits.
  double unit();

  /// For writing the generator down and going on later.
  const std::array<std::uint64_t, 4>& state() const { return state_; }

  bool operator==(const Rng&) const = default;

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace rr
