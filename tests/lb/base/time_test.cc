#include "lb/base/time.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "lb/base/rng.h"

namespace rr {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(Duration, IsRead) {
  const struct {
    const char* text;
    Duration span;
  } kTable[] = {
      {"0", seconds(0)},
      {"10", seconds(10)},
      {"0.5", milliseconds(500)},
      {".5", milliseconds(500)},
      {"1.", seconds(1)},
      {"10s", seconds(10)},
      {"250ms", milliseconds(250)},
      {"0.25ms", microseconds(250)},
      {"7us", microseconds(7)},
      {"7ns", nanoseconds(7)},
      {"5m", minutes(5)},
      {"1.5m", seconds(90)},
      {"2h", hours(2)},
      {"0.000000001h", nanoseconds(3600)},
      {"0.000000001", nanoseconds(1)},
      {"0.0000000019", nanoseconds(1)},  // below a nanosecond: dropped, not rounded
      {"0.999999999ms", nanoseconds(999'999)},
      {"3600", hours(1)},
      // The limit: half of what 63 bits of nanoseconds hold, 9223372036.85 s / 2.
      {"4611686018", seconds(4'611'686'018)},
  };
  for (const auto& row : kTable) {
    const auto span = parse_duration(row.text);
    ASSERT_TRUE(span.ok()) << row.text;
    EXPECT_EQ(*span, row.span) << row.text;
  }
}

TEST(Duration, WhatIsNoneIsRefusedByName) {
  for (const std::string text : {"", ".", "s", "ms", "-1", "+1", "1e9", "inf", "nan", "1 s", " 1", "1d", "1.2.3", "1ss",
                                 "0x10", "4611686019", "99999999999999999999", "1281025h1"}) {
    const auto span = parse_duration(text);
    ASSERT_FALSE(span.ok()) << text;
    EXPECT_NE(span.error().message.find("'" + text + "'"), std::string::npos) << span.error().message;
  }
  // The same limit in hours: 4611686018 s / 3600 = 1281023.89 h.
  EXPECT_TRUE(parse_duration("1281023h").ok());
  EXPECT_FALSE(parse_duration("1281024h").ok());
}

TEST(Duration, IsWritten) {
  const struct {
    Duration span;
    const char* text;
  } kTable[] = {
      {seconds(0), "0s"},       {nanoseconds(1), "1ns"},
      {microseconds(1), "1us"}, {nanoseconds(1500), "1500ns"},
      {milliseconds(1), "1ms"}, {milliseconds(999), "999ms"},
      {seconds(1), "1s"},       {milliseconds(1500), "1.5s"},
      {seconds(59), "59s"},     {seconds(60), "1m"},
      {seconds(90), "90s"},     {hours(1), "1h"},
      {minutes(90), "90m"},     {microseconds(1500), "0.0015s"},
      {-seconds(5), "-5s"},     {-milliseconds(1500), "-1.5s"},
      {hours(24), "24h"},
  };
  for (const auto& row : kTable) EXPECT_EQ(format_duration(row.span), row.text);
  EXPECT_EQ(format_duration(Duration::min()), "-" + format_duration(Duration::max()));
}

TEST(Duration, WhatIsWrittenIsReadBackAsTheSame) {
  Rng random(20);
  for (int i = 0; i < 20'000; ++i) {
    // All magnitudes alike: a random number of bits.
    const Duration span(static_cast<std::int64_t>(random.next() >> (2 + random.below(62))));
    const auto again = parse_duration(format_duration(span));
    ASSERT_TRUE(again.ok()) << format_duration(span);
    ASSERT_EQ(*again, span) << format_duration(span);
  }
}

// 1700000000 s after the epoch is 2023-11-14 22:13:20 UTC (date -u -d @1700000000).
constexpr Time kInstant{seconds(1'700'000'000) + nanoseconds(123'456'789)};

TEST(Time, IsWrittenAsIso8601) {
  EXPECT_EQ(format_iso8601(kInstant), "2023-11-14T22:13:20.123456Z");
  EXPECT_EQ(format_iso8601(kInstant, 0), "2023-11-14T22:13:20Z");
  EXPECT_EQ(format_iso8601(kInstant, 3), "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(format_iso8601(Time{}, 0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_iso8601(Time{nanoseconds(-1)}), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_iso8601(Time{seconds(951'782'400)}, 0), "2000-02-29T00:00:00Z");
}

TEST(Time, IsWrittenAsHttpDate) {
  EXPECT_EQ(format_http_date(kInstant), "Tue, 14 Nov 2023 22:13:20 GMT");
  // The example of RFC 9110 section 5.6.7, 784111777 s after the epoch.
  EXPECT_EQ(format_http_date(Time{seconds(784'111'777)}), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(Time, IsWrittenAsClock) {
  EXPECT_EQ(format_clock(kInstant), "22:13:20");
  EXPECT_EQ(format_clock(kInstant, 2 * 3600), "00:13:20");
  EXPECT_EQ(format_clock(Time{}, -3600), "23:00:00");
}

TEST(Time, IsTheSameTextWithoutAString) {
  for (const std::string_view text :
       {"1970-01-01T00:00:00Z", "2026-11-22T20:45:42.318744Z", "2000-02-29T23:59:59.999999Z",
        "2261-12-31T00:00:00.000001Z", "2026-01-09T03:04:05.6Z"}) {
    const Time time = parse_iso8601(text).value();
    const std::array<char, 27> written = iso8601_microseconds(time);
    EXPECT_EQ(std::string_view(written.data(), written.size()), format_iso8601(time));
  }
}

}  // namespace
}  // namespace rr
