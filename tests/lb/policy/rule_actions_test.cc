// Redirects, transforms, and what validate() says of rules and actions.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "lb/policy/redirect.h"
#include "lb/policy/rule_transforms.h"
#include "lb/policy/rule_validation.h"

namespace rr {
namespace {

TEST(Redirect, Locations) {
  const RedirectSource source{"http", "Shop.example.com", "8080", "/cart/1", "id=7"};
  const RedirectSource odd{"http", "a", "80", "/a b\r\nX:1", "\xFF"};
  const RedirectSource bare{"http", "a", "80", "/", ""};
  const struct {
    const char* story;
    RedirectAction action;
    const RedirectSource& source;
    const char* expected;
  } kTable[] = {
      {"to https, everything else kept",
       {.protocol = "HTTPS", .port = "443"},
       source,
       "https://Shop.example.com:443/cart/1?id=7"},
      {"the port is always shown", {.host = "new.example.com"}, bare, "http://new.example.com:80/"},
      {"no question mark without a query", {.path = "/x"}, bare, "http://a:80/x"},
      {"#{path} has no slash of its own",
       {.path = "/old/#{path}"},
       source,
       "http://Shop.example.com:8080/old/cart/1?id=7"},
      {"all of them in the query",
       {.query = "u=#{protocol}-#{host}-#{port}-#{path}&#{query}"},
       source,
       "http://Shop.example.com:8080/cart/1?u=http-Shop.example.com-8080-cart/1&id=7"},
      {"a host around the old one", {.host = "m.#{host}"}, source, "http://m.Shop.example.com:8080/cart/1?id=7"},
      {"nothing can end the line", {.host = "b"}, odd, "http://b:80/a%20b%0D%0AX:1?%FF"},
      {"no query left", {.query = ""}, source, "http://Shop.example.com:8080/cart/1"},
  };
  for (const auto& row : kTable) {
    const auto location = redirect_location(row.action, row.source);
    ASSERT_TRUE(location.ok()) << row.story;
    EXPECT_EQ(*location, row.expected) << row.story;
  }
}

TEST(Redirect, TheUrlMayHave8KAndNotOneMore) {
  const RedirectAction action{.host = "a"};
  // "http://a:80" and the path make the URL.
  const std::string path = "/" + std::string(kMaximumRedirectUrl - std::string_view("http://a:80/").size(), 'x');
  const RedirectSource at_the_limit{"http", "b", "80", path, ""};
  EXPECT_EQ(redirect_location(action, at_the_limit)->size(), kMaximumRedirectUrl);
  const std::string longer = path + "x";
  EXPECT_FALSE(redirect_location(action, {"http", "b", "80", longer, ""}).ok());
}

TEST(Transforms, ReplaceWhatMatchesFirst) {
  const RequestView request{.method = "GET", .target = "/api/v1/users?id=7", .headers = {}};
  const std::vector<HeaderView> headers{{"Host", "old.example.com:8080"}};
  RequestView with_host = request;
  with_host.headers = headers;
  const auto apply = [&](std::optional<Rewrite> host, std::optional<Rewrite> url) {
    return RuleTransforms(host, url).apply(split_request(with_host));
  };
  Transformed one = apply({}, Rewrite{"^/api/v([0-9]+)/(.*)$", "/$2&version=$1"});
  EXPECT_EQ(one.status, TransformStatus::kSuccess);
  EXPECT_EQ(one.target, "/users?id=7&version=1");
  EXPECT_EQ(one.host, std::nullopt);
  one = apply(Rewrite{"^OLD\\.(.*)$", "new.$1"}, {});
  EXPECT_EQ(one.host, "new.example.com") << "names ignore case";
  one = apply(Rewrite{"^x", "y"}, Rewrite{"^/other", "/"});
  EXPECT_EQ(one.status, TransformStatus::kNone) << "what does not match leaves the request alone";
  one = apply({}, Rewrite{"^/api", "no-slash"});
  EXPECT_TRUE(failed(one.status));
  one = apply({}, Rewrite{"^/api", "/a b"});
  EXPECT_TRUE(failed(one.status)) << "a space would end the request line's target";
  one = apply(Rewrite{"^old", "a\r\nX-Evil: 1"}, {});
  EXPECT_TRUE(failed(one.status));
}

std::vector<std::string> complaints(const RuleSettings& rule) {
  const std::vector<TargetGroupSettings> groups{{.name = "web"}};
  const std::vector<RuleSettings> rules{rule};
  std::vector<std::string> messages;
  for (const SettingError& error : validate_rules(rules, groups)) messages.push_back(error.message);
  return messages;
}

RuleSettings good_rule() {
  return {.priority = 1, .conditions = {PathPatternCondition{{"/a"}}}, .action = ForwardAction{{{"web", 1}}}};
}

TEST(RuleValidation, EachMistakeIsNamed) {
  const struct {
    const char* story;
    std::function<void(RuleSettings&)> change;
    const char* expected;  // within the one complaint; "" for none
  } kTable[] = {
      {"good", [](auto&) {}, ""},
      {"priority 0", [](auto& r) { r.priority = 0; }, "rules[0].priority: 0 is out of range: 1 to 50000"},
      {"priority 50000", [](auto& r) { r.priority = 50000; }, ""},
      {"priority 50001", [](auto& r) { r.priority = 50001; }, "rules[0].priority: 50001 is out of range: 1 to 50000"},
      {"no condition", [](auto& r) { r.conditions.clear(); }, "rules[0].conditions: a rule needs a condition"},
      {"two paths", [](auto& r) { r.conditions.push_back(PathPatternCondition{{"/b"}}); },
       "rules[0].conditions[1].field: 'path-pattern' comes twice"},
      {"two headers",
       [](auto& r) {
         r.conditions = {HttpHeaderCondition{"a", {"1"}, {}}, HttpHeaderCondition{"b", {"1"}, {}}};
       },
       ""},
      {"five values",
       [](auto& r) {
         r.conditions = {PathPatternCondition{{"/1", "/2", "/3", "/4", "/5"}}};
       },
       ""},
      {"six values",
       [](auto& r) {
         r.conditions = {PathPatternCondition{{"/1", "/2", "/3", "/4", "/5", "/6"}}};
       },
       "A rule can only have '5' condition values"},
      {"five wildcards", [](auto& r) { r.conditions = {PathPatternCondition{{"/*?*?*"}}}; }, ""},
      {"six wildcards", [](auto& r) { r.conditions = {PathPatternCondition{{"/*?*?*?"}}}; },
       "A rule can only have '5' wildcards (TooManyWildcards)"},
      {"128 characters", [](auto& r) { r.conditions = {PathPatternCondition{{"/" + std::string(127, 'a')}}}; }, ""},
      {"129 characters", [](auto& r) { r.conditions = {PathPatternCondition{{"/" + std::string(128, 'a')}}}; },
       "has 129 characters: 1 to 128"},
      {"a host without a dot", [](auto& r) { r.conditions = {HostHeaderCondition{{"localhost"}}}; }, "has no dot"},
      {"a character that no path has", [](auto& r) { r.conditions = {PathPatternCondition{{"/a#b"}}}; },
       "contains a character that is not valid"},
      {"Host by its header",
       [](auto& r) {
         r.conditions = {HttpHeaderCondition{"Host", {"a"}, {}}};
       },
       "has a condition of its own"},
      {"a method in lower case", [](auto& r) { r.conditions = {HttpRequestMethodCondition{{"get"}}}; },
       "contains a character that is not valid"},
      {"no address block", [](auto& r) { r.conditions = {SourceIpCondition{{"10.0.0.0/33"}}}; }, "10.0.0.0/33"},
      {"the broadcast address", [](auto& r) { r.conditions = {SourceIpCondition{{"255.255.255.255/32"}}}; },
       "is the broadcast address"},
      {"a lookahead",
       [](auto& r) {
         r.conditions = {PathPatternCondition{{}, {"/a(?=b)"}}};
       },
       "is not an expression that is supported"},
      {"a back reference",
       [](auto& r) {
         r.conditions = {PathPatternCondition{{}, {"(a)\\1"}}};
       },
       "is not an expression that is supported"},
      {"a class of Unicode",
       [](auto& r) {
         r.conditions = {PathPatternCondition{{}, {"\\pL"}}};
       },
       "is not an expression that is supported"},
      {"both lists",
       [](auto& r) {
         r.conditions = {PathPatternCondition{{"/a"}, {"/b"}}};
       },
       "has both values and regex_values"},
      {"a redirect that changes nothing", [](auto& r) { r.action = RedirectAction{}; }, "creates a loop"},
      {"a redirect of the query alone", [](auto& r) { r.action = RedirectAction{.query = "x"}; }, "creates a loop"},
      {"a redirect to https", [](auto& r) { r.action = RedirectAction{.protocol = "HTTPS"}; }, ""},
      {"another redirect status", [](auto& r) { r.action = RedirectAction{.status = 303, .path = "/x"}; },
       "303: 301 or 302"},
      {"a placeholder at the wrong place", [](auto& r) { r.action = RedirectAction{.host = "#{path}"}; }, "#{path}"},
      {"an unknown group",
       [](auto& r) {
         r.action = ForwardAction{{{"nope", 1}}};
       },
       "rules[0].action.target_groups[nope]: 'nope' is not a target group"},
      {"every weight 0",
       [](auto& r) {
         r.action = ForwardAction{{{"web", 0}}};
       },
       "every weight is 0"},
      {"a fixed 301", [](auto& r) { r.action = FixedResponseAction{.status = 301}; }, "301 is out of range"},
      {"a rewrite with a group too many",
       [](auto& r) {
         r.url_rewrite = Rewrite{"/(a)", "/$2"};
       },
       "rules[0].url_rewrite.replace: '/$2' names group $2, but the regex has 1"},
  };
  for (const auto& row : kTable) {
    RuleSettings rule = good_rule();
    row.change(rule);
    const auto messages = complaints(rule);
    if (*row.expected == '\0') {
      EXPECT_TRUE(messages.empty()) << row.story << ": " << testing::PrintToString(messages);
    } else {
      ASSERT_EQ(messages.size(), 1U) << row.story << ": " << testing::PrintToString(messages);
      EXPECT_NE(messages[0].find(row.expected), std::string::npos) << row.story << ": " << messages[0];
    }
  }
}

TEST(RuleValidation, APriorityHasOneRule) {
  const std::vector<TargetGroupSettings> groups{{.name = "web"}};
  const std::vector<RuleSettings> rules{good_rule(), good_rule()};
  const auto errors = validate_rules(rules, groups);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].message.substr(0, 68), "rules[1].priority: Priority '1' is currently in use (PriorityInUse):");
}

}  // namespace
}  // namespace rr
