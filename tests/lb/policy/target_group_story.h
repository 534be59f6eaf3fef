#pragma once
// A target group that a test tells things, and short ways to speak of its targets.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lb/base/rng.h"
#include "lb/policy/target_group.h"

namespace rr {

constexpr Time at(double second) {
  return Time{std::chrono::duration_cast<Duration>(std::chrono::duration<double>(second))};
}

inline constexpr ProbeOutcome kGood{ProbeOutcome::Kind::kAnswered, 200};
inline constexpr ProbeOutcome kBad{ProbeOutcome::Kind::kAnswered, 503};
inline constexpr ProbeOutcome kTimedOut{ProbeOutcome::Kind::kTimedOut, 0};

inline TargetSpec spec(const std::string& id, std::uint16_t wire_port = 9000) {
  return {.id = id,
          .address = Address::v4(172, 31, 16, static_cast<std::uint8_t>(id.back()), 8080),
          .wire = Address::v4(127, 31, 16, static_cast<std::uint8_t>(id.back()), wire_port),
          .zone = "eu-west-1a"};
}

/// Targets with ids of one letter each.
inline std::vector<TargetSpec> specs(const std::string& letters) {
  std::vector<TargetSpec> result;
  for (const char letter : letters) result.push_back(spec(std::string(1, letter)));
  return result;
}

/// Interval 10 s, thresholds 3 up and 2 down, deregistration delay 30 s.
inline TargetGroupSettings settings() {
  return {.health_check = {.interval = std::chrono::seconds(10), .healthy_threshold = 3, .unhealthy_threshold = 2},
          .deregistration_delay = std::chrono::seconds(30)};
}

/// Performs the probes that are due; the targets whose letters are in `good` answer well.
inline void perform_probes(TargetGroup& group, Time now, const std::string& good) {
  std::vector<ProbeDue> due;
  group.due_probes(now, due);
  for (const ProbeDue& probe : due) {
    const bool answers = good.find(group.find(probe.target)->id) != std::string::npos;
    group.observe(now, probe.target, probe.sequence, answers ? kGood : kBad);
  }
}

/// The letters of the targets that so many picks choose, in order; "-" where there is none.
inline std::string pick_letters(TargetGroup& group, Time now, Rng& random, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) {
    const auto target = group.pick(now, random);
    result += target ? group.find(*target)->id : "-";
  }
  return result;
}

/// A target group with a journal and short ways to speak of its targets by letter.
struct Story {
  Journal journal;
  TargetGroup group;
  Rng random{1};

  explicit Story(const TargetGroupSettings& chosen = settings()) : group(chosen, &journal) {}

  void set(double now, const std::string& letters) { group.set_targets(at(now), specs(letters)); }

  TargetId id(const std::string& letter) const {
    const auto target = group.find(letter, 8080);
    EXPECT_TRUE(target) << letter;
    return target.value_or(TargetId{});
  }

  std::vector<ProbeDue> due(double now) {
    std::vector<ProbeDue> out;
    group.due_probes(at(now), out);
    return out;
  }

  /// The letters of the targets whose probes are due.
  std::string due_letters(double now) {
    std::string result;
    for (const ProbeDue& probe : due(now)) result += group.find(probe.target)->id;
    return result;
  }

  void probe(double now, const std::string& good) { perform_probes(group, at(now), good); }
  std::string picks(double now, int count) { return pick_letters(group, at(now), random, count); }

  std::vector<TargetId> expire(double now) {
    std::vector<TargetId> out;
    group.expire_drains(at(now), out);
    return out;
  }

  /// "a:healthy b:draining"
  std::string states() const {
    std::string result;
    for (const TargetStatus& status : group.status()) {
      result += (result.empty() ? "" : " ") + status.spec.id + ":" + std::string(to_string(status.health.state));
    }
    return result;
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> result;
    for (const JournalLine& line : journal.lines()) {
      result.push_back(format_duration(line.time.time_since_epoch()) + " " + line.entity + " " + line.event);
    }
    return result;
  }
};

}  // namespace rr
