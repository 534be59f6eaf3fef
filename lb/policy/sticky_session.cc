#include "lb/policy/sticky_session.h"

namespace rr {

std::size_t StickySession::choose_group(const ListenerRules& rules, const RuleChoice& choice,
                                        const std::optional<GroupClaim>& claim, Time now, Rng& random) {
  const TargetGroupStickiness& sticky = rules.group_stickiness(choice);
  if (sticky.enabled) group_duration_ = sticky.duration;
  std::optional<std::size_t> group;
  if (sticky.enabled && claim) group = rules.claimed(choice, *claim, now);
  return group ? *group : *rules.draw(choice, random);
}

std::optional<TargetId> StickySession::choose_target(TargetGroup& group, std::span<const TargetClaim> claims,
                                                     bool has_application_cookie, Time now, Rng& random) {
  const Stickiness& sticky = group.settings().stickiness;
  group_ = group.sticky_name();
  if (!sticky.enabled) return group.pick(now, random);
  sticky_target_ = true;
  type_ = sticky.type;
  const bool by_application = type_ == StickinessType::kAppCookie;
  target_duration_ = by_application ? sticky.app_cookie_duration : sticky.lb_cookie_duration;
  if (by_application) application_cookie_ = sticky.app_cookie_name;
  std::optional<TargetId> target;
  for (const TargetClaim& claim : claims) {
    if (claim.expires <= now) continue;
    if (claim.group != group_) {
      if (by_application) of_others_.push_back(claim);
    } else if (!by_application || has_application_cookie) {
      in_session_ = true;
      target = group.claimed(claim);
    }
  }
  outcome_ = target ? StickyOutcome::kKept : StickyOutcome::kChosen;
  if (!target) target = group.pick(now, random);
  if (target) target_ = group.sticky_name(*target);
  return target;
}

StickyRenewal StickySession::renew(Time now, bool sets_application_cookie) const {
  StickyRenewal renewal;
  if (group_duration_ > Duration::zero()) renewal.group = GroupClaim{group_, now + group_duration_};
  if (!sticky_target_) return renewal;
  const TargetClaim claim{group_, target_, now + target_duration_};
  switch (type_) {
    case StickinessType::kLbCookie:
      renewal.target = claim;
      break;
    case StickinessType::kAppCookie:
      if (!in_session_ && !sets_application_cookie) break;
      renewal.application = of_others_;
      renewal.application.push_back(claim);
      break;
  }
  return renewal;
}

}  // namespace rr
