// What the demo says of its tier: each change once, in words, and nothing of what stays as it was.
#include "sim/scenario/demo_news.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace rr::sim {
namespace {
using nlohmann::json;

json instance(const std::string& id, const std::string& lifecycle, const std::string& health) {
  return {{"id", id},
          {"zone", "eu-west-1a"},
          {"lifecycle", lifecycle},
          {"target_health", {{"state", health}, {"reason", "Target.Timeout"}}}};
}

json status(std::vector<json> instances, bool in_dns = true) {
  return {{"instances", std::move(instances)},
          {"nodes", {{{"name", "lb-eu-west-1a"}, {"zone", "eu-west-1a"}, {"in_dns", in_dns}}}}};
}

std::vector<std::string> texts(const std::vector<News>& news) {
  std::vector<std::string> out;
  for (const News& one : news) out.push_back(one.text);
  return out;
}

using Texts = std::vector<std::string>;

TEST(DemoNews, AnInstancesLifeIsToldOnceAStep) {
  DemoNews news;
  const std::string id = "i-0a1b";
  const std::vector<std::pair<json, Texts>> steps = {
      {instance(id, "Pending", "initial"), {"i-0a1b in eu-west-1a is being launched"}},
      {instance(id, "Pending", "initial"), {}},
      {instance(id, "InService", "initial"), {}},
      {instance(id, "InService", "healthy"), {"i-0a1b in eu-west-1a is in service and healthy"}},
      {instance(id, "InService", "unhealthy"), {"i-0a1b in eu-west-1a is unhealthy: Target.Timeout"}},
      {instance(id, "Terminating:Wait", "draining"), {"i-0a1b in eu-west-1a leaves: no new requests, then it ends"}},
      {instance(id, "Terminating", "draining"), {}},
      {instance(id, "Terminated", "unused"), {"i-0a1b in eu-west-1a has ended"}},
  };
  for (const auto& [one, told] : steps) EXPECT_EQ(texts(news.since_last(status({one}))), told) << one;
  EXPECT_EQ(texts(news.since_last(status({}))), Texts{}) << "that is no launch that failed";
}

TEST(DemoNews, TheBuildIsNamedWhereItIsKnown) {
  DemoNews news;
  json one = instance("i-0a1b", "InService", "healthy");
  one["build"] = "28";
  const std::vector<News> told = news.since_last(status({one}));
  EXPECT_EQ(texts(told), Texts{"i-0a1b in eu-west-1a is in service and healthy (build 28)"});
  EXPECT_EQ(told.front().ink, Ink::kGreen);
}

TEST(DemoNews, ALaunchThatLeavesNothingBehindHasFailed) {
  DemoNews news;
  news.since_last(status({instance("i-0a1b", "Pending", "initial")}));
  EXPECT_EQ(texts(news.since_last(status({}))), Texts{"i-0a1b could not be launched: its zone has no power"});
  EXPECT_EQ(texts(news.since_last(status({}))), Texts{});
}

TEST(DemoNews, ANodeIsToldOfWhenItLeavesDnsAndNotWhenItIsFirstSeen) {
  DemoNews news;
  EXPECT_EQ(texts(news.since_last(status({}, true))), Texts{});
  EXPECT_EQ(texts(news.since_last(status({}, false))), Texts{"the node of eu-west-1a is out of DNS"});
  EXPECT_EQ(texts(news.since_last(status({}, false))), Texts{});
  EXPECT_EQ(texts(news.since_last(status({}, true))), Texts{"the node of eu-west-1a is in DNS again"});
}

}  // namespace
}  // namespace rr::sim
