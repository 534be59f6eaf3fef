#pragma once
#include <functional>

#include "lb/net/handle.h"
#include "lb/net/loop.h"

namespace rr {

/// Calls back in the loop for every arrival of a signal.
class SignalWatcher {
 public:
  SignalWatcher(Loop& loop, int signal_number, std::function<void()> on_signal);

 private:
  std::function<void()> on_signal_;
  Handle<uv_signal_t, SignalWatcher> handle_;
};

}  // namespace rr
