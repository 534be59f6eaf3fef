// The instances' side of the world: launches, the programs' lives and ends, where they are reached, what is wrong.
#include <fmt/format.h>

#include <csignal>
#include <utility>

#include "sim/world/process_world_state.h"
#include "sim/world/socket_table.h"

namespace rr::sim {

namespace {

/// How long a launch hangs in a zone that hangs before EC2 gives it up; divided by the speed.
/// How often programs that are not healthy yet are looked at.
constexpr Duration kPatrol = std::chrono::milliseconds(500);

}  // namespace

std::string ProcessWorld::State::insufficient_capacity(const ZoneName& zone, const std::vector<Zone>& zones) {
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

void ProcessWorld::State::act(Time now, const LaunchInstance& launch) {
  const InstanceId& id = launch.instance;
  if (const auto found = instances.find(id.value); found != instances.end()) {
    if (found->second.phase == InstancePhase::kRunning) emit(InstanceRunning{id});
    return;
  }
  const bool refused =
      zone_has(FaultKind::kPowerLoss, launch.zone) || zone_has(FaultKind::kLaunchesRefused, launch.zone);
  if (refused) {
    return emit(LaunchFailed{id, "InsufficientInstanceCapacity", insufficient_capacity(launch.zone, settings.zones)});
  }
  InstanceProcess& instance = instances[id.value];
  instance.launch = launch;
  if (!stands_still(launch.zone)) return start_instance(now, id.value);
  instance.patience = std::make_unique<Timer>(loop, [this, id] { give_up_launch(id.value); });
  instance.patience->arm(divided(kLaunchHangs));
}

Duration ProcessWorld::State::divided(Duration span) const {
  return Duration(static_cast<Duration::rep>(static_cast<double>(span.count()) / settings.speed));
}

void ProcessWorld::State::give_up_launch(const std::string& name) {
  const InstanceId id(name);
  // The timer that called is part of what is erased.
  loop.post([weak = std::weak_ptr<int>(alive), this, name] {
    if (!weak.expired()) forget_waiting(name);
  });
  emit(LaunchFailed{id, "Client.InternalError", "Client.InternalError: Client error on launch."});
}

void ProcessWorld::State::forget_waiting(const std::string& name) {
  const auto found = instances.find(name);
  if (found != instances.end() && found->second.phase == InstancePhase::kWaiting) instances.erase(found);
}

void ProcessWorld::State::start_instance(Time now, const std::string& name) {
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

Status ProcessWorld::State::prepare_instance(InstanceProcess& instance) {
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

Status ProcessWorld::State::run_instance(InstanceProcess& instance) {
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
  if (!settings.own_program && is_webapp(spec.command)) {
    spec.command.insert(spec.command.end(), {"--faults", "on"});  // so that it can be asked for some
  }
  spec.boot_delay = boot_delay_in(instance.launch.zone);
  return ground->start_process(
      std::move(spec), [this, name](std::string_view bytes) { take_output(name, bytes); },
      [this, name](ProcessExit exit) { instance_ended(name, exit); });
}

std::optional<Duration> ProcessWorld::State::boot_delay_in(const ZoneName& zone) const {
  if (zone_has(FaultKind::kBootFailure, zone)) return std::nullopt;
  const Fault* slow = in_zone(FaultKind::kSlowBoot, zone);
  if (slow == nullptr) return Duration{};
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(slow->amount));
}

void ProcessWorld::State::launch_went_wrong(const std::string& name, const std::string& why) {
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

void ProcessWorld::State::take_output(const std::string& name, std::string_view bytes) {
  const auto found = instances.find(name);
  if (found == instances.end()) return;
  found->second.splitter.take(bytes, [&](std::string_view line) { take_instance_line(name, line); });
}

void ProcessWorld::State::take_instance_line(const std::string& name, std::string_view line) {
  InstanceProcess& instance = instances.at(name);
  instance.last_lines.emplace_back(line);
  if (instance.last_lines.size() > kLastLines) instance.last_lines.pop_front();
  take_line(name, false, line);
}

void ProcessWorld::State::instance_ended(const std::string& name, ProcessExit exit) {
  const auto found = instances.find(name);
  if (found == instances.end()) return;
  InstanceProcess& instance = found->second;
  instance.splitter.finish([&](std::string_view line) { take_instance_line(name, line); });
  // A program that was asked to end, or whose zone lost its power, is not ill.
  if (instance.phase == InstancePhase::kRunning && exit.signal != SIGKILL) diagnose_instance(instance, exit);
  if (instance.phase == InstancePhase::kRunning && zone_has(FaultKind::kPowerLoss, instance.launch.zone)) {
    unheard.emplace(name, instance.launch.zone);
  } else {
    emit(InstanceStopped{instance.launch.instance, exit.describe()});
  }
  files.end_instance(name);
  instances.erase(found);
  forget_faults_of_gone();
  stop_progressed();
}

void ProcessWorld::State::tell_what_was_lost(
    const std::function<bool(const std::string& name, const ZoneName& zone)>& concerns) {
  std::erase_if(unheard, [&](const auto& entry) {
    if (!concerns(entry.first, entry.second)) return false;
    const std::string why = "it was lost unheard";
    if (nodes.contains(entry.first)) {
      emit(NodeStopped{entry.first, why});
    } else {
      emit(InstanceStopped{InstanceId{entry.first}, why});
    }
    return true;
  });
}

void ProcessWorld::State::find_wire(InstanceProcess& instance) {
  const LaunchInstance& launch = instance.launch;
  if (ground->has_own_network()) {
    instance.wire = launch.address;
    instance.wire->port = instance.port;
    open_door(instance);
    (void)relink().ok();  // said when the fault was asked for
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

void ProcessWorld::State::wire_found(const std::string& name, const Address& wire) {
  const auto found = instances.find(name);
  if (found == instances.end()) return;
  found->second.wire = wire;
  found->second.search.reset();
  (void)relink().ok();  // said when the fault was asked for
  wires_changed();
}

void ProcessWorld::State::open_door(InstanceProcess& instance) {
  auto socket = open_listening_socket(own_loopback(*instance.wire, instance.port), 64);
  if (!socket) socket = open_listening_socket(own_loopback(*instance.wire, 0), 64);
  if (!socket) return;  // the instance can be reached through the balancer all the same
  if (ground->open_door(instance.launch.instance.value, socket->fd.get(), *instance.wire)) {
    socket->fd.reset();  // the door has it now, and closes it with the instance
    instance.door = std::move(*socket);
  }
}

void ProcessWorld::State::act(Time, const TerminateInstance& wish) {
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

void ProcessWorld::State::ask_to_end(InstanceProcess& instance) {
  const std::string name = instance.launch.instance.value;
  instance.phase = InstancePhase::kStopping;
  instance.patience = std::make_unique<Timer>(loop, [this, name] { ground->signal_process(name, SIGKILL, true); });
  instance.patience->arm(settings.instance_stop_grace);
  // To all of it, as systemd does: a shell in between does not pass signals on.
  ground->signal_process(name, SIGTERM, true);
}

void ProcessWorld::State::look_around() {
  bool any = false;
  for (auto& [name, instance] : instances) {
    const bool concerns =
        instance.phase == InstancePhase::kRunning && !instance.was_healthy && instance.diagnosis.empty();
    any = any || concerns;
    if (concerns && !frozen(instance)) diagnose_instance(instance, std::nullopt);
  }
  if (any) patrol.arm(kPatrol);
}

void ProcessWorld::State::diagnose_instance(InstanceProcess& instance, std::optional<ProcessExit> exit) {
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

bool ProcessWorld::State::is_reached(const InstanceProcess& instance) const {
  if (!ground->has_own_network()) return instance.wire.has_value();
  return instance.health && instance.health->state == TargetState::kUnhealthy &&
         (instance.health->reason == TargetReason::kResponseCodeMismatch);
}

std::vector<FixedPort> ProcessWorld::State::fixed_ports(const std::string& but) {
  std::vector<FixedPort> fixed;
  for (auto& [name, instance] : instances) {
    if (name == but || instance.phase == InstancePhase::kWaiting) continue;
    for (const Address& socket : listening_sockets(ground->pid(name))) {
      if (socket.port != instance.port) fixed.push_back({name, socket.port});
    }
  }
  return fixed;
}

}  // namespace rr::sim
