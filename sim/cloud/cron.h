#pragma once
// A recurrence of a scheduled action: five fields as in a crontab, in UTC.
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html
#include <bitset>
#include <optional>
#include <string_view>

#include "lb/base/result.h"
#include "lb/base/time.h"

namespace rr::sim {

struct Cron {
  std::bitset<60> minutes;
  std::bitset<24> hours;
  std::bitset<32> days;     // of the month, from 1
  std::bitset<13> months;   // from 1
  std::bitset<7> weekdays;  // Sunday is 0
  bool any_day = true;      // the day of the month was *
  bool any_weekday = true;  // the day of the week was *
  bool operator==(const Cron&) const = default;
};

/// "0 9 * * 1-5", "*/15 * * * *", "30 6 1,15 * *"; names of days and months are not taken. The error says which field.
Result<Cron> parse_cron(std::string_view text);

/// The first whole minute after `after` that fits; where both a day of the month and one of the week are given, either
/// is enough, as in cron. None when there is none within 30 years (the 30th of February).
std::optional<Time> next_after(const Cron& cron, Time after);

}  // namespace rr::sim
