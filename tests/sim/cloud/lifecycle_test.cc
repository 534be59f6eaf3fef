#include <gtest/gtest.h>

#include <set>

#include "sim/cloud/model.h"

namespace rr::sim {
namespace {

// Rows: from, columns: to, in the order of the enum. P Pending, W Pending:Wait, R Pending:Proceed, I InService,
// T Terminating, w Terminating:Wait, r Terminating:Proceed, t Terminated, E EnteringStandby, S Standby, D Detaching,
// d Detached.
//                              P W R I T w r t E S D d
constexpr const char* kLifecycle[] = {"-x-xx-------",   // Pending
                                      "--x-x-------",   // Pending:Wait
                                      "---xx-------",   // Pending:Proceed
                                      "----x---x-x-",   // InService
                                      "-----x-x----",   // Terminating: never back
                                      "------x-----",   // Terminating:Wait
                                      "-------x----",   // Terminating:Proceed
                                      "------------",   // Terminated
                                      "----x----x--",   // EnteringStandby
                                      "x---x-----x-",   // Standby
                                      "----x------x",   // Detaching
                                      "x---x-------"};  // Detached

TEST(Lifecycle, MovesAreThoseOfTheTable) {
  std::set<std::string_view> names;
  for (int from = 0; from < 12; ++from) {
    names.insert(to_string(static_cast<LifecycleState>(from)));
    for (int to = 0; to < 12; ++to) {
      EXPECT_EQ(legal(static_cast<LifecycleState>(from), static_cast<LifecycleState>(to)), kLifecycle[from][to] == 'x')
          << to_string(static_cast<LifecycleState>(from)) << " -> " << to_string(static_cast<LifecycleState>(to));
    }
  }
  EXPECT_EQ(names.size(), 12u);
  EXPECT_EQ(to_string(LifecycleState::kPendingWait), "Pending:Wait");
}

//                             pending running shutting-down terminated stopping stopped
constexpr const char* kInstance[] = {"-xx---", "--x-x-", "---x--", "------", "---x-x", "x--x--"};

TEST(Lifecycle, MovesOfAnEc2InstanceAreThoseOfTheTable) {
  for (int from = 0; from < 6; ++from) {
    for (int to = 0; to < 6; ++to) {
      EXPECT_EQ(legal(static_cast<InstanceState>(from), static_cast<InstanceState>(to)), kInstance[from][to] == 'x')
          << to_string(static_cast<InstanceState>(from)) << " -> " << to_string(static_cast<InstanceState>(to));
    }
  }
  EXPECT_EQ(to_string(InstanceState::kShuttingDown), "shutting-down");
}

TEST(Lifecycle, TerminationPoliciesAreReadBackByTheirName) {
  for (int i = 0; i < 7; ++i) {
    const auto policy = static_cast<TerminationPolicy>(i);
    EXPECT_EQ(parse_termination_policy(to_string(policy)), policy);
  }
  EXPECT_EQ(parse_termination_policy("default"), std::nullopt);
}

}  // namespace
}  // namespace rr::sim
