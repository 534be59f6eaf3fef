#pragma once
// Drives a rollout against the pretended AWS, in virtual time: calls take 20 ms, the load balancer is asked every 250
// ms.
#include <optional>
#include <string>
#include <vector>

#include "tests/deploy/rollout/pretend_aws.h"

namespace rr::deploy {

enum class Killed { kNo, kBeforeCall, kAfterCall };

struct Ran {
  std::optional<Verdict> verdict;  // none: it was killed
  std::vector<std::string> notes;
  std::vector<Phase> phases;
  std::uint64_t answers = 0;
  std::uint64_t failed = 0;
  int calls = 0;

  int code() const { return verdict ? verdict->code : -1; }
  bool said(const std::string& text) const;
};

struct Options {
  int kill_at = -1;  // the number of the call, from 0
  Killed killed = Killed::kNo;
  std::optional<Duration> interrupt_after;
  int interrupt_at = -1;  // while the call of this number is under way
  std::optional<Duration> kill_after;
  bool silent_load_balancer = false;
};

Ran run(PretendAws& aws, const Plan& plan, Time& now, const Options& options = {});

Plan release_plan(const std::string& image = "ami-new", Strategy strategy = Strategy::kRefresh);
Plan rollback_plan(Strategy strategy = Strategy::kRefresh);

}  // namespace rr::deploy
