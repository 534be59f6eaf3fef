#pragma once
// A release or a rollback as a machine: events in, the next AWS call out. It has no clock, no connection and no memory
// beyond one run: what a later run needs to go on is in the lock (job.h), and everything else is looked at anew.
//
// It works in rounds. In each phase it first looks (the reads of that phase, one call after another), then judges what
// it saw: act, wait for the next look, move on, or end. A call that got lost therefore needs no care of its own: the
// next round sees whether it took effect. Nothing depends on having seen a step happen.
//
//   kPreflight  look at everything; refuse, wait for another holder's lock, or take over a dead one's job
//   kLock       take the lock, and read it back
//   kVersion    make the numbered version of the launch template
//   kBegin      start the refresh (or suspend processes and remember who has to leave)
//   kWatch      until the group is through
//   kVerify     until the load balancer's answers prove it
//   kTurn       back to the former version: whatever runs is turned round or stopped. Rollbacks begin here.
//   kWatchBack  until the group is through
//   kVerifyBack until the answers prove it
//   kRecord     the release record
//   kTidy       processes resumed, versions deleted, the lock let go
//   kDone
//
// What serves already and stands in no record (Terraform launched the first instances) is only proved and recorded:
// kLock, kVerify, kRecord, kTidy.
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "deploy/rollout/command.h"
#include "deploy/rollout/plan.h"
#include "deploy/rollout/preflight.h"
#include "deploy/rollout/tally.h"

namespace rr::deploy {

enum class Phase {
  kPreflight,
  kLock,
  kVersion,
  kBegin,
  kWatch,
  kVerify,
  kTurn,
  kWatchBack,
  kVerifyBack,
  kRecord,
  kTidy,
  kDone,
};
const char* to_string(Phase phase);

// Exit codes.
constexpr int kReleased = 0, kUsage = 2, kRefused = 3, kRolledBack = 10, kRollbackFailed = 11;

/// One line for people.
struct Note {
  enum class Kind { kStep, kChange, kWarning, kProblem };
  Kind kind = Kind::kStep;
  std::string text;
  bool operator==(const Note&) const = default;
};

struct Verdict {
  int code = kReleased;
  std::string reason;
  bool operator==(const Verdict&) const = default;
};

struct Step {
  std::optional<Command> command;  // to be made now; at most one is under way
  std::vector<Note> notes;
  std::optional<Verdict> verdict;  // the end; nothing comes after it
};

struct Progress {
  Phase phase = Phase::kPreflight;
  int percent = 0;  // of the refresh, or of the instances that have to leave
  int healthy = 0;  // targets
  int targets = 0;
};

/// The ids of the group's instances that are not among `ids`.
std::vector<std::string> others_than(const std::vector<std::string>& ids, const Group& group);

class Rollout {
 public:
  Rollout(Plan plan, Time now);

  /// The first call is a Wake. A Reply or Failure answers the command that is under way and nothing else.
  Step handle(const Event& event, Time now);

  /// When to send Wake; none while a command is under way and after the verdict.
  std::optional<Time> next_wake() const;

  Phase phase() const { return phase_; }
  Progress progress() const;
  const Tally& tally() const { return tally_; }
  const Job& job() const { return job_; }
  const Plan& plan() const { return plan_; }
  /// Each phase with the instant in which it began.
  const std::vector<std::pair<Phase, Time>>& phases() const { return phases_; }

 private:
  // rollout.cc: rounds, replies, failures
  void advance(Time now);
  std::optional<Command> next_read() const;
  std::vector<Command> reads() const;
  std::vector<Command> reads_of_preflight() const;
  std::vector<std::string> wanted_images() const;
  void take(const Reply& reply, Time now);
  void take(const Failure& failure, Time now);
  void failed_look(const Failure& failure, Time now);
  void failed_act(const Command& command, const Failure& failure, Time now);
  void left_suspended(const ResumeProcesses& resume);
  void lost_contact(const Failure& failure, Time now);
  bool lock_lost();
  void judge(Time now);
  void to(Phase phase, Time now);
  void act(Command command) { acts_.push_back(std::move(command)); }
  void wait(Time now) { wake_ = now + plan_.poll; }
  void keep_lock(Time now);
  void note(Note::Kind kind, std::string text);
  void report_changes();
  void report_targets();
  void report_activities();
  void interrupt(Time now);

  // rollout_release.cc: forward
  void judge_preflight(Time now);
  bool settle_lock(Time now);
  bool serves_already() const;
  void adopt_or_begin(Time now);
  void begin_release(Time now);
  bool only_records() const;
  void judge_lock(Time now);
  std::string marked_version() const;
  void judge_version(Time now);
  void judge_begin(Time now);
  void begin_refresh(Time now);
  void begin_double(Time now);
  void judge_watch(Time now);
  void watch_refresh(Time now);
  void judge_verify(Time now);
  void give_up_proof(std::string why, Time now);
  Duration spent(Time now) const;
  std::optional<std::string> reason_to_turn(Time now) const;
  void turn(std::string why, Time now);

  // rollout_back.cc: back, and the end
  void prepare_rollback(Time now);
  void judge_turn(Time now);
  void turn_refresh(Time now);
  void start_back(Time now);
  void judge_watch_back(Time now);
  void watch_back_refresh(Time now);
  void judge_verify_back(Time now);
  bool overdue_back(Time now);
  void finish(int code, std::string reason, Time now);
  void judge_record(Time now);
  bool half_way() const;
  void judge_tidy(Time now);
  void delete_versions();
  void end(int code, std::string reason, Time now);

  // rollout_double.cc: twice the group and half of it
  bool double_towards(const std::string& version, bool forward, Time now);
  bool spread(const std::vector<const Instance*>& fresh, Time now);
  std::vector<const Instance*> staying() const;
  std::vector<const Instance*> leaving() const;

  const Released& goal() const { return job_.turned ? job_.from : job_.to; }
  /// The instance refresh that brings this job's version; null when there is none (any more).
  const Refresh* own_refresh() const;
  bool everybody_has(const std::string& version) const;
  std::string target_group() const;
  int instances_there() const;

  Plan plan_;
  Job job_;
  Facts facts_;
  Tally tally_;
  Phase phase_ = Phase::kPreflight;
  Time entered_;
  std::vector<std::pair<Phase, Time>> phases_;

  std::optional<Command> under_way_;
  std::deque<Command> acts_;
  std::set<std::string> looked_;  // actions of this round that were answered
  std::optional<Time> wake_;
  std::optional<Time> lost_since_;
  std::optional<Time> failing_since_;  // calls that change something, in this phase; looks may be answered meanwhile
  std::set<std::string> unreadable_;   // actions that these credentials do not allow and that it can do without

  bool lock_held_ = false;
  bool take_over_ = false;            // the lock of a dead holder, or any for a rollback
  std::optional<Duration> lock_age_;  // of the other holder's, when last looked at
  Time renewed_;
  bool touched_ = false;  // the fleet is, or may be, on its way to another version
  bool interrupted_ = false;
  bool refused_rollback_ = false;  // RollbackInstanceRefresh is of no use with this refresh
  int attempts_back_ = 0;
  std::optional<Time> back_since_;
  bool halved_ = false;
  int respread_ = 0;          // new instances that were ended because they stood in too few zones
  Duration driven_before_{};  // by former runs of this job
  std::optional<Verdict> ending_;
  bool recorded_ = false;
  bool tidied_ = false;
  Step step_;  // being put together

  // What was said last, so that only changes are told.
  std::string said_refresh_;
  std::map<std::string, std::string> said_targets_;
  std::map<std::string, std::string> said_activities_;
  std::string said_lost_;
};

}  // namespace rr::deploy
