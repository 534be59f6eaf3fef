// bench_micro: as Google Benchmark's own main, but that it ends with 1 when a benchmark failed.
#include <benchmark/benchmark.h>

#include "bench/micro/measure.h"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return rr::bench::anything_failed() ? 1 : 0;
}
