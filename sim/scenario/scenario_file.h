#pragma once
// A scenario: a tier, and what is done to it, step by step. The same file is played in virtual time and by real
// processes.
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lb/base/ids.h"
#include "lb/base/result.h"
#include "lb/base/time.h"
#include "sim/scenario/settings.h"

namespace rr::sim {

/// Desired capacity in service and healthy to every node, zones even, nodes in DNS, nothing starting or ending.
struct WaitSettled {
  bool operator==(const WaitSettled&) const = default;
};
/// So many in service and healthy, in one zone or in all of them.
struct WaitInService {
  int count = 0;
  std::optional<ZoneName> zone;
  bool operator==(const WaitInService&) const = default;
};
/// No instance refresh is under way.
struct WaitRefreshed {
  bool operator==(const WaitRefreshed&) const = default;
};
/// AWS's time: divided by the speed where processes are real.
struct WaitFor {
  Duration time{};
  bool operator==(const WaitFor&) const = default;
};
struct CauseFault {
  std::string kind;
  std::string target;  // zone, node, "control-plane", or an instance by its role: eu-west-1a#1
  std::string amount;  // empty: the kind's own
  bool operator==(const CauseFault&) const = default;
};
struct HealTarget {
  std::string target;
  bool operator==(const HealTarget&) const = default;
};
struct ScaleTo {
  int capacity = 0;
  bool operator==(const ScaleTo&) const = default;
};
/// To a new image of the same program with that commit, with the standard preferences.
struct RefreshTo {
  std::string commit;
  bool operator==(const RefreshTo&) const = default;
};
using StepAction =
    std::variant<WaitSettled, WaitInService, WaitRefreshed, WaitFor, CauseFault, HealTarget, ScaleTo, RefreshTo>;

struct Step {
  StepAction action;
  std::string said;  // "wait: settled"
  int line = 0;
  bool operator==(const Step&) const = default;
};

struct Scenario {
  std::string file;
  TierSettings settings;
  std::vector<Step> steps;
};

/// Reads
///
///     tier:                       # settings by their keys, as in rr-sim settings; may be missing
///       auto_scaling_group: {max_size: 6}
///     steps:
///       - wait: settled           # settled, refreshed, "2 in service", "2 in service in eu-west-1a", or a time: 30s
///       - fault: power-loss eu-west-1b       # KIND TARGET [AMOUNT]
///       - heal: eu-west-1b
///       - scale: 4
///       - refresh: 2222222        # a commit
///
/// The error is one line with file and line: what is there, and what would be right.
Result<Scenario> read_scenario(const std::string& file);
/// The same of what is in memory already.
Result<Scenario> parse_scenario(const std::string& text, const std::string& file);

}  // namespace rr::sim
