#include "deploy/rollout/tally.h"

#include <fmt/format.h>

#include <algorithm>

namespace rr::deploy {
namespace {

// So many answers of a version that is neither the former nor the wanted one are no stray answer of an instance on its
// way out. They need not be one after another: in a rollout the former version answers in between.
constexpr int kForeignAnswers = 5;

bool same(const std::string& wanted, const std::string& said) {
  return wanted.empty() || said.empty() || wanted == said;
}

/// By what both sides know. A side without a commit fits nothing by its commit.
bool fits(const Released& version, const Answer& answer) {
  return !version.commit.empty() && version.commit == answer.commit && same(version.build, answer.build);
}

std::string named(const std::string& commit, const std::string& build) {
  if (commit.empty()) return "no commit";
  return build.empty() ? commit : fmt::format("{} build {}", commit, build);
}

}  // namespace

std::string cause_of(const Answer& answer) {
  return answer.status == 0 ? answer.error : fmt::format("HTTP {}", answer.status);
}

bool is_good(const Answer& answer) { return answer.status >= 200 && answer.status < 300; }

void Tally::expect(const Released& wanted, const Released& other) {
  wanted_ = wanted;
  other_ = other;
  trip_.reset();
  streak_ = failed_in_a_row_ = foreign_ = failed_lately_ = 0;
  instances_.clear();
}

void Tally::add(const Answer& answer) {
  ++answers_;
  slowest_ = std::max(slowest_, answer.took);
  if (is_good(answer)) {
    add_good(answer);
  } else {
    add_failed(answer);
  }
}

void Tally::add_failed(const Answer& answer) {
  ++failed_;
  ++failures_[cause_of(answer)];
  last_failed_ = answer;
  streak_ = 0;
  instances_.clear();
  ++failed_in_a_row_;
  ++failed_lately_;
  if (!trip_ && failed_lately_ > rules_.allowed_failures) {
    trip_ = fmt::format("{} requests through the load balancer failed, the last with {} ({} may)", failed_lately_,
                        cause_of(answer), rules_.allowed_failures);
  }
}

Tally::Whose Tally::whose(const Answer& answer) const {
  if (!rules_.commits_known || fits(wanted_, answer)) return Whose::kWanted;
  if (fits(other_, answer)) return Whose::kOther;
  // A rollback without a record does not know the commit that it goes to: anything but the one that it leaves.
  if (wanted_.commit.empty()) return Whose::kWanted;
  // The version before the first release by this program is not known either.
  return other_.commit.empty() ? Whose::kOther : Whose::kForeign;
}

void Tally::add_good(const Answer& answer) {
  last_good_ = answer;
  failed_in_a_row_ = 0;
  ++versions_[named(answer.commit, answer.build)];
  const Whose by = whose(answer);
  foreign_ += by == Whose::kForeign ? 1 : 0;
  if (by != Whose::kWanted) {
    streak_ = 0;
    instances_.clear();
    if (foreign_ >= kForeignAnswers && !trip_) {
      trip_ = fmt::format("the tier answers {}, which is neither the wanted {} nor the former {}",
                          named(answer.commit, answer.build), named(wanted_.commit, wanted_.build),
                          named(other_.commit, other_.build));
    }
    return;
  }
  ++streak_;
  if (!answer.instance.empty()) instances_.insert(answer.instance);
}

/// Who does not say which version it is does not say which instance it is either.
bool Tally::counts_instances() const { return rules_.commits_known && (streak_ == 0 || !instances_.empty()); }

int Tally::needed_answers(int there) const {
  return rules_.commits_known && !counts_instances() ? rules_.answers * std::max(there, 1) : rules_.answers;
}

int Tally::needed_instances(int there) const {
  return counts_instances() ? std::min(rules_.instances, std::max(there, 1)) : 0;
}

bool Tally::verified(int there) const {
  return streak_ >= needed_answers(there) && static_cast<int>(instances_.size()) >= needed_instances(there);
}

std::string Tally::shortfall(int there) const {
  const int needed = needed_answers(there);  // there may be more, until there are enough instances
  const std::string run = fmt::format("{} of {} right answers one after another", std::min(streak_, needed), needed);
  const std::string what =
      counts_instances() ? fmt::format("{}, from {} of {} instances", run, instances_.size(), needed_instances(there))
                         : fmt::format("{}, which do not say whose they are", run);
  if (answers_ == 0) return what + "; no request was answered at all";
  if (failed_in_a_row_ > 0) return fmt::format("{}; the last failed with {}", what, cause_of(*last_failed_));
  if (streak_ == 0 && last_good_) {
    return fmt::format("{}; the last answer was {}", what, named(last_good_->commit, last_good_->build));
  }
  return what;
}

}  // namespace rr::deploy
