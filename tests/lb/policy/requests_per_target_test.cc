#include "lb/policy/requests_per_target.h"

#include <gtest/gtest.h>

namespace rr {
namespace {

TEST(RequestsPerTarget, EachRequestIsSharedByTheTargetsOfItsTime) {
  RequestsPerTarget per_target;
  per_target.share_among(2, 0);
  EXPECT_DOUBLE_EQ(per_target.sum(10), 5);  // 10/2
  per_target.share_among(3, 10);
  EXPECT_DOUBLE_EQ(per_target.sum(10), 5) << "a change alone adds nothing";
  EXPECT_DOUBLE_EQ(per_target.sum(19), 8);  // 10/2 + 9/3
  per_target.share_among(3, 12);
  per_target.share_among(1, 19);
  EXPECT_DOUBLE_EQ(per_target.sum(21), 10);  // 10/2 + 9/3 + 2/1
}

TEST(RequestsPerTarget, WithoutTargetsARequestCountsWhole) {
  RequestsPerTarget per_target;
  EXPECT_DOUBLE_EQ(per_target.sum(0), 0);
  per_target.share_among(0, 0);
  EXPECT_DOUBLE_EQ(per_target.sum(2), 2);
}

}  // namespace
}  // namespace rr
