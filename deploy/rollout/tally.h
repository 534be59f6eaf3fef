#pragma once
// What the answers through the load balancer say: whether the new version serves everywhere, and whether a rollout
// does harm. The load balancer's own word counts, because it is what users see; the API's may be minutes old.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "deploy/rollout/facts.h"
#include "deploy/rollout/plan.h"

namespace rr::deploy {

class Tally {
 public:
  explicit Tally(const Verification& rules) : rules_(rules) {}

  /// From now on `wanted` is the version that must answer; `other` may, until the rollout is through. What was counted
  /// for a former wish (the run of right answers, the failures that trip) begins anew; the sums do not.
  void expect(const Released& wanted, const Released& other);
  void add(const Answer& answer);

  /// Why the rollout must not go on; nothing while all is well. Once tripped it stays so until expect().
  const std::optional<std::string>& trip() const { return trip_; }
  /// Enough right answers one after another, from enough instances of the `there` that the group has. Answers that name
  /// no instance (a header with the commit, say) must be as many for each of the `there`: a load balancer that takes
  /// turns has then asked all of them, and one that draws lots has passed by one of them with a chance of about there x
  /// e^-answers.
  bool verified(int there) const;
  /// What is missing for that, for people.
  std::string shortfall(int there) const;

  std::uint64_t answers() const { return answers_; }  // all requests, failed ones too
  std::uint64_t failed() const { return failed_; }
  /// "HTTP 502" -> how many.
  const std::map<std::string, std::uint64_t>& failures() const { return failures_; }
  /// "commit build" -> how many answers.
  const std::map<std::string, std::uint64_t>& versions() const { return versions_; }
  Duration slowest() const { return slowest_; }
  const std::optional<Answer>& last_good() const { return last_good_; }
  const std::optional<Answer>& last_failed() const { return last_failed_; }
  /// Of the answers that count for verified(), who gave them.
  const std::set<std::string>& instances() const { return instances_; }

 private:
  enum class Whose { kWanted, kOther, kForeign };
  Whose whose(const Answer& answer) const;
  void add_failed(const Answer& answer);
  void add_good(const Answer& answer);
  bool counts_instances() const;
  int needed_answers(int there) const;
  int needed_instances(int there) const;

  Verification rules_;
  Released wanted_;
  Released other_;
  std::optional<std::string> trip_;
  int streak_ = 0;
  std::set<std::string> instances_;
  int failed_in_a_row_ = 0;
  int foreign_ = 0;
  int failed_lately_ = 0;  // since expect()
  std::uint64_t answers_ = 0;
  std::uint64_t failed_ = 0;
  std::map<std::string, std::uint64_t> failures_;
  std::map<std::string, std::uint64_t> versions_;
  Duration slowest_{};
  std::optional<Answer> last_good_;
  std::optional<Answer> last_failed_;
};

/// "HTTP 502", or the error of a request that had no answer.
std::string cause_of(const Answer& answer);
bool is_good(const Answer& answer);

}  // namespace rr::deploy
