// Counting what a load has seen.
#include "sim/scenario/load_statistics.h"

#include <gtest/gtest.h>

#include "sim/scenario/load.h"

namespace rr::sim {
namespace {

LoadSample sample(RequestCause cause, std::string host, Duration took) {
  LoadSample out;
  out.cause = cause;
  out.host = std::move(host);
  out.ended = out.scheduled + took;
  return out;
}

TEST(LoadStatistics, CountsByCauseAndByHost) {
  LoadStatistics all;
  all.add(sample(RequestCause::kAnswered, "a", kMillisecond));
  all.add(sample(RequestCause::kAnswered, "b", kMillisecond));
  all.add(sample(RequestCause::kAnswered, "a", kMillisecond));
  all.add(sample(RequestCause::kBadGateway, "", kMillisecond));
  all.add(sample(RequestCause::kReset, "", kMillisecond));
  all.add(sample(RequestCause::kReset, "", kMillisecond));
  EXPECT_EQ(all.finished, 6U);
  EXPECT_EQ(all.failed, 3U);
  EXPECT_EQ(format_failures(all), "3 failed: 1 502 from the load balancer, 2 connection reset");
  EXPECT_EQ(format_shares(all.by_host), "a 66.7 %  b 33.3 %");
  EXPECT_EQ(all.latency.count(), 3U);
  EXPECT_EQ(format_failures(LoadStatistics{}), "none failed");
}

TEST(LoadStatistics, RemembersNoMoreHostsThanItsLimit) {
  LoadStatistics all;
  for (std::size_t i = 0; i <= LoadStatistics::kMostHosts; ++i) {
    all.add(sample(RequestCause::kAnswered, "h" + std::to_string(i), kMillisecond));
  }
  EXPECT_EQ(all.by_host.size(), LoadStatistics::kMostHosts + 1);
  EXPECT_EQ(all.by_host.at("others"), 1U);
}

TEST(LatencyHistogram, PercentilesAreWithinATwentiethAndNeverBelowTheTruth) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.percentile(0.5), Duration{});
  for (int i = 1; i <= 1000; ++i) histogram.add(i * kMillisecond);  // the p-th percentile of 1..1000 ms is p*10 ms
  for (const double share : {0.01, 0.5, 0.9, 0.99, 1.0}) {
    const double truth = share * 1000;
    const double seen = to_seconds(histogram.percentile(share)) * 1000;
    EXPECT_GE(seen, truth * 0.999);
    EXPECT_LE(seen, truth * 1.04);
  }
  EXPECT_EQ(histogram.percentile(1.0), 1000 * kMillisecond);
  EXPECT_EQ(histogram.most(), 1000 * kMillisecond);
}

TEST(LatencyHistogram, TakesTheSmallestAndTheLargest) {
  LatencyHistogram histogram;
  histogram.add(Duration(0));
  histogram.add(Duration(-5));  // an answer cannot be early, but a clock may be coarse
  histogram.add(Duration::max());
  EXPECT_EQ(histogram.percentile(0.5), Duration(0));
  EXPECT_EQ(histogram.percentile(1.0), Duration::max());
}

TEST(PageOrigin, IsReadFromThePageByteForByte) {
  const auto page = read_page(
      "<HTML><BODY><P>Hi there! I'm being served from ip-172-31-9-166</P><P>AMI built from commit "
      "814d1293e6b73a8810435611c49a52a6033c3545</P><P>Build number 28</P></BODY></HTML>");
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(*page, (PageOrigin{"ip-172-31-9-166", "814d1293e6b73a8810435611c49a52a6033c3545", "28"}));
  EXPECT_FALSE(read_page("").has_value());
  EXPECT_FALSE(read_page("Hi there! I'm being served from x").has_value());
  EXPECT_FALSE(read_page("I'm being served from a<p>").has_value());
}

TEST(TraceRoot, HasTheAlbsForm) {
  EXPECT_EQ(make_trace_root(Time(std::chrono::seconds(0x67891233)), 0xabcdef, 0x12),
            "1-67891233-000000abcdef000000000012");
}

}  // namespace
}  // namespace rr::sim
