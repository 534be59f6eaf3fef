// The faults of links: a relay in the path between nodes and targets, started with the first of them.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "sim/relay/links_document.h"
#include "sim/world/keeper_link.h"
#include "sim/world/process_world_state.h"

namespace rr::sim {

namespace {

constexpr std::string_view kRelayName = "relay";
/// Beside the node's (host 8) in the first zone's subnet; instances begin at 10.
constexpr std::uint8_t kRelayHost = 9;
constexpr Duration kRelayTimeout = std::chrono::seconds(2);
constexpr Duration kRelayRetry = std::chrono::milliseconds(25);
constexpr Duration kRelayRestart = std::chrono::milliseconds(500);

std::string relay_program() {
  const std::string keeper = keeper_program();
  return keeper.substr(0, keeper.rfind('/') + 1) + "rr-relay";
}

}  // namespace

WireFaults ProcessWorld::State::faults_between(const NodeProcess& node, const std::string& instance,
                                               const ZoneName& zone) const {
  return wire_faults(in_force, {node.name, instance, zone});
}

// A link that had a fault keeps its place in the relay, with nothing wrong: the node that used it may not have heard
// yet that it leads straight to the target again.
Status ProcessWorld::State::relink() {
  std::vector<LinkSpec> links;
  bool any = false;
  for (const auto& [node_name, node] : nodes) {
    for (const auto& [name, instance] : instances) {
      if (!instance.wire || instance.phase == InstancePhase::kWaiting) continue;
      const std::string link = link_target(node_name, name).name;
      const WireFaults faults = faults_between(node, name, instance.launch.zone);
      any = any || faults.any();
      if (faults.any() || relay.ports.contains(link)) links.push_back({link, *instance.wire, faults});
    }
  }
  if (any && !relay.runs) {
    if (Status started = run_relay(); !started) return started;
  }
  if (!relay.runs) return Ok{};
  relay.wanted = write_links(links);
  tell_relay();
  // Links without a fault go straight at once; the others when the relay has said where it listens.
  wires_changed();
  return Ok{};
}

Status ProcessWorld::State::run_relay() {
  auto folder = files.make_node(std::string(kRelayName));
  if (!folder) return folder.error();
  Address address = settings.zones.front().subnet;
  address.ip[3] = kRelayHost;
  address.port = 0;
  if (!ground->has_own_network()) address = own_loopback(address, 0);
  ProcessSpec spec;
  spec.name = kRelayName;
  spec.command = {relay_program(), "--control", "unix:" + files.socket(spec.name), "--address", format_ip(address)};
  spec.environment = bare_environment();
  spec.folder = *folder;
  spec.log_file = files.log_file(spec.name);
  spec.logical = address;
  spec.host_name = spec.name;
  Status started = ground->start_process(
      std::move(spec), [](std::string_view) {}, [this](const ProcessExit&) { relay_ended(); });
  if (!started) return Error{fmt::format("the relay for faults of links: {}", started.error().message)};
  relay.runs = true;
  relay.told.clear();
  return Ok{};
}

void ProcessWorld::State::relay_ended() {
  relay.runs = false;
  relay.ports.clear();
  relay.told.clear();
  if (stopping) return;
  wires_changed();
  relay.timer.arm(kRelayRestart);
}

void ProcessWorld::State::tell_relay() {
  if (stopping || relay.busy || relay.wanted == relay.told) return;
  if (!relay.runs) {
    (void)relink().ok();  // it ended although it is needed; what it cannot be started for was said the first time
    return;
  }
  relay.busy = true;
  ClientRequest request;
  request.method = "PUT";
  request.target = "/links";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = relay.wanted;
  ask(Endpoint(UnixPath{files.socket(std::string(kRelayName))}), kRelayTimeout, std::move(request),
      [this, sent = relay.wanted](const Result<ClientResponse, ClientFailure>& answer) {
        relay.busy = false;
        const auto ports = answer && answer->status == 200 ? read_ports(answer->body) : std::nullopt;
        if (!ports) return relay.timer.arm(kRelayRetry);
        relay.told = sent;
        relay.ports = *ports;
        wires_changed();
        tell_relay();
      });
}

Address ProcessWorld::State::wire_between(const NodeProcess& node, const TargetSpec& target) const {
  const auto port = relay.ports.find(link_target(node.name, target.id).name);
  if (port == relay.ports.end() || !faults_between(node, target.id, ZoneName(target.zone)).any()) {
    return wire_of(target);
  }
  return port->second;
}

}  // namespace rr::sim
