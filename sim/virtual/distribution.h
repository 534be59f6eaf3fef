#pragma once
// How long something takes, when chance decides it. The standard's distributions differ from compiler to compiler, and
// so do the last bits of its log and exp; these are our own, of nothing but IEEE's exact operations, so that a seed
// means the same run everywhere.
#include <cstdint>

#include "lb/base/rng.h"
#include "lb/base/time.h"

namespace rr::sim {

/// The natural logarithm of a positive, normal number; within 2 units of the last place.
double portable_log(double x);
/// e^x for |x| up to 700, within 1e-15 of it.
double portable_exp(double x);

/// A span drawn anew each time, in whole nanoseconds, never negative. The squared coefficient of variation (variance by
/// the mean's square) is what queueing theory asks for:
///
///     deterministic 0     Erlang of k stages 1/k     exponential 1     lognormal and hyperexponential: as wanted
class Distribution {
 public:
  enum class Shape : std::uint8_t { kDeterministic, kExponential, kErlang, kLognormal, kHyperexponential };

  Distribution() = default;  // always 0
  static Distribution deterministic(Duration span);
  static Distribution exponential(Duration mean);
  /// The sum of `stages` (at least 1) equal exponential ones.
  static Distribution erlang(Duration mean, int stages);
  static Distribution lognormal(Duration mean, double squared_cv);
  /// One of two exponential ones, with balanced means; squared_cv is at least 1.
  static Distribution hyperexponential(Duration mean, double squared_cv);

  Duration sample(Rng& rng) const;
  Duration mean() const { return mean_; }
  Shape shape() const { return shape_; }
  double squared_cv() const { return squared_cv_; }
  bool operator==(const Distribution&) const = default;

 private:
  Shape shape_ = Shape::kDeterministic;
  Duration mean_{};
  int stages_ = 1;
  double squared_cv_ = 0;
  // Of the two that need more than a mean: lognormal's mu and sigma, hyperexponential's share and the two means.
  double first_ = 0;
  double second_ = 0;
  double third_ = 0;
};

/// A number of the standard normal distribution.
double standard_normal(Rng& rng);

}  // namespace rr::sim
