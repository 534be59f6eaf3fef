#include "sim/scenario/driver.h"

#include <algorithm>

namespace rr::sim {

Driver::Driver(Loop& loop, Region& region, World& world)
    : loop_(loop), region_(region), world_(world), timer_(loop, [this] { step(); }) {
  offset_ = std::max(Duration{}, region.state().as_of - loop.now());
}

Time Driver::now() const { return loop_.now() + offset_; }

void Driver::start(bool recovered) {
  running_ = true;
  if (recovered) region_.recover(now());
  step();
}

void Driver::stop() {
  running_ = false;
  timer_.disarm();
  queue_.clear();
}

namespace {

/// What is of no use when it is heard late.
bool is_of_the_moment(const Event& event) {
  return std::holds_alternative<TargetHealthReported>(event) || std::holds_alternative<MetricReported>(event);
}

}  // namespace

void Driver::suspend(bool suspended) {
  if (suspended == suspended_) return;
  suspended_ = suspended;
  if (suspended) return timer_.disarm();
  apply_queued();
}

Result<Reply, ApiError> Driver::command(const Command& command) {
  if (suspended_)
    return ApiError{"ServiceUnavailable", "The request has failed due to a temporary failure of the server."};
  Result<Reply, ApiError> reply = region_.apply(now(), command);
  if (running_) step();
  return reply;
}

void Driver::event(const Event& event) {
  if (!running_ || (suspended_ && is_of_the_moment(event))) return;
  queue_.push_back(event);
  if (draining_posted_ || suspended_) return;
  draining_posted_ = true;
  loop_.post([this, alive = std::weak_ptr<int>(alive_)] {
    if (alive.expired()) return;
    draining_posted_ = false;
    apply_queued();
  });
}

void Driver::apply_queued() {
  if (!running_ || suspended_) return;
  while (!queue_.empty()) {
    const Event event = std::move(queue_.front());
    queue_.pop_front();
    region_.apply(now(), event);
  }
  step();
}

void Driver::step() {
  if (!running_ || suspended_) return;
  region_.wake(now());
  for (const Action& action : region_.take_actions()) world_.perform(loop_.now(), action);
  arm();
  if (on_step_) on_step_(now());
}

void Driver::arm() {
  const std::optional<Time> wake = region_.next_wake();
  if (wake) {
    timer_.arm_at(*wake - offset_);
  } else {
    timer_.disarm();
  }
}

void Driver::on_step(std::function<void(Time)> observer) { on_step_ = std::move(observer); }

}  // namespace rr::sim
