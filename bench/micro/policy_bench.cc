// Whom a request goes to.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "bench/micro/measure.h"
#include "bench/micro/requests.h"
#include "lb/http/request_parser.h"
#include "lb/policy/balancer.h"
#include "lb/policy/listener_rules.h"

namespace rr::bench {
namespace {

void pick(benchmark::State& state, Algorithm algorithm) {
  std::vector<Candidate> candidates;
  for (std::uint32_t i = 1; i <= static_cast<std::uint32_t>(state.range(0)); ++i) candidates.push_back({TargetId{i}});
  Balancer balancer;
  balancer.configure(algorithm, Duration::zero());
  balancer.reserve(candidates.size());
  balancer.rebuild(candidates);
  Rng random(6);
  measure(state, [&] {
    const auto target = balancer.pick(Time{}, random);
    if (!target) return false;
    balancer.set_outstanding(*target, 1);
    balancer.set_outstanding(*target, 0);
    return true;
  });
}
BENCHMARK_CAPTURE(pick, round_robin, Algorithm::kRoundRobin)->Arg(3)->Arg(100)->Arg(10'000);
BENCHMARK_CAPTURE(pick, least_outstanding_requests, Algorithm::kLeastOutstandingRequests)
    ->Arg(3)
    ->Arg(100)
    ->Arg(10'000);
BENCHMARK_CAPTURE(pick, weighted_random, Algorithm::kWeightedRandom)->Arg(3)->Arg(100)->Arg(10'000);

/// As above where everybody has something to do, and not equally: a request begins where there is least, another ends.
void pick_under_load(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  std::vector<Candidate> candidates;
  Rng random(6);
  std::vector<std::uint32_t> loads(count + 1, 0);
  for (std::uint32_t i = 1; i <= count; ++i) {
    loads[i] = static_cast<std::uint32_t>(random.below(8));
    candidates.push_back({TargetId{i}, loads[i]});
  }
  Balancer balancer;
  balancer.configure(Algorithm::kLeastOutstandingRequests, Duration::zero());
  balancer.reserve(candidates.size());
  balancer.rebuild(candidates);
  measure(state, [&] {
    const auto target = balancer.pick(Time{}, random);
    if (!target) return false;
    balancer.set_outstanding(*target, ++loads[target->value]);
    const auto other = static_cast<std::uint32_t>(1 + random.below(count));
    if (loads[other] > 0) balancer.set_outstanding(TargetId{other}, --loads[other]);
    return true;
  });
}
BENCHMARK(pick_under_load)->Arg(3)->Arg(100)->Arg(10'000);

/// Rules that do not hold, so that all are asked; the argument is how many.
void match_rules(benchmark::State& state) {
  ListenerSettings listener{.default_action = ForwardAction{{{"web", 1}}}};
  for (int i = 1; i <= static_cast<int>(state.range(0)); ++i) {
    RuleSettings rule;
    rule.priority = i;
    rule.conditions = {HostHeaderCondition{{"shop.example.com"}},
                       PathPatternCondition{{"/api" + std::to_string(i) + "/*"}}};
    rule.action = ForwardAction{{{"web", 1}}};
    listener.rules.push_back(rule);
  }
  TargetGroupSettings group;
  group.name = "web";
  const ListenerRules rules(listener, {&group, 1});
  RequestParser parser;
  if (parser.next(kBrowserRequest).kind != ParseStep::Kind::kHead) return give_up(state, "no head");
  measure(state, [&] {
    const RuleChoice choice = rules.match({parser.head().view, Address{}});
    return choice.priority == 0;
  });
}
BENCHMARK(match_rules)->Arg(0)->Arg(1)->Arg(10)->Arg(100);

}  // namespace
}  // namespace rr::bench
