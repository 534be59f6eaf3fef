#pragma once
// Runs the control plane and a world in virtual time: as fast as the machine goes, the same way every time.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "lb/base/time.h"
#include "sim/cloud/region.h"
#include "sim/telemetry/metric_reduction.h"
#include "sim/virtual/virtual_world.h"

namespace rr::sim {

/// What is looked at while a run goes on.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void on_event(Time, const Event&) {}
  virtual void on_action(Time, const Action&) {}
  /// After each instant at which the control plane did something.
  virtual void on_step(Time) {}
};

/// Virtual time's driver.
///
///     next = the earliest of: the world's next event, the region's next wake, the next appointment
///     world.deliver -> events -> region.apply; region.wake; region.take_actions -> world.perform
class VirtualRun {
 public:
  /// The full check of the world is made every so many of its happenings.
  static constexpr std::uint64_t kCheckEvery = 1'000;

  VirtualRun(Time start, Region& region, VirtualWorld& world, RunObserver* observer = nullptr)
      : now_(start), region_(region), world_(world), observer_(observer) {}

  Time now() const { return now_; }
  /// Something to be done at a time, after what happens then by itself. Equal times in the order of the calls.
  void at(Time time, std::function<void(Time)> what) { appointments_.emplace(time, std::move(what)); }
  /// Refused while the control plane is out.
  Result<Reply, ApiError> command(const Command& command);

  void run_until(Time end);
  void run_for(Duration span) { run_until(now_ + span); }
  /// Until it is true, looked at after each step of the control plane; false when it is not by `end`.
  bool run_until(Time end, const std::function<bool()>& condition);

  /// From now on each period (kMetricPeriod, divided by the speed) is reduced to one value a metric, as rr-sim does it:
  /// what has alarms needs it, what has none saves the work. To be called once.
  void report_metrics();

  /// Full checks cost the size of the tier.
  void check_every(std::uint64_t happenings);

 private:
  std::optional<Time> next_instant() const;
  void step();
  void check_now_and_then();
  void reduce_period();

  Time now_;
  Region& region_;
  VirtualWorld& world_;
  RunObserver* observer_;
  std::multimap<Time, std::function<void(Time)>> appointments_;
  std::vector<Event> events_;  // delivered just now
  std::vector<Event> unread_;  // while the control plane is out
  MetricReduction reduction_;
  std::uint64_t check_every_ = kCheckEvery;
  std::uint64_t next_check_ = kCheckEvery;
};

}  // namespace rr::sim
