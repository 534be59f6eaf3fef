#pragma once
// Objects that come and go by the million, at places that stay: a handle tells whether its object is still the same.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace rr::sim {

/// `T` has members `std::uint32_t index, generation`, kept by the slab, and `reset()`, which is called when it goes.
template <class T>
class Slab {
 public:
  T& take() {
    ++in_use_;
    if (!free_.empty()) {
      T& again = objects_[free_.back()];
      free_.pop_back();
      return again;
    }
    T& made = objects_.emplace_back();
    made.index = static_cast<std::uint32_t>(objects_.size() - 1);
    return made;
  }
  void give_back(T& object) {
    object.reset();
    ++object.generation;
    free_.push_back(object.index);
    --in_use_;
  }

  static std::uint64_t handle(const T& object) { return std::uint64_t{object.generation} << 32 | object.index; }
  /// nullptr when the object has gone.
  T* find(std::uint64_t handle) {
    T& object = objects_[handle & 0xffff'ffffU];
    return object.generation == handle >> 32 ? &object : nullptr;
  }
  std::size_t in_use() const { return in_use_; }

 private:
  std::deque<T> objects_;
  std::vector<std::uint32_t> free_;
  std::size_t in_use_ = 0;
};

}  // namespace rr::sim
