#include "sim/virtual/instance.h"

#include <utility>

#include "lb/base/check.h"

namespace rr::sim {

void LinkFaults::add(const LinkFaults& other) {
  latency += other.latency;
  jitter += other.jitter;
  loss = 1 - (1 - loss) * (1 - other.loss);
  reset = 1 - (1 - reset) * (1 - other.reset);
  refuse = refuse || other.refuse;
  blackhole = blackhole || other.blackhole;
}

void VirtualInstance::to(Phase phase) {
  RR_CHECK(phase > phase_, "an instance only ever goes on towards its end");
  phase_ = phase;
  if (phase != Phase::kStopped) return;
  waiting_.clear();
  frozen_.clear();
  busy_ = 0;
  connections = 0;
}

CheckedInstance VirtualInstance::checked() const {
  return {.listens_from = phase_ == Phase::kRunning ? ready_at : Time::max(),
          .health_time = profile_.health_time + faults.slow,
          .health_status = profile_.health_status,
          .zone = zone_,
          .faulty = faults != InstanceFaults{}};
}

VirtualInstance::Taken VirtualInstance::take(CallHandle call) {
  if (!faults.hung && busy_ < profile_.workers) {
    ++busy_;
    return Taken::kServing;
  }
  if (profile_.queue_limit && waiting_.size() >= *profile_.queue_limit) return Taken::kOverloaded;
  waiting_.push_back(call);
  return faults.hung ? Taken::kHeld : Taken::kWaiting;
}

bool VirtualInstance::end_service(CallHandle call) {
  if (faults.hung) {
    frozen_.push_back(call);
    return false;
  }
  RR_CHECK(busy_ > 0, "a service ends that never began");
  --busy_;
  return true;
}

std::optional<CallHandle> VirtualInstance::next_to_serve() {
  if (faults.hung || waiting_.empty() || busy_ >= profile_.workers) return std::nullopt;
  const CallHandle next = waiting_.front();
  waiting_.pop_front();
  ++busy_;
  return next;
}

Duration VirtualInstance::service_time(Rng& rng) const { return profile_.service.sample(rng); }

std::vector<CallHandle> VirtualInstance::thaw() { return std::exchange(frozen_, {}); }

}  // namespace rr::sim
