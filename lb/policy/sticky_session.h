#pragma once
// Stickiness of one request: what its cookies say -> which target group and which target -> what the cookies of the
// response say.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#sticky-sessions
//
//                  the request brings             the request goes to        the response of the target sets
//   lb_cookie      nothing that is of use         the algorithm's choice     AWSALB, AWSALBCORS
//                  a target that may be used      that target                AWSALB, AWSALBCORS, for a new duration
//                  one that may not               the algorithm's choice     AWSALB, AWSALBCORS, naming the new one
//   app_cookie     nothing that is of use         the algorithm's choice     AWSALBAPP-0 if it sets the application's
//                  both cookies, a usable target  that target                AWSALBAPP-0, for a new duration
//                  both cookies, one that is not  the algorithm's choice     AWSALBAPP-0, naming the new one
//                  AWSALBAPP-0 alone              the algorithm's choice     AWSALBAPP-0 if it sets the application's
//   of the group   nothing that is of use         drawn by weight            AWSALBTG, AWSALBTGCORS
//                  a group of this action         that group, even without   AWSALBTG, AWSALBTGCORS, for a new duration
//                                                 a target, or of weight 0
//
// A target may be used when TargetGroup::accepts() it: registered, not draining, healthy unless the group fails open.
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "lb/base/rng.h"
#include "lb/policy/listener_rules.h"
#include "lb/policy/sticky_claims.h"
#include "lb/policy/target_group.h"

namespace rr {

/// What the cookies of a response say; none: there is no such cookie.
struct StickyRenewal {
  std::optional<GroupClaim> group{};
  std::optional<TargetClaim> target{};
  std::vector<TargetClaim> application{};
  bool operator==(const StickyRenewal&) const = default;
};

/// How the stickiness of targets went, for the metrics.
enum class StickyOutcome : std::uint8_t {
  kNotSticky,  // the target group has none
  kKept,       // the request went to the target that its cookie names
  kChosen,     // it had none that could be followed
};

class StickySession {
 public:
  /// The target group's index for a forward action. `claim` is what an authentic AWSALBTG says, if one came.
  std::size_t choose_group(const ListenerRules& rules, const RuleChoice& choice, const std::optional<GroupClaim>& claim,
                           Time now, Rng& random);

  /// The target, of the group that was chosen; none when it has none to offer. `claims` are what authentic cookies of
  /// the group's own type say: one of AWSALB, all of AWSALBAPP-0. `has_application_cookie`: the client returned the
  /// application's own too.
  std::optional<TargetId> choose_target(TargetGroup& group, std::span<const TargetClaim> claims,
                                        bool has_application_cookie, Time now, Rng& random);

  StickyOutcome outcome() const { return outcome_; }
  /// Whether the renewal depends on the application's cookie, and its name.
  bool watches_application_cookie() const { return type_ == StickinessType::kAppCookie && sticky_target_; }
  const std::string& application_cookie() const { return application_cookie_; }

  /// For a response of the target; to be asked only when there is one.
  StickyRenewal renew(Time now, bool sets_application_cookie) const;

 private:
  Duration group_duration_{};  // zero: the action is not sticky
  StickyName group_ = 0;
  bool sticky_target_ = false;
  StickinessType type_ = StickinessType::kLbCookie;
  Duration target_duration_{};
  StickyName target_ = 0;
  StickyOutcome outcome_ = StickyOutcome::kNotSticky;
  bool in_session_ = false;             // app_cookie: both cookies came, and in time
  std::vector<TargetClaim> of_others_;  // app_cookie: what AWSALBAPP-0 says of other target groups
  std::string application_cookie_;
};

}  // namespace rr
