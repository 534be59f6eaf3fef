// The last errors, in a bounded amount of memory.
#include "lb/proxy/error_log.h"

#include <gtest/gtest.h>

#include <string>

namespace rr {
namespace {

TEST(ErrorLog, KeepsTheLastHundredNewestFirst) {
  ErrorLog log;
  // kKeptErrors and one more: the first is given up.
  for (std::size_t i = 0; i <= kKeptErrors; ++i) ErrorLog::set(log.add().request_line, std::to_string(i));
  EXPECT_EQ(log.size(), kKeptErrors);
  EXPECT_EQ(log.total(), kKeptErrors + 1);
  EXPECT_EQ(log.newest(0).request_line, std::to_string(kKeptErrors));
  EXPECT_EQ(log.newest(kKeptErrors - 1).request_line, "1");
}

TEST(ErrorLog, HoldsEverythingUntilItIsFull) {
  ErrorLog log;
  for (std::size_t i = 0; i < kKeptErrors; ++i) ErrorLog::set(log.add().request_line, std::to_string(i));
  EXPECT_EQ(log.newest(kKeptErrors - 1).request_line, "0");
}

TEST(ErrorLog, AnOldEntryLeavesNothingInANewOne) {
  ErrorLog log;
  for (std::size_t i = 0; i < kKeptErrors; ++i) ErrorLog::set(log.add().target, "10.0.0.1:80");
  log.add();
  EXPECT_EQ(log.newest(0).target, "");
}

TEST(ErrorLog, TextsAreCut) {
  ErrorLog log;
  ErrorEntry& entry = log.add();
  ErrorLog::set(entry.request_line, std::string(kMaximumErrorText, 'x'));
  EXPECT_EQ(entry.request_line.size(), kMaximumErrorText);
  ErrorLog::set(entry.request_line, std::string(kMaximumErrorText + 1, 'x'));
  EXPECT_EQ(entry.request_line.size(), kMaximumErrorText);
}

}  // namespace
}  // namespace rr
