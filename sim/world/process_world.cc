#include "sim/world/process_world.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <list>
#include <set>
#include <utility>

#include "lb/base/check.h"
#include "lb/net/http_client.h"
#include "lb/net/timer.h"
#include "sim/world/instance_files.h"
#include "sim/world/node_document.h"
#include "sim/world/processes.h"
#include "sim/world/socket_table.h"
#include "sim/world/version_answer.h"

namespace rr::sim {

namespace {

constexpr int kFrontNumber = 3;  // descriptors in a node
constexpr int kZonalNumber = 4;
constexpr std::uint8_t kNodeHost = 4;  // a zone's node is the first usable host of its subnet on AWS
constexpr Duration kQuestionTimeout = std::chrono::seconds(2);
/// How long a launch hangs in a zone that hangs before EC2 gives it up; divided by the speed.
constexpr Duration kLaunchHangs = std::chrono::seconds(60);
/// How often programs that are not healthy yet are looked at.
constexpr Duration kPatrol = std::chrono::milliseconds(500);
constexpr Duration kLeastObservation = std::chrono::milliseconds(100);
constexpr Duration kMostObservation = std::chrono::seconds(1);
constexpr std::string_view kKeeperName = "rr-keeper";

std::string insufficient_capacity(const ZoneName& zone, const std::vector<Zone>& zones) {
  std::vector<std::string> others;
  for (const Zone& one : zones) {
    if (one.name != zone) others.push_back(one.name.value);
  }
  return fmt::format(
      "We currently do not have sufficient t3.micro capacity in the Availability Zone you requested ({}). Our system "
      "will be working on provisioning additional capacity. You can currently get t3.micro capacity by not specifying "
      "an Availability Zone in your request or choosing {}. Launching EC2 instance failed.",
      zone.value, fmt::join(others, ", "));
}

/// The shell that a session gets.
std::string shell_of(const Environment& environment) {
  const auto found = environment.find("SHELL");
  return found == environment.end() || found->second.empty() ? "/bin/sh" : found->second;
}

}  // namespace

struct ProcessWorld::State final : NodeChannelEvents {
  State(Loop& owner, ProcessWorldSettings wanted, std::unique_ptr<Ground> stands_on, InstanceFiles made)
      : loop(owner),
        settings(std::move(wanted)),
        ground(std::move(stands_on)),
        files(std::move(made)),
        patrol(loop, [this] { look_around(); }),
        fault_timer(loop, [this] { end_due_faults(); }),
        stop_timer(loop, [this] { stop_patience_over(); }) {
    ground->on_lost([this] { ground_lost(); });
  }

  // Opening ----------------------------------------------------------------------------------------------------------

  Status open_sockets() {
    if (const auto* address = std::get_if<Address>(&settings.front)) {
      auto opened = open_listening_socket(*address);
      if (!opened) return Error{fmt::format("--listen {}", opened.error().message)};
      front = std::move(*opened);
    } else {
      return Error{fmt::format("--listen {}: write an address and a port, such as 127.0.0.1:8080",
                               format_endpoint(settings.front))};
    }
    for (const Zone& zone : settings.zones) {
      const Address subnet = own_loopback(zone.subnet, 0);
      const Address address = Address::v4(127, subnet.ip[1], subnet.ip[2], kNodeHost, 0);
      auto opened = open_listening_socket(address);
      if (!opened) return Error{fmt::format("zone {}: {}", zone.name.value, opened.error().message)};
      zonal.emplace(zone.name, std::move(*opened));
    }
    return Ok{};
  }

  // Events -----------------------------------------------------------------------------------------------------------

  void emit(Event event) {
    if (stopping) return;
    loop.post([weak = std::weak_ptr<int>(alive), this, event = std::move(event)] {
      if (!weak.expired() && !stopping && sink) sink(loop.now(), event);
    });
  }

  void say(const std::string& name, std::string& slot, const std::string& sentence) {
    if (!slot.empty() || stopping) return;
    slot = sentence;
    if (diagnosis_sink) diagnosis_sink(name, sentence);
  }

  void take_line(const std::string& name, bool is_node, std::string_view text) {
    if (line_sink) line_sink(ProcessLine{name, is_node, std::string(text)});
  }

  void ground_lost() {
    std::string unsaid;
    say(std::string(kKeeperName), unsaid,
        "the keeper process ended although nobody asked it to, and every process of the tier with it: end this tier "
        "and start it again");
  }

  // Instances --------------------------------------------------------------------------------------------------------

  void act(Time now, const LaunchInstance& launch) {
    const InstanceId& id = launch.instance;
    if (const auto found = instances.find(id.value); found != instances.end()) {
      if (found->second.phase == InstancePhase::kRunning) emit(InstanceRunning{id});
      return;
    }
    if (dark.contains(launch.zone)) {
      return emit(LaunchFailed{id, "InsufficientInstanceCapacity", insufficient_capacity(launch.zone, settings.zones)});
    }
    InstanceProcess& instance = instances[id.value];
    instance.launch = launch;
    if (!hung_zones.contains(launch.zone)) return start_instance(now, id.value);
    instance.patience = std::make_unique<Timer>(loop, [this, id] { give_up_launch(id.value); });
    instance.patience->arm(divided(kLaunchHangs));
  }

  Duration divided(Duration span) const {
    return Duration(static_cast<Duration::rep>(static_cast<double>(span.count()) / settings.speed));
  }

  /// What EC2 says when a launch led nowhere.
  void give_up_launch(const std::string& name) {
    const InstanceId id(name);
    // The timer that called is part of what is erased.
    loop.post([weak = std::weak_ptr<int>(alive), this, name] {
      if (!weak.expired()) forget_waiting(name);
    });
    emit(LaunchFailed{id, "Client.InternalError", "Client.InternalError: Client error on launch."});
  }

  void forget_waiting(const std::string& name) {
    const auto found = instances.find(name);
    if (found != instances.end() && found->second.phase == InstancePhase::kWaiting) instances.erase(found);
  }

  void start_instance(Time now, const std::string& name) {
    InstanceProcess& instance = instances.at(name);
    instance.patience.reset();
    instance.started = now;
    Status started = prepare_instance(instance);
    if (started) started = run_instance(instance);
    if (!started) return launch_went_wrong(name, started.error().message);
    instance.phase = InstancePhase::kRunning;
    emit(InstanceRunning{instance.launch.instance});
    find_wire(instance);
    if (!patrol.armed()) patrol.arm(kPatrol);
  }

  Status prepare_instance(InstanceProcess& instance) {
    const LaunchInstance& launch = instance.launch;
    const bool own_machine = ground->has_own_network();
    instance.port = launch.address.port != 0 ? launch.address.port : settings.target_port;
    if (!own_machine) {
      const auto port = find_free_port(next_port);
      if (!port) return port.error();
      instance.port = *port;
      next_port = *port + 1U;
    }
    // An image of the user's program is either the caller's directory itself, where it then runs, or a copy of another.
    const bool in_place = !settings.app_folder.empty() && launch.image.folder == settings.app_folder;
    auto folder = files.make_instance(launch.instance.value, in_place ? "" : launch.image.folder);
    if (!folder) return folder.error();
    instance.folder = *folder;
    const bool from_image = settings.app_folder.empty() || !launch.image.folder.empty();
    instance.working_folder = from_image && !in_place ? *folder : settings.app_folder;
    instance.environment = settings.own_program ? callers_environment() : bare_environment();
    add_instance(instance.environment, launch, ground->kind(), instance.port);
    return Ok{};
  }

  Status run_instance(InstanceProcess& instance) {
    const std::string name = instance.launch.instance.value;
    ProcessSpec spec;
    spec.name = name;
    spec.command = substituted(instance.launch.image.command, instance.environment);
    spec.environment = instance.environment;
    spec.folder = instance.working_folder;
    spec.log_file = files.log_file(name);
    spec.logical = instance.launch.address;
    spec.host_name = instance.launch.host_name;
    if (spec.command.empty()) return Error{"the image has no command"};
    return ground->start_process(
        std::move(spec), [this, name](std::string_view bytes) { take_output(name, bytes); },
        [this, name](ProcessExit exit) { instance_ended(name, exit); });
  }

  void launch_went_wrong(const std::string& name, const std::string& why) {
    InstanceProcess& instance = instances.at(name);
    ProgramFacts facts;
    facts.instance = name;
    facts.own_program = settings.own_program;
    facts.start_failed = true;
    facts.start_error = why;
    say(name, instance.diagnosis, diagnose(facts).value_or(why));
    emit(LaunchFailed{instance.launch.instance, "Client.InternalError",
                      fmt::format("Client.InternalError: Client error on launch. ({})", why)});
    files.end_instance(name);
    instances.erase(name);
  }

  void take_output(const std::string& name, std::string_view bytes) {
    const auto found = instances.find(name);
    if (found == instances.end()) return;
    found->second.splitter.take(bytes, [&](std::string_view line) { take_instance_line(name, line); });
  }

  void take_instance_line(const std::string& name, std::string_view line) {
    InstanceProcess& instance = instances.at(name);
    instance.last_lines.emplace_back(line);
    if (instance.last_lines.size() > kLastLines) instance.last_lines.pop_front();
    take_line(name, false, line);
  }

  void instance_ended(const std::string& name, ProcessExit exit) {
    const auto found = instances.find(name);
    if (found == instances.end()) return;
    InstanceProcess& instance = found->second;
    instance.splitter.finish([&](std::string_view line) { take_instance_line(name, line); });
    // A program that was asked to end, or whose zone lost its power, is not ill.
    if (instance.phase == InstancePhase::kRunning && exit.signal != SIGKILL) diagnose_instance(instance, exit);
    if (instance.phase == InstancePhase::kRunning && dark.contains(instance.launch.zone)) {
      unheard.emplace(name, instance.launch.zone);
    } else {
      emit(InstanceStopped{instance.launch.instance, exit.describe()});
    }
    files.end_instance(name);
    instances.erase(found);
    stop_progressed();
  }

  /// A zone without power tells nobody what it has lost: that is for health checks to find out. Once the power is back,
  /// it can be seen.
  void tell_what_was_lost(const ZoneName& zone) {
    std::erase_if(unheard, [&](const auto& entry) {
      if (entry.second != zone) return false;
      const std::string why = fmt::format("{} lost its power", zone.value);
      if (nodes.contains(entry.first)) {
        emit(NodeStopped{entry.first, why});
      } else {
        emit(InstanceStopped{InstanceId{entry.first}, why});
      }
      return true;
    });
  }

  void find_wire(InstanceProcess& instance) {
    const LaunchInstance& launch = instance.launch;
    if (ground->has_own_network()) {
      instance.wire = launch.address;
      instance.wire->port = instance.port;
      open_door(instance);
      return wires_changed();
    }
    std::vector<Address> candidates{own_loopback(launch.address, instance.port),
                                    Address::v4(127, 0, 0, 1, instance.port)};
    if (auto v6 = parse_ip("::1", instance.port)) candidates.push_back(*v6);
    instance.search = std::make_unique<WireSearch>(
        loop, std::move(candidates),
        [this, name = launch.instance.value](const Address& wire) { wire_found(name, wire); });
    wires_changed();
  }

  void wire_found(const std::string& name, const Address& wire) {
    const auto found = instances.find(name);
    if (found == instances.end()) return;
    found->second.wire = wire;
    found->second.search.reset();
    wires_changed();
  }

  /// At the port that the program has inside, if nobody here has it.
  void open_door(InstanceProcess& instance) {
    auto socket = open_listening_socket(own_loopback(*instance.wire, instance.port), 64);
    if (!socket) socket = open_listening_socket(own_loopback(*instance.wire, 0), 64);
    if (!socket) return;  // the instance can be reached through the balancer all the same
    if (ground->open_door(instance.launch.instance.value, socket->fd.get(), *instance.wire)) {
      socket->fd.reset();  // the door has it now, and closes it with the instance
      instance.door = std::move(*socket);
    }
  }

  void act(Time, const TerminateInstance& wish) {
    const std::string& name = wish.instance.value;
    const auto found = instances.find(name);
    if (found == instances.end()) {
      unheard.erase(name);
      return emit(InstanceStopped{wish.instance, "it did not run"});
    }
    InstanceProcess& instance = found->second;
    switch (instance.phase) {
      case InstancePhase::kWaiting:
        instances.erase(found);
        return emit(InstanceStopped{wish.instance, "its launch was given up"});
      case InstancePhase::kRunning:
        return ask_to_end(instance);
      case InstancePhase::kStopping:
        return;
    }
  }

  void ask_to_end(InstanceProcess& instance) {
    const std::string name = instance.launch.instance.value;
    instance.phase = InstancePhase::kStopping;
    instance.patience = std::make_unique<Timer>(loop, [this, name] { ground->signal_process(name, SIGKILL, true); });
    instance.patience->arm(settings.instance_stop_grace);
    // To all of it, as systemd does: a shell in between does not pass signals on.
    ground->signal_process(name, SIGTERM, true);
  }

  // Diagnosis --------------------------------------------------------------------------------------------------------

  void look_around() {
    bool any = false;
    for (auto& [name, instance] : instances) {
      const bool concerns =
          instance.phase == InstancePhase::kRunning && !instance.was_healthy && instance.diagnosis.empty();
      any = any || concerns;
      if (concerns && !frozen(instance)) diagnose_instance(instance, std::nullopt);
    }
    if (any) patrol.arm(kPatrol);
  }

  void diagnose_instance(InstanceProcess& instance, std::optional<ProcessExit> exit) {
    const std::string& name = instance.launch.instance.value;
    ProgramFacts facts;
    facts.instance = name;
    facts.ground = ground->kind();
    facts.own_program = settings.own_program;
    facts.port = instance.port;
    facts.logical = instance.launch.address;
    facts.ran = loop.now() - instance.started;
    facts.exit = exit;
    if (!exit) instance.listening = listening_sockets(ground->pid(name));
    facts.listening = instance.listening;
    facts.reached = is_reached(instance);
    facts.health = instance.health;
    facts.was_healthy = instance.was_healthy;
    facts.health_path = settings.health_path;
    if (exit) facts.fixed_ports = fixed_ports(name);
    facts.last_lines.assign(instance.last_lines.begin(), instance.last_lines.end());
    if (const auto sentence = diagnose(facts)) say(name, instance.diagnosis, *sentence);
  }

  /// On the plain ground a found wire has accepted; in a network of its own an address is no proof.
  bool is_reached(const InstanceProcess& instance) const {
    if (!ground->has_own_network()) return instance.wire.has_value();
    return instance.health && instance.health->state == TargetState::kUnhealthy &&
           (instance.health->reason == TargetReason::kResponseCodeMismatch);
  }

  std::vector<FixedPort> fixed_ports(const std::string& but) {
    std::vector<FixedPort> fixed;
    for (auto& [name, instance] : instances) {
      if (name == but || instance.phase == InstancePhase::kWaiting) continue;
      for (const Address& socket : listening_sockets(ground->pid(name))) {
        if (socket.port != instance.port) fixed.push_back({name, socket.port});
      }
    }
    return fixed;
  }

  // Nodes ------------------------------------------------------------------------------------------------------------

  void act(Time, const StartNode& wish) {
    NodeProcess& node = nodes[wish.node];
    node.name = wish.node;
    node.zone = wish.zone;
    node.address = wish.address;
    if (node.running) return emit(NodeRunning{wish.node});
    if (dark.contains(wish.zone)) return emit(NodeStopped{wish.node, fmt::format("{} has no power", wish.zone.value)});
    if (hung_zones.contains(wish.zone)) return emit(NodeStopped{wish.node, fmt::format("{} hangs", wish.zone.value)});
    if (Status started = run_node(node); !started) {
      take_line(node.name, true, started.error().message);
      emit(NodeStopped{wish.node, started.error().message});
    }
  }

  Status run_node(NodeProcess& node) {
    const auto own = zonal.find(node.zone);
    if (own == zonal.end()) return Error{fmt::format("{} is in the unknown zone {}", node.name, node.zone.value)};
    auto folder = files.make_node(node.name);
    if (!folder) return folder.error();
    ProcessSpec spec;
    spec.name = node.name;
    spec.command = {settings.lb_program,
                    "--admin",
                    "unix:" + files.socket(node.name),
                    "--stop-timeout",
                    fmt::format("{}", to_seconds(settings.node_stop_grace)),
                    "--access-log",
                    "-"};
    spec.environment = bare_environment();
    spec.environment["RR_ZONE"] = node.zone.value;
    spec.environment["RR_NODE"] = node.name;
    spec.folder = *folder;
    spec.log_file = files.log_file(node.name);
    spec.logical = node.address;
    spec.host_name = node.name;
    spec.descriptors = {{kFrontNumber, front.fd.get()}, {kZonalNumber, own->second.fd.get()}};
    const std::string name = node.name;
    Status started = ground->start_process(
        std::move(spec),
        [this, name](std::string_view bytes) {
          nodes.at(name).splitter.take(bytes, [&](std::string_view line) { take_line(name, true, line); });
        },
        [this, name](ProcessExit exit) { node_ended(name, exit); });
    if (!started) return started;
    node.running = true;
    node.hung = false;
    node.channel = std::make_unique<NodeChannel>(loop, name, UnixPath{files.socket(name)}, *this);
    send_wanted(node, true);
    emit(NodeRunning{name});
    return Ok{};
  }

  void node_ended(const std::string& name, ProcessExit exit) {
    NodeProcess& node = nodes.at(name);
    node.splitter.finish([&](std::string_view line) { take_line(name, true, line); });
    node.running = false;
    node.hung = false;
    node.observed.clear();
    // The channel may be what led here (its client's callback): it is destroyed when the stack is empty.
    loop.post([old = std::shared_ptr<NodeChannel>(std::move(node.channel))] {});
    if (dark.contains(node.zone)) {
      unheard.emplace(name, node.zone);
    } else {
      emit(NodeStopped{name, exit.describe()});
    }
    stop_progressed();
  }

  void act(Time, const ConfigureNode& wanted) {
    NodeProcess& node = nodes[wanted.node];
    node.name = wanted.node;
    node.wanted = wanted;
    send_wanted(node, false);
  }

  void wires_changed() {
    for (auto& [name, node] : nodes) send_wanted(node, false);
  }

  /// Gives the channel the node's document if it is another one than before, or if the channel is new.
  void send_wanted(NodeProcess& node, bool new_channel) {
    if (!node.wanted || !node.channel) return;
    NodeSockets sockets;
    sockets.front = fmt::format("fd:{}", kFrontNumber);
    sockets.zonal = fmt::format("fd:{}", kZonalNumber);
    sockets.zonal_port = zonal.at(node.zone).address.port;
    const auto wire = [this](const TargetSpec& target) { return wire_of(target); };
    std::string document = desired_document(*node.wanted, 0, sockets, wire);
    if (document == node.document && !new_channel) return;
    node.document = std::move(document);
    ++node.generation;
    node.channel->set_interval(observation_interval(*node.wanted));
    node.channel->want(node.generation, desired_document(*node.wanted, node.generation, sockets, wire));
  }

  static Duration observation_interval(const ConfigureNode& wanted) {
    Duration shortest = kMostObservation * 2;
    for (const TargetGroupSettings& group : wanted.load_balancer.target_groups) {
      shortest = std::min(shortest, group.health_check.interval);
    }
    return std::clamp(shortest / 2, kLeastObservation, kMostObservation);
  }

  /// Where a target is connected to. One that has not been found (or has gone) is looked for where it should be: its
  /// checks fail there, which is the truth.
  Address wire_of(const TargetSpec& target) const {
    const auto found = instances.find(target.id);
    if (found != instances.end() && found->second.wire) return *found->second.wire;
    if (ground->has_own_network()) return target.address;
    const bool running = found != instances.end() && found->second.port != 0;
    return own_loopback(target.address, running ? found->second.port : target.address.port);
  }

  void on_observation(const std::string& name, const Observation& seen, std::string text) override {
    NodeProcess& node = nodes.at(name);
    node.observed = std::move(text);
    for (const TargetHealthReported::Target& target : seen.targets) {
      const auto found = instances.find(target.id);
      if (found == instances.end()) continue;
      found->second.health = target.health;
      if (target.health.state == TargetState::kHealthy) found->second.was_healthy = true;
    }
    emit(TargetHealthReported{name, seen.targets});
    for (const std::string& id : seen.drained) emit(TargetDrained{name, id});
  }

  void on_refusal(const std::string& name, const std::string& why) override {
    take_line(name, true, fmt::format("refused its configuration: {}", why));
    std::string unsaid;
    say(name, unsaid, fmt::format("{} refused its configuration: {}", name, why.substr(0, why.find('\n'))));
  }

  // Questions --------------------------------------------------------------------------------------------------------

  using OnAnswer = std::function<void(const Result<ClientResponse, ClientFailure>&)>;

  void ask(const Endpoint& to, Duration timeout, ClientRequest request, OnAnswer on_answer) {
    HttpClient::Settings how;
    how.timeout = timeout;
    how.keep_alive = false;
    const auto slot = questions.insert(questions.end(), std::make_shared<HttpClient>(loop, to, how));
    (*slot)->send(std::move(request),
                  [this, slot, call = std::move(on_answer)](const Result<ClientResponse, ClientFailure>& answer) {
                    loop.post([done = std::move(*slot)] {});  // destroyed when its own callback is over
                    questions.erase(slot);
                    call(answer);
                  });
  }

  /// The data path, as Route 53 checks it: whatever the answer says, there is one.
  /// Asks the node itself, not a target through it: that would take the turn of a request of a client's. What freezes
  /// or kills a node shows here as well, for one loop serves both.
  void act(Time, const CheckNode& check) {
    const auto node = nodes.find(check.node);
    if (node == nodes.end() || !node->second.running) return emit(NodeChecked{check.node, false});
    ClientRequest request;
    request.target = "/healthz";
    ask(Endpoint(UnixPath{files.socket(check.node)}), check.timeout, std::move(request),
        [this, name = check.node](const Result<ClientResponse, ClientFailure>& answer) {
          emit(NodeChecked{name, answer.ok() && answer->status == 200});
        });
  }

  void act(Time, const AskInstance& question) {
    const auto found = instances.find(question.instance.value);
    const auto where = found == instances.end() ? std::nullopt : reached_from_here(found->second);
    if (!where) return emit(VersionAnswered{question.instance, 0, {}, {}});
    ask_version(Endpoint(*where), question.instance);
  }

  void act(Time, const AskFront&) { ask_version(Endpoint(front_address()), std::nullopt); }

  void ask_version(const Endpoint& where, std::optional<InstanceId> id) {
    ask(where, kQuestionTimeout, version_question(settings.version_from, settings.health_path),
        [this, id = std::move(id)](const Result<ClientResponse, ClientFailure>& answer) {
          emit(read_version(settings.version_from, id, answer));
        });
  }

  static std::optional<Address> door_of(const InstanceProcess& instance, bool own_network) {
    if (!own_network) return instance.wire;
    if (!instance.door) return std::nullopt;
    return instance.door->address;
  }
  std::optional<Address> reached_from_here(const InstanceProcess& instance) const {
    return door_of(instance, ground->has_own_network());
  }

  /// The front as a client here reaches it: all addresses are reached on the loopback one.
  Address front_address() const {
    Address address = front.address;
    const bool any = std::all_of(address.ip.begin(), address.ip.end(), [](std::uint8_t byte) { return byte == 0; });
    if (any && address.family == Address::Family::kV4) return Address::v4(127, 0, 0, 1, address.port);
    if (any) address.ip.back() = 1;
    return address;
  }

  // Faults -----------------------------------------------------------------------------------------------------------

  bool frozen(const InstanceProcess& instance) const {
    return instance.hung || hung_zones.contains(instance.launch.zone);
  }
  bool frozen(const NodeProcess& node) const { return node.hung || hung_zones.contains(node.zone); }

  bool has_zone(const std::string& name) const {
    return std::any_of(settings.zones.begin(), settings.zones.end(),
                       [&](const Zone& zone) { return zone.name.value == name; });
  }

  Status check_target(const FaultTarget& target) const {
    switch (target.kind) {
      case FaultTargetKind::kZone: {
        if (has_zone(target.name)) return Ok{};
        std::vector<std::string> names;
        for (const Zone& zone : settings.zones) names.push_back(zone.name.value);
        return Error{fmt::format("there is no zone '{}': {}", target.name, fmt::join(names, ", "))};
      }
      case FaultTargetKind::kInstance:
        if (instances.contains(target.name)) return Ok{};
        return Error{fmt::format("no instance '{}' runs", target.name)};
      case FaultTargetKind::kNode: {
        const auto node = nodes.find(target.name);
        if (node != nodes.end() && node->second.running) return Ok{};
        return Error{fmt::format("no node '{}' runs", target.name)};
      }
      case FaultTargetKind::kLink:
      case FaultTargetKind::kControlPlane:
        return Error{"this world has no faults of links and none of the control plane"};
    }
    return Ok{};
  }

  Status inject(Time now, const Fault& fault) {
    const auto rows = fault_kinds();
    const auto row =
        std::find_if(rows.begin(), rows.end(), [&](const FaultKindRow& one) { return one.kind == fault.kind; });
    if (row == rows.end() ||
        std::find(row->targets.begin(), row->targets.end(), fault.target.kind) == row->targets.end()) {
      return Error{
          fmt::format("{} cannot be done to '{}'", row == rows.end() ? "this fault" : row->name, fault.target.name)};
    }
    if (Status known = check_target(fault.target); !known) return known;
    if (fault.kind != FaultKind::kCrash) {
      for (const FaultStatus& one : in_force) {
        if (one.fault.target == fault.target && one.fault.kind == fault.kind) {
          return Error{fmt::format("'{}' has this fault already: {}", fault.target.name, row->name)};
        }
      }
      std::optional<Time> until;
      if (fault.lasts) until = now + *fault.lasts;
      in_force.push_back({fault, now, until});
    }
    strike(fault);
    arm_fault_timer();
    return Ok{};
  }

  void strike(const Fault& fault) {
    const std::string& name = fault.target.name;
    if (fault.target.kind == FaultTargetKind::kZone) {
      const ZoneName zone(name);
      const bool power = fault.kind == FaultKind::kPowerLoss;
      (power ? dark : hung_zones).insert(zone);
      for (const std::string& process : processes_in(zone)) {
        ground->signal_process(process, power ? SIGKILL : SIGSTOP, true);
      }
      if (power) refuse_waiting(zone);
      return;
    }
    if (fault.kind == FaultKind::kHang) mark_hung(fault.target, true);
    ground->signal_process(name, fault.kind == FaultKind::kHang ? SIGSTOP : SIGKILL, true);
  }

  void mark_hung(const FaultTarget& target, bool is_hung) {
    if (const auto found = instances.find(target.name); found != instances.end()) found->second.hung = is_hung;
    if (const auto found = nodes.find(target.name); found != nodes.end()) found->second.hung = is_hung;
  }

  std::vector<std::string> processes_in(const ZoneName& zone) const {
    std::vector<std::string> names;
    for (const auto& [name, node] : nodes) {
      if (node.zone == zone && node.running) names.push_back(name);
    }
    for (const auto& [name, instance] : instances) {
      if (instance.launch.zone == zone && instance.phase != InstancePhase::kWaiting) names.push_back(name);
    }
    return names;
  }

  void refuse_waiting(const ZoneName& zone) {
    std::erase_if(instances, [&](auto& entry) {
      const InstanceProcess& instance = entry.second;
      if (instance.phase != InstancePhase::kWaiting || instance.launch.zone != zone) return false;
      emit(LaunchFailed{instance.launch.instance, "InsufficientInstanceCapacity",
                        insufficient_capacity(zone, settings.zones)});
      return true;
    });
  }

  Status heal(Time now, const FaultTarget& target) {
    const auto concerns = [&](const FaultStatus& one) { return one.fault.target == target; };
    if (std::none_of(in_force.begin(), in_force.end(), concerns)) {
      if (target.kind == FaultTargetKind::kZone && !has_zone(target.name)) return check_target(target);
      return Error{fmt::format("'{}' has no fault to heal", target.name)};
    }
    std::erase_if(in_force, concerns);
    if (target.kind == FaultTargetKind::kZone) {
      dark.erase(ZoneName(target.name));
      hung_zones.erase(ZoneName(target.name));
      tell_what_was_lost(ZoneName(target.name));
    } else {
      mark_hung(target, false);
    }
    thaw();
    start_waiting(now);
    arm_fault_timer();
    return Ok{};
  }

  /// Lets everything go on that no fault holds any more. Going on twice does no harm.
  void thaw() {
    for (auto& [name, instance] : instances) {
      if (!frozen(instance)) ground->signal_process(name, SIGCONT, true);
    }
    for (auto& [name, node] : nodes) {
      if (!frozen(node)) ground->signal_process(name, SIGCONT, true);
    }
  }

  void start_waiting(Time now) {
    std::vector<std::string> ready;
    for (const auto& [name, instance] : instances) {
      const bool may_start = !hung_zones.contains(instance.launch.zone) && !dark.contains(instance.launch.zone);
      if (instance.phase == InstancePhase::kWaiting && may_start) ready.push_back(name);
    }
    for (const std::string& name : ready) start_instance(now, name);
  }

  void arm_fault_timer() {
    // A fault ends with what it was done to.
    std::erase_if(in_force, [this](const FaultStatus& one) {
      return one.fault.target.kind != FaultTargetKind::kZone && !check_target(one.fault.target).ok();
    });
    std::optional<Time> next;
    for (const FaultStatus& one : in_force) {
      if (one.until && (!next || *one.until < *next)) next = one.until;
    }
    if (next) {
      fault_timer.arm_at(*next);
    } else {
      fault_timer.disarm();
    }
  }

  void end_due_faults() {
    std::vector<FaultTarget> due;
    for (const FaultStatus& one : in_force) {
      if (one.until && *one.until <= loop.now()) due.push_back(one.fault.target);
    }
    // One target's faults are healed together: the second call finds none, which is all right.
    for (const FaultTarget& target : due) (void)heal(loop.now(), target).ok();
    arm_fault_timer();
  }

  // Stopping ---------------------------------------------------------------------------------------------------------

  enum class StopPhase : std::uint8_t { kNot, kNodes, kInstances, kKilling, kDone };

  void stop(bool at_once, std::function<void()> call) {
    if (call) on_stopped = std::move(call);
    if (stop_phase == StopPhase::kDone) return finish_stop();
    stopping = true;
    std::erase_if(instances, [](const auto& entry) { return entry.second.phase == InstancePhase::kWaiting; });
    if (at_once) return stop_by_killing();
    if (stop_phase != StopPhase::kNot) return;
    stop_phase = StopPhase::kNodes;
    for (auto& [name, node] : nodes) {
      // Who is frozen cannot finish anything.
      if (node.running) ground->signal_process(name, frozen(node) ? SIGKILL : SIGTERM, true);
    }
    stop_timer.arm(settings.node_stop_grace);
    stop_progressed();
  }

  void stop_by_killing() {
    stop_phase = StopPhase::kKilling;
    kill_rest();
    stop_progressed();
  }

  void kill_rest() {
    std::vector<std::string> names;
    for (const auto& [name, node] : nodes) {
      if (node.running) names.push_back(name);
    }
    if (stop_phase != StopPhase::kNodes) {
      for (const auto& [name, instance] : instances) names.push_back(name);
    }
    for (const std::string& name : names) ground->signal_process(name, SIGKILL, true);
  }

  void stop_patience_over() { kill_rest(); }

  bool any_node_runs() const {
    return std::any_of(nodes.begin(), nodes.end(), [](const auto& entry) { return entry.second.running; });
  }

  void stop_progressed() {
    if (!stopping || any_node_runs()) return;
    if (stop_phase == StopPhase::kNodes) {
      stop_phase = StopPhase::kInstances;
      for (auto& [name, instance] : instances) {
        if (frozen(instance)) {
          ground->signal_process(name, SIGKILL, true);
        } else if (instance.phase == InstancePhase::kRunning) {
          ask_to_end(instance);
        }
      }
    }
    if (!instances.empty()) return;
    stop_timer.disarm();
    if (stop_phase != StopPhase::kDone) finish_stop();
  }

  void finish_stop() {
    stop_phase = StopPhase::kDone;
    patrol.disarm();
    fault_timer.disarm();
    loop.post([weak = std::weak_ptr<int>(alive), this] {
      if (weak.expired()) return;
      const auto call = std::exchange(on_stopped, nullptr);
      if (call) call();  // may destroy us
    });
  }

  // Reading ----------------------------------------------------------------------------------------------------------

  ProcessStatus status_of(const std::string& name, const InstanceProcess& instance) const {
    ProcessStatus status;
    status.name = name;
    status.zone = instance.launch.zone;
    status.pid = ground->pid(name);
    status.wire = instance.wire;
    status.log_file = files.log_file(name);
    status.folder = instance.working_folder;
    status.door = reached_from_here(instance);
    status.frozen = frozen(instance);
    status.diagnosis = instance.diagnosis;
    return status;
  }

  ProcessStatus status_of(const NodeProcess& node) const {
    ProcessStatus status;
    status.name = node.name;
    status.zone = node.zone;
    status.pid = ground->pid(node.name);
    status.log_file = files.log_file(node.name);
    status.admin = Endpoint(UnixPath{files.socket(node.name)});
    if (const auto own = zonal.find(node.zone); own != zonal.end()) status.zonal = own->second.address;
    status.frozen = frozen(node);
    return status;
  }

  Loop& loop;
  ProcessWorldSettings settings;
  ListeningSocket front;
  std::map<ZoneName, ListeningSocket> zonal;
  std::map<std::string, InstanceProcess> instances;
  std::map<std::string, NodeProcess> nodes;
  std::list<std::shared_ptr<HttpClient>> questions;
  std::unique_ptr<Ground> ground;  // after the tables: its end may still report to them
  InstanceFiles files;
  Timer patrol, fault_timer, stop_timer;
  std::uint32_t next_port =
      static_cast<std::uint32_t>(::getpid()) * 97U;  // two tiers begin to search in different places
  std::set<ZoneName> dark, hung_zones;
  std::map<std::string, ZoneName> unheard;  // processes that power loss ended, of which nobody has been told
  std::vector<FaultStatus> in_force;
  StopPhase stop_phase = StopPhase::kNot;
  bool stopping = false;
  std::function<void()> on_stopped;
  std::function<void(Time, const Event&)> sink;
  std::function<void(const ProcessLine&)> line_sink;
  std::function<void(const std::string&, const std::string&)> diagnosis_sink;
  std::shared_ptr<int> alive = std::make_shared<int>(0);
};

ProcessWorld::ProcessWorld(std::unique_ptr<State> state) : state_(std::move(state)) {}
ProcessWorld::~ProcessWorld() = default;

Result<std::unique_ptr<ProcessWorld>> ProcessWorld::start(Loop& loop, ProcessWorldSettings settings,
                                                          std::unique_ptr<Ground> ground) {
  auto files = InstanceFiles::open(settings.state_folder);
  if (!files) return files.error();
  auto state = std::make_unique<State>(loop, std::move(settings), std::move(ground), std::move(*files));
  if (Status opened = state->open_sockets(); !opened) return opened.error();
  return std::unique_ptr<ProcessWorld>(new ProcessWorld(std::move(state)));
}

void ProcessWorld::perform(Time now, const Action& action) {
  if (state_->stopping) return;
  std::visit([&](const auto& wish) { state_->act(now, wish); }, action);
}

Status ProcessWorld::inject(Time now, const Fault& fault) { return state_->inject(now, fault); }
Status ProcessWorld::heal(Time now, const FaultTarget& target) { return state_->heal(now, target); }
std::vector<FaultStatus> ProcessWorld::faults() const { return state_->in_force; }

void ProcessWorld::on_event(std::function<void(Time, const Event&)> sink) { state_->sink = std::move(sink); }
void ProcessWorld::on_line(std::function<void(const ProcessLine&)> sink) { state_->line_sink = std::move(sink); }
void ProcessWorld::on_diagnosis(std::function<void(const std::string&, const std::string&)> sink) {
  state_->diagnosis_sink = std::move(sink);
}

Address ProcessWorld::front() const { return state_->front.address; }
const Ground& ProcessWorld::ground() const { return *state_->ground; }

std::vector<ProcessStatus> ProcessWorld::processes() const {
  std::vector<ProcessStatus> all;
  for (const auto& [name, node] : state_->nodes) all.push_back(state_->status_of(node));
  for (const auto& [name, instance] : state_->instances) all.push_back(state_->status_of(name, instance));
  return all;
}

std::optional<ProcessStatus> ProcessWorld::process(const std::string& name) const {
  if (const auto node = state_->nodes.find(name); node != state_->nodes.end()) return state_->status_of(node->second);
  const auto instance = state_->instances.find(name);
  if (instance == state_->instances.end()) return std::nullopt;
  return state_->status_of(name, instance->second);
}

std::string ProcessWorld::observed(const std::string& node) const {
  const auto found = state_->nodes.find(node);
  return found == state_->nodes.end() ? std::string() : found->second.observed;
}

Result<ProcessWorld::Session> ProcessWorld::session(const std::string& instance) const {
  const auto found = state_->instances.find(instance);
  if (found == state_->instances.end() || state_->ground->pid(instance) == 0) {
    return Error{fmt::format("no instance '{}' runs", instance)};
  }
  Session session;
  session.environment = found->second.environment;
  session.folder = found->second.working_folder;
  session.command = state_->ground->enter_command(instance);
  session.command.push_back(shell_of(callers_environment()));
  return session;
}

void ProcessWorld::stop(bool at_once, std::function<void()> on_stopped) {
  state_->stop(at_once, std::move(on_stopped));
}

}  // namespace rr::sim
