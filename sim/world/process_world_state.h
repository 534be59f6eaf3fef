#pragma once
// What a world of real processes knows and does; private to the files process_world*.cc.
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lb/net/http_client.h"
#include "lb/net/timer.h"
#include "sim/world/instance_files.h"
#include "sim/world/link_plan.h"
#include "sim/world/process_world.h"
#include "sim/world/processes.h"

namespace rr::sim {

/// Its member functions are told apart by what they are about: one .cc each for the instances, the nodes, the
/// questions, the faults, the links and the stop; the rest is beside ProcessWorld.
struct ProcessWorld::State final : NodeChannelEvents {
  State(Loop& owner, ProcessWorldSettings wanted, std::unique_ptr<Ground> stands_on, InstanceFiles made);

  // Opening ----------------------------------------------------------------------------------------------------------

  Status open_sockets();

  // Events -----------------------------------------------------------------------------------------------------------

  void emit(Event event);
  void say(const std::string& name, std::string& slot, const std::string& sentence);
  void take_line(const std::string& name, bool is_node, std::string_view text);
  void ground_lost();

  // Instances --------------------------------------------------------------------------------------------------------

  void act(Time now, const LaunchInstance& launch);
  Duration divided(Duration span) const;
  /// What EC2 says when a launch led nowhere.
  void give_up_launch(const std::string& name);
  /// What EC2 says when a zone takes no launches.
  static std::string insufficient_capacity(const ZoneName& zone, const std::vector<Zone>& zones);
  void forget_waiting(const std::string& name);
  void start_instance(Time now, const std::string& name);
  Status prepare_instance(InstanceProcess& instance);
  Status run_instance(InstanceProcess& instance);
  /// What its zone's faults do to the start of its program; none: it never starts.
  std::optional<Duration> boot_delay_in(const ZoneName& zone) const;
  void launch_went_wrong(const std::string& name, const std::string& why);
  void take_output(const std::string& name, std::string_view bytes);
  void take_instance_line(const std::string& name, std::string_view line);
  void instance_ended(const std::string& name, ProcessExit exit);
  /// A zone without power tells nobody what it has lost: that is for health checks to find out. Once the power is back,
  /// it can be seen.
  void tell_what_was_lost(const std::function<bool(const std::string& name, const ZoneName& zone)>& concerns);
  void find_wire(InstanceProcess& instance);
  void wire_found(const std::string& name, const Address& wire);
  /// At the port that the program has inside, if nobody here has it.
  void open_door(InstanceProcess& instance);
  void act(Time, const TerminateInstance& wish);
  void ask_to_end(InstanceProcess& instance);

  // Diagnosis --------------------------------------------------------------------------------------------------------

  void look_around();
  void diagnose_instance(InstanceProcess& instance, std::optional<ProcessExit> exit);
  /// On the plain ground a found wire has accepted; in a network of its own an address is no proof.
  bool is_reached(const InstanceProcess& instance) const;
  std::vector<FixedPort> fixed_ports(const std::string& but);

  // Nodes ------------------------------------------------------------------------------------------------------------

  void act(Time, const StartNode& wish);
  Status run_node(NodeProcess& node);
  void node_ended(const std::string& name, ProcessExit exit);
  void act(Time, const ConfigureNode& wanted);
  void wires_changed();
  /// Gives the channel the node's document if it is another one than before, or if the channel is new.
  void send_wanted(NodeProcess& node, bool new_channel);
  static Duration observation_interval(const ConfigureNode& wanted);
  /// Where a target is connected to. One that has not been found (or has gone) is looked for where it should be: its
  /// checks fail there, which is the truth.
  Address wire_of(const TargetSpec& target) const;
  void on_observation(const std::string& name, const Observation& seen, std::string text) override;
  void on_refusal(const std::string& name, const std::string& why) override;

  // Questions --------------------------------------------------------------------------------------------------------

  using OnAnswer = std::function<void(const Result<ClientResponse, ClientFailure>&)>;
  void ask(const Endpoint& to, Duration timeout, ClientRequest request, OnAnswer on_answer);
  /// The data path, as Route 53 checks it: whatever the answer says, there is one.
  /// Asks the node itself, not a target through it: that would take the turn of a request of a client's. What freezes
  /// or kills a node shows here as well, for one loop serves both.
  void act(Time, const CheckNode& check);
  void act(Time, const AskInstance& question);
  void act(Time, const AskFront&);
  void ask_version(const Endpoint& where, std::optional<InstanceId> id);
  static std::optional<Address> door_of(const InstanceProcess& instance, bool own_network);
  std::optional<Address> reached_from_here(const InstanceProcess& instance) const;
  /// The front as a client here reaches it: all addresses are reached on the loopback one.
  Address front_address() const;

  // Faults -----------------------------------------------------------------------------------------------------------

  bool zone_has(FaultKind kind, const ZoneName& zone) const;
  const Fault* in_zone(FaultKind kind, const ZoneName& zone) const;
  bool has(FaultKind kind, FaultTargetKind target, const std::string& name) const;
  /// Nothing can be started in it, and its node stands still.
  bool stands_still(const ZoneName& zone) const;
  bool frozen(const InstanceProcess& instance) const;
  bool frozen(const NodeProcess& node) const;
  bool has_zone(const std::string& name) const;
  Status check_target(const Fault& fault) const;
  Status check_webapp(const Fault& fault) const;
  static bool is_webapp(const std::vector<std::string>& command);
  Status inject(Time now, const Fault& fault);
  void restore(Time now, const std::vector<FaultStatus>& before);
  Status strike(const Fault& fault);
  Status set_links(const ZoneName& zone, bool up);
  std::vector<std::string> processes_in(const ZoneName& zone) const;
  void refuse_waiting(const ZoneName& zone);
  Status heal(Time now, const FaultTarget& target);
  void end_faults(const std::function<bool(const FaultStatus&)>& concerns);
  void undo(const Fault& fault);
  /// Stops everything that a fault holds. Stopping twice does no harm.
  void freeze();
  /// Lets everything go on that no fault holds any more. Going on twice does no harm.
  void thaw();
  void flap();
  void start_waiting(Time now);
  void tell_webapp(const std::string& name);
  void tell_webapps_again();
  void webapp_refused(const std::string& name, int status);
  void faults_changed(const std::vector<FaultStatus>& ended);
  void end_due_faults();
  void forget_faults_of_gone();

  // Links ------------------------------------------------------------------------------------------------------------

  struct RelayProcess {
    RelayProcess(Loop& loop, std::function<void()> on_due) : timer(loop, std::move(on_due)) {}
    bool runs = false;
    bool busy = false;                     // it has been told something and has not answered
    std::string wanted, told;              // documents
    std::map<std::string, Address> ports;  // by link, as it said last
    Timer timer;
  };

  WireFaults faults_between(const NodeProcess& node, const std::string& instance, const ZoneName& zone) const;
  /// Makes the relay's links what the faults in force, the nodes and the instances say.
  Status relink();
  Status run_relay();
  void relay_ended();
  void tell_relay();
  /// Where this node connects to for that target: through the relay while their link has a fault.
  Address wire_between(const NodeProcess& node, const TargetSpec& target) const;

  // Stopping ---------------------------------------------------------------------------------------------------------

  enum class StopPhase : std::uint8_t { kNot, kNodes, kInstances, kKilling, kDone };

  void stop(bool at_once, std::function<void()> call);
  void stop_by_killing();
  void kill_rest();
  void stop_patience_over();
  bool any_node_runs() const;
  void stop_progressed();
  void finish_stop();

  // Reading ----------------------------------------------------------------------------------------------------------

  ProcessStatus status_of(const std::string& name, const InstanceProcess& instance) const;
  ProcessStatus status_of(const NodeProcess& node) const;

  Loop& loop;
  ProcessWorldSettings settings;
  ListeningSocket front;
  std::map<ZoneName, ListeningSocket> zonal;
  std::map<std::string, InstanceProcess> instances;
  std::map<std::string, NodeProcess> nodes;
  std::list<std::shared_ptr<HttpClient>> questions;
  std::unique_ptr<Ground> ground;  // after the tables: its end may still report to them
  InstanceFiles files;
  Timer patrol, fault_timer, flap_timer, webapp_timer, stop_timer;
  RelayProcess relay;
  std::set<std::string> webapp_to_tell;  // instances whose program has not answered
  std::uint32_t next_port =
      static_cast<std::uint32_t>(::getpid()) * 97U;  // two tiers begin to search in different places
  std::map<std::string, ZoneName> unheard;           // processes that a fault ended, of which nobody has been told
  std::vector<FaultStatus> in_force;
  StopPhase stop_phase = StopPhase::kNot;
  bool stopping = false;
  std::function<void()> on_stopped;
  std::function<void(Time, const Event&)> sink;
  std::function<void(const std::vector<FaultStatus>&)> fault_sink;
  std::function<void(const ProcessLine&)> line_sink;
  std::function<void(const std::string&, const std::string&)> diagnosis_sink;
  std::shared_ptr<int> alive = std::make_shared<int>(0);
};

}  // namespace rr::sim
