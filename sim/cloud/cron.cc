#include "sim/cloud/cron.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <string>

namespace rr::sim {
namespace {

constexpr int kMostYears = 30;

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// One part of a list: *, N, N-M, each with /STEP or without.
template <std::size_t N>
bool take_part(std::string_view part, int least, int most, std::bitset<N>& out) {
  int step = 1;
  if (const auto slash = part.find('/'); slash != std::string_view::npos) {
    const auto read = number(part.substr(slash + 1));
    if (!read || *read < 1) return false;
    step = *read;
    part = part.substr(0, slash);
  }
  int first = least;
  int last = most;
  if (part != "*") {
    const auto dash = part.find('-');
    const auto from = number(part.substr(0, dash));
    const auto to = dash == std::string_view::npos ? from : number(part.substr(dash + 1));
    if (!from || !to || *from < least || *to > most || *from > *to) return false;
    first = *from;
    last = dash == std::string_view::npos && step > 1 ? most : *to;
  }
  for (int value = first; value <= last; value += step) out.set(static_cast<std::size_t>(value));
  return true;
}

template <std::size_t N>
bool take_field(std::string_view field, int least, int most, std::bitset<N>& out) {
  while (true) {
    const auto comma = field.find(',');
    if (!take_part(field.substr(0, comma), least, most, out)) return false;
    if (comma == std::string_view::npos) return true;
    field.remove_prefix(comma + 1);
  }
}

Error wrong(std::string_view text, std::string_view field, int least, int most) {
  return Error{fmt::format("Recurrence '{}': {}: numbers from {} to {}, *, ranges and lists are right", text, field,
                           least, most)};
}

bool fits_day(const Cron& cron, std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  const bool of_month = cron.days.test(static_cast<unsigned>(date.day()));
  const bool of_week = cron.weekdays.test(std::chrono::weekday(day).c_encoding());
  if (!cron.months.test(static_cast<unsigned>(date.month()))) return false;
  if (cron.any_day || cron.any_weekday) return of_month && of_week;
  return of_month || of_week;
}

}  // namespace

Result<Cron> parse_cron(std::string_view text) {
  std::array<std::string_view, 5> fields;
  std::size_t count = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = std::min(rest.find(' '), rest.size());
    if (end > 0 && count == fields.size()) ++count;
    if (end > 0 && count < fields.size()) fields[count++] = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (count != fields.size()) {
    return Error{
        fmt::format("Recurrence '{}': five fields (minute, hour, day, month, day of the week) are right", text)};
  }
  Cron cron;
  std::bitset<8> weekdays;
  if (!take_field(fields[0], 0, 59, cron.minutes)) return wrong(text, "minute", 0, 59);
  if (!take_field(fields[1], 0, 23, cron.hours)) return wrong(text, "hour", 0, 23);
  if (!take_field(fields[2], 1, 31, cron.days)) return wrong(text, "day", 1, 31);
  if (!take_field(fields[3], 1, 12, cron.months)) return wrong(text, "month", 1, 12);
  if (!take_field(fields[4], 0, 7, weekdays)) return wrong(text, "day of the week", 0, 7);
  for (std::size_t day = 0; day < 7; ++day) cron.weekdays.set(day, weekdays.test(day));
  if (weekdays.test(7)) cron.weekdays.set(0);  // Sunday has two numbers
  cron.any_day = fields[2] == "*";
  cron.any_weekday = fields[4] == "*";
  return cron;
}

std::optional<Time> next_after(const Cron& cron, Time after) {
  const auto minute = std::chrono::floor<std::chrono::minutes>(after.time_since_epoch()) + std::chrono::minutes(1);
  const std::chrono::sys_days first(std::chrono::floor<std::chrono::days>(minute));
  for (int ahead = 0; ahead < kMostYears * 366; ++ahead) {
    const std::chrono::sys_days day = first + std::chrono::days(ahead);
    if (!fits_day(cron, day)) continue;
    const int from = ahead == 0 ? static_cast<int>((minute - first.time_since_epoch()) / std::chrono::minutes(1)) : 0;
    for (int at = from; at < 24 * 60; ++at) {
      if (!cron.hours.test(static_cast<std::size_t>(at / 60)) ||
          !cron.minutes.test(static_cast<std::size_t>(at % 60))) {
        continue;
      }
      return Time(day.time_since_epoch() + std::chrono::minutes(at));
    }
  }
  return std::nullopt;
}

}  // namespace rr::sim
