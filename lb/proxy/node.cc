#include "lb/proxy/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "lb/proxy/cookie_seal.h"
#include "lb/proxy/exchange.h"

namespace rr {
namespace {
/// Connections and deadlines are looked over that often; more often when a time-out is short, so that none is late by
/// more than a tenth of itself or the lower bound.
constexpr Duration kLongestSweep = std::chrono::seconds(1);
constexpr Duration kShortestSweep = std::chrono::milliseconds(10);
constexpr Duration kFlushInterval = std::chrono::seconds(1);

ApplyFailure outdated(std::string message) {
  return {ApplyFailure::Kind::kOutdated, {{"generation", std::move(message)}}};
}

}  // namespace

Node::Node(Loop& loop, Rng random, NodeLogs logs_of_node, NodeRole role, std::size_t followers)
    : worker_(loop, random),
      followers_(followers),
      sweep_timer_(loop, [this] { sweep(); }),
      flush_timer_(loop,
                   [this] {
                     for (LogFile* log : logs()) log->flush();
                     flush_timer_.arm(kFlushInterval);
                   }),
      started_(loop.now()) {
  worker_.notices = &journal_;
  if (role == NodeRole::kLeads) worker_.journal = &journal_;
  worker_.makes_health_checks = role == NodeRole::kLeads;
  worker_.on_drain_ended = [this](DrainEnded drain) { drains_.add(std::move(drain)); };
  drains_.set_workers(followers + 1);
  if (logs_of_node.access) worker_.access_log.emplace(std::move(*logs_of_node.access));
  if (logs_of_node.connection) worker_.connection_log.emplace(std::move(*logs_of_node.connection));
  if (logs_of_node.health_check) {
    health_check_file_.emplace(std::move(*logs_of_node.health_check));
    worker_.health_check_observer = &health_check_log_.emplace(*health_check_file_);
  }
  if (!logs().empty()) flush_timer_.arm(kFlushInterval);
  sweep_timer_.arm(kLongestSweep);
}

std::vector<LogFile*> Node::logs() {
  std::vector<LogFile*> open;
  for (std::optional<LogFile>* log : {&worker_.access_log, &worker_.connection_log, &health_check_file_}) {
    if (*log) open.push_back(&**log);
  }
  return open;
}

Node::~Node() { stop(); }

LoadBalancer* Node::find(const std::string& name) const {
  for (const auto& balancer : load_balancers_) {
    if (balancer && balancer->name() == name) return balancer.get();
  }
  return nullptr;
}

// ------------------------------------------------------------------------------------------- the configuration

/// One socket that the new configuration wants, and the open one that will do, if there is one.
struct Node::Wanted {
  const Endpoint* endpoint;
  std::string_view load_balancer, listener;  // by name
  std::size_t number;                        // among the listener's
  Listener* present;                         // of the same name
  ListenerSocket* open = nullptr;
  std::unique_ptr<ListenerSocket> opened;
  std::vector<std::unique_ptr<ListenerSocket>> beside{};  // of addresses that this one listens on as well

  std::string field() const {
    return fmt::format("load_balancers[{}].listeners[{}].sockets[{}]", load_balancer, listener, number);
  }
  bool covers(const ListenerSocket& socket) const {
    const auto* wide = std::get_if<Address>(endpoint);
    const auto* narrow = std::get_if<Address>(&socket.configured());
    return wide != nullptr && narrow != nullptr && wide->ip == decltype(wide->ip){} && wide->port != 0 &&
           wide->family == narrow->family && wide->port == narrow->port;
  }
};

/// Every socket that the new configuration wants, in its order.
std::vector<Node::Wanted> Node::wanted_sockets(const NodeConfig& config) {
  std::vector<Wanted> all;
  for (const LoadBalancerConfig& balancer : config.load_balancers) {
    LoadBalancer* present = find(balancer.settings.name);
    for (std::size_t i = 0; i < balancer.bindings.size(); ++i) {
      const std::string& name = balancer.settings.listeners[i].name;
      Listener* listener = present == nullptr ? nullptr : present->find_listener(name);
      const std::vector<Endpoint>& sockets = balancer.bindings[i].sockets;
      for (std::size_t k = 0; k < sockets.size(); ++k) {
        all.push_back({&sockets[k], balancer.settings.name, name, k, listener, nullptr, nullptr, {}});
      }
    }
  }
  return all;
}

/// A socket stays with a listener of the same name, else goes to whoever wants the same endpoint. What is returned is
/// wanted by nobody.
std::vector<ListenerSocket*> Node::claim_open_sockets(std::vector<Wanted>& all) const {
  std::vector<std::pair<Listener*, ListenerSocket*>> unclaimed;
  for (const auto& balancer : load_balancers_) {
    for (const auto& listener : balancer->listeners()) {
      for (const auto& socket : listener->sockets()) unclaimed.emplace_back(listener.get(), socket.get());
    }
  }
  for (const bool of_same_name : {true, false}) {
    for (Wanted& wanted : all) {
      if (wanted.open != nullptr) continue;
      const auto found = std::find_if(unclaimed.begin(), unclaimed.end(), [&](const auto& one) {
        return one.second->configured() == *wanted.endpoint && (!of_same_name || one.first == wanted.present);
      });
      if (found == unclaimed.end()) continue;
      wanted.open = found->second;
      unclaimed.erase(found);
    }
  }
  std::vector<ListenerSocket*> leaving;
  for (const auto& one : unclaimed) leaving.push_back(one.second);
  return leaving;
}

/// The present listeners' sockets that are wanted. What nobody wants is closed, unless it may stay beside one that is.
Node::OpenSockets Node::take_open_sockets(std::vector<Wanted>& all) {
  OpenSockets given_up;
  for (const auto& balancer : load_balancers_) {
    for (const auto& listener : balancer->listeners()) {
      for (auto& socket : listener->take_sockets()) {
        ListenerSocket* name = socket.get();
        const auto covering =
            std::find_if(all.begin(), all.end(), [&](const Wanted& wanted) { return wanted.covers(*name); });
        if (std::any_of(all.begin(), all.end(), [&](const Wanted& wanted) { return wanted.open == name; })) {
          given_up.emplace(name, std::move(socket));
        } else if (covering != all.end()) {
          // It may stay: whoever is just connecting to it would be reset by its end.
          covering->beside.push_back(std::move(socket));
        } else {
          socket->take_queued();  // for the listener that had it
        }
      }
    }
  }
  return given_up;
}

/// Finds or opens every socket of the new configuration. Only when that succeeded the present listeners give theirs up;
/// those that nobody wants are closed.
Result<std::vector<ListenerSockets>, ApplyFailure> Node::gather_sockets(const NodeConfig& config) {
  std::vector<Wanted> all = wanted_sockets(config);
  const std::vector<ListenerSocket*> leaving = claim_open_sockets(all);
  ApplyFailure failure{ApplyFailure::Kind::kCannotListen, {}};
  for (Wanted& wanted : all) {
    if (wanted.open != nullptr) continue;
    auto opened = ListenerSocket::open(worker_, *wanted.endpoint, followers_, leaving);
    if (opened) {
      wanted.opened = std::move(*opened);
    } else {
      failure.errors.push_back({wanted.field(), opened.error().message});
    }
  }
  if (!failure.errors.empty()) return failure;

  OpenSockets given_up = take_open_sockets(all);
  std::vector<ListenerSockets> gathered;
  auto next = all.begin();
  for (const LoadBalancerConfig& balancer : config.load_balancers) {
    ListenerSockets& of_balancer = gathered.emplace_back();
    for (const ListenerBinding& binding : balancer.bindings) {
      auto& of_listener = of_balancer.emplace_back();
      for (std::size_t i = 0; i < binding.sockets.size(); ++i, ++next) {
        if (next->opened && on_listening) on_listening(format_endpoint(next->opened->actual()));
        of_listener.push_back(next->opened ? std::move(next->opened) : std::move(given_up[next->open]));
        for (auto& socket : next->beside) of_listener.push_back(std::move(socket));
      }
    }
  }
  return gathered;
}

Result<Ok, ApplyFailure> Node::apply(const NodeConfig& config) {
  if (config.generation < config_.generation) {
    return outdated(
        fmt::format("generation: {} is older than {}, which is in force", config.generation, config_.generation));
  }
  if (stopping_) return outdated("this node is stopping: it takes no configuration any more");
  if (config == config_) return Ok{};
  if (config.generation == config_.generation && config.generation != 0) {
    return outdated(fmt::format("generation: {} is in force with another configuration: a change needs a higher one",
                                config.generation));
  }
  if (std::vector<SettingError> errors = validate(config); !errors.empty()) {
    return ApplyFailure{ApplyFailure::Kind::kInvalid, std::move(errors)};
  }
  auto sockets = gather_sockets(config);
  if (!sockets) return sockets.error();

  std::vector<std::unique_ptr<LoadBalancer>> before = std::exchange(load_balancers_, {});
  const NodeConfig keyed = with_keys(config);
  for (std::size_t i = 0; i < config.load_balancers.size(); ++i) {
    const LoadBalancerConfig& wanted = keyed.load_balancers[i];
    std::unique_ptr<LoadBalancer> balancer;
    for (auto& one : before) {
      if (one && one->name() == wanted.settings.name) balancer = std::move(one);
    }
    if (!balancer) balancer = std::make_unique<LoadBalancer>(worker_, wanted.settings.name);
    balancer->configure(wanted, config.zone, std::move((*sockets)[i]));
    load_balancers_.push_back(std::move(balancer));
  }
  for (auto& one : before) {
    if (!one) continue;
    one->retire();
    retired_.push_back(std::move(one));
  }
  config_ = config;
  ++revision_;
  sweep_timer_.arm(sweep_interval());
  tell_followers();
  return Ok{};
}

std::string Node::etag() const {
  return fmt::format("\"{:x}-{}\"", started_.time_since_epoch().count() / 1000, revision_);
}

std::optional<ApplyFailure> Node::owned_by_control_plane() const {
  if (config_.generation == 0) return std::nullopt;
  return ApplyFailure{
      ApplyFailure::Kind::kOwned,
      {{"generation", fmt::format("generation {} came from a control plane, which owns the configuration: change it "
                                  "there, or PUT /desired with a higher one",
                                  config_.generation)}}};
}

Result<Ok, ApplyFailure> Node::change(const NodeConfig& config) {
  if (auto owned = owned_by_control_plane()) return *owned;
  return apply(config);
}

Result<Ok, ApplyFailure> Node::apply(const TargetsUpdate& update) {
  if (auto owned = owned_by_control_plane()) return *owned;
  NodeConfig changed = config_;
  const auto invalid = [](std::string message) {
    return ApplyFailure{ApplyFailure::Kind::kInvalid, {{"target_group", std::move(message)}}};
  };
  std::vector<std::pair<std::size_t, std::size_t>> matches;
  for (std::size_t b = 0; b < changed.load_balancers.size(); ++b) {
    const LoadBalancerSettings& balancer = changed.load_balancers[b].settings;
    if (update.load_balancer && balancer.name != *update.load_balancer) continue;
    for (std::size_t g = 0; g < balancer.target_groups.size(); ++g) {
      if (!update.target_group || balancer.target_groups[g].name == *update.target_group) matches.emplace_back(b, g);
    }
  }
  if (matches.empty()) {
    return invalid(
        fmt::format("target_group: '{}' is not a target group of this node", update.target_group.value_or("")));
  }
  if (matches.size() > 1) {
    return invalid("target_group: there are several: name load_balancer and target_group");
  }
  const auto [b, g] = matches.front();
  changed.load_balancers[b].targets[g] = update.targets;
  if (std::vector<SettingError> errors = validate(changed); !errors.empty()) {
    return ApplyFailure{ApplyFailure::Kind::kInvalid, std::move(errors)};
  }
  load_balancers_[b]->set_targets(g, update.targets);
  config_ = std::move(changed);
  ++revision_;
  tell_followers();
  return Ok{};
}

// ------------------------------------------------------------------------------------------------- the followers

/// A load balancer without a key draws one. Where several workers serve it they need the same.
NodeConfig Node::with_keys(NodeConfig config) {
  if (followers_ == 0) return config;
  for (LoadBalancerConfig& balancer : config.load_balancers) {
    if (!balancer.settings.cookie_key.empty()) continue;
    std::string& key = drawn_keys_[balancer.settings.name];
    if (key.empty()) key = draw_cookie_key();
    balancer.settings.cookie_key = key;
  }
  return config;
}

std::vector<NodeConfig> Node::for_followers(const NodeConfig& config) {
  std::vector<NodeConfig> all(followers_, config);
  for (std::size_t b = 0; b < config.load_balancers.size(); ++b) {
    const auto& listeners = load_balancers_[b]->listeners();
    for (std::size_t l = 0; l < listeners.size(); ++l) {
      for (std::size_t f = 0; f < followers_; ++f) {
        std::vector<Endpoint>& sockets = all[f].load_balancers[b].bindings[l].sockets;
        sockets.clear();
        for (const auto& socket : listeners[l]->sockets()) sockets.emplace_back(socket->hand_over(f));
      }
    }
  }
  return all;
}

void Node::tell_followers() {
  if (followers_ > 0) on_config(for_followers(with_keys(config_)));
}

void Node::adopt(const HealthNews& news) {
  LoadBalancer* balancer = find(news.load_balancer);
  ServedGroup* group = balancer == nullptr ? nullptr : balancer->find_group(news.target_group);
  if (group != nullptr) group->adopt(news.id, news.port, news.health);
}

void Node::append_access_log(std::string_view lines) {
  if (worker_.access_log) worker_.access_log->append(lines);
}

void Node::append_connection_log(std::string_view lines) {
  if (worker_.connection_log) worker_.connection_log->append(lines);
}

// ---------------------------------------------------------------------------------------------- time and the end

std::size_t Node::connections() const {
  std::size_t total = 0;
  for (const auto& balancer : load_balancers_) total += balancer->connections();
  for (const auto& balancer : retired_) total += balancer->connections();
  return total;
}

Duration Node::sweep_interval() const {
  Duration interval = stopping_ ? kShortestSweep : kLongestSweep;
  for (const auto& balancer : load_balancers_) interval = std::min(interval, balancer->settings().idle_timeout / 10);
  if (!retired_.empty()) interval = std::min(interval, Duration(std::chrono::milliseconds(100)));
  return std::max(interval, kShortestSweep);
}

void Node::sweep() {
  const Time now = worker_.loop.now();
  for (const auto& balancer : load_balancers_) balancer->check_deadlines(now);
  for (const auto& balancer : retired_) balancer->check_deadlines(now);
  std::erase_if(retired_, [](const auto& balancer) { return balancer->gone(); });
  sweep_timer_.arm(sweep_interval());
  if (on_drained_ == nullptr) return;
  if (connections() > 0 && now < stop_deadline_) return;
  const std::function<void()> done = std::exchange(on_drained_, nullptr);
  stop();
  done();
}

void Node::drain(Duration limit, std::function<void()> on_done) {
  stopping_ = true;
  stop_deadline_ = worker_.loop.now() + limit;
  on_drained_ = std::move(on_done);
  for (const auto& balancer : load_balancers_) balancer->drain();
  sweep_timer_.arm(Duration::zero());
}

void Node::stop() {
  stopping_ = true;
  for (const auto& balancer : load_balancers_) balancer->stop();
  for (const auto& balancer : retired_) balancer->stop();
  for (LogFile* log : logs()) log->flush();
}

std::vector<std::string> Node::reopen_logs() {
  std::vector<std::string> errors;
  for (LogFile* log : logs()) {
    if (const Status reopened = log->reopen(); !reopened) errors.push_back(reopened.error().message);
  }
  return errors;
}

}  // namespace rr
