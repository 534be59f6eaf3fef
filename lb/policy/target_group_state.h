#pragma once
// The inside of TargetGroup, for its own source files only: target_group.cc (registration, probes, draining) and
// target_group_routing.cc (whom a request may be given to).
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lb/policy/anomaly_detection.h"
#include "lb/policy/balancer.h"
#include "lb/policy/deadlines.h"
#include "lb/policy/target_group.h"

namespace rr {

/// A target's identity; looked up without copying the id.
struct TargetKey {
  std::string id;
  std::uint16_t port;
};
using TargetKeyView = std::pair<std::string_view, std::uint16_t>;
struct TargetKeyOrder {
  using is_transparent = void;
  static TargetKeyView view(const TargetKey& key) { return {key.id, key.port}; }
  static TargetKeyView view(const TargetKeyView& key) { return key; }
  bool operator()(const auto& a, const auto& b) const { return view(a) < view(b); }
};

struct TargetRecord {
  TargetId target;
  TargetSpec spec;
  StickyName sticky_name = 0;
  HealthState health_state;
  Anomaly anomaly;
  Time since{};
  bool draining = false;
  std::optional<TargetReason> unused;     // why it is not in use, if it is not
  Deadline deadline;                      // of the next probe, or while draining of the end of the delay
  std::optional<Deadline> heard_of_late;  // draining, but requests go on until then: propagation_delay
  bool founder = false;                   // came with others to a group without targets: no slow start the first time
  std::optional<Deadline> slow_start_ends;
  Time slow_since{};              // meaningful with slow_start_ends
  bool in_scope = false;          // counted in State::active
  bool healthy_in_scope = false;  // counted in State::healthy
  std::uint32_t outstanding = 0;
  std::uint64_t last_started = 0;           // sequence of the newest probe
  std::uint64_t last_applied = 0;           // outcomes up to this sequence no longer count
  std::optional<Time> last_probe;           // when the newest probe was due
  std::optional<TargetSpec> returns_as;     // registered again while draining
  std::uint64_t desired_in_generation = 0;  // of set_targets

  /// As the API shows it.
  Health health() const;
};

struct TargetGroup::State {
  TargetGroupSettings settings;
  GroupPlace place;
  Journal* journal = nullptr;
  Balancer balancer;
  bool routing_is_stale = false;
  std::unordered_map<std::uint32_t, TargetRecord> records;  // looked up, never iterated
  std::vector<TargetRecord*> in_order;                      // of registration, which is ascending by TargetId
  std::map<TargetKey, TargetId, TargetKeyOrder> by_key;
  std::map<StickyName, TargetId> by_sticky_name;
  Deadlines probes;
  Deadlines drains;
  Deadlines heard_of_late;
  Deadlines slow_starts;
  bool shift_applies = false;  // to targets: cross-zone is on, and there are targets in other zones
  std::size_t active = 0;      // targets in the scope of this node
  std::size_t healthy = 0;     // of these
  std::uint32_t last_target = 0;
  std::uint64_t last_sequence = 0;
  std::uint64_t generation = 0;
  bool founding = false;  // the present set_targets() found no targets
  std::uint64_t unhealthy_routing_requests = 0;
  std::vector<Candidate> routable;     // room for rebuilding
  std::optional<Time> next_judgement;  // of anomalies
  Time routing_changes{};              // when advance() next has something to do; a pick looks at nothing else

  TargetRecord* record(TargetId target) {
    const auto found = records.find(target.value);
    return found == records.end() ? nullptr : &found->second;
  }
  void write(Time now, const TargetRecord& record, const Health& from, const Health& to);

  // target_group.cc
  void register_target(Time now, const TargetSpec& spec);
  void take_over(TargetRecord& record, const TargetSpec& spec);
  void begin_drain(Time now, TargetRecord& record);
  void reconcile_one(Time now, const TargetSpec& spec);
  void forget(Time now, TargetRecord& record);
  void begin_probes(Time now, TargetRecord& record);
  TargetChange take_transition(Time now, TargetRecord& record, const Transition& transition);
  std::optional<TargetReason> unused_because(const TargetSpec& spec) const;
  /// Follows whether the target is in use: its probes begin or end.
  void follow_use(Time now, TargetRecord& record);

  // target_group_routing.cc
  bool stands_in_scope(const TargetRecord& record) const;
  bool routes_to(const TargetRecord& record) const {
    return failing_open() ? record.in_scope : record.healthy_in_scope;
  }
  bool failing_open() const;
  AdministrativeOverride administrative_override(const TargetRecord& record) const;
  /// To be called after whatever changed of a target: counts it where it belongs now.
  void recount(TargetRecord& record);
  /// The same for all of them, after a change of what decides about the scope.
  void recount_all(Time now);
  bool shift_concerns_targets() const;
  void configure_balancer();
  void begin_slow_start(Time now, TargetRecord& record);
  void end_slow_start(TargetRecord& record);
  void change_slow_start(Time now);
  /// What changes by the mere passing of time.
  void advance(Time now);
  void judge_anomalies(Time now);
  /// Called by the first pick after a transition, so that many transitions at one instant cost one rebuild. The list is
  /// the same as if it were built at each of them: it follows from the states alone, and the turn from the last pick.
  void rebuild_routing();
};

}  // namespace rr
