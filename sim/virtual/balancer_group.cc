#include "sim/virtual/balancer_group.h"

namespace rr::sim {

InstancePool& BalancerGroup::add_pool(TargetId target, std::uint32_t instance, const std::string& id) {
  if (pools_.size() <= target.value) {
    pools_.resize(target.value + 1);
    instances_.resize(target.value + 1);
  }
  instances_[target.value] = instance;
  pools_[target.value] = std::make_unique<InstancePool>(*this, target, instance, id);
  return *pools_[target.value];
}

void BalancerGroup::forget(TargetId target) {
  set_registered(*pools_[target.value], false);
  pools_[target.value].reset();
}

void BalancerGroup::set_registered(InstancePool& pool, bool registered) {
  if (pool.registered && pool.healthy) --usable_;
  pool.registered = registered;
  if (pool.registered && pool.healthy) ++usable_;
}

void BalancerGroup::set_healthy(InstancePool& pool, bool healthy) {
  if (pool.registered && pool.healthy) --usable_;
  pool.healthy = healthy;
  if (pool.registered && pool.healthy) ++usable_;
}

}  // namespace rr::sim
