#pragma once
// The targets of one target group as one load-balancer node sees them: which are registered, how healthy each is, whom
// to probe when, and whom a request may be given to.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lb/base/address.h"
#include "lb/base/journal.h"
#include "lb/base/time.h"
#include "lb/policy/balancer.h"
#include "lb/policy/health_state.h"
#include "lb/policy/settings.h"

namespace rr {

/// A registered target within its group and process: dense, small, never given to another target in the same process.
struct TargetId {
  std::uint32_t value = 0;
  auto operator<=>(const TargetId&) const = default;
};

/// A target as the control plane names and reaches it. (id, address.port) is the identity, as in the ELBv2 API.
struct TargetSpec {
  std::string id;   // "i-0123456789abcdef0"; in rr-lb alone the address as text
  Address address;  // logical: what logs, the API and the Host header of a health check show
  Address wire;     // where it is connected to
  std::string zone; // availability zone, may be empty
  bool operator==(const TargetSpec&) const = default;
};

/// One target with its state, for reading.
struct TargetStatus {
  TargetId target;
  TargetSpec spec;
  Health health;
  Time since;                      // when health last changed
  std::optional<Time> drain_ends;  // while draining
  std::uint32_t outstanding = 0;   // requests in progress
};

/// A health check that is due now.
struct ProbeDue {
  TargetId target;
  Address wire;       // with the health check's port
  Address logical;    // for the Host header
  std::uint64_t sequence = 0;  // hand it back with the outcome; an outdated one is ignored
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

  const TargetGroupSettings& settings() const;
  /// Takes new settings at once; health counts are kept. `settings` must have passed validate().
  void configure(Time now, TargetGroupSettings settings);

  /// Replaces the whole desired set (level, not edge; call it as often as you like). New targets begin as kInitial with
  /// a probe due at once; missing ones begin to drain; one that comes back while draining stays draining until its delay
  /// is over and then begins anew; a changed wire address or zone is taken over in place and keeps the health.
  void set_targets(Time now, std::span<const TargetSpec> desired);

  /// Whom this request goes to: the balancer's choice among the routable targets, or none when there are none. `tried`
  /// are never chosen again.
  std::optional<TargetId> pick(std::span<const TargetId> tried = {});

  /// Counts a request of a target in and out; finished() returns true when that ended a target's draining work.
  void started(TargetId target);
  bool finished(TargetId target);

  /// Appends the probes due at `now` and counts them as started. A slow answer does not shift the next start.
  void due_probes(Time now, std::vector<ProbeDue>& out);
  /// Reports a probe's outcome. Returns what changed, if something did.
  std::optional<TargetChange> observe(Time now, TargetId target, std::uint64_t sequence, const ProbeOutcome& outcome);

  /// Ends drains whose delay is over at `now` and forgets those targets; they are appended to `out`. Requests still in
  /// progress to them are the caller's to end with 502.
  void expire_drains(Time now, std::vector<TargetId>& out);

  /// When due_probes or expire_drains next has something to do.
  std::optional<Time> next_wake() const;

  /// True while pick() uses unhealthy targets because too few are healthy (fail-open).
  bool failing_open() const;

  const TargetSpec* find(TargetId target) const;  // nullptr when forgotten
  std::optional<TargetState> state(TargetId target) const;
  std::optional<TargetId> find(std::string_view id, std::uint16_t port) const;
  std::vector<TargetStatus> status() const;  // in the order of registration

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rr
