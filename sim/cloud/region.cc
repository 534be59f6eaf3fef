#include "sim/cloud/region.h"

#include "lb/base/check.h"
#include "sim/cloud/address_plan.h"
#include "sim/cloud/region_machine.h"

namespace rr::sim {
namespace {

RegionState fresh_state(Time now, RegionSettings settings, std::uint64_t seed) {
  RR_CHECK(settings.speed > 0, "a region's speed is above 0");
  RegionState state;
  state.rng = Rng(seed);
  state.as_of = now;
  const std::uint16_t port =
      settings.load_balancer.listeners.empty() ? 80 : settings.load_balancer.listeners.front().port;
  for (const Zone& zone : settings.zones) {
    Node node;
    node.zone = zone.name;
    node.name = node_name(zone.name);
    node.address = host_address(zone, kNodeHost, port);
    node.start_at = now;
    state.nodes.emplace(node.name, node);
  }
  state.settings = std::move(settings);
  return state;
}

}  // namespace

std::vector<const LoadBalancerSettings*> load_balancers(const RegionSettings& settings) {
  std::vector<const LoadBalancerSettings*> all{&settings.load_balancer};
  for (const LoadBalancerSettings& one : settings.further_load_balancers) all.push_back(&one);
  return all;
}

Region::Region(Time now, RegionSettings settings, std::uint64_t seed, Journal* journal)
    : machine_(std::make_unique<Machine>(fresh_state(now, std::move(settings), seed), journal)) {}

Region::Region(RegionState state, Journal* journal) : machine_(std::make_unique<Machine>(std::move(state), journal)) {}

Region::~Region() = default;
Region::Region(Region&&) noexcept = default;
Region& Region::operator=(Region&&) noexcept = default;

void Region::set_recorder(Recorder* recorder) { machine_->recorder_ = recorder; }

Result<Reply, ApiError> Region::apply(Time now, const Command& command) { return machine_->apply(now, command); }

void Region::apply(Time now, const Event& event) { machine_->apply(now, event); }

void Region::wake(Time now) { machine_->wake(now); }

std::vector<Action> Region::take_actions() {
  if (!machine_->actions_.empty() && machine_->recorder_ != nullptr) machine_->recorder_->sync(machine_->state_);
  return std::exchange(machine_->actions_, {});
}

std::optional<Time> Region::next_wake() const { return machine_->next_wake(); }

void Region::recover(Time now, const std::set<std::string>& still_running) { machine_->recover(now, still_running); }

const RegionState& Region::state() const { return machine_->state_; }

}  // namespace rr::sim
