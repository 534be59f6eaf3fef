#include "sim/virtual/distribution.h"

#include <bit>
#include <cmath>

#include "lb/base/check.h"

namespace rr::sim {
namespace {

constexpr double kLn2High = 0x1.62e42feep-1;  // 33 bits, so that a multiple of it is exact
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kSquareRootOf2 = 0x1.6a09e667f3bcdp+0;
constexpr std::uint64_t kMantissa = (std::uint64_t{1} << 52) - 1;
constexpr int kExponentBias = 1023;

/// -log of a number evenly in (0, 1].
double unit_exponential(Rng& rng) { return -portable_log(1.0 - rng.unit()); }

Duration rounded(double nanoseconds) { return Duration(static_cast<Duration::rep>(nanoseconds + 0.5)); }

}  // namespace

/// x = m * 2^e with m within [1/sqrt 2, sqrt 2), and log m = 2 atanh s, s = (m-1)/(m+1), |s| below 0.1716: the series
/// s + s^3/3 + s^5/5 + ... has reached the last bit at s^21.
double portable_log(double x) {
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  int exponent = static_cast<int>(bits >> 52) - kExponentBias;
  double m = std::bit_cast<double>((bits & kMantissa) | (std::uint64_t{kExponentBias} << 52));
  if (m >= kSquareRootOf2) {
    m *= 0.5;
    ++exponent;
  }
  const double s = (m - 1) / (m + 1);
  const double z = s * s;
  double series = 1.0 / 21;
  series = series * z + 1.0 / 19;
  series = series * z + 1.0 / 17;
  series = series * z + 1.0 / 15;
  series = series * z + 1.0 / 13;
  series = series * z + 1.0 / 11;
  series = series * z + 1.0 / 9;
  series = series * z + 1.0 / 7;
  series = series * z + 1.0 / 5;
  series = series * z + 1.0 / 3;
  const double log_m = 2 * s + 2 * s * z * series;
  return exponent * kLn2High + (exponent * kLn2Low + log_m);
}

/// e^x = 2^k e^r with |r| at most ln 2 / 2: 16 terms of the series reach the last bit.
double portable_exp(double x) {
  RR_CHECK(x > -700 && x < 700, "an exponent beyond what a double holds");
  const double scaled = x * (1 / (kLn2High + kLn2Low));
  const int k = static_cast<int>(scaled + (scaled < 0 ? -0.5 : 0.5));
  const double r = (x - k * kLn2High) - k * kLn2Low;
  double sum = 1;
  for (int term = 16; term > 0; --term) sum = 1 + sum * r / term;
  return sum * std::bit_cast<double>(static_cast<std::uint64_t>(k + kExponentBias) << 52);
}

/// Marsaglia's polar method; its second number is not kept, so that a draw depends on the generator alone.
double standard_normal(Rng& rng) {
  while (true) {
    const double x = 2 * rng.unit() - 1;
    const double y = 2 * rng.unit() - 1;
    const double square = x * x + y * y;
    if (square >= 1 || square == 0) continue;
    return x * std::sqrt(-2 * portable_log(square) / square);  // the square root is exact by IEEE 754
  }
}

Distribution Distribution::deterministic(Duration span) {
  Distribution made;
  made.mean_ = span;
  return made;
}

Distribution Distribution::exponential(Duration mean) {
  Distribution made;
  made.shape_ = Shape::kExponential;
  made.mean_ = mean;
  made.squared_cv_ = 1;
  return made;
}

Distribution Distribution::erlang(Duration mean, int stages) {
  RR_CHECK(stages > 0, "an Erlang distribution has stages");
  Distribution made;
  made.shape_ = Shape::kErlang;
  made.mean_ = mean;
  made.stages_ = stages;
  made.squared_cv_ = 1.0 / stages;
  return made;
}

Distribution Distribution::lognormal(Duration mean, double squared_cv) {
  RR_CHECK(squared_cv > 0 && mean > Duration::zero(), "a lognormal distribution varies about a positive mean");
  Distribution made;
  made.shape_ = Shape::kLognormal;
  made.mean_ = mean;
  made.squared_cv_ = squared_cv;
  const double variance = portable_log(1 + squared_cv);
  made.second_ = std::sqrt(variance);
  made.first_ = portable_log(static_cast<double>(mean.count())) - variance / 2;
  return made;
}

Distribution Distribution::hyperexponential(Duration mean, double squared_cv) {
  RR_CHECK(squared_cv >= 1, "a hyperexponential distribution varies at least as an exponential one");
  Distribution made;
  made.shape_ = Shape::kHyperexponential;
  made.mean_ = mean;
  made.squared_cv_ = squared_cv;
  made.first_ = (1 + std::sqrt((squared_cv - 1) / (squared_cv + 1))) / 2;
  made.second_ = static_cast<double>(mean.count()) / (2 * made.first_);
  made.third_ = static_cast<double>(mean.count()) / (2 * (1 - made.first_));
  return made;
}

Duration Distribution::sample(Rng& rng) const {
  switch (shape_) {
    case Shape::kDeterministic:
      return mean_;
    case Shape::kExponential:
      return rounded(unit_exponential(rng) * static_cast<double>(mean_.count()));
    case Shape::kErlang: {
      double sum = 0;
      for (int stage = 0; stage < stages_; ++stage) sum += unit_exponential(rng);
      return rounded(sum * static_cast<double>(mean_.count()) / stages_);
    }
    case Shape::kLognormal:
      return rounded(portable_exp(first_ + second_ * standard_normal(rng)));
    case Shape::kHyperexponential: {
      const double mean = rng.unit() < first_ ? second_ : third_;
      return rounded(unit_exponential(rng) * mean);
    }
  }
  return mean_;
}

}  // namespace rr::sim
