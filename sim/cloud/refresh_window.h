#pragma once
// How much of a group may be replaced at a time.
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html

namespace rr::sim {

/// How many instances one batch replaces, and how many of those end before their replacements are ready. At least one
/// is replaced, even where the window between the least and the most healthy capacity is empty: below 100 % least it is
/// the least that is broken, at 100 % the most. Least is rounded up, most down. For two instances:
///
///     least/most   required allowed   size  end first
///      90/100          2       2        1       1      the minimum is broken: one stays
///      50/100          1       2        1       1
///       0/100          0       2        2       2      an outage
///     100/100          2       2        1       0      the maximum is broken: three for a while
///     100/200          2       4        2       0
///      50/150          1       3        2       1
struct RefreshWindow {
  int required = 0;   // least ready instances
  int allowed = 0;    // most instances
  int size = 1;       // replaced together
  int end_first = 1;  // of them ended before their replacements are ready
  bool empty = true;  // the window has no room: one of the two is broken by one instance
  bool operator==(const RefreshWindow&) const = default;
};
RefreshWindow refresh_window(int desired, int min_healthy_percentage, int max_healthy_percentage);

}  // namespace rr::sim
