#pragma once
// A tier for laws: nodes and instances without a control plane, configured once, all healthy, and left alone.
#include <cstdint>
#include <string>
#include <vector>

#include "lb/base/journal.h"
#include "sim/virtual/virtual_world.h"

namespace rr::sim {

struct LawTierSettings {
  int instances = 1;  // spread over the zones in turn
  int zones = 1;      // with a node each
  InstanceProfile profile{};
  Algorithm algorithm = Algorithm::kRoundRobin;
  LinkSettings links{};
  HealthCheck health_check{};  // as few as possible by default: they are no part of most laws
  Duration idle_timeout = std::chrono::hours(1);
  Duration network_delay{};
  Front front = Front::kDns;
  /// The checks of each target by each node begin at a time of their own within it; else all at once.
  Duration checks_begin_within{};
};

class LawTier {
 public:
  LawTier(LawTierSettings settings, std::uint64_t seed);

  /// When everything was healthy.
  Time now() const { return now_; }
  VirtualWorld& world() { return world_; }
  Journal& journal() { return journal_; }
  const std::vector<InstanceId>& instances() const { return ids_; }
  const std::vector<Zone>& zones() const { return zones_; }
  static std::string node(const Zone& zone);

  std::size_t add_clients(ClientSettings clients) { return world_.add_clients(now_, std::move(clients)); }
  void run_for(Duration span);
  /// Until no request is under way any more (at most a day).
  void run_dry(std::size_t clients);
  const ClientTally& tally(std::size_t clients) const { return world_.tally(clients); }

 private:
  void start(const LawTierSettings& settings, std::uint64_t seed);
  void configure(const LawTierSettings& settings, std::uint64_t seed);

  std::vector<Zone> zones_;
  Journal journal_;
  VirtualWorld world_;
  std::vector<InstanceId> ids_;
  std::vector<TargetSpec> specs_;
  Time now_{std::chrono::seconds(1'700'000'000)};
  std::vector<Event> events_;
};

}  // namespace rr::sim
