// The way back, whether a release turns or somebody asked for it, and the end of both.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "deploy/rollout/rollout.h"

namespace rr::deploy {
namespace {

// Of an instance from its launch to its first passed check; AWS's part alone is 16 s.
// not a setting: it is only said to people
constexpr Duration kLaunch = std::chrono::seconds(45);

std::string age_text(const std::optional<Time>& at, Time now) {
  if (!at || *at > now) return "of unknown age";
  const auto age = now - *at;
  if (age < std::chrono::minutes(2))  // not a setting: how an age is said
    return fmt::format("{} seconds old", std::chrono::floor<std::chrono::seconds>(age).count());
  if (age < std::chrono::hours(2))  // not a setting: likewise
    return fmt::format("{} minutes old", std::chrono::floor<std::chrono::minutes>(age).count());
  if (age < std::chrono::hours(48))  // not a setting: likewise
    return fmt::format("{} hours old", std::chrono::floor<std::chrono::hours>(age).count());
  return fmt::format("{} days old", std::chrono::floor<std::chrono::days>(age).count());
}

std::string named(const Released& released) {
  return released.commit.empty()
             ? "version " + released.version
             : fmt::format("version {} (commit {})", released.version, short_commit(released.commit));
}

std::string minutes_text(Duration span) {
  const auto minutes = std::chrono::ceil<std::chrono::minutes>(span).count();
  return fmt::format("{} minute{}", minutes, minutes == 1 ? "" : "s");
}

// Suspended, they keep a rollback from doing its work.
constexpr const char* kNeeded[] = {"Launch", "Terminate", "AddToLoadBalancer", "InstanceRefresh"};

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

std::vector<std::string> others_than(const std::vector<std::string>& ids, const Group& group) {
  std::vector<std::string> others;
  for (const Instance& instance : group.instances) {
    if (!contains(ids, instance.id)) others.push_back(instance.id);
  }
  return others;
}

/// Decides from where to where, and says it before anything happens.
void Rollout::prepare_rollback(Time now) {
  const Group& group = *facts_.group;
  const auto goal = rollback_goal(plan_, facts_);  // rollback_problems has seen that it is one
  if (goal->version.empty()) {
    return end(
        kReleased,
        fmt::format("version {} serves since the rollback from version {}: nothing to do. `rr-deploy rollback --to N` "
                    "goes further back",
                    group.version, facts_.record->left->version),
        now);
  }
  Job job;
  job.id = plan_.token;
  job.strategy = plan_.strategy;
  const Refresh* active = active_refresh(facts_);
  std::string leaving = active != nullptr && !active->version.empty() ? active->version : group.version;
  if (const auto& found = facts_.lock.job) {
    if (found->strategy == Strategy::kDouble && !found->leaving.empty()) {
      job.strategy = Strategy::kDouble;
      job.desired = found->desired;
      job.suspended = found->suspended;
      const bool forward = found->kind == JobKind::kRelease && !found->turned;
      job.leaving = forward ? others_than(found->leaving, group) : found->leaving;
    }
    if (found->kind == JobKind::kRollback) {
      leaving = found->from.version;
    } else if (!found->to.version.empty()) {
      leaving = found->to.version;
    }
  }
  job.to = *goal;
  job.from = describe_version(facts_, leaving);
  job.started = now;
  const bool there =
      active == nullptr && group.version == goal->version && everybody_has(goal->version) && !facts_.lock.job;
  if (there) return end(kReleased, fmt::format("version {} serves already: nothing to do", goal->version), now);
  job_ = std::move(job);
  const Duration expected = kLaunch + plan_.warm_up + plan_.drain;
  note(Note::Kind::kStep, fmt::format("back from {} to {}, {}; about {}", named(job_.from), named(job_.to),
                                      age_text(job_.to.at, now), minutes_text(expected)));
}

bool Rollout::overdue_back(Time now) {
  if (!back_since_) back_since_ = now;
  if (now - *back_since_ <= plan_.deadline) return false;
  finish(kRollbackFailed,
         fmt::format("the group is not back at version {} after {}", goal().version, format_duration(plan_.deadline)),
         now);
  return true;
}

void Rollout::judge_turn(Time now) {
  if (overdue_back(now)) return;
  std::vector<std::string> resume;
  for (const char* process : kNeeded) {
    if (contains(facts_.group->suspended, process)) resume.emplace_back(process);
  }
  if (!resume.empty()) {
    note(Note::Kind::kWarning,
         fmt::format("resuming {}, which was suspended: going back needs it", fmt::join(resume, ", ")));
    wait(now);
    return act(ResumeProcesses{plan_.group, resume});
  }
  if (job_.strategy == Strategy::kRefresh) return turn_refresh(now);
  // An instance refresh that somebody started meanwhile would replace what this is about to keep.
  if (const Refresh* active = active_refresh(facts_); active != nullptr) {
    wait(now);
    if (active->status != RefreshStatus::kCancelling) act(CancelRefresh{plan_.group});
    return;
  }
  if (!job_.turned && job_.leaving.empty()) {
    for (const Instance& instance : facts_.group->instances) {
      if (instance.version != goal().version) job_.leaving.push_back(instance.id);
    }
    // Instances that all claim the version of the goal while the group has another: nobody knows what they run.
    if (job_.leaving.empty() && facts_.group->version != goal().version) job_.leaving = others_than({}, *facts_.group);
    if (job_.desired == 0) job_.desired = facts_.group->desired;
    act(WriteLock{job_, true});
  }
  to(Phase::kWatchBack, now);
}

/// RollbackInstanceRefresh works while the refresh runs and the group still has the version to go back to; in every
/// other case the refresh is stopped and one in the other direction started.
void Rollout::turn_refresh(Time now) {
  const std::string& version = goal().version;
  const Refresh* active = active_refresh(facts_);
  if (active == nullptr) {
    if (facts_.group->version == version && everybody_has(version)) return to(Phase::kVerifyBack, now);
    return start_back(now);
  }
  const bool back_already = active->version == version ||
                            (active->status == RefreshStatus::kRollbackInProgress && facts_.group->version == version);
  if (back_already) return to(Phase::kWatchBack, now);
  wait(now);
  if (active->status == RefreshStatus::kCancelling) return;
  const bool turnable = active->status == RefreshStatus::kPending || active->status == RefreshStatus::kInProgress ||
                        active->status == RefreshStatus::kBaking;
  if (turnable && facts_.group->version == version && !refused_rollback_) return act(RollbackRefresh{plan_.group});
  act(CancelRefresh{plan_.group});
}

void Rollout::start_back(Time now) {
  if (attempts_back_ >= 3) {
    return finish(kRollbackFailed,
                  fmt::format("three instance refreshes to version {} did not succeed", goal().version), now);
  }
  ++attempts_back_;
  StartRefresh start;
  start.group = plan_.group;
  start.template_id = facts_.group->template_id;
  start.version = goal().version;
  start.auto_rollback = false;
  start.warm_up = static_cast<int>(std::chrono::ceil<std::chrono::seconds>(plan_.warm_up).count());
  wait(now);
  act(std::move(start));
}

void Rollout::judge_watch_back(Time now) {
  if (overdue_back(now)) return;
  if (job_.strategy == Strategy::kRefresh) return watch_back_refresh(now);
  if (double_towards(goal().version, false, now)) to(Phase::kVerifyBack, now);
}

void Rollout::watch_back_refresh(Time now) {
  if (active_refresh(facts_) != nullptr) return wait(now);
  // However it ended: if the group is where it should be, it is; else kTurn starts another.
  if (facts_.group->version == goal().version && everybody_has(goal().version)) return to(Phase::kVerifyBack, now);
  if (facts_.refreshes.empty() || facts_.refreshes.front().status != RefreshStatus::kSuccessful) {
    note(Note::Kind::kWarning,
         fmt::format("the way back ended as {}{}",
                     facts_.refreshes.empty() ? "gone" : to_string(facts_.refreshes.front().status),
                     facts_.refreshes.empty() || facts_.refreshes.front().reason.empty()
                         ? ""
                         : ": " + facts_.refreshes.front().reason));
  }
  wait(now);
  const Time later = *wake_;
  to(Phase::kTurn, now);
  wake_ = later;
}

void Rollout::judge_verify_back(Time now) {
  const int there = instances_there();
  if (tally_.verified(there)) {
    note(Note::Kind::kChange, fmt::format("the load balancer answers {}: {}", named(goal()), tally_.shortfall(there)));
    if (plan_.kind == JobKind::kRollback) return finish(kReleased, fmt::format("back at {}", named(goal())), now);
    return finish(kRolledBack, fmt::format("rolled back to {}: {}", named(goal()), job_.why), now);
  }
  if (now - entered_ > plan_.verification.limit) {
    return finish(kRollbackFailed, "back, but the load balancer does not prove it: " + tally_.shortfall(there), now);
  }
  wake_ = now + kSecond;
}

/// The job is decided; what is left is to write it down and to tidy up.
void Rollout::finish(int code, std::string reason, Time now) {
  acts_.clear();
  ending_ = Verdict{code, std::move(reason)};
  attempts_back_ = 0;
  const bool proves_nothing = only_records() && code != kReleased;
  to(!proves_nothing && (touched_ || phase_ >= Phase::kWatch) ? Phase::kRecord : Phase::kTidy, now);
}

void Rollout::judge_record(Time now) {
  if (recorded_) return to(Phase::kTidy, now);
  Record record = facts_.record.value_or(Record{});
  record.by = job_.owner;
  record.at = now;
  const bool rollback = plan_.kind == JobKind::kRollback;
  if (ending_->code == kRollbackFailed) {
    record.outcome = Outcome::kBroken;
    record.why = ending_->reason;
    record.left = rollback ? job_.from : job_.to;
  } else if (rollback || job_.turned) {
    record.outcome = Outcome::kRolledBack;
    record.why = rollback ? "asked for" : job_.why;
    record.left = rollback ? job_.from : job_.to;
    // A turned release leaves the former version with its own history; a rollback makes the goal the current one.
    if (rollback || record.current.version != job_.from.version) record.current = goal();
    if (rollback) record.previous.reset();
  } else {
    record.outcome = Outcome::kReleased;
    record.why.clear();
    if (!only_records()) {
      record.previous = job_.from;
    } else if (!record.current.version.empty()) {
      record.previous = record.current;  // what served before, as far as anybody wrote it down
    }
    record.current = job_.to;
    record.current.at = now;
    record.left.reset();
  }
  act(WriteRecord{record});
}

/// A version that failed must not be the latest, or the next shape change would bring it back; of the good ones so many
/// are kept.
void Rollout::delete_versions() {
  if (only_records()) return;
  if (plan_.kind == JobKind::kRelease && job_.to.version.empty()) job_.to.version = marked_version();
  std::vector<std::string> doomed;
  if (ending_->code == kReleased && plan_.kind == JobKind::kRelease) {
    std::vector<long> numbers;
    for (const TemplateVersion& version : facts_.versions) {
      const std::string number = std::to_string(version.number);
      if (!version.is_default && number != job_.to.version && number != job_.from.version)
        numbers.push_back(version.number);
    }
    std::sort(numbers.rbegin(), numbers.rend());
    const auto kept = static_cast<std::size_t>(std::max(plan_.keep_versions - 2, 0));
    for (std::size_t at = kept; at < numbers.size(); ++at) doomed.push_back(std::to_string(numbers[at]));
  } else if (plan_.kind == JobKind::kRelease && !job_.to.version.empty() && ending_->code != kRollbackFailed) {
    doomed.push_back(job_.to.version);
  }
  if (!doomed.empty()) act(DeleteVersions{facts_.group->template_id, doomed});
}

/// Between two versions: whoever comes next has to know from which to which, and who was to leave.
bool Rollout::half_way() const {
  const bool arrived = facts_.group->version == goal().version && everybody_has(goal().version);
  return ending_->code == kRollbackFailed && !arrived;
}

void Rollout::judge_tidy(Time now) {
  if (std::exchange(tidied_, true)) return end(ending_->code, ending_->reason, now);
  if (!job_.suspended.empty()) act(ResumeProcesses{plan_.group, job_.suspended});
  delete_versions();
  if (half_way()) {
    ending_->reason += "; the lock stays, and the same command or `rr-deploy rollback` goes on from here";
  } else if (lock_held_) {
    act(DeleteLock{});
  }
}

}  // namespace rr::deploy
