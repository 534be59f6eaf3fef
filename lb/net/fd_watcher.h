#pragma once
#include <functional>

#include "lb/net/handle.h"
#include "lb/net/loop.h"

namespace rr {

/// Calls back while a descriptor (a pipe, a socket pair, a pidfd) is readable. Does not own the descriptor.
class FdWatcher {
 public:
  FdWatcher(Loop& loop, int fd, std::function<void()> on_readable);
  FdWatcher(const FdWatcher&) = delete;  // the handle points back to this object, which therefore stays where it is
  FdWatcher& operator=(const FdWatcher&) = delete;
  void stop();

 private:
  std::function<void()> on_readable_;
  Handle<uv_poll_t, FdWatcher> handle_;
};

}  // namespace rr
