#pragma once
// A law of queueing, balancing or failover, measured in the virtual world beside what theory says.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rr::sim {

/// How long is measured: enough for a test beside others, or until the tolerances of the literature hold.
enum class Effort : std::uint8_t { kQuick, kFull };

/// One measured number beside the one that theory says.
struct LawRow {
  std::string what;  // "4 servers, load 0.8"
  std::string quantity;
  double theory = 0;
  double measured = 0;
  double tolerance = 0;  // absolute; with `at_most` or `at_least` measured may be beyond theory by that much
  enum class Kind : std::uint8_t { kEqual, kAtMost, kAtLeast } kind = Kind::kEqual;
  std::uint64_t samples = 0;

  bool holds() const {
    switch (kind) {
      case Kind::kEqual:
        return measured >= theory - tolerance && measured <= theory + tolerance;
      case Kind::kAtMost:
        return measured <= theory + tolerance;
      case Kind::kAtLeast:
        return measured >= theory - tolerance;
    }
    return false;
  }
};

struct Law {
  std::string_view name;     // as typed: "mm1"
  std::string_view title;    // "M/M/1: random choice"
  std::string_view formula;  // in one line
  std::vector<LawRow> (*measure)(Effort effort, std::uint64_t seed);
};

/// All of them, in the order of the table.
std::span<const Law> laws();

/// The seed that the published table was made with.
constexpr std::uint64_t kLawSeed = 20'261'126;

}  // namespace rr::sim
