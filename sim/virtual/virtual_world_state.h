#pragma once
// The inside of VirtualWorld, private to the files virtual_world*.cc, which are told apart by what they are about.
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "lb/base/prefetch.h"
#include "sim/virtual/event_queue.h"
#include "sim/virtual/slab.h"
#include "sim/virtual/virtual_world.h"

namespace rr::sim {

enum class HappeningKind : std::uint8_t {
  kArrival,           // subject: clients; the next request of an open loop, or a user who has thought
  kReachesNode,       // a call
  kReachesInstance,   // a call: its connection is being made, or its request arrives
  kConnected,         // a call, at its node
  kConnectRefused,    // a call, at its node
  kServed,            // subject: instance; a call
  kResponseAtNode,    // a call; subject: status
  kResetAtNode,       // a call
  kClientGoneAtNode,  // a call
  kReachesClient,     // a call
  kClientDeadlines,   // subject: clients
  kNodeDeadlines,     // subject: node; detail: balancer
  kConnectionTimer,   // a connection
  kCloseHeard,        // a connection
  kGroupWakes,        // subject: node; detail: group
  kProbes,            // a train of probes
  kObserve,           // subject: node
  kNodeStarts,        // subject: node; detail: its generation
  kNodeChecked,       // subject: node; detail: 1 passed
  kInstanceRuns,      // subject: instance
  kInstanceEnds,      // subject: instance
  kLaunchGivenUp,     // subject: instance
  kReport,            // something to report: the front of `reports`
  kFaultsEnd,
};

struct Happening {
  HappeningKind kind{};
  std::uint32_t subject = 0;
  std::uint64_t detail = 0;
};

/// A health check that is under way.
struct VirtualProbe {
  BalancerGroup* group = nullptr;
  std::uint64_t sequence = 0;
  Time started{};
  TargetId target{};
  std::uint32_t instance = 0;
  ProbeOutcome outcome{};
  bool is_over = false;  // the train brings its outcome; else it brings the probe to the instance
};

/// Probes that arrive at one instant, one after the other. They lie in a row, which is read as it was written: ten
/// thousand of them fit into no cache, but memory is fetched ahead for whoever goes straight through it.
struct ProbeTrain {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  std::vector<VirtualProbe> probes;
  void reset() { probes.clear(); }
};

/// One load balancer on a node.
struct VirtualBalancer {
  std::uint32_t index = 0;
  ConfigureNode wanted;                             // as last said to the node
  LoadBalancerSettings settings{};                  // as it serves
  IntrusiveList<Call, NodeDeadlineTag> connecting;  // by deadline: each list has one time-out
  IntrusiveList<Call, NodeDeadlineTag> awaiting;
  bool timer_set = false;
};

struct VirtualNode {
  std::string name;
  Place zone = 0;
  std::uint32_t index = 0;
  std::uint32_t starts = 0;  // so that what was meant for an earlier process is known
  bool starting = false;
  bool running = false;
  bool hung = false;
  bool hung_by_zone = false;
  LinkFaults link{};                // of all its links
  bool accepting = false;           // in DNS, as the control plane last said
  std::optional<Time> observes_at;  // of the event that counts
  bool unheard = false;             // it died where nobody tells
  bool admitted = false;            // it has been in DNS
  Blame ended_by{};                 // the fault that killed it last
  std::uint64_t own_5xx = 0;        // answers of its own
  std::uint64_t round = 0;
  std::vector<std::unique_ptr<VirtualBalancer>> balancers;
  std::vector<std::unique_ptr<BalancerGroup>> groups;
  std::map<std::string, std::uint32_t> group_index;
  std::vector<CallHandle> held;                         // what reached it while it hung
  std::vector<std::unique_ptr<BalancerGroup>> retired;  // of processes that have ended: late events know them

  bool frozen() const { return hung || hung_by_zone; }
  bool answers() const { return running && !frozen(); }
};

struct VirtualWorld::State {
  State(VirtualWorldSettings wanted, std::uint64_t seed, Journal* writes_to);

  void happen(Time now, const Happening& what);
  void happen_to_machines(Time now, const Happening& what);
  void push(Time at, HappeningKind kind, std::uint32_t subject, std::uint64_t detail = 0) {
    queue.push(at, {kind, subject, detail});
  }
  /// Does it at once when there is no delay.
  void after(Time now, Duration delay, HappeningKind kind, std::uint32_t subject, std::uint64_t detail) {
    if (delay == Duration{}) return happen(now, {kind, subject, detail});
    push(now + delay, kind, subject, detail);
  }
  void report(Time at, Event event);
  void write(Time now, std::string_view entity, std::string_view event) {
    if (journal != nullptr) journal->write(now, entity, event);
  }
  void violated(Time now, std::string what);
  Place place(const ZoneName& zone) const;
  void check_group(Time now, const VirtualNode& node, const BalancerGroup& group);

  // Clients (virtual_world_clients.cc) -------------------------------------------------------------------------------
  void arrive(Time now, std::uint32_t population);
  void attempt(Time now, std::uint32_t population, Time intended, int number);
  std::optional<std::uint32_t> choose_node(ClientPopulation& clients);
  void client_hears(Time now, Call& call);
  void client_deadlines(Time now, std::uint32_t population);
  void client_done(Time now, Call& call, bool ok);
  void settle(Time now, ClientPopulation& clients, std::uint32_t number, bool ok, Time intended, Time sent);
  void dns_changed();

  // Requests on a node (virtual_world_requests.cc)
  // ---------------------------------------------------------------------
  void node_takes(Time now, Call& call);
  std::optional<TargetId> pick(Time now, VirtualNode& node, BalancerGroup& group);
  void check_pick(Time now, const BalancerGroup& group, TargetId target);
  void send_to_instance(Time now, Call& call);
  void reaches_instance(Time now, Call& call);
  bool is_reset(Call& call, const VirtualInstance& instance);
  void blame_refusal(Call& call, const VirtualInstance& instance, bool refused, bool full);
  void instance_accepts(Time now, Call& call, VirtualInstance& instance);
  void instance_serves(Time now, Call& call, VirtualInstance& instance);
  void begin_service(Time now, VirtualInstance& instance, std::uint32_t slot, CallHandle call);
  void served(Time now, std::uint32_t slot, CallHandle handle);
  void answer_from(Time now, Call& call, VirtualInstance& instance, int status);
  void connected(Time now, Call& call);
  void response_at_node(Time now, Call& call, int status);
  void on_failure(Time now, Call& call, ExchangeEventKind kind);
  void finish_exchange(Time now, Call& call, const ExchangeStep& step);
  void to_client(Time now, Call& call, int status);
  void node_deadlines(Time now, VirtualNode& node, VirtualBalancer& balancer);
  void arm_node_deadlines(Time now, VirtualNode& node, VirtualBalancer& balancer);
  void free_if_over(Call& call) {
    if (!call.client_waits && !call.exchange_open) calls.give_back(call);
  }
  std::optional<Duration> way(const VirtualNode& node, const VirtualInstance& instance, bool back);
  std::optional<Duration> way(const VirtualNode& node, std::uint32_t instance, bool back);
  std::optional<Duration> way(Call& call, bool back);

  // Connections (virtual_world_connections.cc)
  // -------------------------------------------------------------------------
  VirtualConnection* take_idle(Time now, InstancePool& pool);
  void release(Time now, VirtualConnection& connection, bool reusable);
  void close(VirtualConnection& connection);
  void close_idle(InstancePool& pool);
  void set_timer(Time now, VirtualConnection& connection);
  void connection_timer(Time now, VirtualConnection& connection);
  void close_heard(VirtualConnection& connection);

  // Targets (virtual_world_targets.cc)
  // ---------------------------------------------------------------------------------
  void configure(Time now, VirtualNode& node, VirtualBalancer& balancer);
  void list_targets(Time now, BalancerGroup& group, const std::shared_ptr<const TargetTable::Group>& listed);
  void follow_target(Time now, BalancerGroup& group, const TargetSpec& spec);
  void drain(Time now, InstancePool& pool);
  void tell(Time now, const InstancePool& pool, const Health& health);
  void report_drained(Time now, InstancePool& pool);
  void arm_wake(BalancerGroup& group);
  void group_wakes(Time now, BalancerGroup& group);
  void end_exchanges(Time now, InstancePool& pool, ExchangeEventKind kind);
  void probe(Time now, BalancerGroup& group, const ProbeDue& due);
  void send(Time at, const VirtualProbe& probe);
  void end_probe(Time at, const VirtualProbe& probe, const ProbeOutcome& outcome);
  void probes_come(Time now, ProbeTrain& train);
  void expect(const VirtualProbe& probe) const;
  void probe_arrives(Time now, const VirtualProbe& probe);
  ProbeOutcome probe_outcome(Time now, const VirtualNode& node, std::uint32_t instance);
  ProbeOutcome probe_outcome(Time now, const VirtualNode& node, const VirtualInstance& instance);
  void probe_over(Time now, const VirtualProbe& probe);
  void observe(Time now, VirtualNode& node);
  void observe_by(Time at, VirtualNode& node);

  // Instances and nodes (virtual_world_machines.cc)
  // ----------------------------------------------------------------------
  void act(Time now, const LaunchInstance& launch);
  void act(Time now, const TerminateInstance& wish);
  void act(Time now, const StartNode& wish);
  void act(Time now, const ConfigureNode& wanted);
  void act(Time now, const CheckNode& check);
  void act(Time now, const AskInstance& question);
  void act(Time now, const AskFront& question);
  void instance_runs(Time now, std::uint32_t slot);
  /// To be called when it begins or ceases to run, and when its faults change.
  void follow(std::uint32_t slot) { checked[slot] = instances[slot]->checked(); }
  bool stands_still(const ZoneName& zone) const;
  void start_waiting(Time now);
  void refuse_waiting(Time now, const ZoneName& zone);
  void launch_fails(Time now, VirtualInstance& instance, const char* code, std::string message);
  void instance_ends(Time now, std::uint32_t slot, const std::string& why, Blame by = {});
  void node_starts(Time now, VirtualNode& node);
  void node_ends(Time now, VirtualNode& node, const std::string& why, Blame by = {});
  void cut_calls(Time now, VirtualNode& node);
  bool is_lost_unheard(const VirtualNode& node) const;
  void hear_of_lost_nodes(Time now);
  VirtualNode& node_named(const std::string& name);

  // Faults (virtual_world_faults.cc)
  // -----------------------------------------------------------------------------------
  Status check_target(const Fault& fault) const;
  Status inject(Time now, const Fault& fault);
  Status heal(Time now, const FaultTarget& target);
  void strike(Time now, const Fault& fault);
  void lose_power(Time now, const ZoneName& zone, Blame by);
  void power_is_back(Time now, const ZoneName& zone);
  /// The fault of that kind on the target of that name, or nullptr.
  const Fault* is_in_force(FaultKind kind, const std::string& name) const;
  static Duration span_of(const Fault& fault);
  InstanceFaults faults_of(Time now, const VirtualInstance& instance) const;
  LinkFaults link_faults(const VirtualNode& node, const VirtualInstance& instance) const;
  void apply_faults(Time now);
  void go_on(Time now, VirtualInstance& instance, std::uint32_t slot);
  void go_on(Time now, VirtualNode& node);
  void forget_faults(Time now, const std::string& instance);
  void end_due_faults(Time now);
  void arm_faults(Time now);

  // Who is to blame (virtual_world_losses.cc)
  // --------------------------------------------------------------------------
  void note_fault(Time now, const Fault& fault);
  void note_fault_over(Time now, const Fault& fault);
  bool touches(const Fault& fault, const VirtualNode* node, const VirtualInstance* instance) const;
  Blame blame_for(const Fault& fault) const;
  Blame blame_in_force(const VirtualNode* node, const VirtualInstance* instance, bool (*kind)(FaultKind)) const;
  Blame blame_hang(const VirtualNode* node, const VirtualInstance* instance) const;
  Blame blame_link(const VirtualNode* node, const VirtualInstance* instance) const;
  Blame blame_way(const VirtualNode* node, const VirtualInstance* instance) const;
  Blame blame_illness(Time now, const VirtualNode& node, const VirtualInstance& instance,
                      const HealthCheck& check) const;
  Blame blame_dns(Time now) const;
  Blame blame_group(const VirtualNode& node, const BalancerGroup* group) const;
  void note_taken(Time now, const InstancePool& pool, bool deregistered);
  /// An attempt has failed; `waited`: somebody's patience was over.
  void lost(Time now, const Call& call, bool waited);

  VirtualWorldSettings settings;
  Journal* journal;
  Rng rng;  // of services, boots and links; nodes and clients have their own
  Links links;
  EventQueue<Happening> queue;
  std::vector<Event>* out = nullptr;
  // By number; each is taken out when its event comes.
  std::deque<Event> reports;
  std::uint64_t first_report = 0;
  std::set<std::uint64_t> reports_taken;

  std::vector<std::unique_ptr<VirtualInstance>> instances;
  std::vector<CheckedInstance> checked;  // the same ones, as health checks meet them: a twentieth of the memory
  std::unordered_map<std::string, std::uint32_t> instance_slots;  // by id; looked up, never iterated in its own order
  std::vector<std::unique_ptr<VirtualNode>> nodes;
  std::map<std::string, std::uint32_t> node_slots;
  std::vector<Rng> node_rng;
  std::vector<std::unique_ptr<ClientPopulation>> clients;
  std::vector<std::uint32_t> dns;  // nodes that clients go to

  std::set<ZoneName> dark;
  std::vector<FaultStatus> in_force;
  std::vector<FaultRecord> history;  // of all faults, those in force among them
  std::map<Blame, std::uint64_t> losses;
  std::optional<Time> faults_end;  // or one of them turns
  bool links_are_faulty = false;
  std::map<std::pair<std::string, std::string>, LinkFaults> single_links;  // node, instance

  WorldCounters counters;
  std::array<std::uint64_t, 32> causes{};
  Chooser chooser;
  std::vector<std::string> violations;

  // Last: they leave the lists above when they go.
  Slab<VirtualConnection> connections;
  Slab<Call> calls;
  Slab<ProbeTrain> trains;

  /// What falls due at one instant mostly arrives at one, so probes travel in trains, an event for each of them: the
  /// next probe joins the train of its instant while nothing else has been put into the queue, and so no order changes.
  struct JoinableTrain {
    Time at;
    ProbeTrain* train;
  };
  static constexpr std::size_t kMostTrains = 4;  // that are looked at
  std::vector<JoinableTrain> joinable_trains;
  std::uint64_t trains_are_last = 0;  // the queue's count of pushes while they may be joined
  std::vector<ProbeDue> due_probes;   // room for group_wakes()
};

}  // namespace rr::sim
