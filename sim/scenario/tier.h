#pragma once
// One running tier: control plane, world, state folder and load, and what can be asked of it.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lb/base/journal.h"
#include "lb/net/loop.h"
#include "sim/scenario/incident.h"
#include "sim/scenario/load_statistics.h"
#include "sim/scenario/settings.h"
#include "sim/scenario/state_folder.h"
#include "sim/world/process_world.h"

namespace rr::sim {

struct TierOptions {
  TierSettings settings;
  StateLayout layout{"."};
  std::string caller_folder;   // where the user's own program runs
  std::string lb_program;      // rr-lb
  std::string webapp_program;  // rr-webapp; may be empty with a program of the user's own
  GroundChoice ground;
  bool recover = false;  // go on from what the state folder holds
};

/// What a tier tells whoever shows it.
struct TierEvents {
  std::function<void(const ProcessLine&)> on_line;
  std::function<void(const JournalLine&)> on_journal;
  /// A program is wrong in a way that a person must mend; with its last lines of output.
  std::function<void(const std::string& name, const std::string& sentence, const std::vector<std::string>& last)>
      on_diagnosis;
  /// Once: it has answered through the front.
  std::function<void()> on_ready;
};

/// Why something was not done.
struct Refusal {
  int exit = 1;         // the command's exit status: 2 wrong input, 1 refused
  std::string message;  // one line
};
/// What was done: sentences for a person, the first one the most important.
using Outcome = Result<std::vector<std::string>, Refusal>;

/// A fault as a person asks for it, unread.
struct FaultWish {
  std::string kind;
  std::string target;  // zone, node, instance (as find_instance reads it), NODE/INSTANCE or "control-plane"
  std::string amount;  // empty: the kind's own
  std::string lasts;   // empty: until healed
};

class Tier {
 public:
  /// Opens the front, starts the processes and the control plane. The error is one line.
  static Result<std::unique_ptr<Tier>> start(Loop& loop, TierOptions options, TierEvents events);
  ~Tier();

  const TierOptions& options() const;
  const RegionState& region() const;
  ProcessWorld& world();
  const ProcessWorld& world() const;
  const std::vector<Incident>& incidents() const;
  /// The most instances that were in service and healthy at once while the last release was under way; 0 without one.
  int most_in_service_while_releasing() const;
  Address front() const;
  std::string url() const;
  Time started() const;
  Time now() const;
  bool ready() const;
  double load_rate() const;
  const LoadStatistics* load() const;  // nullptr when there never was one
  LoadStatistics take_recent_load();
  /// Requests that the nodes have given to each instance, by their own counters: for programs whose answers do not say
  /// who gave them.
  std::map<std::string, std::uint64_t> requests_by_target() const;

  Outcome fault(const FaultWish& wish);
  /// Ends every fault on the target, named as in a wish.
  Outcome heal(const std::string& target);
  Outcome heal_all();
  Outcome fail_zone(const std::string& zone, const std::string& mode);
  Outcome heal_zone(const std::string& zone);
  Outcome fail_instance(const std::string& instance, const std::string& mode);
  Outcome heal_instance(const std::string& instance);
  Outcome scale(int capacity);
  Outcome register_image(Image image);
  Outcome release(const std::string& image, const std::string& strategy);
  /// An instance refresh with `start`'s preferences: the image becomes a new version of the launch template, and the
  /// group is pinned to the number of the version that it has, so that there is a way back.
  Outcome refresh(const std::string& image, StartInstanceRefresh start);
  /// A command of the control plane's API.
  Result<Reply, Refusal> command(const Command& command);
  Outcome set_load(double rate);
  /// By id, by an unambiguous beginning of it, by host name or by address. `must_live`: terminated ones are refused.
  Result<InstanceId, Refusal> find_instance(const std::string& text, bool must_live) const;
  /// The file that an instance's or a node's output is kept in, also after its end.
  Result<std::string, Refusal> log_file(const std::string& name) const;
  Result<ProcessWorld::Session, Refusal> session(const std::string& instance) const;

  /// Journal lines from the one numbered `since`; numbers count from 0.
  std::vector<JournalLine> journal_since(std::uint64_t since) const;
  std::uint64_t journal_written() const;
  /// Ends load, nodes and instances in order, then calls back. Again with `at_once`: kills what is left.
  void stop(bool at_once, std::function<void()> on_stopped);

 private:
  struct State;
  explicit Tier(std::unique_ptr<State> state);
  Result<ZoneName, Refusal> find_zone(const std::string& text) const;
  std::unique_ptr<State> state_;
};

}  // namespace rr::sim
