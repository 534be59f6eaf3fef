#pragma once
// A web server that is not there: a queue, workers, a boot time, and what a fault makes of them.
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "lb/base/address.h"
#include "lb/base/ids.h"
#include "lb/base/rng.h"
#include "lb/base/time.h"
#include "sim/virtual/distribution.h"
#include "sim/virtual/links.h"
#include "sim/virtual/loss.h"

namespace rr::sim {

/// How the instances of an image behave.
struct InstanceProfile {
  Distribution boot = Distribution::deterministic(std::chrono::seconds(2));  // from running until it listens
  Distribution service = Distribution::exponential(std::chrono::milliseconds(10));
  int workers = 1;                                      // requests that are served at a time
  std::optional<std::uint32_t> queue_limit{};           // requests that wait; beyond it the answer is 503
  std::optional<std::uint32_t> connection_limit{};      // beyond it connections are refused
  std::optional<Duration> keep_alive{};                 // an idle connection is closed after it; none: never
  Duration health_time = std::chrono::milliseconds(1);  // a health check waits for no worker
  int health_status = 200;                              // what a health check is answered
  double error_share = 0;                               // of requests, answered 500
  Duration error_time{};                                // what such an answer takes; it waits for no worker
  Duration stop_grace = std::chrono::seconds(10);       // for what it is serving when it is told to end
  bool operator==(const InstanceProfile&) const = default;
};

/// What faults make of the way between nodes and an instance.
struct LinkFaults {
  Duration latency{};  // of what the instance sends
  Duration jitter{};   // likewise, up to so much
  double loss = 0;     // share of what is sent, both ways
  double reset = 0;    // share of connections, reset with their first request
  bool refuse = false;
  bool blackhole = false;
  bool operator==(const LinkFaults&) const = default;
  bool quiet() const { return *this == LinkFaults{}; }
  /// Both at once.
  void add(const LinkFaults& other);
};

/// What faults make of an instance.
struct InstanceFaults {
  bool hung = false;            // frozen: connections are accepted, nothing is answered
  Duration slow{};              // every answer comes so much later, health checks' too
  double error_share = 0;       // of the answers to requests
  bool health_failure = false;  // health checks are answered 503, requests are served
  double gray = 0;              // share of requests and health checks that fail
  LinkFaults link{};            // on the way from and to every node
  bool operator==(const InstanceFaults&) const = default;
};

/// What a health check meets of an instance that no fault touches. The world has those of all instances in a row.
struct CheckedInstance {
  Time listens_from = Time::max();  // never, unless it runs
  Duration health_time{};
  int health_status = 0;
  Place zone = 0;
  bool faulty = true;  // it has to be asked itself
  bool operator==(const CheckedInstance&) const = default;
};

/// The reference to a request: a handle of the world's calls.
using CallHandle = std::uint64_t;

class VirtualInstance {
 public:
  enum class Phase : std::uint8_t { kStarting, kRunning, kStopping, kStopped };
  /// What became of a request that arrived.
  enum class Taken : std::uint8_t { kServing, kWaiting, kHeld, kOverloaded };

  VirtualInstance(InstanceId id, Place zone, InstanceProfile profile)
      : zone_(zone), profile_(std::move(profile)), id_(std::move(id)) {}

  const InstanceId& id() const { return id_; }
  Place zone() const { return zone_; }
  const InstanceProfile& profile() const { return profile_; }
  Phase phase() const { return phase_; }
  void to(Phase phase);
  /// The process exists.
  bool alive() const { return phase_ == Phase::kRunning || phase_ == Phase::kStopping; }

  /// As it is now.
  CheckedInstance checked() const;

  /// A request. kServing: the caller ends the service after service_time(); kHeld: nothing happens while it is hung.
  Taken take(CallHandle call);
  /// A service is over; while it is hung that is only noted. Returns whether it counts now.
  bool end_service(CallHandle call);
  /// The next one that waits and for whom there is a worker.
  std::optional<CallHandle> next_to_serve();
  Duration service_time(Rng& rng) const;
  /// Goes on after a hang: the services that ended meanwhile, to be ended again by the caller.
  std::vector<CallHandle> thaw();

  int busy() const { return busy_; }
  std::size_t waiting() const { return waiting_.size(); }

  InstanceFaults faults;
  Time ready_at{};  // when it begins to listen

 private:
  Place zone_;
  Phase phase_ = Phase::kStarting;
  InstanceProfile profile_;

 public:
  std::string commit;
  std::string host_name;
  Address address;
  bool unheard = false;           // it ended where nobody tells
  Blame ended_by{};               // a fault that killed it
  bool waits = false;             // launched in a zone that stands still: it runs when that is over
  std::uint32_t connections = 0;  // open ones, as it sees them

 private:
  InstanceId id_;
  std::deque<CallHandle> waiting_;
  std::vector<CallHandle> frozen_;
  int busy_ = 0;
};

}  // namespace rr::sim
