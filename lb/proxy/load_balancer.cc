#include "lb/proxy/load_balancer.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "lb/policy/group_use.h"
#include "lb/proxy/worker.h"

namespace rr {
namespace {

/// Takes the element of that name out of the list; nothing when there is none.
template <class Named>
std::unique_ptr<Named> take_named(std::vector<std::unique_ptr<Named>>& list, const std::string& name) {
  for (auto& one : list) {
    if (one && one->name() == name) return std::move(one);
  }
  return nullptr;
}

template <class Named>
void move_rest(std::vector<std::unique_ptr<Named>>& from, std::vector<std::unique_ptr<Named>>& to) {
  for (auto& one : from) {
    if (one) to.push_back(std::move(one));
  }
  from.clear();
}

PoolSettings pool_settings_of(const LoadBalancerSettings& settings, const std::string& zone) {
  PoolSettings pool;
  pool.idle_timeout = settings.idle_timeout;
  pool.maximum_idle = static_cast<std::size_t>(settings.maximum_idle_connections);
  pool.network_delay_same_zone = settings.network_delay_same_zone;
  pool.network_delay_cross_zone = settings.network_delay_cross_zone;
  pool.zone = zone;
  return pool;
}

}  // namespace

LoadBalancer::LoadBalancer(Worker& worker, std::string name)
    : worker_(worker), follows_dns_soon_(std::make_shared<bool>(false)) {
  log_name_ = fmt::format("app/{}/{}", name, stable_id(name));
  settings_.name = std::move(name);
}

int LoadBalancer::refusal_status(ParseError error) const {
  switch (error) {
    case ParseError::kHeaderTooLarge:
    case ParseError::kTooManyHeaders:
      return settings_.oversized_head_status;
    case ParseError::kUnknownTransferCoding:
      return settings_.unknown_coding_status;
    case ParseError::kBadSyntax:
    case ParseError::kBadVersion:
    case ParseError::kBadFraming:
    case ParseError::kBadChunk:
    case ParseError::kStartLineTooLong:
    case ParseError::kMissingHost:
      break;
  }
  return alb_status(error);
}

LoadBalancer::~LoadBalancer() {
  listeners_.clear();
  retired_listeners_.clear();
}

void LoadBalancer::configure(const LoadBalancerConfig& config, const std::string& zone, ListenerSockets sockets) {
  if (config.settings.cookie_key != settings_.cookie_key) cookie_seal_.reset();
  settings_ = config.settings;
  zone_ = zone;
  configure_groups(config);
  configure_listeners(config, std::move(sockets));
  follow_dns();
}

void LoadBalancer::configure_groups(const LoadBalancerConfig& config) {
  std::vector<std::unique_ptr<ServedGroup>> before = std::exchange(groups_, {});
  for (std::size_t i = 0; i < settings_.target_groups.size(); ++i) {
    const TargetGroupSettings& settings = settings_.target_groups[i];
    std::unique_ptr<ServedGroup> group = take_named(before, settings.name);
    if (group) {
      group->configure(settings, pool_settings_of(settings_, zone_));
    } else {
      group = std::make_unique<ServedGroup>(worker_, name(), log_name(), settings, pool_settings_of(settings_, zone_),
                                            [this] { follow_dns_soon(); });
    }
    group->set_place(place_of(settings.name));
    group->set_targets(config.targets[i]);
    groups_.push_back(std::move(group));
  }
  for (auto& group : before) {
    if (group) group->set_targets({});
  }
  move_rest(before, retired_groups_);
}

void LoadBalancer::configure_listeners(const LoadBalancerConfig& config, ListenerSockets sockets) {
  std::vector<std::unique_ptr<Listener>> before = std::exchange(listeners_, {});
  for (std::size_t i = 0; i < settings_.listeners.size(); ++i) {
    ListenerSettings settings = settings_.listeners[i];
    const ListenerBinding& binding = config.bindings[i];
    if (binding.port_from_socket) settings.port = 0;
    std::unique_ptr<Listener> listener = take_named(before, settings.name);
    if (!listener) listener = std::make_unique<Listener>(worker_, *this, settings.name);
    listener->configure(settings, settings_.target_groups, binding.accepting, std::move(sockets[i]));
    listeners_.push_back(std::move(listener));
  }
  for (auto& listener : before) {
    if (listener) listener->retire();
  }
  move_rest(before, retired_listeners_);
}

void LoadBalancer::set_targets(std::size_t group, const std::vector<TargetSpec>& targets) {
  groups_[group]->set_targets(targets);
  follow_dns();
}

CookieSeal& LoadBalancer::cookie_seal() {
  if (!cookie_seal_) cookie_seal_ = std::make_unique<CookieSeal>(settings_.cookie_key, name());
  return *cookie_seal_;
}

GroupPlace LoadBalancer::place_of(const std::string& target_group) const {
  GroupPlace place;
  place.zone = zone_;
  place.in_use = forwards_to(settings_, target_group);
  place.enabled_zones = settings_.availability_zones;
  place.zonal_shift = settings_.zonal_shift;
  place.propagation_delay = settings_.propagation_delay;
  return place;
}

std::vector<std::string> LoadBalancer::zones(std::span<const GroupHealth> groups) const {
  std::set<std::string> zones(settings_.availability_zones.begin(), settings_.availability_zones.end());
  if (!zone_.empty()) zones.insert(zone_);
  for (const GroupHealth& group : groups) {
    for (const ZoneCount& one : group.zones) {
      if (!in_every_zone(one.zone)) zones.insert(one.zone);
    }
  }
  return {zones.begin(), zones.end()};
}

std::optional<std::string> LoadBalancer::shifted_zone() const {
  const auto& shift = settings_.zonal_shift;
  if (!shift || worker_.loop.now() >= shift->expires) return std::nullopt;
  return shift->zone;
}

std::vector<DnsVerdict> LoadBalancer::dns() const {
  std::vector<GroupHealth> health;
  for (const auto& group : groups_) health.push_back(group->group().zone_health());
  return zones_in_dns(zones(health), health, shifted_zone());
}

std::vector<ZoneStates> LoadBalancer::zone_states(const ServedGroup& group) const {
  const GroupHealth health = group.group().zone_health();
  std::vector<std::string> all = zones(std::span(&health, 1));
  if (all.empty()) all.emplace_back();
  return rr::zone_states(health, group.group().settings().unhealthy_state_routing, all, shifted_zone());
}

GroupTotals LoadBalancer::totals() const {
  GroupTotals sum = gone_groups_;
  for (const auto& group : groups_) sum += group->totals();
  for (const auto& group : retired_groups_) sum += group->totals();
  return sum;
}

std::uint64_t LoadBalancer::connections_rejected() const {
  std::uint64_t sum = counters_.connections_rejected;
  for (const auto& listener : listeners_) {
    for (const auto& socket : listener->sockets()) sum += socket->turned_away();
  }
  return sum;
}

void LoadBalancer::follow_dns_soon() {
  if (zone_.empty() || *follows_dns_soon_) return;
  *follows_dns_soon_ = true;
  worker_.loop.post([this, lives = std::weak_ptr(follows_dns_soon_)] {
    const auto soon = lives.lock();
    if (!soon) return;
    *soon = false;
    follow_dns();
  });
}

void LoadBalancer::follow_dns() {
  DnsVerdict now{zone_};
  if (!zone_.empty()) {
    for (DnsVerdict& one : dns()) {
      if (one.zone == zone_) now = std::move(one);
    }
  }
  if (now.in_dns != own_dns_.in_dns && worker_.journal != nullptr) {
    worker_.journal->write(
        worker_.loop.now(), name(),
        fmt::format("the node of {} {} DNS: {}", zone_, now.in_dns ? "returns to" : "leaves", to_string(now.reason)));
  }
  own_dns_ = std::move(now);
  for (const auto& listener : listeners_) listener->set_in_dns(own_dns_.in_dns);
}

void LoadBalancer::retire() {
  retired_ = true;
  configure(LoadBalancerConfig{[&] {
                                 LoadBalancerSettings empty = settings_;
                                 empty.listeners.clear();
                                 empty.target_groups.clear();
                                 return empty;
                               }(),
                               {},
                               {}},
            zone_, {});
}

Listener* LoadBalancer::find_listener(const std::string& listener_name) {
  for (const auto& listener : listeners_) {
    if (listener->name() == listener_name) return listener.get();
  }
  return nullptr;
}

ServedGroup* LoadBalancer::find_group(const std::string& group_name) const {
  for (const auto& group : groups_) {
    if (group->name() == group_name) return group.get();
  }
  return nullptr;
}

std::size_t LoadBalancer::connections() const {
  std::size_t total = 0;
  for (const auto& listener : listeners_) total += listener->connections();
  for (const auto& listener : retired_listeners_) total += listener->connections();
  return total;
}

void LoadBalancer::check_deadlines(Time now) {
  for (const auto& listener : listeners_) listener->check_deadlines(now);
  for (const auto& listener : retired_listeners_) listener->check_deadlines(now);
  for (const auto& group : groups_) group->close_expired(now);
  if (own_dns_.reason == DnsReason::kZonalShift && now >= settings_.zonal_shift->expires) follow_dns();
  clear_retired();
}

void LoadBalancer::clear_retired() {
  std::erase_if(retired_listeners_, [](const auto& listener) { return listener->connections() == 0; });
  std::erase_if(retired_groups_, [this](const auto& group) {
    const bool gone = group->back_pool().unused() && group->group().status().empty();
    if (gone) gone_groups_ += group->totals();
    return gone;
  });
}

void LoadBalancer::drain() {
  for (const auto& listener : listeners_) listener->drain();
}

void LoadBalancer::stop() {
  for (const auto& listener : listeners_) listener->stop();
  for (const auto& listener : retired_listeners_) listener->stop();
}

}  // namespace rr
