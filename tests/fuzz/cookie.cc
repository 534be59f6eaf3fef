// Stickiness out of any Cookie fields of a request and any Set-Cookie fields of its target's response: a target is
// chosen all the same, what is set can be read again and leads back to it, and no cookie of somebody else's making
// leads anywhere.
//
// The first byte chooses: bit 0 app_cookie instead of lb_cookie, bit 1 an action that is sticky among groups, bit 2 the
// words @T, @G and @A of the rest stand for authentic cookies. Then up to the first NUL the request's Cookie fields,
// one a line; the rest are the response's Set-Cookie fields.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/check.h"
#include "lb/policy/cookie_fields.h"
#include "lb/proxy/sticky_cookies.h"

namespace rr {
namespace {

constexpr Time kNow{std::chrono::seconds(1'800'000'000)};
constexpr std::size_t kLineLimit = 16 * 1024;  // as that of the listeners

std::vector<TargetGroupSettings> groups_of(StickinessType type) {
  TargetGroupSettings web{.name = "web"};
  web.stickiness = {.enabled = true, .type = type, .app_cookie_name = "session"};
  return {web, {.name = "api"}};
}

/// The targets a, b and c, in a group that fails open: all may be used.
TargetGroup group_of(const TargetGroupSettings& settings) {
  TargetGroup group(settings, nullptr);
  std::vector<TargetSpec> specs;
  for (const char* id : {"a", "b", "c"}) {
    TargetSpec spec{.id = id};
    spec.address = spec.wire = Address::v4(10, 0, 0, static_cast<std::uint8_t>(id[0]), 80);
    specs.push_back(spec);
  }
  group.set_targets(kNow, specs);
  return group;
}

ListenerRules rules_of(const std::vector<TargetGroupSettings>& groups, bool sticky) {
  ForwardAction action{{{"web", 1}}};
  if (sticky) action = {{{"web", 1}, {"api", 0}}, {.enabled = true}};
  return ListenerRules({.default_action = action}, groups);
}

/// Everything that stays the same from input to input.
struct Ground {
  CookieSeal seal{std::string(64, '5'), "fuzz"};
  std::array<std::vector<TargetGroupSettings>, 2> groups{groups_of(StickinessType::kLbCookie),
                                                         groups_of(StickinessType::kAppCookie)};
  std::string authentic_target, authentic_group, authentic_application;

  Ground() {
    const TargetClaim to_c{sticky_name("web"), sticky_name("c", 80), kNow + kSecond};
    seal.seal(authentic_target, to_c);
    seal.seal(authentic_group, GroupClaim{sticky_name("api"), kNow + kSecond});
    seal.seal(authentic_application, std::span<const TargetClaim>(&to_c, 1));
  }
};

void replace(std::string& text, std::string_view word, const std::string& by) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size())) {
    text.replace(at, word.size(), by);
    if (text.size() > 4 * kLineLimit) return;
  }
}

/// One field a line, without what a head's parser would not let pass.
std::vector<HeaderView> fields_of(std::string_view name, std::string_view lines) {
  std::vector<HeaderView> fields;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    fields.push_back({name, line.substr(0, kLineLimit)});
  }
  return fields;
}

/// What a client that keeps cookies sends back after these lines.
std::string returned(std::string_view lines) {
  std::string cookies = "session=1";
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find("\r\n"));
    RR_CHECK(lines.size() > line.size() && line.starts_with("Set-Cookie: AWSALB"), "each is a line of ours");
    for (const char c : line) RR_CHECK(c >= ' ' && c <= '~', "and printable");
    lines.remove_prefix(line.size() + 2);
    cookies.append("; ").append(line.substr(12, line.find(';') - 12));
  }
  return cookies;
}

struct Answer {
  std::size_t group;
  std::string target;
  std::string lines;
};

Answer ask(Ground& ground, std::uint8_t kind, std::span<const HeaderView> cookies, std::span<const HeaderView> set) {
  const std::vector<TargetGroupSettings>& groups = ground.groups[kind & 1];
  const ListenerRules rules = rules_of(groups, (kind & 2) != 0);
  Rng random(1);
  const RequestView request{.method = "GET", .target = "/", .headers = cookies};
  const RuleChoice choice = rules.match({.request = request, .client = {}});
  RR_CHECK(choice.sticky, "its group is");
  StickyCookies sticky;
  Answer answer;
  answer.group = sticky.choose_group(rules, choice, request, ground.seal, kNow, random);
  TargetGroup group = group_of(groups[answer.group]);
  const auto target = sticky.choose_target(group, request, ground.seal, kNow, random);
  RR_CHECK(target && group.accepts(*target), "a target, and one that may be used");
  answer.target = group.find(*target)->id;
  sticky.append_fields(answer.lines, {.status = 200, .headers = set}, ground.seal, kNow);
  return answer;
}

void play(std::uint8_t kind, std::string cookie_lines, std::string_view set_lines) {
  static Ground ground;
  const bool authentic = (kind & 4) != 0;
  if (authentic) {
    replace(cookie_lines, "@T", ground.authentic_target);
    replace(cookie_lines, "@G", ground.authentic_group);
    replace(cookie_lines, "@A", ground.authentic_application);
  }
  const auto cookies = fields_of("Cookie", cookie_lines), set = fields_of("Set-Cookie", set_lines);
  const Answer first = ask(ground, kind, cookies, set);
  if (!authentic) RR_CHECK(first.group == 0 && first.target == "a", "nobody can make a cookie");
  if ((kind & 1) != 0 && first.group == 0 && !authentic) {
    const bool app_cookie = first.lines.find("AWSALBAPP-0=") != std::string::npos;
    RR_CHECK(app_cookie == sets_cookie({.headers = set}, "session"), "a session begins with the application's cookie");
  }
  const std::string back = returned(first.lines);
  const HeaderView kept{"Cookie", back};
  const Answer second = ask(ground, kind, {&kept, 1}, {});
  if ((kind & 2) != 0) RR_CHECK(second.group == first.group, "the client stays in its group");
  const bool in_session = first.group == 0 && back.find("AWSALB") != std::string::npos &&
                          ((kind & 1) == 0 || back.find("AWSALBAPP-0") != std::string::npos);
  if (in_session) RR_CHECK(second.target == first.target, "and at its target");
}

}  // namespace
}  // namespace rr

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string_view cookies = rest.substr(0, rest.find('\0'));
  rest.remove_prefix(std::min(rest.size(), cookies.size() + 1));
  rr::play(data[0], std::string(cookies), rest);
  return 0;
}
