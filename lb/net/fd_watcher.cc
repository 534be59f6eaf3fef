#include "lb/net/fd_watcher.h"

#include <utility>

#include "lb/base/check.h"

namespace rr {

FdWatcher::FdWatcher(Loop& loop, int fd, std::function<void()> on_readable)
    : on_readable_(std::move(on_readable)), handle_(this) {
  RR_CHECK(uv_poll_init(loop.raw(), handle_.raw(), fd) == 0, "uv_poll_init: not a descriptor that can be waited for");
  handle_.set_initialised();
  // An error on the descriptor (status < 0; libuv then stops watching) is told too: the owner's read will show it.
  const auto readable = [](uv_poll_t* raw, int, int) noexcept {
    Handle<uv_poll_t, FdWatcher>::call(raw, &FdWatcher::on_readable_);
  };
  RR_CHECK(uv_poll_start(handle_.raw(), UV_READABLE, readable) == 0, "uv_poll_start");
}

void FdWatcher::stop() { handle_.close(); }

}  // namespace rr
