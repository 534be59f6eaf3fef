// Connections between nodes and instances: which one takes a request and which one is dropped, PoolRules and IdleStack
// say.
#include <algorithm>

#include "sim/virtual/virtual_world_state.h"

namespace rr::sim {

VirtualConnection* VirtualWorld::State::take_idle(Time now, InstancePool& pool) {
  const std::uint64_t round = nodes[pool.group.node()]->round;
  const Duration late =
      PoolRules::network_delay(settings.zones[instances[pool.instance]->zone()].name.value, pool.group.pool_settings);
  VirtualConnection* connection = pool.idle.take(round);
  while (connection != nullptr && connection->closed_at &&
         !PoolRules::believed_open(*connection->closed_at, late, now)) {
    connections.give_back(*connection);
    connection = pool.idle.take(round);
  }
  return connection;
}

void VirtualWorld::State::release(Time now, VirtualConnection& connection, bool reusable) {
  InstancePool& pool = *connection.pool;
  const PoolVerdict verdict =
      PoolRules::on_return(reusable, !pool.registered, pool.idle.size(), pool.group.pool_settings);
  if (verdict != PoolVerdict::kKeep) return close(connection);
  pool.idle.put(connection, now, nodes[pool.group.node()]->round);
  if (!connection.timer_set) set_timer(now, connection);
}

/// By the node. The instance hears of it at once: it has no decision that hangs on when.
void VirtualWorld::State::close(VirtualConnection& connection) {
  VirtualInstance& instance = *instances[connection.pool->instance];
  if (!connection.closed_at && instance.connections > 0) --instance.connections;
  connections.give_back(connection);
}

void VirtualWorld::State::close_idle(InstancePool& pool) {
  while (VirtualConnection* connection = pool.idle.oldest()) {
    pool.idle.remove(*connection);
    close(*connection);
  }
}

/// One event at a time looks at a connection; when it was used meanwhile, the event is set anew for the rest.
void VirtualWorld::State::set_timer(Time now, VirtualConnection& connection) {
  const InstancePool& pool = *connection.pool;
  Time next = connection.idle_since + pool.group.pool_settings.idle_timeout;
  const auto keep_alive = instances[pool.instance]->profile().keep_alive;
  if (keep_alive && !connection.closed_at) next = std::min(next, connection.idle_since + *keep_alive);
  connection.timer_set = true;
  push(std::max(now, next), HappeningKind::kConnectionTimer, 0, Slab<VirtualConnection>::handle(connection));
}

void VirtualWorld::State::connection_timer(Time now, VirtualConnection& connection) {
  connection.timer_set = false;
  if (connection.call != nullptr) return;  // set again when it comes back
  InstancePool& pool = *connection.pool;
  if (PoolRules::expired(connection.idle_since, now, pool.group.pool_settings)) {
    pool.idle.remove(connection);
    return close(connection);
  }
  VirtualInstance& instance = *instances[pool.instance];
  const auto keep_alive = instance.profile().keep_alive;
  if (keep_alive && !connection.closed_at && now - connection.idle_since >= *keep_alive && !instance.faults.hung) {
    connection.closed_at = now;
    if (instance.connections > 0) --instance.connections;
    const VirtualNode& node = *nodes[pool.group.node()];
    const Duration late =
        PoolRules::network_delay(settings.zones[instance.zone()].name.value, pool.group.pool_settings);
    const auto delay = way(node, instance, true);
    if (delay) push(now + *delay + late, HappeningKind::kCloseHeard, 0, Slab<VirtualConnection>::handle(connection));
  }
  set_timer(now, connection);
}

void VirtualWorld::State::close_heard(VirtualConnection& connection) {
  if (connection.call != nullptr) return;  // the request that is on its way there will be reset
  connection.pool->idle.remove(connection);
  close(connection);
}

}  // namespace rr::sim
