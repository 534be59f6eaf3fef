#pragma once
// For loops over more objects than a cache holds: what comes next is fetched while what is at hand is worked on.
#include <algorithm>
#include <cstddef>

namespace rr {

/// Asks for the first `bytes` of an object that will soon be used. Changes nothing else; it may be nullptr.
template <class Object>
void prefetch(const Object* object, std::size_t bytes = sizeof(Object)) {
  constexpr std::size_t kCacheLine = 64;
  const char* at = reinterpret_cast<const char*>(object);
  for (std::size_t offset = 0; offset < std::min(bytes, sizeof(Object)); offset += kCacheLine) {
    __builtin_prefetch(at + offset);
  }
}

}  // namespace rr
