#pragma once
// The event loop and its clock: one loop, one thread, no locks. libuv is included by this folder only.
#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "lb/base/time.h"

namespace rr {

/// Base of what may be handed to Loop::destroy_later.
class Deferred {
 public:
  virtual ~Deferred() = default;
};

/// How many processors this process may use; at least 1.
int processors();

class Loop {
 public:
  /// Ignores SIGPIPE for the process and raises the soft limit of open files to the hard one.
  Loop();
  /// All handles must have been closed by their owners (one that was not is a bug and ends the process); runs the loop
  /// until their close callbacks are through. What was posted and did not run is dropped.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs until stop() or until nothing is left that could happen.
  void run();
  void stop();

  /// The instant at which this pass of the loop began: the wall clock at the loop's start plus the monotonic clock
  /// since.
  Time now() const;
  /// Reads the monotonic clock (about 25 ns): for latencies.
  Time precise_now() const;
  /// Counts how often the loop asked the kernel for events. What is read between two of these had been waiting before
  /// anything was written between them: events are collected before the first of them is handled (unless so many wait
  /// that libuv asks the kernel again at once, which it does beyond 1,024 of them).
  std::uint64_t polls() const;

  /// Destroys the object after the current callback, in order, once a pass: for objects that cannot destroy themselves
  /// as the last thing they do.
  void destroy_later(std::unique_ptr<Deferred> object);
  /// Runs a function after the current callback, before the loop waits again.
  void post(std::function<void()> function);

  /// Where every stream of this loop reads to, 256 KiB: what a callback got lies in it and is gone after that callback.
  std::span<char> read_buffer();
  uv_loop_t* raw();

 private:
  friend class Soon;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rr
