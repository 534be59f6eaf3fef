// The text that a scraper reads, and the histogram behind it.
#include "lb/proxy/exposition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace rr {
namespace {

TEST(Exposition, LabelsAreEscaped) {
  EXPECT_EQ(label("x", "a\"b\\c\nd"), "x=\"a\\\"b\\\\c\\nd\"");
  EXPECT_EQ(label("x", ""), "x=\"\"");
}

TEST(Exposition, WhatIsNoUtf8IsReplaced) {
  constexpr const char* kReplacement = "\xef\xbf\xbd";
  const struct {
    std::string text;
    std::string expected;
  } kTable[] = {
      {"\xc3\xa9", "\xc3\xa9"},                                                   // e with an accent
      {"\xe2\x82\xac", "\xe2\x82\xac"},                                           // the euro sign
      {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},                                   // a smiley
      {"\xff", kReplacement},                                                     //
      {"a\xc3", std::string("a") + kReplacement},                                 // cut
      {"\xc3(", std::string(kReplacement) + "("},                                 //
      {"\xc0\xaf", std::string(kReplacement) + kReplacement},                     // '/' in two bytes
      {"\xed\xa0\x80", std::string(kReplacement) + kReplacement + kReplacement},  // half of a surrogate pair
      {"\xf4\x90\x80\x80", std::string(kReplacement) + kReplacement + kReplacement + kReplacement},  // above U+10FFFF
      {"\xe2\x82\"", std::string(kReplacement) + kReplacement + "\\\""},  // the quote is still one
  };
  for (const auto& row : kTable) EXPECT_EQ(label("x", row.text), "x=\"" + row.expected + "\"");
}

TEST(Exposition, Samples) {
  std::string out;
  Family counter(out, {"a_total", "counter", "What a is."});
  counter.sample("", 3);
  counter.sample(join_labels({"", label("x", "1"), "", label("y", "2")}), std::uint64_t{18446744073709551615U});
  Family gauge(out, {"b", "gauge", "What b is."});
  gauge.sample("", 0.25);
  EXPECT_EQ(out,
            "# HELP a_total What a is.\n# TYPE a_total counter\na_total 3\n"
            "a_total{x=\"1\",y=\"2\"} 18446744073709551615\n"
            "# HELP b What b is.\n# TYPE b gauge\nb 0.25\n");
}

TEST(Exposition, AHistogramWithoutLabelsHasThoseOfItsBounds) {
  std::string out;
  Family(out, {"h", "histogram", "Seconds."}).sample("", LatencyHistogram());
  EXPECT_NE(out.find("\nh_bucket{le=\"6.4e-05\"} 0\n"), std::string::npos) << out;
  EXPECT_NE(out.find("\nh_bucket{le=\"+Inf\"} 0\nh_sum 0\nh_count 0\n"), std::string::npos) << out;
}

TEST(Exposition, AHistogramIsCumulative) {
  LatencyHistogram histogram;
  histogram.observe(std::chrono::microseconds(70));
  histogram.observe(std::chrono::seconds(2));
  histogram.observe(std::chrono::hours(1));
  std::string out;
  Family(out, {"h", "histogram", "Seconds."}).sample(label("x", "1"), histogram);
  EXPECT_NE(out.find("h_bucket{x=\"1\",le=\"6.4e-05\"} 0\nh_bucket{x=\"1\",le=\"8e-05\"} 1\n"), std::string::npos)
      << out;
  EXPECT_NE(out.find("h_bucket{x=\"1\",le=\"134.217728\"} 2\nh_bucket{x=\"1\",le=\"+Inf\"} 3\n"
                     "h_sum{x=\"1\"} 3602.00007\nh_count{x=\"1\"} 3\n"),
            std::string::npos)
      << out;
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 2 + 85 + 1 + 2);
}

std::size_t bucket_of(Duration span) {
  LatencyHistogram histogram;
  histogram.observe(span);
  const auto& buckets = histogram.buckets();
  return static_cast<std::size_t>(std::find(buckets.begin(), buckets.end(), 1U) - buckets.begin());
}

TEST(LatencyHistogram, ABoundBelongsToItsBucketAndOneNanosecondMoreToTheNext) {
  for (std::size_t i = 0; i < LatencyHistogram::kBounds; ++i) {
    const Duration bound = LatencyHistogram::bound(i);
    EXPECT_EQ(bucket_of(bound), i);
    EXPECT_EQ(bucket_of(bound + Duration(1)), i + 1);
    EXPECT_EQ(bucket_of(bound - Duration(1)), i);
  }
}

TEST(LatencyHistogram, BoundsAscendByAQuarterAtMost) {
  EXPECT_EQ(LatencyHistogram::bound(0), std::chrono::microseconds(64));
  EXPECT_EQ(LatencyHistogram::bound(LatencyHistogram::kBounds - 1), std::chrono::microseconds(1 << 27));
  for (std::size_t i = 1; i < LatencyHistogram::kBounds; ++i) {
    const auto before = LatencyHistogram::bound(i - 1), bound = LatencyHistogram::bound(i);
    EXPECT_GT(bound, before);
    EXPECT_LE(4 * bound, 5 * before);
  }
}

TEST(LatencyHistogram, WhatIsBeyondTheEnds) {
  EXPECT_EQ(bucket_of(Duration::zero()), 0U);
  EXPECT_EQ(bucket_of(Duration(-5)), 0U);
  EXPECT_EQ(bucket_of(std::chrono::hours(24 * 365)), LatencyHistogram::kBounds);
}

TEST(LatencyHistogram, SumsUp) {
  LatencyHistogram a, b;
  a.observe(std::chrono::milliseconds(1));
  b.observe(std::chrono::milliseconds(1));
  b.observe(std::chrono::seconds(1));
  a += b;
  EXPECT_EQ(a.sum(), std::chrono::milliseconds(1002));
  EXPECT_EQ(std::accumulate(a.buckets().begin(), a.buckets().end(), std::uint64_t{0}), 3U);
  EXPECT_EQ(a.buckets()[bucket_of(std::chrono::milliseconds(1))], 2U);
}

}  // namespace
}  // namespace rr
