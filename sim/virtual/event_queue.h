#pragma once
// What is still to happen, by time; what is due at one instant happens in the order in which it was put in.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "lb/base/check.h"
#include "lb/base/time.h"

namespace rr::sim {

/// A heap of four children a node: half as deep as one of two, and a node's children lie beside each other. Push and
/// pop cost O(log n); nothing is taken out but at the front, so what is no longer wanted must be recognised when it
/// comes.
template <class Payload>
class EventQueue {
 public:
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  std::uint64_t pushes() const { return sequence_; }  // so far
  /// There must be one.
  Time next() const { return heap_.front().time; }

  void push(Time time, const Payload& payload) {
    heap_.push_back({time, ++sequence_, payload});
    std::size_t at = heap_.size() - 1;
    const Entry entry = heap_[at];
    while (at > 0) {
      const std::size_t parent = (at - 1) / kChildren;
      if (!entry.before(heap_[parent])) break;
      heap_[at] = heap_[parent];
      at = parent;
    }
    heap_[at] = entry;
  }

  /// The earliest one, the first of those put in with its time.
  Payload pop() {
    RR_CHECK(!heap_.empty(), "nothing is left to happen");
    const Payload first = heap_.front().payload;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sink(last);
    return first;
  }

 private:
  static constexpr std::size_t kChildren = 4;

  struct Entry {
    Time time;
    std::uint64_t sequence;
    Payload payload;
    bool before(const Entry& other) const { return time != other.time ? time < other.time : sequence < other.sequence; }
  };

  void sink(const Entry& entry) {
    const std::size_t size = heap_.size();
    std::size_t at = 0;
    while (true) {
      const std::size_t first = at * kChildren + 1;
      if (first >= size) break;
      std::size_t least = first;
      for (std::size_t child = first + 1; child < size && child < first + kChildren; ++child) {
        if (heap_[child].before(heap_[least])) least = child;
      }
      if (!heap_[least].before(entry)) break;
      heap_[at] = heap_[least];
      at = least;
    }
    heap_[at] = entry;
  }

  std::vector<Entry> heap_;
  std::uint64_t sequence_ = 0;
};

}  // namespace rr::sim
