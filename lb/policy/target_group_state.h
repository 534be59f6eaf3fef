#pragma once
// The inside of TargetGroup, for its own source files only: target_group.cc (registration, probes, draining) and
// target_group_routing.cc (whom a request may be given to).
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lb/policy/balancer.h"
#include "lb/policy/deadlines.h"
#include "lb/policy/target_group.h"
#include "lb/policy/target_record.h"

namespace rr {

/// A target's identity; looked up without copying the id.
struct TargetKey {
  std::string id;
  std::uint16_t port;
};
using TargetKeyView = std::pair<std::string_view, std::uint16_t>;
struct TargetKeyHash {
  using is_transparent = void;
  std::size_t operator()(const TargetKeyView& key) const {
    return std::hash<std::string_view>{}(key.first) ^ key.second;
  }
  std::size_t operator()(const TargetKey& key) const { return (*this)(TargetKeyView{key.id, key.port}); }
};
struct TargetKeyEqual {
  using is_transparent = void;
  static TargetKeyView view(const TargetKey& key) { return {key.id, key.port}; }
  static TargetKeyView view(const TargetKeyView& key) { return key; }
  bool operator()(const auto& a, const auto& b) const { return view(a) == view(b); }
};

struct TargetGroup::State {
  TargetGroupSettings settings;
  GroupPlace place;
  Journal* journal = nullptr;
  Balancer balancer;
  bool routing_is_stale = false;
  TargetRecords records;
  std::vector<TargetRecord*> in_order;  // of registration, which is ascending by TargetId
  std::unordered_map<TargetKey, TargetId, TargetKeyHash, TargetKeyEqual> by_key;  // looked up, never iterated
  std::map<StickyName, TargetId> by_sticky_name;
  Deadlines probes;
  Deadlines drains;
  Deadlines heard_of_late;
  Deadlines slow_starts;
  bool shift_applies = false;  // to targets: see shift_concerns_targets
  std::size_t active = 0;      // targets in the scope of this node
  std::size_t healthy = 0;     // of these
  std::uint64_t last_sequence = 0;
  std::uint64_t generation = 0;
  bool founding = false;  // the present change found no targets
  std::uint64_t unhealthy_routing_requests = 0;
  std::vector<Candidate> routable;     // room for rebuilding
  std::optional<Time> next_judgement;  // of anomalies
  bool has_to_judge = false;           // some target's Anomaly is not as new
  Time routing_changes{};              // when advance() next has something to do; a pick looks at nothing else

  TargetRecord* record(TargetId target) const { return records.find(target); }
  TargetCheck& check(const TargetRecord& record) { return *records.check(record.target); }
  const TargetCheck& check(const TargetRecord& record) const { return *records.check(record.target); }
  Health health(const TargetRecord& record) const { return record.health(check(record).health_state); }
  void write(Time now, const TargetRecord& record, const Health& from, const Health& to);

  // target_group.cc
  void begin_change();  // of what is registered
  void end_change(Time now);
  void end_registration(Time now, TargetRecord& record);
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
  static bool is_in_use(const TargetRecord& record);
  bool stands_in_scope(const TargetRecord& record) const;
  bool routes_to(const TargetRecord& record) const {
    return failing_open() ? record.in_scope : record.healthy_in_scope;
  }
  bool fails_open(std::size_t healthy_ones, std::size_t all) const;
  bool failing_open() const;
  AdministrativeOverride administrative_override(const TargetRecord& record) const;
  /// To be called after whatever changed of a target: counts it where it belongs now.
  void recount(TargetRecord& record);
  /// The same for all of them, after a change of what decides about the scope.
  void recount_all(Time now);
  bool shift_concerns_targets() const;
  /// After every change of who is in use or healthy.
  void follow_shift(Time now);
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
