#include "sim/world/fault.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "sim/world/link_plan.h"

namespace rr::sim {
namespace {

using enum FaultTargetKind;

TEST(FaultKinds, EveryRowIsWholeAndItsNamesAreItsOwn) {
  std::set<std::string_view> names;
  ASSERT_EQ(fault_kinds().size(), kFaultKinds);
  for (const FaultKindRow& row : fault_kinds()) {
    EXPECT_EQ(&fault_row(row.kind), &row);
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.targets.empty()) << row.name;
    EXPECT_FALSE(row.what_it_does.empty()) << row.name;
    EXPECT_EQ(find_fault_kind(row.name), &row);
    if (row.toxiproxy != row.name && !row.toxiproxy.empty()) {
      EXPECT_TRUE(names.insert(row.toxiproxy).second) << row.toxiproxy;
    }
    if (row.unit == AmountUnit::kNone) continue;
    EXPECT_LE(row.least, row.otherwise) << row.name;
    EXPECT_LE(row.otherwise, row.most) << row.name;
    EXPECT_LT(row.least, row.most) << row.name;
    // What help prints is what is understood.
    const auto read = parse_amount(row, format_amount(row, row.otherwise));
    ASSERT_TRUE(read.ok()) << row.name;
    EXPECT_EQ(*read, row.otherwise) << row.name;
  }
}

TEST(FaultKinds, ToxiproxysNamesAreUnderstood) {
  EXPECT_EQ(find_fault_kind("reset_peer")->kind, FaultKind::kReset);
  EXPECT_EQ(find_fault_kind("down")->kind, FaultKind::kRefuse);
  EXPECT_EQ(find_fault_kind("timeout")->kind, FaultKind::kBlackhole);
  EXPECT_EQ(find_fault_kind("latency")->kind, FaultKind::kLatency);
  EXPECT_EQ(find_fault_kind(""), nullptr);
  EXPECT_EQ(find_fault_kind("Hang"), nullptr);
}

TEST(FaultAmount, InTheUnitAndTheRangeOfItsKind) {
  struct Row {
    FaultKind kind;
    std::string text;
    double amount;  // negative: refused
  };
  const std::vector<Row> rows{
      {FaultKind::kGray, "30%", 30},        {FaultKind::kGray, "30 %", 30},     {FaultKind::kGray, "2.5", 2.5},
      {FaultKind::kGray, "", 30},           {FaultKind::kGray, "100", 100},     {FaultKind::kGray, "101", -1},
      {FaultKind::kGray, "1", 1},           {FaultKind::kGray, "0.9", -1},      {FaultKind::kGray, "nan", -1},
      {FaultKind::kGray, "30ms", -1},       {FaultKind::kGray, "%", -1},        {FaultKind::kLatency, "300ms", 0.3},
      {FaultKind::kLatency, "2", 2},        {FaultKind::kLatency, "1h", 3600},  {FaultKind::kLatency, "3601s", -1},
      {FaultKind::kLatency, "1ms", 0.001},  {FaultKind::kLatency, "900us", -1}, {FaultKind::kLatency, "30%", -1},
      {FaultKind::kFlapping, "200ms", 0.2}, {FaultKind::kFlapping, "0.1", -1},  {FaultKind::kHang, "", 1},
      {FaultKind::kHang, "1", -1},
  };
  for (const Row& row : rows) {
    const auto read = parse_amount(fault_row(row.kind), row.text);
    if (row.amount < 0) {
      EXPECT_FALSE(read.ok()) << row.text;
    } else {
      ASSERT_TRUE(read.ok()) << row.text << ": " << read.error().message;
      EXPECT_DOUBLE_EQ(*read, row.amount) << row.text;
    }
  }
  EXPECT_EQ(parse_amount(fault_row(FaultKind::kGray), "0").error().message, "0: 1 % to 100 % is right for gray");
}

TEST(CheckFault, WhatCannotBeIsRefusedByName) {
  struct Row {
    Fault fault;
    FaultGround ground;
    bool own_program;
    std::string says;  // empty: it can be
  };
  const Fault partition{FaultKind::kPartition, {kZone, "a"}};
  const Fault slow{FaultKind::kSlow, {kInstance, "i-1"}, 0.5};
  const std::vector<Row> rows{
      {partition, FaultGround::kNamespaces, true, ""},
      {partition, FaultGround::kVirtual, false, ""},
      {partition, FaultGround::kPlain, false, "the plain ground cannot do partition"},
      {slow, FaultGround::kPlain, false, ""},
      {slow, FaultGround::kNamespaces, true, "slow cannot be done to a program of yours"},
      {{FaultKind::kPowerLoss, {kInstance, "i-1"}},
       FaultGround::kPlain,
       false,
       "power-loss cannot be done to the instance i-1: it is for zone"},
      {{FaultKind::kHang, {kControlPlane, ""}},
       FaultGround::kPlain,
       false,
       "hang cannot be done to the control plane control-plane: it is for zone, instance, node"},
      {{FaultKind::kGray, {kZone, "a"}, 0}, FaultGround::kPlain, false, "0 %: 1 % to 100 % is right for gray"},
      {{FaultKind::kCrash, {kNode, "lb"}, 1, kSecond}, FaultGround::kPlain, false, "crash is over at once"},
      {{FaultKind::kHang, {kNode, "lb"}, 1, Duration{}}, FaultGround::kPlain, false, "must last longer than 0s"},
      {{FaultKind::kOutage, {kControlPlane, ""}, 1, kSecond}, FaultGround::kPlain, true, ""},
  };
  for (const Row& row : rows) {
    const Status checked = check_fault(row.fault, row.ground, row.own_program);
    if (row.says.empty()) {
      EXPECT_TRUE(checked.ok());
    } else {
      ASSERT_FALSE(checked.ok()) << row.says;
      EXPECT_NE(checked.error().message.find(row.says), std::string::npos) << checked.error().message;
    }
  }
}

TEST(FaultTarget, ALinkHasTwoEnds) {
  const FaultTarget link = link_target("lb-eu-west-1a", "i-1");
  EXPECT_EQ(link.describe(), "lb-eu-west-1a/i-1");
  ASSERT_TRUE(link_ends(link).has_value());
  EXPECT_EQ(link_ends(link)->node, "lb-eu-west-1a");
  EXPECT_EQ(link_ends(link)->instance, "i-1");
  EXPECT_FALSE(link_ends({kInstance, "i-1"}).has_value());
  EXPECT_FALSE(link_ends({kLink, "i-1"}).has_value());
  EXPECT_EQ((FaultTarget{kControlPlane, ""}.describe()), "control-plane");
}

TEST(LinkPlan, AFaultReachesTheLinksOfItsTarget) {
  const LinkPlace link{"lb-a", "i-1", ZoneName("b")};
  EXPECT_TRUE(reaches({kZone, "b"}, link)) << "into the zone";
  EXPECT_FALSE(reaches({kZone, "a"}, link)) << "not out of the node's";
  EXPECT_TRUE(reaches({kInstance, "i-1"}, link));
  EXPECT_TRUE(reaches({kNode, "lb-a"}, link));
  EXPECT_TRUE(reaches(link_target("lb-a", "i-1"), link));
  EXPECT_FALSE(reaches(link_target("lb-b", "i-1"), link));
  EXPECT_FALSE(reaches({kControlPlane, ""}, link));
}

TEST(LinkPlan, EveryFaultOfTheNetworkIsOneOfLinksAndNoOtherIs) {
  for (const FaultKindRow& row : fault_kinds()) {
    const bool of_links = std::find(row.targets.begin(), row.targets.end(), kLink) != row.targets.end();
    const bool gray = row.kind == FaultKind::kGray;  // of a whole zone, and done to its links
    EXPECT_EQ(wire_faults_of({row.kind, {kZone, "b"}, 5}).has_value(), of_links || gray) << row.name;
  }
  const LinkPlace link{"lb-a", "i-1", ZoneName("b")};
  const std::vector<FaultStatus> in_force{{{FaultKind::kLatency, {kZone, "b"}, 0.25}, Time{}, std::nullopt},
                                          {{FaultKind::kLatency, {kNode, "lb-a"}, 0.5}, Time{}, std::nullopt},
                                          {{FaultKind::kRefuse, {kInstance, "i-2"}}, Time{}, std::nullopt},
                                          {{FaultKind::kHang, {kZone, "b"}}, Time{}, std::nullopt}};
  EXPECT_EQ(wire_faults(in_force, link), (WireFaults{.latency = std::chrono::milliseconds(750)}));
  EXPECT_FALSE(wire_faults(in_force, {"lb-b", "i-3", ZoneName("a")}).any());
}

TEST(FaultTable, NamesEveryKindOnce) {
  const std::string table = fault_table();
  for (const FaultKindRow& row : fault_kinds()) {
    const std::string head = "\n  " + std::string(row.name) + " ";
    const std::size_t at = ("\n" + table).find(head);
    ASSERT_NE(at, std::string::npos) << row.name;
    EXPECT_EQ(("\n" + table).find(head, at + 1), std::string::npos) << row.name;
  }
}

}  // namespace
}  // namespace rr::sim
