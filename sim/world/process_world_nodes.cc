// The nodes' side of the world: their processes, the documents they are given, what they saw.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lb/base/check.h"
#include "sim/world/node_document.h"
#include "sim/world/process_world_state.h"

namespace rr::sim {

namespace {

constexpr int kFrontNumber = 3;  // descriptors in a node
constexpr int kZonalNumber = 4;
constexpr Duration kLeastObservation = std::chrono::milliseconds(100);
constexpr Duration kMostObservation = std::chrono::seconds(1);

}  // namespace

void ProcessWorld::State::act(Time, const StartNode& wish) {
  NodeProcess& node = nodes[wish.node];
  node.name = wish.node;
  node.zone = wish.zone;
  node.address = wish.address;
  if (node.running) return emit(NodeRunning{wish.node});
  if (zone_has(FaultKind::kPowerLoss, wish.zone)) {
    return emit(NodeStopped{wish.node, fmt::format("{} has no power", wish.zone.value)});
  }
  if (stands_still(wish.zone)) return emit(NodeStopped{wish.node, fmt::format("{} hangs", wish.zone.value)});
  if (has(FaultKind::kNodeLoss, FaultTargetKind::kNode, wish.node)) {
    return emit(NodeStopped{wish.node, "nothing takes its place"});
  }
  if (Status started = run_node(node); !started) {
    take_line(node.name, true, started.error().message);
    emit(NodeStopped{wish.node, started.error().message});
  }
}

Status ProcessWorld::State::run_node(NodeProcess& node) {
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
  node.channel = std::make_unique<NodeChannel>(loop, name, UnixPath{files.socket(name)}, *this);
  send_wanted(node, true);
  (void)relink().ok();  // said when the fault was asked for
  emit(NodeRunning{name});
  return Ok{};
}

void ProcessWorld::State::node_ended(const std::string& name, ProcessExit exit) {
  NodeProcess& node = nodes.at(name);
  node.splitter.finish([&](std::string_view line) { take_line(name, true, line); });
  node.running = false;
  node.observed.clear();
  // The channel may be what led here (its client's callback): it is destroyed when the stack is empty.
  loop.post([old = std::shared_ptr<NodeChannel>(std::move(node.channel))] {});
  if (zone_has(FaultKind::kPowerLoss, node.zone) || has(FaultKind::kNodeLoss, FaultTargetKind::kNode, name)) {
    unheard.emplace(name, node.zone);
  } else {
    emit(NodeStopped{name, exit.describe()});
  }
  forget_faults_of_gone();
  stop_progressed();
}

void ProcessWorld::State::act(Time, const ConfigureNode& wanted) {
  NodeProcess& node = nodes[wanted.node];
  RR_CHECK(!node.wanted || node.wanted->load_balancer.name == wanted.load_balancer.name,
           "a process has the front of one load balancer");
  node.name = wanted.node;
  node.wanted = wanted;
  send_wanted(node, false);
}

void ProcessWorld::State::wires_changed() {
  for (auto& [name, node] : nodes) send_wanted(node, false);
}

void ProcessWorld::State::send_wanted(NodeProcess& node, bool new_channel) {
  if (!node.wanted || !node.channel) return;
  NodeSockets sockets;
  sockets.front = fmt::format("fd:{}", kFrontNumber);
  sockets.zonal = fmt::format("fd:{}", kZonalNumber);
  sockets.zonal_port = zonal.at(node.zone).address.port;
  const auto wire = [this, &node](const TargetSpec& target) { return wire_between(node, target); };
  std::string document = desired_document(*node.wanted, 0, sockets, wire);
  if (document == node.document && !new_channel) return;
  node.document = std::move(document);
  ++node.generation;
  node.channel->set_interval(observation_interval(*node.wanted));
  node.channel->want(node.generation, desired_document(*node.wanted, node.generation, sockets, wire));
}

Duration ProcessWorld::State::observation_interval(const ConfigureNode& wanted) {
  Duration shortest = kMostObservation * 2;
  for (const TargetGroupSettings& group : wanted.load_balancer.target_groups) {
    shortest = std::min(shortest, group.health_check.interval);
  }
  return std::clamp(shortest / 2, kLeastObservation, kMostObservation);
}

Address ProcessWorld::State::wire_of(const TargetSpec& target) const {
  const auto found = instances.find(target.id);
  if (found != instances.end() && found->second.wire) return *found->second.wire;
  if (ground->has_own_network()) return target.address;
  const bool running = found != instances.end() && found->second.port != 0;
  return own_loopback(target.address, running ? found->second.port : target.address.port);
}

void ProcessWorld::State::on_observation(const std::string& name, const Observation& seen, std::string text) {
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

void ProcessWorld::State::on_refusal(const std::string& name, const std::string& why) {
  take_line(name, true, fmt::format("refused its configuration: {}", why));
  std::string unsaid;
  say(name, unsaid, fmt::format("{} refused its configuration: {}", name, why.substr(0, why.find('\n'))));
}

}  // namespace rr::sim
