#pragma once
// The whole process: several load balancers on one loop.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/journal.h"
#include "lb/net/loop.h"
#include "lb/net/timer.h"
#include "lb/proxy/config.h"
#include "lb/proxy/health_check_log.h"
#include "lb/proxy/load_balancer.h"
#include "lb/proxy/worker.h"

namespace rr {

/// Why a configuration was not taken.
struct ApplyFailure {
  enum class Kind : std::uint8_t {
    kInvalid,       // it is wrong, in every way that `errors` tells
    kOutdated,      // a newer generation is in force, or another configuration of the same one
    kCannotListen,  // a socket could not be opened
    kOwned,         // a control plane owns the configuration: it is changed there
  };
  Kind kind = Kind::kInvalid;
  std::vector<SettingError> errors;
};

/// The logs of a node; those that are not there cost nothing.
struct NodeLogs {
  std::optional<LogFile> access{};
  std::optional<LogFile> connection{};
  std::optional<LogFile> health_check{};
};

/// Where a process has several workers, each has a node of its own: the first one leads, makes the health checks, and
/// opens the sockets; the others follow what it says.
enum class NodeRole : std::uint8_t { kLeads, kFollows };

class Node {
 public:
  /// `followers`: so many nodes follow this one, which must then have on_config and on_health set.
  Node(Loop& loop, Rng random, NodeLogs logs, NodeRole role = NodeRole::kLeads, std::size_t followers = 0);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Takes the whole configuration, or nothing of it. The same one again is fine.
  Result<Ok, ApplyFailure> apply(const NodeConfig& config);
  /// Takes a configuration that somebody made of the present one, where no control plane owns it (generation 0): what
  /// the owner sends next would undo the change, or be refused for it.
  Result<Ok, ApplyFailure> change(const NodeConfig& config);
  /// Replaces the targets of one group, on the same condition.
  Result<Ok, ApplyFailure> apply(const TargetsUpdate& update);

  /// Ceases to accept, lets requests in progress finish (their answers carry Connection: close) for at most `limit`,
  /// then ends what is left; calls back once.
  void drain(Duration limit, std::function<void()> on_done);
  /// Ends everything now.
  void stop();
  bool stopping() const { return stopping_; }

  /// "listening on ..." for each socket that was opened, once.
  std::function<void(const std::string&)> on_listening;
  /// What the followers are to apply now, one configuration for each: with sockets of its own.
  std::function<void(std::vector<NodeConfig>)> on_config;
  /// What the followers are to adopt(), and who wants to know of drains.
  void set_on_health(std::function<void(const HealthNews&)> on_health) { worker_.on_health = std::move(on_health); }
  void set_on_drain_ended(std::function<void(DrainEnded)> on_drain) { worker_.on_drain_ended = std::move(on_drain); }
  void adopt(const HealthNews& news);
  /// A follower's part of a drain.
  void add_drain(DrainEnded drain) { drains_.add(std::move(drain)); }
  /// Lines of a follower's logs.
  void append_access_log(std::string_view lines);
  void append_connection_log(std::string_view lines);
  /// After a rotation: every log goes on in a new file. What could not be opened is told, a line each.
  std::vector<std::string> reopen_logs();

  Loop& loop() const { return worker_.loop; }
  const NodeConfig& config() const { return config_; }
  /// Names the present state of the configuration, of this process: a change makes another. In quotes, as in HTTP.
  std::string etag() const;
  const std::vector<std::unique_ptr<LoadBalancer>>& load_balancers() const { return load_balancers_; }
  const DrainLog& drains() const { return drains_; }
  Journal& journal() { return journal_; }
  Time started() const { return started_; }
  std::uint64_t lost_log_lines() const { return worker_.access_log ? worker_.access_log->lost() : 0; }
  std::uint64_t lost_connection_log_lines() const {
    return worker_.connection_log ? worker_.connection_log->lost() : 0;
  }
  std::uint64_t lost_health_check_log_lines() const { return health_check_file_ ? health_check_file_->lost() : 0; }

 private:
  struct Wanted;
  std::optional<ApplyFailure> owned_by_control_plane() const;
  std::vector<LogFile*> logs();
  LoadBalancer* find(const std::string& name) const;
  std::vector<Wanted> wanted_sockets(const NodeConfig& config);
  std::vector<ListenerSocket*> claim_open_sockets(std::vector<Wanted>& all) const;
  using OpenSockets = std::map<ListenerSocket*, std::unique_ptr<ListenerSocket>>;  // looked up, never iterated
  OpenSockets take_open_sockets(std::vector<Wanted>& all);
  Result<std::vector<ListenerSockets>, ApplyFailure> gather_sockets(const NodeConfig& config);
  NodeConfig with_keys(NodeConfig config);
  std::vector<NodeConfig> for_followers(const NodeConfig& config);
  void tell_followers();
  void sweep();
  Duration sweep_interval() const;
  std::size_t connections() const;

  Journal journal_{1000};
  Worker worker_;
  std::optional<LogFile> health_check_file_;
  std::optional<HealthCheckLog> health_check_log_;
  DrainLog drains_;
  std::size_t followers_;
  std::map<std::string, std::string> drawn_keys_;  // by load balancer: of cookies that all workers have to understand
  NodeConfig config_;
  std::uint64_t revision_ = 0;                                 // of config_: how often it was changed
  std::vector<std::unique_ptr<LoadBalancer>> load_balancers_;  // as config_.load_balancers
  std::vector<std::unique_ptr<LoadBalancer>> retired_;
  Timer sweep_timer_;
  Timer flush_timer_;
  Time started_;
  bool stopping_ = false;
  Time stop_deadline_{};
  std::function<void()> on_drained_;
};

}  // namespace rr
