// What several workers count, as one.
#include <gtest/gtest.h>

#include <array>
#include <bit>

#include "lb/proxy/node_report.h"
#include "lb/proxy/served_group.h"

namespace rr {
namespace {

DrainEnded drain(const std::string& id, bool expired, std::uint64_t cut) {
  DrainEnded one;
  one.load_balancer = "app";
  one.target_group = "web";
  one.id = id;
  one.port = 80;
  one.expired = expired;
  one.requests_cut = cut;
  return one;
}

TEST(DrainLog, OfOneWorkerTellsAtOnce) {
  DrainLog log;
  log.add(drain("a", false, 0));
  ASSERT_EQ(log.drains().size(), 1u);
  EXPECT_EQ(log.drains().front().cursor, 1u);
}

TEST(DrainLog, OfSeveralTellsWhenTheLastHasSaidSo) {
  DrainLog log;
  log.set_workers(3);
  log.add(drain("a", false, 0));
  log.add(drain("b", false, 0));
  log.add(drain("a", true, 2));
  EXPECT_TRUE(log.drains().empty());
  log.add(drain("a", true, 3));
  ASSERT_EQ(log.drains().size(), 1u);
  EXPECT_EQ(log.drains().front().id, "a");
  EXPECT_TRUE(log.drains().front().expired) << "one worker's requests were cut";
  EXPECT_EQ(log.drains().front().requests_cut, 5u);
  // The same target again is another drain.
  for (int i = 0; i < 3; ++i) log.add(drain("a", false, 0));
  ASSERT_EQ(log.drains().size(), 2u);
  EXPECT_FALSE(log.drains().back().expired);
  EXPECT_EQ(log.last_cursor(), 2u);
}

TEST(LoadBalancerCounters, EveryOneIsAdded) {
  using Counts = std::array<std::uint64_t, sizeof(LoadBalancerCounters) / sizeof(std::uint64_t)>;
  Counts one{}, two{};
  for (std::size_t i = 0; i < one.size(); ++i) {
    one[i] = i + 1;
    two[i] = 1000 * (i + 1);
  }
  auto sum = std::bit_cast<LoadBalancerCounters>(one);
  sum += std::bit_cast<LoadBalancerCounters>(two);
  const auto counts = std::bit_cast<Counts>(sum);
  for (std::size_t i = 0; i < counts.size(); ++i) EXPECT_EQ(counts[i], 1001 * (i + 1)) << i;
}

TargetReport target(const std::string& id, std::uint64_t requests) {
  TargetReport one;
  one.id = id;
  one.port = 80;
  one.counters.requests = requests;
  one.open = 2;
  one.outstanding = 1;
  return one;
}

NodeReport node(std::vector<TargetReport> targets, std::uint64_t requests) {
  BalancerReport balancer;
  balancer.name = "app";
  balancer.counters.requests = requests;
  balancer.connections = 7;
  balancer.listeners.push_back({"http", 7});
  GroupReport group;
  group.name = "web";
  group.targets = std::move(targets);
  group.totals.targets.requests = requests;
  balancer.groups.push_back(std::move(group));
  NodeReport report;
  report.balancers.push_back(std::move(balancer));
  report.workers.push_back({1, requests});
  return report;
}

TEST(NodeReport, AddsByNameAndLeavesOutWhatIsNotConfiguredAnyMore) {
  NodeReport sum = node({target("a", 1), target("c", 3)}, 4);
  NodeReport other = node({target("a", 10), target("b", 20), target("c", 30)}, 60);
  other.balancers.push_back(other.balancers.front());
  other.balancers.back().name = "gone";
  sum.add(other);
  ASSERT_EQ(sum.balancers.size(), 1u);
  const BalancerReport& app = sum.balancer("app");
  EXPECT_EQ(app.counters.requests, 64u);
  EXPECT_EQ(app.connections, 14u);
  EXPECT_EQ(app.connections_of("http"), 14u);
  const GroupReport& web = app.group("web");
  EXPECT_EQ(web.target("a", 80).counters.requests, 11u);
  EXPECT_EQ(web.target("c", 80).counters.requests, 33u);
  EXPECT_EQ(web.target("c", 80).open, 4u);
  EXPECT_EQ(web.target("c", 80).outstanding, 2u);
  EXPECT_EQ(web.target("b", 80).counters.requests, 0u) << "this configuration does not have it";
  EXPECT_EQ(web.target("a", 81).counters.requests, 0u) << "another port is another target";
  EXPECT_EQ(sum.workers.size(), 2u);
  EXPECT_EQ(sum.balancer("gone").counters.requests, 0u);
}

TEST(NodeReport, ErrorsAreTheNewestOfAll) {
  const auto with_errors = [](int first, int step) {
    NodeReport report = node({}, 0);
    report.balancers.front().errors_total = kKeptErrors;
    for (int i = 0; i < static_cast<int>(kKeptErrors); ++i) {
      ErrorEntry entry;
      entry.record.ended = Time{std::chrono::seconds(first - step * i)};
      report.balancers.front().errors.push_back(entry);
    }
    return report;
  };
  NodeReport sum = with_errors(1000, 2);
  sum.add(with_errors(999, 2));
  const std::vector<ErrorEntry>& errors = sum.balancer("app").errors;
  ASSERT_EQ(errors.size(), kKeptErrors);
  for (std::size_t i = 0; i < errors.size(); ++i) {
    EXPECT_EQ(errors[i].record.ended, Time{std::chrono::seconds(1000 - static_cast<int>(i))});
  }
  EXPECT_EQ(sum.balancer("app").errors_total, 2 * kKeptErrors);
}

}  // namespace
}  // namespace rr
