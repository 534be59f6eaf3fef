#pragma once
// Who has the least to do, found in O(log n) among any number of targets.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rr {

/// A number for each place of a list, and above them a tree of the lower one of each two:
///
///                 1                  the least of all
///             1       2
///           3   1   2   2
///     place 0   1   2   3
///
/// Nothing here allocates within what was reserved.
class LoadTree {
 public:
  void reserve(std::size_t places);
  /// So many places, each without load.
  void clear(std::size_t places);
  void set(std::size_t place, std::uint32_t load);
  /// The first place from `from` on that has the least load; behind the last one it goes on with the first. There must
  /// be a place.
  std::size_t least_from(std::size_t from) const;

 private:
  std::size_t width_ = 0;             // places, rounded up to a power of two
  std::vector<std::uint32_t> nodes_;  // [1] is the root, [width_ + place] a place
};

}  // namespace rr
