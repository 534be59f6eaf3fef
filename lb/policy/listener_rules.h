#pragma once
// What a listener does with a request: its rules by priority, the default action last.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lb/base/address.h"
#include "lb/base/request_view.h"
#include "lb/base/rng.h"
#include "lb/policy/rule_conditions.h"
#include "lb/policy/rule_transforms.h"
#include "lb/policy/settings.h"
#include "lb/policy/sticky_claims.h"

namespace rr {

/// What a request is judged by. Valid only during the call.
struct RuleInput {
  const RequestView& request;
  Address client;  // the TCP peer, never what X-Forwarded-For claims
};

/// What is to be done with a request. What it points to lives as long as the ListenerRules it came from.
struct RuleChoice {
  /// Of the rule that matched, as matched_rule_priority of the access log: 1 to 50000, 0 for the default action.
  int priority = 0;
  const RuleAction* action = nullptr;
  /// For a forward action: the chosen target group as its index in LoadBalancerSettings::target_groups.
  std::optional<std::size_t> target_group{};
  /// Of the rule that matched; nullptr when it has none.
  const RuleTransforms* transforms = nullptr;
  /// How many rules were asked, the default one not counted: the RuleEvaluations metric.
  std::size_t evaluated = 0;
  /// The rule, for draw(); the default action is the last one.
  std::size_t rule = 0;
  /// A forward action whose choice of a group, or of a target in one of its groups, cookies have a say in.
  bool sticky = false;
};

/// The rules of one listener, immutable: new settings make a new ListenerRules.
class ListenerRules {
 public:
  /// The listener and the target groups of settings that have passed validate().
  ListenerRules(const ListenerSettings& listener, std::span<const TargetGroupSettings> target_groups);

  ListenerRules(ListenerRules&&) noexcept = default;
  ListenerRules& operator=(ListenerRules&&) noexcept = default;

  /// The first rule by priority whose conditions hold, the default action when there is none; without a target group.
  /// A listener without rules looks at nothing of the request. Allocates only for a path that is not normal.
  RuleChoice match(const RuleInput& input) const;

  /// The target group of a forward action. Of several one is drawn by weight for each request; the group that was
  /// drawn stays even when it has no target (503) or no healthy one (fail-open): the ALB does not fail over between
  /// groups. `random` is drawn from only where there is something to draw. Nothing for other actions. Never allocates.
  std::optional<std::size_t> draw(const RuleChoice& choice, Rng& random) const;

  /// match() and draw().
  RuleChoice choose(const RuleInput& input, Rng& random) const;

  /// The stickiness of a forward action among its target groups; off for other actions.
  const TargetGroupStickiness& group_stickiness(const RuleChoice& choice) const;
  /// The target group that a cookie names, if it is in time and one of the action's, also one of weight 0: clients that
  /// have been sent there stay. Never allocates.
  std::optional<std::size_t> claimed(const RuleChoice& choice, const GroupClaim& claim, Time now) const;

  /// The target groups of a forward action as indices, in its order, also those of weight 0.
  std::span<const std::size_t> target_groups(const RuleChoice& choice) const;

 private:
  struct Weighted {
    std::size_t target_group;
    std::uint64_t weights_up_to_here;  // inclusive running sum
  };
  struct Rule {
    int priority;
    RuleConditions conditions;
    RuleAction action;
    RuleTransforms transforms;
    std::vector<Weighted> weighted;          // of a forward action, without those of weight 0
    std::vector<std::size_t> target_groups;  // all of them
    std::vector<StickyName> names;           // theirs
    TargetGroupStickiness stickiness{};
    bool sticky = false;
  };
  static Rule compile(const RuleSettings& settings, std::span<const TargetGroupSettings> target_groups);
  RuleChoice chosen(std::size_t rule) const;

  std::vector<Rule> rules_;  // ascending by priority, the default action last; never empty
};

}  // namespace rr
