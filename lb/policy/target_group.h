#pragma once
// The targets of one target group as one load-balancer node sees them: which are registered, how healthy each is, whom
// to probe when, and whom a request may be given to.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lb/base/address.h"
#include "lb/base/journal.h"
#include "lb/base/rng.h"
#include "lb/base/time.h"
#include "lb/policy/anomaly_detection.h"
#include "lb/policy/balancer.h"
#include "lb/policy/health_state.h"
#include "lb/policy/settings.h"
#include "lb/policy/sticky_claims.h"
#include "lb/policy/target_id.h"
#include "lb/policy/zone_health.h"

namespace rr {

/// A target as the control plane names and reaches it. (id, address.port) is the identity, as in the ELBv2 API.
struct TargetSpec {
  std::string id{};    // "i-0123456789abcdef0"; in rr-lb alone the address as text
  Address address{};   // logical: what logs, the API and the Host header of a health check show
  Address wire{};      // where it is connected to
  std::string zone{};  // availability zone; "" or "all": none of its own, every node treats it as of its zone
  bool operator==(const TargetSpec&) const = default;
};

/// What a target group has to know of its load balancer and of the node that it is in.
struct GroupPlace {
  std::string zone{};                        // the node's own; "": it belongs to none, and cross_zone says nothing
  bool in_use = true;                        // an action of a listener forwards to the group
  std::vector<std::string> enabled_zones{};  // of the load balancer; none: all
  std::optional<ZonalShift> zonal_shift{};   // in force until it expires
  Duration propagation_delay = Duration::zero();
  bool operator==(const GroupPlace&) const = default;
};

/// AdministrativeOverride.State of DescribeTargetHealth: what a zonal shift does to a target.
enum class AdministrativeOverride : std::uint8_t {
  kUnknown,
  kNoOverride,
  kZonalShiftActive,          // no node gives it new requests
  kZonalShiftDelegatedToDns,  // cross-zone is off: its zone's node has left DNS, nothing else
};
std::string_view to_string(AdministrativeOverride state);  // "no_override"

/// One target with its state, for reading.
struct TargetStatus {
  TargetId target;
  TargetSpec spec;
  Health health;
  Time since;                      // when health last changed
  std::optional<Time> drain_ends;  // while draining
  std::uint32_t outstanding = 0;   // requests in progress
  bool heard_of_late = false;      // draining, but it still gets requests: propagation_delay
  bool anomalous = false;          // AnomalyDetection.Result
  bool mitigation_in_effect = false;
  AdministrativeOverride administrative_override = AdministrativeOverride::kNoOverride;
};

/// A health check that is due now.
struct ProbeDue {
  TargetId target;
  std::uint64_t sequence = 0;  // hand it back with the outcome; an outdated one is ignored
};

/// Where to ask, with the health check's port.
struct ProbeAddresses {
  Address wire;
  Address logical;  // for the Host header
  bool operator==(const ProbeAddresses&) const = default;
};

/// A change that somebody may want to know of.
struct TargetChange {
  TargetId target;
  std::string id;
  Transition transition;
};

class TargetGroup {
 public:
  /// `settings` must have passed validate().
  TargetGroup(TargetGroupSettings settings, Journal* journal);
  ~TargetGroup();
  TargetGroup(TargetGroup&&) noexcept;
  TargetGroup& operator=(TargetGroup&&) noexcept;

  const TargetGroupSettings& settings() const;
  /// Takes new settings at once; health counts are kept. A new interval counts from each target's last probe (at once
  /// if it is over), drains that have begun keep their end, and answers to probes of another path or port than the new
  /// one are ignored. `settings` must have passed validate().
  void configure(Time now, TargetGroupSettings settings);

  /// Tells the group where it is; until then it is in use, in no zone. What is no longer in use (or stands in a zone
  /// that is not enabled) is kUnused and not probed, and begins anew as kInitial when it is again.
  void set_place(Time now, const GroupPlace& place);

  /// Replaces the whole desired set (level, not edge; call it as often as you like). New targets begin as kInitial with
  /// a probe due at once; missing ones begin to drain; one that comes back while draining stays draining until its
  /// delay is over and then begins anew under a new TargetId (expire_drains does it); a changed wire address or zone is
  /// taken over in place and keeps the health, but answers to probes of the old address are ignored. Of two specs with
  /// the same identity the first counts.
  /// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html
  void set_targets(Time now, std::span<const TargetSpec> desired);
  /// What set_targets() does with all that are desired already, without `removed` (their identities) and with `added`,
  /// which may be other specs of known ones. Costs what changes, not what there is.
  void change_targets(Time now, std::span<const TargetSpec> added,
                      std::span<const std::pair<std::string_view, std::uint16_t>> removed);

  /// Whom this request goes to: the balancer's choice among the routable targets, or none when there are none. `tried`
  /// are never chosen again. Time and chance are arguments because slow start and weighted random need them; round
  /// robin looks at neither. Never allocates.
  std::optional<TargetId> pick(Time now, Rng& random, std::span<const TargetId> tried = {});

  /// Whether pick() could choose this target now: it is in this node's scope (its zone, where cross-zone is off; not
  /// shifted away) and healthy, or the group fails open and it is registered; never one that drains or is forgotten.
  /// What a sticky request asks about the target that its cookie names.
  bool accepts(TargetId target) const;
  /// The target that a cookie names, if accepts() it; whose group the claim is about and whether it is in time is for
  /// the caller to see. Never allocates.
  std::optional<TargetId> claimed(const TargetClaim& claim) const;
  /// What cookies call the group, and a target of it (which must be registered).
  StickyName sticky_name() const;
  StickyName sticky_name(TargetId target) const;

  /// Counts a request of a target in and out; finished() returns true when that ended a target's draining work, that
  /// is: it is draining, gets no more (propagation_delay) and this was its last request. finished() of a target that is
  /// forgotten by now returns false. `result` is what anomaly detection counts. Neither allocates.
  void started(TargetId target);
  bool finished(TargetId target, TargetResult result = TargetResult::kNotJudged);

  /// Appends the probes due at `now` and counts them as started, in the order in which they fell due. A slow answer
  /// does not shift the next start, nor does a late call: starts that were missed meanwhile are left out. With a
  /// timeout above the interval several probes of a target are in progress at a time.
  void due_probes(Time now, std::vector<ProbeDue>& out);
  /// Where a probe of the target that is due now goes; none when it is forgotten. Apart from due_probes(), because it
  /// is far away in memory, and whoever only imagines the asking does not need it.
  std::optional<ProbeAddresses> probe_addresses(TargetId target) const;
  /// Reports a probe's outcome. Returns what changed, if something did. Ignored: an outcome with a sequence not above
  /// the last one that counted, and any for a target that drains or is forgotten.
  std::optional<TargetChange> observe(Time now, TargetId target, std::uint64_t sequence, const ProbeOutcome& outcome);

  /// An observe() of the target will follow soon: what it needs is fetched into the cache. Changes nothing.
  void expect(TargetId target) const;

  /// The health of a target with its counts, for adopt() of a group of the same targets; nullptr when it is forgotten.
  const HealthState* health_state(TargetId target) const;
  /// Takes over what another group of the same targets has found out: where several workers of a process serve them,
  /// one of them makes the checks. Ignored for a target that drains, is unused or forgotten; the next one tells again.
  std::optional<TargetChange> adopt(Time now, TargetId target, const HealthState& health);

  /// Ends drains whose delay is over at `now` and forgets those targets; they are appended to `out`, by the end of
  /// their delay. Requests still in progress to them are the caller's to end with 502. A target that was registered
  /// again meanwhile begins anew here, with a probe due at once. Call it before due_probes when both are due.
  void expire_drains(Time now, std::vector<TargetId>& out);

  /// When due_probes or expire_drains next has something to do: at `now` of the call that caused it or later. Also when
  /// a zonal shift expires or a deregistration has been heard of everywhere, which either of them notices.
  std::optional<Time> next_wake() const;

  /// True while pick() uses unhealthy or initial targets because fewer than unhealthy_state_routing demands are
  /// healthy: of this node's zone where cross-zone is off, else of all zones.
  bool failing_open() const;
  /// UnhealthyRoutingRequestCount: requests that were started meanwhile.
  std::uint64_t unhealthy_routing_requests() const;
  /// Its targets by zone, as DNS failover looks at them. Empty when the group is not in use.
  GroupHealth zone_health() const;

  const TargetSpec* find(TargetId target) const;  // nullptr when forgotten
  std::optional<TargetState> state(TargetId target) const;
  /// By identity: (spec.id, spec.address.port). One that drains is found until it is forgotten.
  std::optional<TargetId> find(std::string_view id, std::uint16_t port) const;
  std::vector<TargetStatus> status() const;  // in the order of registration

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rr
