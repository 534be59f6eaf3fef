#include "lb/net/signal_watcher.h"

#include <utility>

#include "lb/base/check.h"

namespace rr {

SignalWatcher::SignalWatcher(Loop& loop, int signal_number, std::function<void()> on_signal)
    : on_signal_(std::move(on_signal)), handle_(this) {
  RR_CHECK(uv_signal_init(loop.raw(), handle_.raw()) == 0, "uv_signal_init");
  handle_.set_initialised();
  const auto arrived = [](uv_signal_t* raw, int) noexcept {
    Handle<uv_signal_t, SignalWatcher>::call(raw, &SignalWatcher::on_signal_);
  };
  RR_CHECK(uv_signal_start(handle_.raw(), arrived, signal_number) == 0, "uv_signal_start");
}

}  // namespace rr
