#include "lb/policy/load_tree.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "lb/base/check.h"

namespace rr {
namespace {
constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();
}

void LoadTree::reserve(std::size_t places) { nodes_.reserve(2 * std::bit_ceil(places)); }

void LoadTree::clear(std::size_t places) {
  width_ = std::bit_ceil(places);
  nodes_.assign(2 * width_, kNobody);
  for (std::size_t place = 0; place < places; ++place) nodes_[width_ + place] = 0;
  for (std::size_t node = width_ - 1; node > 0; --node) {
    nodes_[node] = std::min(nodes_[2 * node], nodes_[2 * node + 1]);
  }
}

void LoadTree::set(std::size_t place, std::uint32_t load) {
  std::size_t node = width_ + place;
  nodes_[node] = load;
  for (node /= 2; node > 0; node /= 2) {
    const std::uint32_t least = std::min(nodes_[2 * node], nodes_[2 * node + 1]);
    if (nodes_[node] == least) return;
    nodes_[node] = least;
  }
}

std::size_t LoadTree::least_from(std::size_t from) const {
  RR_CHECK(nodes_.size() > 1 && nodes_[1] != kNobody, "the least of nobody");
  const std::uint32_t least = nodes_[1];
  std::size_t node = width_ + from;
  // Up until there is one to the right, then down to the first.
  while (nodes_[node] != least) {
    while (node % 2 == 1 && node > 1) node /= 2;  // right children have nobody to their right
    if (node <= 1) {
      node = 1;  // the end: from the beginning
      break;
    }
    ++node;
  }
  while (node < width_) node = nodes_[2 * node] == least ? 2 * node : 2 * node + 1;
  return node - width_;
}

}  // namespace rr
