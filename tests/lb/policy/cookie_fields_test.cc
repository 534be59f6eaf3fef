#include "lb/policy/cookie_fields.h"

#include <gtest/gtest.h>

#include <vector>

namespace rr {
namespace {

using Fields = std::vector<HeaderView>;

TEST(CookieFields, WhatARequestBrings) {
  const struct {
    const char* story;
    Fields fields;
    std::optional<std::string_view> value;
    bool has;
  } kTable[] = {
      {"none", {{"Host", "a"}}, std::nullopt, false},
      {"alone", {{"Cookie", "AWSALB=x+/="}}, "x+/=", true},
      {"among others", {{"cookie", "a=1; AWSALB=x; b=2"}}, "x", true},
      {"last, in a second field", {{"Cookie", "a=1"}, {"COOKIE", "b=2;\tAWSALB=x "}}, "x", true},
      {"without a space", {{"Cookie", "a=1;AWSALB=x"}}, "x", true},
      {"space around the name", {{"Cookie", " AWSALB = x "}}, "x", true},
      {"an empty value", {{"Cookie", "AWSALB="}}, "", true},
      {"quotes stay", {{"Cookie", "AWSALB=\"x\""}}, "\"x\"", true},
      {"of another case", {{"Cookie", "awsalb=x"}}, std::nullopt, false},
      {"a longer name", {{"Cookie", "AWSALBCORS=x; XAWSALB=y"}}, std::nullopt, false},
      {"in a value", {{"Cookie", "a=AWSALB=x"}}, std::nullopt, false},
      {"without a value", {{"Cookie", "AWSALB"}}, std::nullopt, false},
      {"twice", {{"Cookie", "AWSALB=x; AWSALB=x"}}, std::nullopt, true},
      {"twice, in two fields", {{"Cookie", "AWSALB=x"}, {"Cookie", "AWSALB=y"}}, std::nullopt, true},
      {"in another header", {{"X-Cookie", "AWSALB=x"}, {"Set-Cookie", "AWSALB=x"}}, std::nullopt, false},
      {"only separators", {{"Cookie", ";;=; ="}}, std::nullopt, false},
  };
  for (const auto& row : kTable) {
    const RequestView request{.method = "GET", .target = "/", .headers = row.fields};
    EXPECT_EQ(find_cookie(request, "AWSALB"), row.value) << row.story;
    EXPECT_EQ(has_cookie(request, "AWSALB"), row.has) << row.story;
  }
}

TEST(CookieFields, WhatAResponseSets) {
  const struct {
    const char* story;
    Fields fields;
    bool sets;
  } kTable[] = {
      {"nothing", {{"Server", "x"}}, false},
      {"the cookie", {{"Set-Cookie", "session=1"}}, true},
      {"with attributes", {{"set-cookie", "session=1; Path=/; HttpOnly"}}, true},
      {"as the second one", {{"Set-Cookie", "a=1"}, {"Set-Cookie", "session=1"}}, true},
      {"deleted", {{"Set-Cookie", "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}}, true},
      {"another", {{"Set-Cookie", "sessions=1"}}, false},
      {"of another case", {{"Set-Cookie", "Session=1"}}, false},
      {"named in an attribute", {{"Set-Cookie", "a=1; session=1"}}, false},
      {"without a value", {{"Set-Cookie", "session; Path=/"}}, false},
      {"in another field", {{"Set-Cookie2", "session=1"}, {"Cookie", "session=1"}}, false},
  };
  for (const auto& row : kTable) {
    const ResponseView response{.status = 200, .headers = row.fields};
    EXPECT_EQ(sets_cookie(response, "session"), row.sets) << row.story;
  }
}

}  // namespace
}  // namespace rr
