#pragma once
// How much of an equal share of the requests a target is given: in parts of a million, so that shares are exact.
#include <cstdint>

namespace rr {

constexpr std::uint32_t kFullWeight = 1'000'000;

}  // namespace rr
