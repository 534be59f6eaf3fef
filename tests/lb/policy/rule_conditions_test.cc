// The conditions of listener rules, kind by kind; rows name the sentence of AWS's page that they show.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
#include "lb/policy/rule_conditions.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "lb/policy/listener_rules.h"

namespace rr {
namespace {

struct Asked {
  std::string method = "GET";
  std::string target = "/";
  std::vector<HeaderView> headers{{"Host", "shop.example.com"}};
  Address client = Address::v4(203, 0, 113, 7, 41522);
};

bool holds(const RuleCondition& condition, const Asked& asked) {
  const ListenerSettings listener{
      .default_action = FixedResponseAction{},
      .rules = {{.priority = 7, .conditions = {condition}, .action = FixedResponseAction{.status = 200}}}};
  const ListenerRules rules(listener, {});
  const RequestView request{.method = asked.method, .target = asked.target, .headers = asked.headers};
  return rules.match({.request = request, .client = asked.client}).priority == 7;
}

Asked with_host(std::string_view host) { return {.headers = {{"host", host}}}; }
Asked with_target(std::string target) { return {.target = std::move(target)}; }

TEST(HostHeaderCondition, ByWildcardsAndExpressions) {
  const struct {
    const char* story;
    HostHeaderCondition condition;
    Asked asked;
    bool expected;
  } kTable[] = {
      {"exact", {{"shop.example.com"}}, with_host("shop.example.com"), true},
      {"case does not count", {{"shop.example.com"}}, with_host("SHOP.Example.COM"), true},
      {"the port does not count", {{"shop.example.com"}}, with_host("shop.example.com:8080"), true},
      {"* is any characters", {{"*.example.com"}}, with_host("test.example.com"), true},
      {"* spans dots", {{"*.example.com"}}, with_host("a.b.example.com"), true},
      {"but the domain itself is no subdomain", {{"*.example.com"}}, with_host("example.com"), false},
      {"? is exactly one", {{"shop?.example.com"}}, with_host("shop1.example.com"), true},
      {"not none", {{"shop?.example.com"}}, with_host("shop.example.com"), false},
      {"one of several", {{"a.example.com", "b.example.com"}}, with_host("b.example.com"), true},
      {"an absolute target overrides Host",
       {{"a.example.com"}},
       {"GET", "http://a.example.com/", {{"Host", "b.c"}}},
       true},
      {"an expression", {{}, {"^(www|shop)\\.example\\.com$"}}, with_host("WWW.example.com"), true},
      {"an expression that does not match", {{}, {"^www\\."}}, with_host("shop.example.com"), false},
      {"no Host at all", {{"*.*"}}, {"GET", "/", {}}, false},
  };
  for (const auto& row : kTable) EXPECT_EQ(holds(row.condition, row.asked), row.expected) << row.story;
}

TEST(PathPatternCondition, OnThePathAlone) {
  const struct {
    const char* story;
    PathPatternCondition condition;
    std::string target;
    bool expected;
  } kTable[] = {
      {"exact", {{"/img"}}, "/img", true},
      {"case counts", {{"/img"}}, "/IMG", false},
      {"the query does not", {{"/img"}}, "/img?x=/other", true},
      {"a star", {{"/img/*"}}, "/img/picture.jpg", true},
      {"a star is also nothing", {{"/img/*"}}, "/img/", true},
      {"two stars", {{"/img/*/pics"}}, "/img/a/b/pics", true},
      {"a question mark", {{"/img/?.jpg"}}, "/img/ab.jpg", false},
      {"dot segments are gone before", {{"/admin/*"}}, "/public/../admin/x", true},
      {"encoded ones too", {{"/admin/*"}}, "/public/%2e%2E/admin/x", true},
      {"letters are decoded", {{"/admin"}}, "/%61dmin", true},
      {"an encoded slash stays one", {{"/a/b"}}, "/a%2fb", false},
      {"an expression", {{}, {"^/v[0-9]+/"}}, "/v12/users", true},
      {"which counts case", {{}, {"^/v[0-9]+/"}}, "/V12/users", false},
      {"an absolute target", {{"/img"}}, "http://a.example.com/img?x", true},
  };
  for (const auto& row : kTable) EXPECT_EQ(holds(row.condition, with_target(row.target)), row.expected) << row.story;
}

TEST(HttpHeaderCondition, OnAnyOccurrence) {
  const Asked two{.headers = {{"Host", "a"}, {"X-Env", "Blue"}, {"x-env", "green"}}};
  EXPECT_TRUE(holds(HttpHeaderCondition{"x-ENV", {"green"}, {}}, two));
  EXPECT_TRUE(holds(HttpHeaderCondition{"X-Env", {"BLUE"}, {}}, two)) << "values ignore case";
  EXPECT_FALSE(holds(HttpHeaderCondition{"X-Env", {"red"}, {}}, two));
  EXPECT_FALSE(holds(HttpHeaderCondition{"X-Other", {"*"}, {}}, two)) << "a header that is not there has no value";
  EXPECT_TRUE(holds(HttpHeaderCondition{"X-Env", {"*ree?"}, {}}, two));
  EXPECT_TRUE(holds(HttpHeaderCondition{"X-Env", {}, {"^gr(e|a)+n$"}}, two));
}

TEST(HttpRequestMethodCondition, IsExact) {
  EXPECT_TRUE(holds(HttpRequestMethodCondition{{"HEAD", "GET"}}, {}));
  EXPECT_FALSE(holds(HttpRequestMethodCondition{{"GET"}}, {.method = "get"}));
  EXPECT_FALSE(holds(HttpRequestMethodCondition{{"GET"}}, {.method = "HEAD"})) << "GET says nothing of HEAD";
}

TEST(QueryStringCondition, ByPairs) {
  const struct {
    const char* story;
    QueryStringValue value;
    std::string target;
    bool expected;
  } kTable[] = {
      {"key and value", {"version", "v1"}, "/?a=b&version=v1", true},
      {"case does not count", {"Version", "V1"}, "/?version=v1", true},
      {"another value", {"version", "v1"}, "/?version=v2", false},
      {"any key", {std::nullopt, "*example*"}, "/?x=1&y=anexampley", true},
      {"an escaped star is a star", {std::nullopt, "\\*"}, "/?x=*", true},
      {"and nothing else", {std::nullopt, "\\*"}, "/?x=ab", false},
      {"no query", {std::nullopt, "*"}, "/", false},
      {"up to the first = only", {"a", "b=c"}, "/?a=b=c", true},
      {"of a key without a value the value is empty", {"debug", "*"}, "/?debug", true},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(holds(QueryStringCondition{{row.value}}, with_target(row.target)), row.expected) << row.story;
  }
}

TEST(SourceIpCondition, IsOfThePeerNeverOfAHeader) {
  Asked asked{.headers = {{"Host", "a"}, {"X-Forwarded-For", "10.1.2.3"}}};
  EXPECT_TRUE(holds(SourceIpCondition{{"203.0.113.0/24"}}, asked));
  EXPECT_FALSE(holds(SourceIpCondition{{"10.0.0.0/8"}}, asked));
  EXPECT_TRUE(holds(SourceIpCondition{{"10.0.0.0/8", "0.0.0.0/0"}}, asked));
  asked.client = *parse_address("[2001:db8::9]:1");
  EXPECT_TRUE(holds(SourceIpCondition{{"2001:db8::/32"}}, asked));
  EXPECT_FALSE(holds(SourceIpCondition{{"0.0.0.0/0"}}, asked)) << "IPv6 is in no IPv4 block";
}

TEST(ListenerRules, TheLowestPriorityThatHoldsWinsWhateverTheOrderOfTheList) {
  const auto rule = [](int priority, const char* path) {
    return RuleSettings{.priority = priority,
                        .conditions = {PathPatternCondition{{path}}},
                        .action = FixedResponseAction{.status = 200}};
  };
  const ListenerSettings listener{.default_action = FixedResponseAction{},
                                  .rules = {rule(30, "/*"), rule(10, "/a/*"), rule(20, "/a/b")}};
  const ListenerRules rules(listener, {});
  const auto chosen = [&](std::string_view target) {
    const RequestView request{.method = "GET", .target = target};
    return rules.match({.request = request, .client = {}});
  };
  EXPECT_EQ(chosen("/a/b").priority, 10);
  EXPECT_EQ(chosen("/a/b").evaluated, 1U);
  EXPECT_EQ(chosen("/x").priority, 30);
  EXPECT_EQ(chosen("/x").evaluated, 3U);
  EXPECT_EQ(chosen("*").priority, 0);
  EXPECT_EQ(chosen("*").evaluated, 3U) << "the default rule is not counted";
}

TEST(ListenerRules, AllConditionsOfARuleMustHold) {
  const ListenerSettings listener{
      .default_action = FixedResponseAction{},
      .rules = {{.priority = 1,
                 .conditions = {PathPatternCondition{{"/a"}}, HttpRequestMethodCondition{{"POST"}}},
                 .action = FixedResponseAction{.status = 200}}}};
  const ListenerRules rules(listener, {});
  const RequestView get{.method = "GET", .target = "/a"};
  const RequestView post{.method = "POST", .target = "/a"};
  EXPECT_EQ(rules.match({.request = get, .client = {}}).priority, 0);
  EXPECT_EQ(rules.match({.request = post, .client = {}}).priority, 1);
}

TEST(NormalisePath, NeverGrowsAndLeavesWhatIsNormal) {
  const struct {
    std::string_view path, expected;
  } kTable[] = {{"/a/b", "/a/b"}, {"/a/./b", "/a/b"},       {"/a/../b", "/b"},    {"/../../x", "/x"}, {"/a/..", "/"},
                {"/a/.", "/a/"},  {"//a", "//a"},           {"/%7Ea", "/~a"},     {"/%2f", "/%2F"},   {"/%zz", "/%zz"},
                {"/a%", "/a%"},   {"/.hidden", "/.hidden"}, {"/a/...", "/a/..."}, {"*", "*"}};
  for (const auto& row : kTable) {
    std::string scratch;
    EXPECT_EQ(normalise_path(row.path, scratch), row.expected) << row.path;
  }
}

TEST(WildcardPattern, AgreesWithTheNaiveOne) {
  // The obvious recursion is the judge, on every text of up to five letters of "ab".
  const std::function<bool(std::string_view, std::string_view)> naive = [&](std::string_view pattern,
                                                                            std::string_view text) {
    if (pattern.empty()) return text.empty();
    if (pattern[0] == '*') {
      return naive(pattern.substr(1), text) || (!text.empty() && naive(pattern, text.substr(1)));
    }
    return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) && naive(pattern.substr(1), text.substr(1));
  };
  std::vector<std::string> texts{""}, patterns{""};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].size() == 5) break;
    for (const char c : {'a', 'b'}) texts.push_back(texts[i] + c);
  }
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    if (patterns[i].size() == 4) break;
    for (const char c : {'a', 'b', '*', '?'}) patterns.push_back(patterns[i] + c);
  }
  for (const std::string& pattern : patterns) {
    const WildcardPattern compiled(pattern, {});
    for (const std::string& text : texts)
      ASSERT_EQ(compiled.matches(text), naive(pattern, text)) << pattern << " " << text;
  }
}

}  // namespace
}  // namespace rr
