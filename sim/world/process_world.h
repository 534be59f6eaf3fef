#pragma once
// The world of real processes: one rr-lb a zone behind one front socket, one process an instance, on a ground.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lb/net/loop.h"
#include "sim/cloud/region.h"
#include "sim/world/ground.h"
#include "sim/world/world.h"

namespace rr::sim {

/// How releases read the commit from an answer.
struct VersionFrom {
  enum class Kind : std::uint8_t { kPath, kHeader, kNone };
  Kind kind = Kind::kPath;
  std::string name = "/version";  // the path (JSON with "commit", or the commit itself as text), or the header's name
};

struct ProcessWorldSettings {
  std::string state_folder;  // sockets, logs, instances' folders
  std::string lb_program;    // rr-lb
  Endpoint front;            // 127.0.0.1:8080
  std::vector<Zone> zones;
  VersionFrom version_from;
  std::string health_path = "/healthz";
  bool own_program = false;  // --app: not an image of ours
  std::string app_folder;    // where a program of the user's runs (the caller's directory); empty: instance folder
  /// --speed: what the world itself waits for (none of what a request meets).
  double speed = 1;
  std::uint16_t target_port = 8080;  // PORT on the namespaces ground
  /// Between SIGTERM and SIGKILL; real programs need real time, so the speed does not divide it.
  Duration instance_stop_grace = std::chrono::seconds(10);
  Duration node_stop_grace = std::chrono::seconds(5);
};

/// A process of the tier, for status and console.
struct ProcessStatus {
  std::string name;  // instance id or node name
  ZoneName zone;
  int pid = 0;                  // as seen from outside; 0 when it does not run
  std::optional<Address> wire;  // where it is connected to, once found
  std::string log_file;
  std::string folder;
  std::optional<Endpoint> admin;  // nodes: the control channel
  std::optional<Address> zonal;   // nodes: where this node alone is reached
  std::optional<Address> door;    // instances: where it is reached from outside the tier's network
  bool frozen = false;
  std::string diagnosis;  // one line with the fix, when something is wrong with it; else empty
};

/// A line that a process of the tier wrote.
struct ProcessLine {
  std::string name;
  bool is_node = false;
  std::string text;
};

class ProcessWorld final : public World {
 public:
  /// Opens the front socket, starts the keeper and prepares the ground. The error is one line and names the flag where
  /// one is to blame ("--listen 127.0.0.1:8080 is in use by another program").
  static Result<std::unique_ptr<ProcessWorld>> start(Loop& loop, ProcessWorldSettings settings,
                                                     std::unique_ptr<Ground> ground);
  ~ProcessWorld() override;

  void perform(Time now, const Action& action) override;
  Status inject(Time now, const Fault& fault) override;
  Status heal(Time now, const FaultTarget& target) override;
  std::vector<FaultStatus> faults() const override;

  /// Takes up what was in force before rr-sim was killed. What was done to a process has ended with it, and so has an
  /// outage: rr-sim is back. Before anything is performed.
  void restore(Time now, const std::vector<FaultStatus>& before);
  /// Ends all of them.
  void heal_all();
  /// Called when faults have come or gone, with those that have ended.
  void on_faults(std::function<void(const std::vector<FaultStatus>& ended)> sink);

  /// Who gets the events. Called from the loop, never from inside perform().
  void on_event(std::function<void(Time, const Event&)> sink);
  void on_line(std::function<void(const ProcessLine&)> sink);
  /// A process turned out to be wrong in a way that a person must mend; said once a process.
  void on_diagnosis(std::function<void(const std::string& name, const std::string& sentence)> sink);

  Address front() const;  // with the port that the kernel chose
  const Ground& ground() const;
  std::vector<ProcessStatus> processes() const;
  std::optional<ProcessStatus> process(const std::string& name) const;
  /// The last observation of a node as it came (GET /observed), for status and metrics; empty before the first.
  std::string observed(const std::string& node) const;

  /// Environment and folder for a shell in the instance (session), and how to get there: the command to exec.
  struct Session {
    std::vector<std::string> command;
    std::map<std::string, std::string> environment;
    std::string folder;
  };
  Result<Session> session(const std::string& instance) const;

  /// Ends everything in order: nodes finish their requests, then instances; then calls back. `at_once` kills.
  void stop(bool at_once, std::function<void()> on_stopped);

 private:
  struct State;
  explicit ProcessWorld(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rr::sim
