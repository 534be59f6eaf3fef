#pragma once
// One timer. Deadlines are kept by their owners; a timer is armed for the next of them, not for each.
#include <functional>

#include "lb/net/handle.h"
#include "lb/net/loop.h"

namespace rr {

class Timer {
 public:
  Timer(Loop& loop, std::function<void()> on_due);
  Timer(const Timer&) = delete;  // the handle points back to this object, which therefore stays where it is
  Timer& operator=(const Timer&) = delete;
  /// Due once after `delay` (rounded up to a millisecond; at once when it is not positive). Replaces an earlier arming.
  void arm(Duration delay);
  /// Due at an instant of Loop::now()'s scale.
  void arm_at(Time when);
  void disarm();
  bool armed() const;

 private:
  Loop& loop_;
  std::function<void()> on_due_;
  Handle<uv_timer_t, Timer> handle_;
};

}  // namespace rr
