// The way forward: from the first look to the proof that the new version serves.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "deploy/rollout/rollout.h"

namespace rr::deploy {
namespace {

// Enough to have heard from the tier once before it is touched; at the latest after so long.
// not a setting: nobody would want another
constexpr Duration kFirstAnswer = std::chrono::seconds(5);

// With these at work a group does not stay at twice its size, or loses the wrong instances.
constexpr const char* kDisturbing[] = {"AZRebalance", "AlarmNotification", "ScheduledActions"};

bool same_goal(const Job& job, const Plan& plan) {
  if (job.kind != plan.kind) return false;
  if (job.kind == JobKind::kRollback) return true;  // the goal is chosen from the job itself
  return job.lane == plan.lane && job.strategy == plan.strategy;
}

std::string lane_text(const Lane& lane) {
  if (const auto* image = std::get_if<ImageLane>(&lane)) return image->image;
  return std::get<ArtifactLane>(lane).url;
}

std::string version_text(const Released& released) {
  std::string text = released.version.empty() ? "a new version" : "version " + released.version;
  if (!released.commit.empty()) text += fmt::format(", commit {}", short_commit(released.commit));
  if (!released.build.empty()) text += fmt::format(", build {}", released.build);
  return text;
}

}  // namespace

/// True: the lock may be taken now (or the machine waits or has ended, when the phase or wake_ says so).
bool Rollout::settle_lock(Time now) {
  const Lock& lock = facts_.lock;
  take_over_ = lock.job.has_value();
  if (!lock.job) return true;
  if (lock.job->token == plan_.token) return true;  // written, and the answer was lost
  const std::string holder = fmt::format("{} of {} (job {})", to_string(lock.job->kind), lock.job->owner, lock.job->id);
  if (lock.holder_gone || lock.age >= plan_.lease) {
    note(Note::Kind::kWarning, fmt::format("{} was left unfinished", holder));
    return true;
  }
  if (plan_.kind == JobKind::kRollback) {
    note(Note::Kind::kWarning, fmt::format("{} is running; the rollback takes its lock", holder));
    return true;
  }
  if (lock_age_ && lock.age < *lock_age_) {
    end(kRefused, fmt::format("{} is running: two at once would undo each other", holder), now);
    return false;
  }
  if (!lock_age_) {
    note(Note::Kind::kStep, fmt::format("{} holds the lock, renewed {} ago; if it lives it renews it within {}", holder,
                                        format_duration(std::chrono::floor<std::chrono::seconds>(lock.age)),
                                        format_duration(plan_.renewal())));
  }
  lock_age_ = lock.age;
  wait(now);
  return false;
}

void Rollout::judge_preflight(Time now) {
  if (interrupted_ && facts_.lock.job) {
    return end(kRefused,
               fmt::format("interrupted before this run changed anything; the {} of {} stays as it is",
                           to_string(facts_.lock.job->kind), facts_.lock.job->owner),
               now);
  }
  if (interrupted_) return end(kRolledBack, "interrupted before anything was changed", now);
  if (facts_.group && !settle_lock(now)) return;
  // Whoever was asked has not answered yet: give the prober the moment that it needs.
  const bool heard = tally_.answers() > 0;
  if (!heard && now - entered_ < kFirstAnswer) {
    wake_ = now + kSecond;
    return;
  }
  std::string silence;
  if (!tally_.last_good()) silence = tally_.last_failed() ? cause_of(*tally_.last_failed()) : "nobody was asked yet";
  const auto problems =
      plan_.kind == JobKind::kRelease ? release_problems(plan_, facts_, silence) : rollback_problems(plan_, facts_);
  if (!problems.empty()) {
    for (const std::string& problem : problems) note(Note::Kind::kProblem, problem);
    return end(kRefused, "nothing was touched", now);
  }
  adopt_or_begin(now);
}

/// The same image or artifact, everywhere, and no later shape of the template that waits for its rollout.
bool Rollout::serves_already() const {
  const TemplateVersion* now = find_version(facts_, facts_.group->version);
  if (plan_.force || now == nullptr || now != latest_version(facts_) || !everybody_has(facts_.group->version))
    return false;
  if (const auto* image = std::get_if<ImageLane>(&plan_.lane))
    return now->image == image->image && now->artifact.empty();
  const auto& artifact = std::get<ArtifactLane>(plan_.lane);
  return now->artifact == artifact.url && now->artifact_sha256 == artifact.sha256;
}

void Rollout::adopt_or_begin(Time now) {
  const auto& found = facts_.lock.job;
  if (plan_.kind == JobKind::kRollback) {
    prepare_rollback(now);
    if (phase_ == Phase::kDone) return;
  } else if (found && same_goal(*found, plan_)) {
    job_ = *found;
    touched_ = !job_.to.version.empty() && !only_records();
    driven_before_ = job_.driven;
    note(Note::Kind::kStep, fmt::format("going on with the release of {} where it stopped", lane_text(job_.lane)));
  } else {
    const bool serves = serves_already();
    const bool recorded = facts_.record && facts_.record->current.version == facts_.group->version;
    if (serves && recorded)
      return end(kReleased, fmt::format("version {} is this already: nothing to do", facts_.group->version), now);
    begin_release(now);
    if (serves) job_.to.version = job_.from.version;
  }
  job_.kind = plan_.kind;
  job_.token = plan_.token;
  job_.owner = plan_.owner;
  job_.host = plan_.host;
  job_.process = plan_.process;
  if (!job_.turned) tally_.expect(job_.to, job_.from);
  if (job_.turned) tally_.expect(job_.from, job_.to);
  to(Phase::kLock, now);
}

void Rollout::begin_release(Time now) {
  job_ = Job{};
  job_.id = plan_.token;
  job_.strategy = plan_.strategy;
  job_.lane = plan_.lane;
  job_.from = describe_version(facts_, facts_.group->version);
  // What serves knows best what it is; a record may be missing or older.
  if (tally_.last_good() && !tally_.last_good()->commit.empty()) {
    job_.from.commit = tally_.last_good()->commit;
    job_.from.build = tally_.last_good()->build;
  }
  job_.to.commit = plan_.commit;
  job_.to.build = plan_.build;
  if (job_.to.commit.empty()) std::tie(job_.to.commit, job_.to.build) = tagged_commit(plan_, facts_);
  if (const auto* lane = std::get_if<ImageLane>(&job_.lane)) {
    job_.to.image = lane->image;
  } else {
    job_.to.artifact = lane_text(job_.lane);
    if (const TemplateVersion* base = latest_version(facts_); base != nullptr) job_.to.image = base->image;
  }
  if (!facts_.refreshes.empty()) job_.refresh_before = facts_.refreshes.front().id;
  job_.started = now;
}

bool Rollout::only_records() const {
  return job_.kind == JobKind::kRelease && !job_.to.version.empty() && job_.to.version == job_.from.version;
}

void Rollout::judge_lock(Time now) {
  const auto& holder = facts_.lock.job;
  if (!holder || holder->token != job_.token) {
    if (holder && !take_over_) return to(Phase::kPreflight, now);
    return act(WriteLock{job_, take_over_});
  }
  lock_held_ = true;
  renewed_ = now;
  if (plan_.kind == JobKind::kRollback || job_.turned) return to(Phase::kTurn, now);
  if (only_records()) {
    note(Note::Kind::kStep, fmt::format("{} serves already, and the release record does not say so: it is proved and "
                                        "written down",
                                        version_text(job_.to)));
    return to(Phase::kVerify, now);
  }
  note(Note::Kind::kStep,
       fmt::format("from {} to {} ({})", version_text(job_.from), version_text(job_.to), lane_text(job_.lane)));
  to(Phase::kVersion, now);
}

/// The version that this job has made, whether or not the answer came back; empty when there is none.
std::string Rollout::marked_version() const {
  const std::string mark = job_mark(job_.id);
  for (const TemplateVersion& version : facts_.versions) {
    if (version.description.find(mark) != std::string::npos) return std::to_string(version.number);
  }
  return "";
}

void Rollout::judge_version(Time now) {
  if (!job_.to.version.empty()) return to(Phase::kBegin, now);  // a job that is being resumed may have begun
  if (interrupted_) return finish(kRolledBack, "interrupted before the group was touched", now);
  job_.to.version = marked_version();
  if (!job_.to.version.empty()) return act(WriteLock{job_, true});
  const TemplateVersion* base = latest_version(facts_);
  RR_CHECK(base != nullptr, "a launch template has at least one version");
  const bool drops_artifact = std::holds_alternative<ImageLane>(job_.lane) && !base->artifact.empty();
  act(CreateVersion{facts_.group->template_id, std::to_string(base->number), job_.lane, description_of(job_), job_.id,
                    drops_artifact});
}

void Rollout::judge_begin(Time now) {
  // Looked for first: a job that is being resumed may have begun already, and then there is something to undo.
  const bool begun = own_refresh() != nullptr || !job_.leaving.empty();
  if (interrupted_ && !begun) {
    touched_ = false;
    return finish(kRolledBack, "interrupted before the group was touched", now);
  }
  if (interrupted_) return turn("interrupted", now);
  if (begun) {
    touched_ = true;
    return to(Phase::kWatch, now);
  }
  if (const Refresh* active = active_refresh(facts_); active != nullptr) {
    touched_ = false;
    return finish(kRefused, fmt::format("somebody else started instance refresh {} in this moment", active->id), now);
  }
  if (job_.strategy == Strategy::kRefresh) return begin_refresh(now);
  begin_double(now);
}

void Rollout::begin_refresh(Time now) {
  // A call that is never heard of must not be made for ever. It had no effect: the looks show no refresh.
  if (now - entered_ > plan_.patience) {
    touched_ = false;
    return finish(kRefused, "the instance refresh could not be started", now);
  }
  StartRefresh start;
  start.group = plan_.group;
  start.template_id = facts_.group->template_id;
  start.version = job_.to.version;
  start.warm_up = static_cast<int>(std::chrono::ceil<std::chrono::seconds>(plan_.warm_up).count());
  start.bake = static_cast<int>(std::chrono::ceil<std::chrono::seconds>(plan_.bake).count());
  if (!plan_.force) start.alarms = plan_.alarms;
  act(std::move(start));
}

/// First it is written down who has to leave, then the first thing is touched.
void Rollout::begin_double(Time) {
  const Group& group = *facts_.group;
  job_.desired = group.desired;
  std::set<std::string> zones;
  for (const Instance& instance : group.instances) {
    job_.leaving.push_back(instance.id);
    zones.insert(instance.zone);
  }
  job_.zones = static_cast<int>(zones.size());
  for (const char* process : kDisturbing) {
    if (std::find(group.suspended.begin(), group.suspended.end(), process) == group.suspended.end()) {
      job_.suspended.emplace_back(process);
    }
  }
  act(WriteLock{job_, true});
  if (!job_.suspended.empty()) act(SuspendProcesses{plan_.group, job_.suspended});
}

/// Of the deadline. A refresh goes on at AWS while nobody looks, so it counts from its start, also for whoever takes it
/// up again. Doubling moves only while a program is at it: the time in between is nobody's fault, and does not count.
Duration Rollout::spent(Time now) const {
  const Duration here = now - entered_;
  if (job_.strategy == Strategy::kDouble) return driven_before_ + here;
  const Refresh* ours = own_refresh();
  return ours == nullptr ? here : std::max(ours->age, here);
}

std::optional<std::string> Rollout::reason_to_turn(Time now) const {
  if (interrupted_) return "interrupted";
  if (tally_.trip()) return *tally_.trip();
  if (job_.strategy == Strategy::kDouble && !plan_.force) {
    for (const Alarm& alarm : facts_.alarms) {
      if (alarm.state == "ALARM") return fmt::format("alarm {} is in ALARM", alarm.name);
    }
  }
  const Duration limit = plan_.deadline + (job_.strategy == Strategy::kRefresh ? plan_.bake : Duration{});
  if (phase_ == Phase::kWatch && spent(now) > limit) {
    return fmt::format("the group is not through after {}", format_duration(limit));
  }
  return std::nullopt;
}

void Rollout::judge_watch(Time now) {
  if (job_.strategy == Strategy::kRefresh) return watch_refresh(now);
  if (auto why = reason_to_turn(now)) return turn(std::move(*why), now);
  if (double_towards(job_.to.version, true, now)) return to(Phase::kVerify, now);
}

void Rollout::watch_refresh(Time now) {
  const Refresh* ours = own_refresh();
  if (ours == nullptr) return turn("the instance refresh is not there any more", now);
  const std::string reason = ours->reason.empty() ? "" : ": " + ours->reason;
  switch (ours->status) {
    case RefreshStatus::kSuccessful:
      return to(Phase::kVerify, now);  // where it is judged; its time is not over any more
    case RefreshStatus::kFailed:
      return turn("the instance refresh failed" + reason, now);
    case RefreshStatus::kCancelled:
    case RefreshStatus::kCancelling:
      return turn("the instance refresh was cancelled by somebody else" + reason, now);
    case RefreshStatus::kRollbackInProgress:
      return turn("AWS rolls the instance refresh back" + reason, now);
    case RefreshStatus::kRollbackSuccessful:
      return turn("AWS rolled the instance refresh back" + reason, now);
    case RefreshStatus::kRollbackFailed:
      return turn("AWS could not roll the instance refresh back" + reason, now);
    case RefreshStatus::kPending:
    case RefreshStatus::kInProgress:
    case RefreshStatus::kBaking:
    case RefreshStatus::kUnknown:
      break;
  }
  if (auto why = reason_to_turn(now)) return turn(std::move(*why), now);
  wait(now);
}

/// There is nothing to go back from when nothing was changed.
void Rollout::give_up_proof(std::string why, Time now) {
  if (!only_records()) return turn(std::move(why), now);
  finish(interrupted_ ? kRolledBack : kRefused, "nothing was changed: " + why, now);
}

void Rollout::judge_verify(Time now) {
  if (auto why = reason_to_turn(now)) return give_up_proof(std::move(*why), now);
  // A refresh has baked at AWS; doubling bakes here, while answers and alarms are being watched.
  const Duration bake = job_.strategy == Strategy::kDouble && !only_records() ? plan_.bake : Duration{};
  const bool baked = now - entered_ >= bake;
  if (baked && tally_.verified(instances_there())) {
    note(Note::Kind::kChange,
         fmt::format("the load balancer answers {}: {}", version_text(job_.to), tally_.shortfall(instances_there())));
    return finish(kReleased, fmt::format("{} is released", version_text(job_.to)), now);
  }
  if (now - entered_ > bake + plan_.verification.limit) {
    return give_up_proof("the load balancer does not prove the new version: " + tally_.shortfall(instances_there()),
                         now);
  }
  wake_ = now + kSecond;
}

void Rollout::turn(std::string why, Time now) {
  note(Note::Kind::kProblem, fmt::format("going back to version {}: {}", job_.from.version, why));
  if (job_.strategy == Strategy::kDouble) {
    job_.leaving = others_than(job_.leaving, *facts_.group);  // those that were to leave stay, the others go
  }
  job_.turned = true;
  job_.why = std::move(why);
  tally_.expect(job_.from, job_.to);
  acts_.clear();
  act(WriteLock{job_, true});
  to(Phase::kTurn, now);
}

}  // namespace rr::deploy
