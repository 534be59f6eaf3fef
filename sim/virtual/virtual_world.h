#pragma once
// A world in memory: instances are queues, links are delays, clients are streams of chance, and time is a number. Who
// is healthy, who is picked, which connection is used and how a request ends are decided by lb/policy's own objects,
// the same that rr-lb drives with sockets.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lb/base/journal.h"
#include "lb/policy/exchange_rules.h"
#include "sim/telemetry/metric_reduction.h"
#include "sim/virtual/balancer_group.h"
#include "sim/virtual/clients.h"
#include "sim/virtual/instance.h"
#include "sim/virtual/links.h"
#include "sim/virtual/loss.h"
#include "sim/world/world.h"

namespace rr::sim {

/// How clients find a node.
enum class Front : std::uint8_t {
  kDns,     // they go to one that is in DNS, and fail with it
  kShared,  // as on one machine, where all nodes accept on one socket: only to one that runs
};

struct VirtualWorldSettings {
  std::vector<Zone> zones;
  LinkSettings links{};
  InstanceProfile profile{};
  std::map<std::string, InstanceProfile> profiles{};  // of images, by their commit; others have `profile`
  Front front = Front::kDns;
  Duration node_start = std::chrono::seconds(1);
  /// How soon what a node has seen reaches the control plane.
  Duration observation = std::chrono::seconds(1);
};

/// Instead of the group's own choice: for laws that no ALB has an algorithm for, and for policies that are wrong.
using Chooser = std::function<std::optional<TargetId>(Time, Rng&, BalancerGroup&)>;

/// What has been done since the beginning.
struct WorldCounters {
  std::uint64_t happenings = 0;
  std::uint64_t exchanges = 0;
  std::uint64_t probes = 0;
  std::uint64_t reused_connections = 0;
  std::uint64_t fresh_connections = 0;
  std::map<ExchangeCause, std::uint64_t> causes;  // how exchanges ended
  bool operator==(const WorldCounters&) const = default;
};

class VirtualWorld final : public World {
 public:
  /// Every draw follows from `seed`. The journal may be nobody's (nullptr).
  VirtualWorld(VirtualWorldSettings settings, std::uint64_t seed, Journal* journal);
  ~VirtualWorld() override;

  void perform(Time now, const Action& action) override;
  Status inject(Time now, const Fault& fault) override;
  Status heal(Time now, const FaultTarget& target) override;
  std::vector<FaultStatus> faults() const override;

  /// A new stream of requests; returns its number.
  std::size_t add_clients(Time now, ClientSettings clients);
  const ClientTally& tally(std::size_t clients) const;

  std::optional<Time> next_happening() const;
  /// Lets happen what is due until `until`, and stops with the first instant that has something to report: it is
  /// appended to `out`. Returns the time that was reached.
  Time deliver(Time until, std::vector<Event>& out);

  const WorldCounters& counters() const;
  std::uint64_t happenings() const;
  /// What each running node would say of its counters.
  std::vector<NodeCounters> node_counters() const;
  void set_chooser(Chooser chooser);
  /// Faults of the world itself, in the middle of a request: what the invariants found wrong, the first few.
  const std::vector<std::string>& violations() const;
  /// Attempts that failed, by what they were lost to; together as many as clients had no good answer to.
  std::vector<Loss> losses() const;
  /// Looks at everything: whether the sums that are kept agree with what they are sums of.
  void check(Time now);

  /// Whether a fault keeps the control plane from doing anything; VirtualRun sees to it.
  bool control_plane_is_out() const;

  /// For reading.
  const BalancerGroup* group(const std::string& node, const std::string& target_group) const;
  const VirtualInstance* instance(const InstanceId& id) const;
  /// Living instances, by id.
  std::vector<InstanceId> living() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace rr::sim
