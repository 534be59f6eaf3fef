#pragma once
// Instants and spans. The clock type has no now(): whoever needs the time takes it as an argument, so that nothing
// below the driver can ask for it and the same code runs in real and in virtual time.
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "lb/base/result.h"

namespace rr {

using Duration = std::chrono::nanoseconds;

struct Timeline {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Timeline>;
  static constexpr bool is_steady = true;
};

/// Nanoseconds since the Unix epoch. In the real world the driver reads the wall clock once at its start and then only
/// adds what the monotonic clock says, so a Time never jumps and can still be printed as a date.
using Time = Timeline::time_point;

constexpr Duration kSecond = std::chrono::seconds(1);
constexpr Duration kMillisecond = std::chrono::milliseconds(1);

/// Reads "10", "0.5" (seconds), "250ms", "10s", "5m", "2h", also us and ns. Not negative, not above 146 years; digits
/// below a nanosecond are dropped. The error names what was read and what would do.
Result<Duration> parse_duration(std::string_view text);

/// "250ms", "10s", "1.5s", "5m": the largest unit that gives a whole number, else seconds with a fraction (below a
/// millisecond whole us or ns). parse_duration reads it back as the same value; a negative one, for messages, it
/// refuses.
std::string format_duration(Duration span);

/// Seconds as a floating number, for people and JSON only; decisions stay in integers.
constexpr double to_seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

/// "2026-11-22T20:45:42.318744Z": ISO 8601, UTC, with 0 to 9 digits of a fraction.
std::string format_iso8601(Time time, int fraction_digits = 6);

/// format_iso8601() with six digits, without a string: each line of an access log has two of them.
std::array<char, 27> iso8601_microseconds(Time time);

/// Reads that form again, with or without a fraction, years 1970 to 2261. The error names what was read and what would
/// do.
Result<Time> parse_iso8601(std::string_view text);

/// "Sat, 25 Apr 2026 16:45:16 GMT": IMF-fixdate of RFC 9110 section 5.6.7.
std::string format_http_date(Time time);

/// "HH:MM:SS" (UTC offset given by the caller in seconds), for terminals.
std::string format_clock(Time time, int utc_offset_seconds = 0);

}  // namespace rr
