#include "sim/cloud/target_table.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rr::sim {
namespace {

TargetSpec spec(const std::string& id, std::uint16_t port = 8080) {
  return {.id = id, .address = Address::v4(172, 31, 16, 10, port), .wire = {}, .zone = "eu-west-1a"};
}

std::vector<std::string> ids(const TargetTable::Group& group) {
  std::vector<std::string> all;
  for (const auto& one : group) all.push_back(one->id);
  return all;
}

TEST(TargetTable, AGroupIsInTheOrderOfTheIds) {
  TargetTable table;
  for (const char* id : {"i-3", "i-1", "i-2"}) table.put("web", spec(id));
  EXPECT_EQ(ids(table.of("web")), (std::vector<std::string>{"i-1", "i-2", "i-3"}));
  table.put("web", spec("i-2", 9090));
  ASSERT_EQ(table.of("web").size(), 3u);
  EXPECT_EQ(TargetTable::find(table.of("web"), "i-2")->address.port, 9090);
  table.erase("web", "i-1");
  table.erase("web", "i-7");  // which there is not
  EXPECT_EQ(ids(table.of("web")), (std::vector<std::string>{"i-2", "i-3"}));
  EXPECT_EQ(TargetTable::find(table.of("web"), "i-1"), nullptr);
  EXPECT_TRUE(table.of("api").empty());
}

TEST(TargetTable, ACopyKeepsWhatItIsACopyOf) {
  TargetTable table;
  table.put("web", spec("i-1"));
  table.put("web", spec("i-2"));
  const TargetTable copy = table;
  const auto shared = copy.share("web");
  EXPECT_EQ(shared, table.share("web"));
  table.put("web", spec("i-3"));
  EXPECT_EQ(shared->size(), 2u);
  EXPECT_EQ(copy.share("web"), shared);
  EXPECT_NE(copy, table);
  // What has not changed is the very same in both.
  EXPECT_EQ(table.of("web").front(), shared->front());
  table.erase("web", "i-3");
  EXPECT_EQ(copy, table);
}

}  // namespace
}  // namespace rr::sim
