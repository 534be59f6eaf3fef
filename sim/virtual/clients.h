#pragma once
// Those who send requests: open loop (they come whether or not the tier keeps up) or closed loop (each waits for its
// answer), and what they have seen.
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "lb/base/intrusive_list.h"
#include "lb/base/rng.h"
#include "lb/base/time.h"
#include "sim/virtual/call.h"
#include "sim/virtual/distribution.h"
#include "sim/virtual/latency_summary.h"

namespace rr::sim {

struct ClientSettings {
  std::string name = "clients";
  std::string target_group{};  // whose rule its requests match; empty: the load balancer's first
  /// Open loop: the time between two requests. Exponential: a Poisson stream.
  Distribution between = Distribution::exponential(std::chrono::milliseconds(10));
  /// Above 0: a closed loop of so many users; `between` is then how long each thinks.
  int users = 0;
  Duration timeout = std::chrono::minutes(5);
  int retries = 0;                       // at once, after a failure or a time-out
  std::optional<double> retry_budget{};  // retries so far stay below this share of the requests
  Time from{};
  std::optional<Time> until{};
  std::optional<std::uint64_t> requests{};  // no more than that
  Time measured_from{};                     // requests wanted before it are counted, their latency is not
};

/// offered = ok + failed + in flight, always; a request that is retried is still one.
struct ClientTally {
  std::uint64_t offered = 0;
  std::uint64_t ok = 0;
  std::uint64_t failed = 0;  // after all attempts
  std::uint64_t in_flight = 0;
  std::uint64_t attempts = 0;
  std::map<int, std::uint64_t> by_status;  // of attempts that ended; 0: no answer, its connection broke
  std::uint64_t timed_out = 0;             // attempts
  LatencySummary latency;                  // of what was ok, from when it was wanted
  // For Little's law: the integral of `in_flight`, in request seconds, and what all have stayed together.
  double area = 0;
  Duration stay{};
  Time first_arrival{};
  Time last_change{};
  LatencySummary latency_of_send;  // the same from when it was sent: what a closed-loop tool would say
};

class ClientPopulation {
 public:
  ClientPopulation(ClientSettings chosen, Rng chance) : settings(std::move(chosen)), rng(chance) {}

  /// To be called before `in_flight` changes.
  void note_change(Time now) {
    if (tally.offered == 0) tally.first_arrival = now;
    if (tally.offered > 0) tally.area += static_cast<double>(tally.in_flight) * to_seconds(now - tally.last_change);
    tally.last_change = now;
  }
  bool closed_loop() const { return settings.users > 0; }
  /// Whether another request may begin at `now`.
  bool goes_on(Time now) const {
    return (!settings.until || now < *settings.until) && (!settings.requests || tally.offered < *settings.requests);
  }
  bool may_retry(int attempt) const {
    if (attempt >= settings.retries) return false;
    const auto retried = static_cast<double>(tally.attempts - tally.offered);
    return !settings.retry_budget || retried < *settings.retry_budget * static_cast<double>(tally.offered);
  }

  ClientSettings settings;
  Rng rng;
  ClientTally tally;
  IntrusiveList<Call, ClientDeadlineTag> waiting;  // by when they were sent: all have the same timeout
  bool timer_set = false;
  std::uint32_t next_node = 0;
};

}  // namespace rr::sim
