#pragma once
// Open-loop load: requests leave at a constant rate, whether or not the ones before have been answered.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "lb/base/address.h"
#include "lb/net/loop.h"
#include "sim/scenario/load_statistics.h"

namespace rr::sim {

struct LoadSettings {
  double rate = 20;  // requests a second
  std::string path = "/";
  /// Never more than so many at a time; one that is due beyond it is counted as not sent.
  std::size_t most_outstanding = 1000;
  /// Longer than the balancer waits for a connection to a target (10 s), so that its 504 is seen.
  Duration timeout = std::chrono::seconds(15);
};

/// Each request is a client of its own: it comes over a new connection, and carries a trace id of its own
/// (X-Amzn-Trace-Id: Root=1-...), under which the nodes' access logs have it.
class OpenLoopLoad {
 public:
  OpenLoopLoad(Loop& loop, Address to, LoadSettings settings);
  /// Abandons what is outstanding.
  ~OpenLoopLoad();

  void start();
  /// No request leaves any more; calls back when the last has been answered or given up.
  void stop(std::function<void()> on_stopped);
  void set_rate(double rate);
  double rate() const;
  std::size_t outstanding() const;

  /// Called for every finished request.
  void on_sample(std::function<void(const LoadSample&)> observer);
  const LoadStatistics& statistics() const;
  /// What came since the last call, for a line a second.
  LoadStatistics take_recent();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// "1-67891233-abcdef012345678912345678": the Root of an X-Amzn-Trace-Id.
std::string make_trace_root(Time time, std::uint64_t run, std::uint64_t number);

}  // namespace rr::sim
