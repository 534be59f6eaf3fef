#include "lb/base/request_view.h"

#include <gtest/gtest.h>

#include <vector>

namespace rr {
namespace {

TEST(RequestView, FindsTheFirstHeaderOfANameInAnyCase) {
  const std::vector<HeaderView> headers{{"Host", "a"}, {"X-One", "1"}, {"x-one", "2"}, {"Empty", ""}};
  const RequestView request{.method = "GET", .target = "/", .headers = headers};
  EXPECT_EQ(request.header("HOST"), "a");
  EXPECT_EQ(request.header("x-One"), "1");
  EXPECT_EQ(request.header("empty"), "");
  EXPECT_EQ(request.header("X-On"), std::nullopt);
  EXPECT_EQ(request.header(""), std::nullopt);
}

TEST(RequestView, IgnoresTheCaseOfAsciiLettersOnly) {
  EXPECT_TRUE(equals_ignoring_case("aZ-09", "Az-09"));
  EXPECT_FALSE(equals_ignoring_case("[", "{"));  // 0x5b and 0x7b differ by the bit that letters differ by
  EXPECT_FALSE(equals_ignoring_case("\xc3\x84", "\xc3\xa4"));
}

}  // namespace
}  // namespace rr
