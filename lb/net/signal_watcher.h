#pragma once
#include <functional>

#include "lb/net/handle.h"
#include "lb/net/loop.h"

namespace rr {

/// Calls back in the loop for every arrival of a signal.
class SignalWatcher {
 public:
  SignalWatcher(Loop& loop, int signal_number, std::function<void()> on_signal);
  SignalWatcher(const SignalWatcher&) =
      delete;  // the handle points back to this object, which therefore stays where it is
  SignalWatcher& operator=(const SignalWatcher&) = delete;

 private:
  std::function<void()> on_signal_;
  Handle<uv_signal_t, SignalWatcher> handle_;
};

}  // namespace rr
