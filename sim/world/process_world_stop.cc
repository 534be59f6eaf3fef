// The end of the world in order: nodes finish their requests, then instances are asked to end, then whoever is left is
// killed.
#include <algorithm>
#include <csignal>
#include <utility>

#include "sim/world/process_world_state.h"

namespace rr::sim {

void ProcessWorld::State::stop(bool at_once, std::function<void()> call) {
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

void ProcessWorld::State::stop_by_killing() {
  stop_phase = StopPhase::kKilling;
  kill_rest();
  stop_progressed();
}

void ProcessWorld::State::kill_rest() {
  std::vector<std::string> names;
  for (const auto& [name, node] : nodes) {
    if (node.running) names.push_back(name);
  }
  if (stop_phase != StopPhase::kNodes) {
    for (const auto& [name, instance] : instances) names.push_back(name);
  }
  for (const std::string& name : names) ground->signal_process(name, SIGKILL, true);
}

void ProcessWorld::State::stop_patience_over() { kill_rest(); }

bool ProcessWorld::State::any_node_runs() const {
  return std::any_of(nodes.begin(), nodes.end(), [](const auto& entry) { return entry.second.running; });
}

void ProcessWorld::State::stop_progressed() {
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
  if (relay.runs) ground->signal_process("relay", SIGKILL, true);
  stop_timer.disarm();
  if (stop_phase != StopPhase::kDone) finish_stop();
}

void ProcessWorld::State::finish_stop() {
  stop_phase = StopPhase::kDone;
  patrol.disarm();
  fault_timer.disarm();
  flap_timer.disarm();
  webapp_timer.disarm();
  relay.timer.disarm();
  loop.post([weak = std::weak_ptr<int>(alive), this] {
    if (weak.expired()) return;
    const auto call = std::exchange(on_stopped, nullptr);
    if (call) call();  // may destroy us
  });
}

}  // namespace rr::sim
