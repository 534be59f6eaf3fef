#pragma once
// A target group on one node: the policy's own TargetGroup, and for each of its targets the connections that the
// policy's PoolRules rule over.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lb/policy/pool_rules.h"
#include "lb/policy/target_group.h"
#include "sim/cloud/region.h"
#include "sim/virtual/call.h"
#include "sim/virtual/instance.h"
#include "sim/virtual/loss.h"

namespace rr::sim {

class BalancerGroup;

/// One target of a group on a node.
class InstancePool {
 public:
  InstancePool(BalancerGroup& of, TargetId id, std::uint32_t instance_slot, std::string logical)
      : group(of), target(id), instance(instance_slot), id_text(std::move(logical)) {}

  BalancerGroup& group;
  const TargetId target;
  const std::uint32_t instance;  // the world's number of it
  const std::string id_text;
  IdleStack<VirtualConnection> idle;
  IntrusiveList<Call, BusyTag> busy;
  std::uint32_t outstanding = 0;
  std::uint64_t requests = 0;  // it was given
  bool registered = true;      // as last configured: the ledger of the invariants
  bool healthy = false;        // as last observed: likewise
  bool drain_reported = false;
};

class BalancerGroup {
 public:
  BalancerGroup(std::uint32_t node, std::uint32_t index, std::uint32_t balancer, const TargetGroupSettings& settings,
                Journal* journal)
      : node_(node), index_(index), balancer_(balancer), targets(settings, journal) {}

  std::uint32_t node() const { return node_; }
  std::uint32_t index() const { return index_; }
  std::uint32_t balancer() const { return balancer_; }

  InstancePool* pool(TargetId target) const {
    return target.value < pools_.size() ? pools_[target.value].get() : nullptr;
  }
  /// The world's number of a target's instance, without a look at its pool. It must have one.
  std::uint32_t instance(TargetId target) const { return instances_[target.value]; }
  InstancePool& add_pool(TargetId target, std::uint32_t instance, const std::string& id);
  void forget(TargetId target);
  const std::vector<std::unique_ptr<InstancePool>>& pools() const { return pools_; }

  /// To be called with each change of a pool's `registered` and `healthy`.
  void set_registered(InstancePool& pool, bool registered);
  void set_healthy(InstancePool& pool, bool healthy);
  std::uint32_t usable() const { return usable_; }  // registered and healthy

 private:
  const std::uint32_t node_;
  const std::uint32_t index_;
  const std::uint32_t balancer_;
  std::vector<std::unique_ptr<InstancePool>> pools_;  // by TargetId::value, which is dense; empty where it is forgotten
  std::vector<std::uint32_t> instances_;              // likewise
  std::uint32_t usable_ = 0;

 public:
  TargetGroup targets;
  PoolSettings pool_settings;
  std::optional<Time> wakes_at;  // of the pending event
  std::shared_ptr<const TargetTable::Group> listed = std::make_shared<const TargetTable::Group>();  // as configured
  std::vector<TargetHealthReported::Target> news{};  // since the last report
  bool retired = false;                              // its process has ended
  Blame taken_by{LossRule::kStarting};               // what made the last target unusable that was usable
};

}  // namespace rr::sim
