#pragma once
// Runs the control plane in real time: the clock, the timer and the order of things are here and nowhere else.
#include <deque>
#include <functional>
#include <memory>

#include "lb/net/loop.h"
#include "lb/net/timer.h"
#include "sim/cloud/region.h"
#include "sim/world/world.h"

namespace rr::sim {

/// One timer armed to region.next_wake(). What the world reports is queued and applied when the world's callback has
/// returned; what the region then wants done is handed to the world after it has been written down (take_actions() sees
/// to that), and so is every accepted command before its reply leaves.
///
///     world -> event() -> queue -> [loop] -> region.apply ... region.wake -> take_actions -> world.perform
class Driver {
 public:
  Driver(Loop& loop, Region& region, World& world);

  /// Begins to wake the region. `recovered`: the region was read back from a state folder; what ran then is gone.
  void start(bool recovered);
  /// Nothing is applied, woken or performed any more.
  void stop();

  /// An outage of the control plane: commands are refused, nothing is decided and nothing performed. What nodes see and
  /// what is measured meanwhile is never heard of; what began or ended is learned when the outage is over.
  void suspend(bool suspended);

  /// A command of the API. When it returns, an accepted one cannot be lost any more.
  Result<Reply, ApiError> command(const Command& command);
  /// What the world reports.
  void event(const Event& event);

  /// Called after each step, with the region's new state to be read.
  void on_step(std::function<void(Time)> observer);

  /// The region's time: the loop's, moved on when the wall clock has jumped back behind what the region has seen.
  Time now() const;

 private:
  void apply_queued();
  void step();
  void arm();

  Loop& loop_;
  Region& region_;
  World& world_;
  Timer timer_;
  Duration offset_{};
  std::deque<Event> queue_;
  bool running_ = false;
  bool suspended_ = false;
  bool draining_posted_ = false;
  std::function<void(Time)> on_step_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);  // what is posted to the loop may come after us
};

}  // namespace rr::sim
