#pragma once
// One load balancer of the process: its listeners and target groups.
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lb/http/message.h"
#include "lb/policy/zone_health.h"
#include "lb/proxy/config.h"
#include "lb/proxy/cookie_seal.h"
#include "lb/proxy/counters.h"
#include "lb/proxy/error_log.h"
#include "lb/proxy/listener.h"
#include "lb/proxy/served_group.h"

namespace rr {

struct Worker;

/// The sockets of a load balancer's listeners, in the order of its configuration.
using ListenerSockets = std::vector<std::vector<std::unique_ptr<ListenerSocket>>>;

class LoadBalancer {
 public:
  LoadBalancer(Worker& worker, std::string name);
  ~LoadBalancer();

  /// Takes a whole configuration, which must be valid. Connections and requests in progress go on; what is no longer
  /// configured comes to its end in its own time.
  /// `zone` is the node's.
  void configure(const LoadBalancerConfig& config, const std::string& zone, ListenerSockets sockets);
  /// Only the targets of one group.
  void set_targets(std::size_t group, const std::vector<TargetSpec>& targets);
  /// It is no longer configured.
  void retire();
  /// Retired, and nothing is left of it.
  bool gone() const { return retired_ && listeners_.empty() && retired_listeners_.empty() && connections() == 0; }

  void check_deadlines(Time now);
  void drain();
  void stop();

  const std::string& name() const { return settings_.name; }
  /// "app/NAME/0123456789abcdef".
  const std::string& log_name() const { return log_name_; }
  const LoadBalancerSettings& settings() const { return settings_; }
  /// The status that answers bytes which are no request.
  int refusal_status(ParseError error) const;
  ServedGroup& group(std::size_t index) { return *groups_[index]; }
  ServedGroup* find_group(const std::string& name) const;  // nullptr where there is none
  Listener* find_listener(const std::string& name);
  const std::vector<std::unique_ptr<Listener>>& listeners() const { return listeners_; }
  const std::vector<std::unique_ptr<ServedGroup>>& groups() const { return groups_; }
  /// Which zones' nodes belong into DNS now, as far as this node sees it: its own zone, the enabled ones and those of
  /// its targets, in alphabetical order. Empty when there is none.
  std::vector<DnsVerdict> dns() const;
  /// Of this node's own zone; a node of no zone is always in.
  const DnsVerdict& own_dns() const { return own_dns_; }
  LoadBalancerCounters& counters() { return counters_; }
  const LoadBalancerCounters& counters() const { return counters_; }
  /// What the target groups come to, those that are no longer configured included.
  GroupTotals totals() const;
  /// Connections that the kernel turned away because the queue of a listening socket was full.
  std::uint64_t connections_rejected() const;
  /// By zone, for the zones of dns() in which the group counts targets; one zone without a name where there are none.
  std::vector<ZoneStates> zone_states(const ServedGroup& group) const;
  /// Under the configured key, else under one that lives as long as this.
  CookieSeal& cookie_seal();
  ErrorLog& errors() { return errors_; }
  const ErrorLog& errors() const { return errors_; }
  /// Open connections of clients, also those of listeners that are no longer configured.
  std::size_t connections() const;

 private:
  void configure_groups(const LoadBalancerConfig& config);
  void configure_listeners(const LoadBalancerConfig& config, ListenerSockets sockets);
  void clear_retired();
  std::vector<std::string> zones(std::span<const GroupHealth> groups) const;
  std::optional<std::string> shifted_zone() const;
  GroupPlace place_of(const std::string& target_group) const;
  /// After whatever may have changed who is in DNS, once for all that happens in one round of the loop.
  void follow_dns_soon();
  void follow_dns();

  Worker& worker_;
  LoadBalancerSettings settings_;
  std::string log_name_;
  std::string zone_;
  LoadBalancerCounters counters_;
  GroupTotals gone_groups_;
  std::unique_ptr<CookieSeal> cookie_seal_;  // from the first sticky request on
  ErrorLog errors_;
  // Declared before the listeners: their connections hold exchanges that use the groups.
  std::vector<std::unique_ptr<ServedGroup>> groups_;  // as settings_.target_groups
  std::vector<std::unique_ptr<ServedGroup>> retired_groups_;
  std::vector<std::unique_ptr<Listener>> listeners_;  // as settings_.listeners
  std::vector<std::unique_ptr<Listener>> retired_listeners_;
  bool retired_ = false;
  DnsVerdict own_dns_;
  std::shared_ptr<bool> follows_dns_soon_;  // lives as long as this; what was posted looks whether it still does
};

}  // namespace rr
