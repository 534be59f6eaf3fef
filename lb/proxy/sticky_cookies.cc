#include "lb/proxy/sticky_cookies.h"

#include "lb/policy/cookie_fields.h"

namespace rr {
namespace {

/// Of the two that are the same, the one that browsers send across origins too wins.
std::optional<std::string_view> find_either(const RequestView& request, std::string_view cors, std::string_view plain) {
  const auto value = find_cookie(request, cors);
  return value ? value : find_cookie(request, plain);
}

void append_cookie(std::string& out, std::string_view name, std::string_view value, std::string_view expires,
                   std::string_view attributes = "") {
  out.append("Set-Cookie: ").append(name).append("=").append(value);
  out.append("; Expires=").append(expires).append("; Path=/").append(attributes).append("\r\n");
}

/// The second one lacks Secure, as behind every listener without TLS: it could not be sent back otherwise.
void append_pair(std::string& out, std::string_view plain, std::string_view cors, std::string_view value,
                 std::string_view expires) {
  append_cookie(out, plain, value, expires);
  append_cookie(out, cors, value, expires, "; SameSite=None");
}

}  // namespace

std::size_t StickyCookies::choose_group(const ListenerRules& rules, const RuleChoice& choice,
                                        const RequestView& request, CookieSeal& seal, Time now, Rng& random) {
  active_ = true;
  std::optional<GroupClaim> claim;
  if (rules.group_stickiness(choice).enabled) {
    if (const auto value = find_either(request, "AWSALBTGCORS", "AWSALBTG")) {
      claim = seal.open_group(*value);
      group_cookie_invalid_ = !claim;
    }
  }
  return session_.choose_group(rules, choice, claim, now, random);
}

std::optional<TargetId> StickyCookies::choose_target(TargetGroup& group, const RequestView& request, CookieSeal& seal,
                                                     Time now, Rng& random) {
  const Stickiness& sticky = group.settings().stickiness;
  if (!sticky.enabled) return session_.choose_target(group, {}, false, now, random);
  switch (sticky.type) {
    case StickinessType::kLbCookie: {
      const auto value = find_either(request, "AWSALBCORS", "AWSALB");
      const auto claim = value ? seal.open_target(*value) : std::nullopt;
      if (!claim) break;
      return session_.choose_target(group, {&*claim, 1}, false, now, random);
    }
    case StickinessType::kAppCookie: {
      brought_application_cookie_ = has_cookie(request, sticky.app_cookie_name);
      const auto value = find_cookie(request, "AWSALBAPP-0");
      const auto claims = value ? seal.open_application(*value) : std::nullopt;
      if (!claims) break;
      return session_.choose_target(group, *claims, brought_application_cookie_, now, random);
    }
  }
  return session_.choose_target(group, {}, false, now, random);
}

void StickyCookies::append_fields(std::string& out, const ResponseView& response, CookieSeal& seal, Time now) const {
  const bool sets = session_.watches_application_cookie() && sets_cookie(response, session_.application_cookie());
  const StickyRenewal renewal = session_.renew(now, sets);
  const std::string expires = format_http_date(now + kStickyCookieLife);
  std::string value;
  if (renewal.group) {
    seal.seal(value, *renewal.group);
    append_pair(out, "AWSALBTG", "AWSALBTGCORS", value, expires);
  }
  value.clear();
  if (renewal.target) {
    seal.seal(value, *renewal.target);
    append_pair(out, "AWSALB", "AWSALBCORS", value, expires);
  }
  if (!renewal.application.empty()) {
    seal.seal(value, renewal.application);
    append_cookie(out, "AWSALBAPP-0", value, expires);
  }
}

}  // namespace rr
