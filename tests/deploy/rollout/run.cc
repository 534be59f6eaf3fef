#include "tests/deploy/rollout/run.h"

#include <algorithm>

namespace rr::deploy {
namespace {

constexpr Duration kCall = 20 * kMillisecond;
constexpr Duration kProbe = 250 * kMillisecond;
// Longer than any deadline in the plans below: a run that is not over by then never will be.
constexpr Duration kTooLong = std::chrono::minutes(30);

std::string unique_token() {
  static int number = 0;
  return "run-" + std::to_string(++number);
}

void collect(Step& step, Ran& run) {
  for (Note& note : step.notes) run.notes.push_back(std::move(note.text));
  if (step.verdict) run.verdict = step.verdict;
}

}  // namespace

bool Ran::said(const std::string& text) const {
  const auto in = [&](const std::string& line) { return line.find(text) != std::string::npos; };
  return std::any_of(notes.begin(), notes.end(), in) || (verdict && in(verdict->reason));
}

Ran run(PretendAws& aws, const Plan& plan, Time& now, const Options& options) {
  Ran run;
  Rollout rollout(plan, now);
  const Time began = now;
  Time next_probe = now;
  bool interrupted = false;
  Event event = Wake{};
  while (!run.verdict && now - began < kTooLong) {
    if (options.kill_after && now - began >= *options.kill_after) break;
    if (!interrupted && options.interrupt_after && now - began >= *options.interrupt_after) {
      interrupted = true;
      Step step = rollout.handle(Interrupt{}, now);
      collect(step, run);
      if (step.command) event = aws.perform(*step.command, now);
      continue;
    }
    Step step = rollout.handle(event, now);
    collect(step, run);
    if (step.verdict) break;
    if (!step.command) {
      const auto wake = rollout.next_wake();
      now = std::max(now, wake ? std::min(*wake, next_probe) : next_probe);
      event = Wake{};
      if (now >= next_probe && !options.silent_load_balancer) {
        aws.pass(now);
        event = aws.ask();
      }
      if (now >= next_probe) next_probe = now + kProbe;
      continue;
    }
    const bool last = run.calls++ == options.kill_at;
    if (last && options.killed == Killed::kBeforeCall) break;
    now += kCall;
    event = aws.perform(*step.command, now);
    if (last && options.killed == Killed::kAfterCall) break;
    if (run.calls - 1 == options.interrupt_at) {
      Step nothing = rollout.handle(Interrupt{}, now);
      collect(nothing, run);
    }
    while (next_probe <= now) {
      next_probe += kProbe;
      if (options.silent_load_balancer) continue;
      Step nothing = rollout.handle(aws.ask(), now);
      collect(nothing, run);
    }
  }
  for (const auto& [phase, at] : rollout.phases()) run.phases.push_back(phase);
  run.answers = rollout.tally().answers();
  run.failed = rollout.tally().failed();
  return run;
}

Plan release_plan(const std::string& image, Strategy strategy) {
  Plan plan;
  plan.strategy = strategy;
  plan.group = "web";
  plan.alarms = {"web-5xx"};
  plan.lane = ImageLane{image};
  plan.token = unique_token();
  plan.owner = "me@here";
  plan.warm_up = std::chrono::seconds(15);
  plan.bake = std::chrono::seconds(20);
  plan.drain = std::chrono::seconds(30);
  plan.poll = std::chrono::seconds(5);
  plan.deadline = std::chrono::minutes(2);
  plan.patience = std::chrono::minutes(5);
  plan.lease = std::chrono::minutes(1);
  plan.verification.answers = 10;
  plan.verification.instances = 2;
  plan.verification.limit = std::chrono::minutes(2);
  plan.verification.allowed_failures = 2;
  plan.keep_versions = 10;
  return plan;
}

Plan rollback_plan(Strategy strategy) {
  Plan plan = release_plan("", strategy);
  plan.kind = JobKind::kRollback;
  plan.lane = ImageLane{};
  return plan;
}

}  // namespace rr::deploy
