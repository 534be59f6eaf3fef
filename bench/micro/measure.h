#pragma once
// A benchmark with its allocations: those of a request's way have none.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

namespace rr::bench {

/// Calls of malloc, calloc and realloc in this process so far.
std::uint64_t allocations();

enum class Allocates : std::uint8_t { kNever, kSometimes };

/// Ends this benchmark as one that failed: the program will end with 1.
void give_up(benchmark::State& state, const std::string& why);
bool anything_failed();

/// Measures `body`, which says whether it came out right. It runs twice before: what is kept from then on (room in a
/// string, a table that is built once) is not part of the steady state. The counter `allocations` is how many there
/// were each time.
template <class Body>
void measure(benchmark::State& state, Body body, Allocates allocates = Allocates::kNever) {
  bool right = body() && body();
  const std::uint64_t before = allocations();
  for (auto _ : state) right &= body();
  const std::uint64_t made = allocations() - before;
  state.counters["allocations"] = benchmark::Counter(static_cast<double>(made), benchmark::Counter::kAvgIterations);
  const bool too_many = allocates == Allocates::kNever && made > 0;
  if (!right) return give_up(state, "it did not come out right");
  if (too_many) give_up(state, "it allocates, on the way of a request");
}

}  // namespace rr::bench
