#include "sim/world/process_world.h"

#include <fmt/format.h>

#include <utility>

#include "sim/world/process_world_state.h"

namespace rr::sim {

namespace {

constexpr std::uint8_t kNodeHost = 4;  // a zone's node is the first usable host of its subnet on AWS
constexpr std::string_view kKeeperName = "rr-keeper";

/// The shell that a session gets.
std::string shell_of(const Environment& environment) {
  const auto found = environment.find("SHELL");
  return found == environment.end() || found->second.empty() ? "/bin/sh" : found->second;
}

}  // namespace

ProcessWorld::State::State(Loop& owner, ProcessWorldSettings wanted, std::unique_ptr<Ground> stands_on,
                           InstanceFiles made)
    : loop(owner),
      settings(std::move(wanted)),
      ground(std::move(stands_on)),
      files(std::move(made)),
      patrol(loop, [this] { look_around(); }),
      fault_timer(loop, [this] { end_due_faults(); }),
      flap_timer(loop, [this] { flap(); }),
      webapp_timer(loop, [this] { tell_webapps_again(); }),
      stop_timer(loop, [this] { stop_patience_over(); }),
      relay(loop, [this] { tell_relay(); }) {
  ground->on_lost([this] { ground_lost(); });
}

Status ProcessWorld::State::open_sockets() {
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

void ProcessWorld::State::emit(Event event) {
  if (stopping) return;
  loop.post([weak = std::weak_ptr<int>(alive), this, event = std::move(event)] {
    if (!weak.expired() && !stopping && sink) sink(loop.now(), event);
  });
}

void ProcessWorld::State::say(const std::string& name, std::string& slot, const std::string& sentence) {
  if (!slot.empty() || stopping) return;
  slot = sentence;
  if (diagnosis_sink) diagnosis_sink(name, sentence);
}

void ProcessWorld::State::take_line(const std::string& name, bool is_node, std::string_view text) {
  if (line_sink) line_sink(ProcessLine{name, is_node, std::string(text)});
}

void ProcessWorld::State::ground_lost() {
  std::string unsaid;
  say(std::string(kKeeperName), unsaid,
      "the keeper process ended although nobody asked it to, and every process of the tier with it: end this tier "
      "and start it again");
}

ProcessStatus ProcessWorld::State::status_of(const std::string& name, const InstanceProcess& instance) const {
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

ProcessStatus ProcessWorld::State::status_of(const NodeProcess& node) const {
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
void ProcessWorld::restore(Time now, const std::vector<FaultStatus>& before) { state_->restore(now, before); }
void ProcessWorld::heal_all() {
  state_->end_faults([](const FaultStatus&) { return true; });
}
void ProcessWorld::on_faults(std::function<void(const std::vector<FaultStatus>&)> sink) {
  state_->fault_sink = std::move(sink);
}

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
