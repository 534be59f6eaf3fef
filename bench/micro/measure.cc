// Counts allocations by standing before glibc's allocator, so that those of C libraries are seen too.
#include "bench/micro/measure.h"

#include <atomic>
#include <cstddef>

namespace rr::bench {
namespace {

std::atomic<std::uint64_t> made{0};
bool failed = false;

void* count(void* memory) {
  made.fetch_add(1, std::memory_order_relaxed);
  return memory;
}

}  // namespace

std::uint64_t allocations() { return made.load(std::memory_order_relaxed); }

void give_up(benchmark::State& state, const std::string& why) {
  failed = true;
  state.SkipWithError(why.c_str());
}

bool anything_failed() { return failed; }

}  // namespace rr::bench

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);

void* malloc(std::size_t size) { return rr::bench::count(__libc_malloc(size)); }
void* calloc(std::size_t count, std::size_t size) { return rr::bench::count(__libc_calloc(count, size)); }
void* realloc(void* memory, std::size_t size) { return rr::bench::count(__libc_realloc(memory, size)); }
}
