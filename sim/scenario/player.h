#pragma once
// Goes through a scenario's steps on whatever stage they are played: virtual time or real processes.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lb/base/journal.h"
#include "lb/base/result.h"
#include "lb/base/time.h"
#include "sim/cloud/region.h"
#include "sim/scenario/scenario_file.h"

namespace rr::sim {

/// A tier that a scenario can be played on. Errors are one line.
class Stage {
 public:
  virtual ~Stage() = default;
  virtual const RegionState& region() const = 0;
  virtual Time now() const = 0;
  /// From the beginning.
  virtual const std::vector<JournalLine>& journal() const = 0;
  /// `target` names what exists: a zone, a node, an instance's id, or the control plane.
  virtual Status fault(const CauseFault& fault) = 0;
  virtual Status heal(const std::string& target) = 0;
  virtual Status scale(int capacity) = 0;
  virtual Status refresh(const std::string& commit) = 0;
};

/// A step that is over, and when, in AWS's time from the beginning.
struct StepDone {
  std::string said;
  Duration at{};
};

class Player {
 public:
  /// A wait that is not over after so long (AWS's time) is given up, in the real world not before kLeastPatience.
  static constexpr Duration kPatience = std::chrono::minutes(30);
  static constexpr Duration kLeastPatience = std::chrono::seconds(60);

  /// Both must outlive it.
  Player(const Scenario& scenario, Stage& stage);

  /// As far as it goes now; to be called again after each change, and at look_at(). True: it is over.
  bool go_on();
  /// When time alone changes something: a wait is over, or has taken too long. None when it is over.
  std::optional<Time> look_at() const;
  /// What went wrong: "a.yaml:7: wait: settled: was not so within 30m".
  const std::optional<Error>& failure() const { return failure_; }
  const std::vector<StepDone>& done() const { return done_; }

 private:
  std::optional<Error> act(const StepAction& action);
  bool holds(const StepAction& wait) const;
  Result<std::string> target_of(const std::string& text) const;
  Time limit() const;

  const Scenario& scenario_;
  Stage& stage_;
  const Time began_;
  Time step_began_;
  std::optional<Error> failure_;
  std::vector<StepDone> done_;
};

/// What was played.
struct Played {
  std::vector<StepDone> steps;
  std::vector<JournalLine> journal;
  std::optional<Error> failure;
};

}  // namespace rr::sim
