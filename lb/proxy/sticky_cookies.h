#pragma once
// The stickiness cookies of one exchange as bytes: out of the request's head, into the response's. What they mean is
// decided by StickySession.
#include <optional>
#include <string>

#include "lb/base/request_view.h"
#include "lb/policy/sticky_session.h"
#include "lb/proxy/cookie_seal.h"

namespace rr {

class StickyCookies {
 public:
  /// Before each exchange.
  void clear() {
    if (active_) *this = {};
  }
  /// Whether the rule is sticky: then, and only then, the others may be called.
  bool active() const { return active_; }

  /// The target group of the rule, which must be sticky (RuleChoice).
  std::size_t choose_group(const ListenerRules& rules, const RuleChoice& choice, const RequestView& request,
                           CookieSeal& seal, Time now, Rng& random);
  /// The target in that group.
  std::optional<TargetId> choose_target(TargetGroup& group, const RequestView& request, CookieSeal& seal, Time now,
                                        Rng& random);
  /// Appends the Set-Cookie lines for a response of the target.
  void append_fields(std::string& out, const ResponseView& response, CookieSeal& seal, Time now) const;

  /// A cookie for the target group came and could not be read: AWSALBTGCookieInvalid of the access log.
  bool group_cookie_invalid() const { return group_cookie_invalid_; }
  StickyOutcome outcome() const { return session_.outcome(); }
  /// The client came with the application's cookie, as one does that is in a session.
  bool brought_application_cookie() const { return brought_application_cookie_; }

 private:
  bool active_ = false;
  bool group_cookie_invalid_ = false;
  bool brought_application_cookie_ = false;
  StickySession session_;
};

}  // namespace rr
