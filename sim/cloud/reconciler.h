#pragma once
// Compares what a group is with what it should be, and says everything that must be done now.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lb/base/rng.h"
#include "lb/base/time.h"
#include "sim/cloud/model.h"
#include "sim/cloud/region.h"
#include "sim/cloud/termination_policy.h"

namespace rr::sim {

/// Counters of a group's live instances (Pending or InService), kept up to date with every change of one of them, so
/// that a look at the group costs nothing that grows with its size.
struct GroupCounts {
  std::map<ZoneName, int> live;
  std::set<InstanceId> members;    // all live ones
  std::set<InstanceId> unhealthy;  // marked Unhealthy, not terminating yet
  std::set<InstanceId> standby;    // no live ones: in standby, or on the way there
  std::set<InstanceId> unsettled;  // healthy, but pending, not yet through the first health check, or warming up
  int in_service = 0;
  int unsettled_trials = 0;  // the unsettled ones that were launched to balance zones

  /// Adds the instance with sign 1, takes it out with -1; to be called around every change of an instance.
  void count(const Instance& instance, int sign);
  bool operator==(const GroupCounts&) const = default;
};

/// All that reconcile looks at.
struct GroupView {
  const Group& group;
  const std::map<InstanceId, Instance>& instances;
  const GroupCounts& counts;
  CurrentTemplate current;
  Duration hour;                     // an instance hour, divided by the speed
  Duration lifetime{};               // of an instance at most, divided by the speed; zero: as long as it likes
  bool rebalance_suspended = false;  // while a release counts on what it sees
  // Of the active instance refresh; what it looks at itself:
  int surplus = 0;             // instances that it keeps beyond the desired capacity
  int refresh_owed = 0;        // launches to be made for it
  CurrentTemplate launches{};  // what launches use now: the refresh's desired configuration, else `current`
  Duration refresh_timeout{};  // without progress, divided by the speed

  std::optional<std::string> alarm{};  // one of its alarms that is in ALARM
};

/// The complete list of what must be done now, with a reason for each item.
struct Plan {
  struct Launch {
    ZoneName zone;
    ChangeReason reason = ChangeReason::kDesiredCapacity;
    std::string cause;
    bool operator==(const Launch&) const = default;
  };
  struct Terminate {
    InstanceId instance;
    ChangeReason reason = ChangeReason::kDesiredCapacity;
    std::string cause;
    bool operator==(const Terminate&) const = default;
  };
  std::vector<Terminate> terminate;
  std::vector<Launch> launch;
  int replacements_owed = 0;    // launches in place of unhealthy instances that found no zone now
  int refresh_owed = 0;         // launches for the instance refresh that found no zone now
  bool all_protected = false;   // victims were looked for, and all that remain are protected from scale-in
  int rebalance_surplus = 0;    // what is left of the group's after this plan
  std::optional<Time> look_at;  // when time alone makes more possible: a zone may be tried again
  bool operator==(const Plan&) const = default;
};

/// At most once a group and instant. In this order:
///
/// 1. Instances that no longer run, or that the user called Unhealthy, end at once and are replaced.
/// 2. Those that the load balancer found unhealthy are replaced a few at a time: at most 10 % of desired (at least one)
///    are pending or unsettled together, and the last one in service stays until another is. Worked: desired 2, both
///    unhealthy: one ends and its replacement is launched; when that is in service, through its first health check and
///    warm, the other one. A maintenance policy changes this: with a minimum of 100 % the replacement is launched
///    first, and as many are replaced together as its window has room for.
/// 3. Above the desired capacity victims are chosen: zone step, then termination policies. A trial launch for balance
///    counts only when it has settled, and what an instance refresh keeps beyond the desired capacity does not count.
/// 4. Below it, instances are launched, each into the zone with the fewest that does not refuse.
/// 5. At the desired capacity with everything settled, zones are balanced: launch first, up to max(10 %, 1) above max.
/// A
///    zone whose last launch failed gets a single trial.
///
/// Suspended processes leave out what they stand for.
///
/// Chance decides only what the termination policies leave equal.
/// https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html
Plan reconcile(const GroupView& view, Time now, Rng& rng);

}  // namespace rr::sim
