#include "lb/net/timer.h"

#include <utility>

#include "lb/base/check.h"

namespace rr {

Timer::Timer(Loop& loop, std::function<void()> on_due) : loop_(loop), on_due_(std::move(on_due)), handle_(this) {
  RR_CHECK(uv_timer_init(loop.raw(), handle_.raw()) == 0, "uv_timer_init");
  handle_.set_initialised();
}

void Timer::arm(Duration delay) {
  const auto rounded_up = std::chrono::ceil<std::chrono::milliseconds>(delay).count();
  const std::uint64_t milliseconds = rounded_up > 0 ? static_cast<std::uint64_t>(rounded_up) : 0;
  const auto due = [](uv_timer_t* raw) noexcept { Handle<uv_timer_t, Timer>::call(raw, &Timer::on_due_); };
  RR_CHECK(uv_timer_start(handle_.raw(), due, milliseconds, 0) == 0, "uv_timer_start");
}

void Timer::arm_at(Time when) { arm(when - loop_.now()); }
void Timer::disarm() { uv_timer_stop(handle_.raw()); }
bool Timer::armed() const { return uv_is_active(reinterpret_cast<const uv_handle_t*>(handle_.raw())) != 0; }

}  // namespace rr
