#include "sim/virtual/virtual_run.h"

#include <algorithm>
#include <utility>

#include "sim/cloud/tempo.h"

namespace rr::sim {

Result<Reply, ApiError> VirtualRun::command(const Command& command) {
  if (world_.control_plane_is_out()) {
    return ApiError{"ServiceUnavailable", "The request has failed due to a temporary failure of the server."};
  }
  Result<Reply, ApiError> reply = region_.apply(now_, command);
  step();
  return reply;
}

/// Of the region and of the appointments; the world is let run up to it.
std::optional<Time> VirtualRun::next_instant() const {
  std::optional<Time> next;
  if (!world_.control_plane_is_out()) next = region_.next_wake();
  if (!appointments_.empty() && (!next || appointments_.begin()->first < *next)) next = appointments_.begin()->first;
  return next;
}

void VirtualRun::run_until(Time end) {
  (void)run_until(end, [] { return false; });
}

bool VirtualRun::run_until(Time end, const std::function<bool()>& condition) {
  step();
  while (!condition()) {
    const std::optional<Time> next = next_instant();
    const Time stop = next ? std::min(*next, end) : end;
    now_ = std::max(now_, world_.deliver(stop, events_));
    const bool over = events_.empty() && now_ >= end && (!next || *next > end);
    step();
    check_now_and_then();
    if (over) return condition();
  }
  return true;
}

void VirtualRun::step() {
  unread_.insert(unread_.end(), events_.begin(), events_.end());
  events_.clear();
  while (!appointments_.empty() && appointments_.begin()->first <= now_) {
    const auto what = std::move(appointments_.begin()->second);
    appointments_.erase(appointments_.begin());
    what(now_);
  }
  if (world_.control_plane_is_out()) return;
  for (const Event& event : std::exchange(unread_, {})) {
    region_.apply(now_, event);
    if (observer_ != nullptr) observer_->on_event(now_, event);
  }
  region_.wake(now_);
  for (const Action& action : region_.take_actions()) {
    world_.perform(now_, action);
    if (observer_ != nullptr) observer_->on_action(now_, action);
  }
  if (observer_ != nullptr) observer_->on_step(now_);
}

void VirtualRun::report_metrics() {
  at(now_ + Tempo(region_.state().settings).waits(kMetricPeriod), [this](Time) { reduce_period(); });
}

/// While the control plane is out nobody listens, and a value that is late is of no use.
void VirtualRun::reduce_period() {
  report_metrics();
  const std::vector<MetricReported> metrics = reduction_.reduce(region_.state(), world_.node_counters());
  if (!world_.control_plane_is_out()) unread_.insert(unread_.end(), metrics.begin(), metrics.end());
}

void VirtualRun::check_every(std::uint64_t happenings) {
  check_every_ = happenings;
  next_check_ = world_.happenings() + check_every_;
}

void VirtualRun::check_now_and_then() {
  if (world_.happenings() < next_check_) return;
  next_check_ = world_.happenings() + check_every_;
  world_.check(now_);
}

}  // namespace rr::sim
