#include "deploy/rollout/rollout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace rr::deploy {
namespace {

template <class... Cases>
struct Match : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Match(Cases...) -> Match<Cases...>;

// In all, for the last steps of a job.
constexpr int kTidyAttempts = 6;

bool is_look(const Command& command) {
  return std::visit(Match{[](const GetCallerIdentity&) { return true; }, [](const DescribeGroup&) { return true; },
                          [](const DescribeRefreshes&) { return true; }, [](const DescribeVersions&) { return true; },
                          [](const DescribeImages&) { return true; }, [](const DescribeInstanceType&) { return true; },
                          [](const DescribeTargetHealth&) { return true; }, [](const DescribeAlarms&) { return true; },
                          [](const DescribeActivities&) { return true; }, [](const ReadRecord&) { return true; },
                          [](const ReadLock&) { return true; }, [](const auto&) { return false; }},
                    command);
}

/// Looks without which a rollout can go on, only with less to tell or to check. Doubling works at endpoints that know
/// no refreshes.
bool is_dispensable(const Command& command, Strategy strategy, const Failure& failure) {
  if (std::holds_alternative<DescribeRefreshes>(command)) return strategy == Strategy::kDouble;
  return failure.kind != Failure::Kind::kTransient &&
         (std::holds_alternative<DescribeActivities>(command) || std::holds_alternative<DescribeInstanceType>(command));
}

// AWS is busy with the group: the same call works a moment later.
bool is_busy(const Failure& failure) {
  return failure.code == "ScalingActivityInProgress" || failure.code == "ResourceContention" ||
         failure.code == "ScalingActivityInProgressFault" || failure.code == "ResourceContentionFault";
}

bool changes_fleet(const Command& command) {
  return std::holds_alternative<StartRefresh>(command) || std::holds_alternative<RollbackRefresh>(command) ||
         std::holds_alternative<CancelRefresh>(command) || std::holds_alternative<UpdateGroup>(command) ||
         std::holds_alternative<SetDesired>(command) || std::holds_alternative<TerminateInstance>(command) ||
         std::holds_alternative<SuspendProcesses>(command);
}

struct Move {
  Phase from;
  Phase to;
};
constexpr Move kMoves[] = {
    {Phase::kPreflight, Phase::kLock},       {Phase::kPreflight, Phase::kDone},    {Phase::kLock, Phase::kPreflight},
    {Phase::kLock, Phase::kVersion},         {Phase::kLock, Phase::kTurn},         {Phase::kLock, Phase::kDone},
    {Phase::kLock, Phase::kVerify},          {Phase::kVerify, Phase::kTidy},       {Phase::kVersion, Phase::kBegin},
    {Phase::kVersion, Phase::kTidy},         {Phase::kVersion, Phase::kDone},      {Phase::kBegin, Phase::kWatch},
    {Phase::kBegin, Phase::kTurn},           {Phase::kBegin, Phase::kTidy},        {Phase::kBegin, Phase::kDone},
    {Phase::kWatch, Phase::kVerify},         {Phase::kWatch, Phase::kTurn},        {Phase::kWatch, Phase::kWatchBack},
    {Phase::kWatch, Phase::kVerifyBack},     {Phase::kWatch, Phase::kDone},        {Phase::kVerify, Phase::kTurn},
    {Phase::kVerify, Phase::kRecord},        {Phase::kVerify, Phase::kDone},       {Phase::kTurn, Phase::kWatchBack},
    {Phase::kTurn, Phase::kVerifyBack},      {Phase::kTurn, Phase::kRecord},       {Phase::kTurn, Phase::kDone},
    {Phase::kWatchBack, Phase::kVerifyBack}, {Phase::kWatchBack, Phase::kRecord},  {Phase::kWatchBack, Phase::kDone},
    {Phase::kWatchBack, Phase::kTurn},       {Phase::kVerifyBack, Phase::kRecord}, {Phase::kVerifyBack, Phase::kDone},
    {Phase::kRecord, Phase::kTidy},          {Phase::kRecord, Phase::kDone},       {Phase::kTidy, Phase::kDone},
};

bool is_legal(Phase from, Phase to) {
  return std::any_of(std::begin(kMoves), std::end(kMoves),
                     [&](const Move& move) { return move.from == from && move.to == to; });
}

}  // namespace

const char* to_string(Phase phase) {
  switch (phase) {
    case Phase::kPreflight:
      return "preflight";
    case Phase::kLock:
      return "lock";
    case Phase::kVersion:
      return "version";
    case Phase::kBegin:
      return "begin";
    case Phase::kWatch:
      return "watch";
    case Phase::kVerify:
      return "verify";
    case Phase::kTurn:
      return "turn back";
    case Phase::kWatchBack:
      return "watch back";
    case Phase::kVerifyBack:
      return "verify back";
    case Phase::kRecord:
      return "record";
    case Phase::kTidy:
      return "tidy";
    case Phase::kDone:
      return "done";
  }
  return "?";
}

Rollout::Rollout(Plan plan, Time now)
    : plan_(std::move(plan)), tally_(plan_.verification), entered_(now), wake_(now), renewed_(now) {
  phases_.emplace_back(phase_, now);
}

Step Rollout::handle(const Event& event, Time now) {
  RR_CHECK(phase_ != Phase::kDone, "an event after the verdict");
  step_ = Step{};
  std::visit(Match{[&](const Reply& reply) { take(reply, now); }, [&](const Failure& failure) { take(failure, now); },
                   [&](const Answer& answer) { tally_.add(answer); }, [&](const Wake&) {},
                   [&](const Interrupt&) { interrupt(now); }},
             event);
  advance(now);
  return std::exchange(step_, Step{});
}

std::optional<Time> Rollout::next_wake() const { return under_way_ || phase_ == Phase::kDone ? std::nullopt : wake_; }

/// Until a command is under way, the next look is later, or it is the end.
void Rollout::advance(Time now) {
  while (!under_way_ && phase_ != Phase::kDone) {
    if (!acts_.empty()) {
      under_way_ = std::move(acts_.front());
      acts_.pop_front();
      touched_ = touched_ || changes_fleet(*under_way_);
    } else if (wake_ && now < *wake_) {
      return;
    } else if (auto read = next_read()) {
      under_way_ = std::move(read);
    } else {
      wake_.reset();
      looked_.clear();
      judge(now);
      continue;
    }
    step_.command = under_way_;
  }
}

std::optional<Command> Rollout::next_read() const {
  for (Command& read : const_cast<Rollout*>(this)->reads()) {
    const std::string action = action_of(read);
    if (looked_.count(action) == 0 && unreadable_.count(action) == 0) return std::move(read);
  }
  return std::nullopt;
}

std::vector<std::string> Rollout::wanted_images() const {
  std::set<std::string> wanted;
  if (const auto* lane = std::get_if<ImageLane>(&plan_.lane); lane != nullptr && !lane->image.empty()) {
    wanted.insert(lane->image);
  }
  for (const TemplateVersion& version : facts_.versions) wanted.insert(version.image);
  wanted.erase("");
  return {wanted.begin(), wanted.end()};
}

/// In an order in which each knows what it needs from those before it.
std::vector<Command> Rollout::reads_of_preflight() const {
  std::vector<Command> all = {GetCallerIdentity{}, DescribeGroup{plan_.group}, ReadLock{}, ReadRecord{}};
  if (looked_.count("DescribeAutoScalingGroups") == 0 || !facts_.group) return all;
  all.push_back(DescribeRefreshes{plan_.group});
  if (!facts_.group->template_id.empty()) all.push_back(DescribeVersions{facts_.group->template_id});
  if (!target_group().empty()) all.push_back(DescribeTargetHealth{target_group()});
  if (!plan_.alarms.empty()) all.push_back(DescribeAlarms{plan_.alarms});
  if (looked_.count("DescribeLaunchTemplateVersions") == 0) return all;
  if (const auto images = wanted_images(); !images.empty()) all.push_back(DescribeImages{images});
  if (const TemplateVersion* base = latest_version(facts_); base != nullptr && !base->instance_type.empty()) {
    all.push_back(DescribeInstanceType{base->instance_type});
  }
  return all;
}

std::vector<Command> Rollout::reads() const {
  const bool by_refresh = job_.strategy == Strategy::kRefresh;
  switch (phase_) {
    case Phase::kPreflight:
      return reads_of_preflight();
    case Phase::kLock:
      return {ReadLock{}};
    case Phase::kVersion:
      return {ReadLock{}, DescribeVersions{facts_.group->template_id}};
    case Phase::kBegin:
    case Phase::kTurn:
      return {ReadLock{}, DescribeGroup{plan_.group}, DescribeRefreshes{plan_.group}};
    case Phase::kWatch:
    case Phase::kWatchBack: {
      std::vector<Command> all = {ReadLock{}, DescribeGroup{plan_.group}};
      if (by_refresh) all.push_back(DescribeRefreshes{plan_.group});
      if (!target_group().empty()) all.push_back(DescribeTargetHealth{target_group()});
      if (!by_refresh && phase_ == Phase::kWatch && !plan_.alarms.empty()) all.push_back(DescribeAlarms{plan_.alarms});
      all.push_back(DescribeActivities{plan_.group});
      return all;
    }
    case Phase::kVerify: {
      std::vector<Command> all = {ReadLock{}, DescribeGroup{plan_.group}};
      if (!by_refresh && !plan_.alarms.empty()) all.push_back(DescribeAlarms{plan_.alarms});
      return all;
    }
    case Phase::kVerifyBack:
      return {ReadLock{}, DescribeGroup{plan_.group}};
    case Phase::kRecord:
      return {ReadLock{}};
    case Phase::kTidy:
      if (tidied_) return {};
      return {DescribeVersions{facts_.group->template_id}};
    case Phase::kDone:
      return {};
  }
  return {};
}

void Rollout::take(const Reply& reply, Time now) {
  RR_CHECK(under_way_.has_value(), "a reply to nothing");
  const Command command = *std::exchange(under_way_, std::nullopt);
  if (lost_since_) note(Note::Kind::kChange, "AWS answers again");
  lost_since_.reset();
  if (is_look(command)) {
    looked_.insert(action_of(command));
  } else {
    failing_since_.reset();
  }
  std::visit(Match{[&](const Done&) {
                     if (std::holds_alternative<WriteLock>(command)) renewed_ = now;
                     if (std::holds_alternative<WriteRecord>(command)) recorded_ = true;
                   },
                   [&](const Identity& identity) { facts_.identity = identity; },
                   [&](const GroupFound& found) { facts_.group = found.group; },
                   [&](const std::vector<Refresh>& refreshes) { facts_.refreshes = refreshes; },
                   [&](const std::vector<TemplateVersion>& versions) { facts_.versions = versions; },
                   [&](const std::vector<Image>& images) { facts_.images = images; },
                   [&](const Architectures& found) { facts_.architectures = found.names; },
                   [&](const std::vector<Target>& targets) { facts_.targets = targets; },
                   [&](const std::vector<Alarm>& alarms) { facts_.alarms = alarms; },
                   [&](const std::vector<Activity>& activities) { facts_.activities = activities; },
                   [&](const RecordFound& found) { facts_.record = found.record; },
                   [&](const Lock& lock) { facts_.lock = lock; },
                   [&](const Created& created) {
                     job_.to.version = created.version;
                     act(WriteLock{job_, true});
                     note(Note::Kind::kChange,
                          fmt::format("version {} of the launch template is made", created.version));
                   },
                   [&](const Started& started) {
                     note(Note::Kind::kChange, fmt::format("instance refresh {} is started", started.refresh));
                   }},
             reply);
  if (std::holds_alternative<DescribeGroup>(command) && !facts_.group && phase_ != Phase::kPreflight) {
    end(kRollbackFailed, fmt::format("group {} is gone", plan_.group), now);
  }
}

void Rollout::take(const Failure& failure, Time now) {
  RR_CHECK(under_way_.has_value(), "a failure of nothing");
  const Command command = *std::exchange(under_way_, std::nullopt);
  if (failure.kind == Failure::Kind::kExpired) {
    if (phase_ == Phase::kTidy) return failed_act(command, failure, now);
    return lost_contact(failure, now);
  }
  if (is_look(command)) {
    if (is_dispensable(command, plan_.strategy, failure)) {
      unreadable_.insert(action_of(command));
      note(Note::Kind::kWarning, fmt::format("going on without {}: {}", action_of(command), failure.message));
      return;
    }
    return failed_look(failure, now);
  }
  failed_act(command, failure, now);
}

/// Nothing can be done or seen any more.
void Rollout::lost_contact(const Failure& failure, Time now) {
  if (!touched_) {
    return end(kRefused,
               lock_held_ ? failure.message + "; nothing was changed but the lock, which the next run takes over"
                          : failure.message,
               now);
  }
  const char* what = failure.kind == Failure::Kind::kExpired  ? "the credentials are not valid any more"
                     : failure.kind == Failure::Kind::kDenied ? "the credentials do not allow it"
                                                              : "AWS does not answer";
  end(kRollbackFailed,
      fmt::format("{}: {}. What was begun goes on at AWS unwatched; the same command takes it up again, `rr-deploy "
                  "rollback` goes back",
                  what, failure.message),
      now);
}

/// The same look again, later: what this round has seen already stays.
void Rollout::failed_look(const Failure& failure, Time now) {
  wait(now);
  if (!lost_since_) lost_since_ = now;
  if (phase_ == Phase::kTidy || phase_ == Phase::kRecord) {
    looked_.insert({"GetParameter (lock)", "DescribeLaunchTemplateVersions"});  // goes on with what it has
    return;
  }
  if (!touched_ && !lock_held_) return end(kRefused, failure.message, now);
  if (failure.kind != Failure::Kind::kTransient || now - *lost_since_ >= plan_.patience)
    return lost_contact(failure, now);
  if (said_lost_ != failure.message) {
    said_lost_ = failure.message;
    note(Note::Kind::kWarning,
         fmt::format("{}; trying again for {}", failure.message, format_duration(plan_.patience)));
  }
}

void Rollout::failed_act(const Command& command, const Failure& failure, Time now) {
  if (phase_ == Phase::kTidy) {
    // What is left here stays: a suspended process, a lock. So it is worth another attempt.
    if (failure.kind == Failure::Kind::kTransient && attempts_back_++ < kTidyAttempts) return acts_.push_front(command);
    note(Note::Kind::kWarning, fmt::format("{}: {}", action_of(command), failure.message));
    if (const auto* resume = std::get_if<ResumeProcesses>(&command)) left_suspended(*resume);
    return;
  }
  acts_.clear();  // they were to follow on this one; the next round sees what is left to be done
  wait(now);
  const bool transient = failure.kind == Failure::Kind::kTransient || is_busy(failure);
  if (std::holds_alternative<WriteRecord>(command)) {
    if (transient && attempts_back_++ < 3) return;
    note(Note::Kind::kWarning, fmt::format("the release record could not be written: {}", failure.message));
    to(Phase::kTidy, now);
    return;
  }
  if (transient) {
    if (!lost_since_) lost_since_ = now;
    if (!failing_since_) failing_since_ = now;
    // Where everything else is answered, one call that is not would be made for ever. Of the first refresh the looks
    // tell whether it works (begin_refresh).
    const bool begins = phase_ == Phase::kBegin && std::holds_alternative<StartRefresh>(command);
    if (begins || now - *failing_since_ < plan_.patience) return;
  }
  if (std::holds_alternative<WriteLock>(command)) {
    if (failure.code == "ParameterAlreadyExists" && phase_ == Phase::kLock) return to(Phase::kPreflight, now);
    return lost_contact(failure, now);
  }
  const std::string why = fmt::format("{}: {}", action_of(command), failure.message);
  if (phase_ == Phase::kVersion || (phase_ == Phase::kBegin && std::holds_alternative<StartRefresh>(command))) {
    // Somebody else was quicker, or it was our own call whose answer was lost: the next look tells.
    if (failure.code == "InstanceRefreshInProgress") return;
    touched_ = false;
    return finish(kRefused, why, now);
  }
  if (phase_ == Phase::kBegin || phase_ == Phase::kWatch) return turn(why, now);
  if (std::holds_alternative<RollbackRefresh>(command)) {
    refused_rollback_ = true;
    return;
  }
  if (std::holds_alternative<CancelRefresh>(command) && failure.code == "ActiveInstanceRefreshNotFound") return;
  if (++attempts_back_ >= 5) finish(kRollbackFailed, why, now);
}

/// A group that stays without its processes is not done with: the lock stays, so that the next run knows of them.
void Rollout::left_suspended(const ResumeProcesses& resume) {
  acts_.clear();
  ending_ = Verdict{kRollbackFailed, fmt::format("{}; but {} stays suspended: the same command takes it up again",
                                                 ending_->reason, fmt::join(resume.processes, ", "))};
}

void Rollout::judge(Time now) {
  report_changes();
  if (lock_held_ && phase_ != Phase::kTidy && lock_lost()) {
    const auto& other = facts_.lock.job;
    lock_held_ = false;
    const std::string who = other ? fmt::format("{} of {} has taken over", to_string(other->kind), other->owner)
                                  : "the lock was taken away";
    return end(kRolledBack, fmt::format("{}; this run leaves everything to it", who), now);
  }
  switch (phase_) {
    case Phase::kPreflight:
      judge_preflight(now);
      break;
    case Phase::kLock:
      judge_lock(now);
      break;
    case Phase::kVersion:
      judge_version(now);
      break;
    case Phase::kBegin:
      judge_begin(now);
      break;
    case Phase::kWatch:
      judge_watch(now);
      break;
    case Phase::kVerify:
      judge_verify(now);
      break;
    case Phase::kTurn:
      judge_turn(now);
      break;
    case Phase::kWatchBack:
      judge_watch_back(now);
      break;
    case Phase::kVerifyBack:
      judge_verify_back(now);
      break;
    case Phase::kRecord:
      judge_record(now);
      break;
    case Phase::kTidy:
      judge_tidy(now);
      break;
    case Phase::kDone:
      break;
  }
  if (phase_ != Phase::kDone) keep_lock(now);
}

bool Rollout::lock_lost() { return !facts_.lock.job || facts_.lock.job->token != job_.token; }

void Rollout::keep_lock(Time now) {
  if (!lock_held_ || phase_ == Phase::kTidy || now - renewed_ < plan_.renewal()) return;
  renewed_ = now;
  if (phase_ == Phase::kWatch && job_.strategy == Strategy::kDouble) job_.driven = spent(now);
  act(WriteLock{job_, true});
}

void Rollout::to(Phase phase, Time now) {
  RR_CHECK(is_legal(phase_, phase), to_string(phase));
  phase_ = phase;
  entered_ = now;
  wake_.reset();
  failing_since_.reset();
  looked_.clear();
  phases_.emplace_back(phase, now);
}

void Rollout::end(int code, std::string reason, Time now) {
  acts_.clear();
  under_way_.reset();
  to(Phase::kDone, now);
  step_.verdict = Verdict{code, std::move(reason)};
}

void Rollout::interrupt(Time now) {
  if (interrupted_) return;
  interrupted_ = true;
  if (!under_way_) wake_ = now;
  const bool back = plan_.kind == JobKind::kRollback || phase_ >= Phase::kTurn;
  note(Note::Kind::kWarning,
       back ? "interrupted: it is on its way back already and goes on; a second time leaves it alone"
            : "interrupted: going back; a second time leaves everything as it is");
}

void Rollout::note(Note::Kind kind, std::string text) { step_.notes.push_back({kind, std::move(text)}); }

void Rollout::report_changes() {
  const bool watching = phase_ == Phase::kWatch || phase_ == Phase::kWatchBack;
  if (!watching) return;
  if (job_.strategy == Strategy::kRefresh && !facts_.refreshes.empty()) {
    const Refresh& refresh = facts_.refreshes.front();
    std::string line = fmt::format("refresh {} {} %", to_string(refresh.status), refresh.percent);
    if (!refresh.reason.empty()) line += ": " + refresh.reason;
    if (line != said_refresh_) note(Note::Kind::kChange, line);
    said_refresh_ = line;
  }
  report_targets();
  report_activities();
}

void Rollout::report_targets() {
  std::map<std::string, std::string> now;
  for (const Target& target : facts_.targets) {
    now[target.id] = target.reason.empty() ? target.state : fmt::format("{} ({})", target.state, target.reason);
  }
  for (const auto& [id, state] : now) {
    const auto before = said_targets_.find(id);
    if (before == said_targets_.end()) {
      if (!said_targets_.empty()) note(Note::Kind::kChange, fmt::format("{} is registered: {}", id, state));
    } else if (before->second != state) {
      note(Note::Kind::kChange, fmt::format("{} is {}, was {}", id, state, before->second));
    }
  }
  for (const auto& [id, state] : said_targets_) {
    if (now.count(id) == 0) note(Note::Kind::kChange, fmt::format("{} is not registered any more", id));
  }
  said_targets_ = std::move(now);
}

/// Those that were there at the first look happened before this job.
void Rollout::report_activities() {
  const bool first = said_activities_.empty();
  for (auto activity = facts_.activities.rbegin(); activity != facts_.activities.rend(); ++activity) {
    std::string& said = said_activities_[activity->id];
    if (!first && said != activity->status) {
      note(activity->status == "Failed" ? Note::Kind::kProblem : Note::Kind::kChange,
           fmt::format("{}: {}{}", activity->description, activity->status,
                       activity->message.empty() ? "" : " (" + activity->message + ")"));
    }
    said = activity->status;
  }
  if (first) said_activities_.emplace("", "");
}

Progress Rollout::progress() const {
  Progress progress;
  progress.phase = phase_;
  progress.targets = static_cast<int>(facts_.targets.size());
  progress.healthy = static_cast<int>(std::count_if(facts_.targets.begin(), facts_.targets.end(),
                                                    [](const Target& target) { return target.state == "healthy"; }));
  if (job_.strategy == Strategy::kRefresh) {
    progress.percent = facts_.refreshes.empty() ? 0 : facts_.refreshes.front().percent;
  } else if (!job_.leaving.empty() && facts_.group) {
    const auto gone = static_cast<int>(job_.leaving.size()) - static_cast<int>(leaving().size());
    progress.percent = 100 * gone / static_cast<int>(job_.leaving.size());
  }
  return progress;
}

std::string Rollout::target_group() const {
  if (!plan_.target_group.empty()) return plan_.target_group;
  return facts_.group && !facts_.group->target_groups.empty() ? facts_.group->target_groups.front() : "";
}

int Rollout::instances_there() const {
  return static_cast<int>(std::count_if(facts_.group->instances.begin(), facts_.group->instances.end(),
                                        [](const Instance& instance) { return instance.lifecycle == "InService"; }));
}

const Refresh* Rollout::own_refresh() const {
  for (const Refresh& refresh : facts_.refreshes) {  // newest first
    if (refresh.id == job_.refresh_before) return nullptr;
    if (refresh.version == job_.to.version) return &refresh;
  }
  return nullptr;
}

bool Rollout::everybody_has(const std::string& version) const {
  return std::all_of(facts_.group->instances.begin(), facts_.group->instances.end(), [&](const Instance& instance) {
    return instance.version == version && instance.health == "Healthy";
  });
}

}  // namespace rr::deploy
