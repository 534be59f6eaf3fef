#include "lb/base/time.h"

#include <fmt/format.h>

#include <array>
#include <limits>

namespace rr {
namespace {

struct CivilTime {
  int year;
  unsigned month, day, weekday, hour, minute, second;
  std::int64_t nanosecond;
};

CivilTime civil(Time time) {
  using namespace std::chrono;
  const sys_time<nanoseconds> instant{time.time_since_epoch()};
  const auto day = floor<days>(instant);
  const year_month_day date{day};
  const hh_mm_ss clock{instant - day};
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          weekday{day}.c_encoding(),
          static_cast<unsigned>(clock.hours().count()),
          static_cast<unsigned>(clock.minutes().count()),
          static_cast<unsigned>(clock.seconds().count()),
          clock.subseconds().count()};
}

struct Unit {
  std::string_view suffix;
  std::int64_t nanoseconds;
};
constexpr std::array kUnits{Unit{"ms", 1'000'000},    Unit{"us", 1'000},         Unit{"ns", 1},
                            Unit{"s", 1'000'000'000}, Unit{"m", 60'000'000'000}, Unit{"h", 3'600'000'000'000}};

Error not_a_duration(std::string_view text) {
  return Error{fmt::format("'{}' is not a duration: write seconds (10, 0.5) or a number with ms, s, m or h", text)};
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  std::string_view number = text;
  std::int64_t unit = kSecond.count();
  for (const Unit& u : kUnits) {
    if (text.size() > u.suffix.size() && text.ends_with(u.suffix)) {
      number = text.substr(0, text.size() - u.suffix.size());
      unit = u.nanoseconds;
      break;
    }
  }
  // Digits are read by hand into an integer: a double would lose nanoseconds and accept "inf" and "1e9".
  std::int64_t whole = 0, fraction = 0, scale = 1;
  bool seen_digit = false, seen_point = false;
  for (char c : number) {
    if (c == '.' && !seen_point) {
      seen_point = true;
    } else if (c >= '0' && c <= '9') {
      seen_digit = true;
      std::int64_t& part = seen_point ? fraction : whole;
      if (seen_point && scale >= 1'000'000'000) continue;  // below a nanosecond
      if (part > 100'000'000'000) return not_a_duration(text);
      part = part * 10 + (c - '0');
      if (seen_point) scale *= 10;
    } else {
      return not_a_duration(text);
    }
  }
  if (!seen_digit || whole > std::numeric_limits<std::int64_t>::max() / unit / 2) return not_a_duration(text);
  // unit is at most 3.6e12 and fraction below 1e9: the product needs more than 64 bits for hours, so divide first.
  const std::int64_t part = unit >= scale ? fraction * (unit / scale) : fraction * unit / scale;
  return Duration(whole * unit + part);
}

std::string format_duration(Duration span) {
  const std::int64_t n = span.count();
  if (n < 0) return "-" + format_duration(n == Duration::min().count() ? Duration::max() : Duration(-n));
  if (n == 0) return "0s";
  if (n % 3'600'000'000'000 == 0) return fmt::format("{}h", n / 3'600'000'000'000);
  if (n % 60'000'000'000 == 0) return fmt::format("{}m", n / 60'000'000'000);
  if (n % 1'000'000'000 == 0) return fmt::format("{}s", n / 1'000'000'000);
  if (n % 1'000'000 == 0 && n < 1'000'000'000) return fmt::format("{}ms", n / 1'000'000);
  if (n < 1'000'000) return n % 1'000 == 0 ? fmt::format("{}us", n / 1'000) : fmt::format("{}ns", n);
  std::string text = fmt::format("{}.{:09}", n / 1'000'000'000, n % 1'000'000'000);
  while (text.back() == '0') text.pop_back();
  return text + "s";
}

std::string format_iso8601(Time time, int fraction_digits) {
  const CivilTime c = civil(time);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second);
  if (fraction_digits > 0)
    text += "." + fmt::format("{:09}", c.nanosecond).substr(0, static_cast<std::size_t>(fraction_digits));
  return text + "Z";
}

std::array<char, 27> iso8601_microseconds(Time time) {
  const auto instant = time.time_since_epoch();
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date{std::chrono::sys_days(day)};
  const auto microsecond = static_cast<std::uint64_t>((instant - day).count() / 1000);  // of the day
  const auto second = static_cast<unsigned>(microsecond / 1'000'000);
  const auto fraction = static_cast<unsigned>(microsecond % 1'000'000);
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  std::array<char, 27> text{};
  char* at = text.data();
  const auto put = [&at](unsigned number) {  // two digits
    *at++ = static_cast<char>('0' + number / 10);
    *at++ = static_cast<char>('0' + number % 10);
  };
  const auto put_before = [&](unsigned number, char behind) {
    put(number);
    *at++ = behind;
  };
  put(year / 100);
  put_before(year % 100, '-');
  put_before(static_cast<unsigned>(date.month()), '-');
  put_before(static_cast<unsigned>(date.day()), 'T');
  put_before(second / 3600, ':');
  put_before(second / 60 % 60, ':');
  put_before(second % 60, '.');
  put(fraction / 10'000);
  put(fraction / 100 % 100);
  put_before(fraction % 100, 'Z');
  return text;
}

Result<Time> parse_iso8601(std::string_view text) {
  const Error wrong{fmt::format("'{}' is not a time: write one like 2026-11-22T20:45:42Z", text)};
  static constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd";
  if (text.size() < kForm.size() + 1 || text.back() != 'Z') return wrong;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != kForm[i]) return wrong;
  }
  const auto number = [&](std::size_t at, std::size_t size) {
    int value = 0;
    for (const char c : text.substr(at, size)) value = value * 10 + (c - '0');
    return value;
  };
  const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  if (!date.ok() || number(0, 4) < 1970 || number(0, 4) > 2261) return wrong;
  if (number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59) return wrong;
  std::int64_t nanoseconds = 0;
  if (const std::string_view fraction = text.substr(kForm.size(), text.size() - kForm.size() - 1); !fraction.empty()) {
    if (fraction.size() < 2 || fraction.size() > 10 || fraction.front() != '.') return wrong;
    for (const char c : fraction.substr(1)) {
      if (c < '0' || c > '9') return wrong;
      nanoseconds = nanoseconds * 10 + (c - '0');
    }
    for (std::size_t i = fraction.size(); i < 10; ++i) nanoseconds *= 10;
  }
  const Duration since_epoch = std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(number(11, 2)) +
                               std::chrono::minutes(number(14, 2)) + std::chrono::seconds(number(17, 2));
  return Time(since_epoch + Duration(nanoseconds));
}

std::string format_http_date(Time time) {
  static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const CivilTime c = civil(time);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[c.weekday], c.day, kMonths[c.month - 1], c.year,
                     c.hour, c.minute, c.second);
}

std::string format_clock(Time time, int utc_offset_seconds) {
  const CivilTime c = civil(time + std::chrono::seconds(utc_offset_seconds));
  return fmt::format("{:02}:{:02}:{:02}", c.hour, c.minute, c.second);
}

}  // namespace rr
