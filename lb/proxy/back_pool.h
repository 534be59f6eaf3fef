#pragma once
// The connections to the targets of one target group: busy and idle ones by target.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lb/policy/keep_alive_watch.h"
#include "lb/policy/pool_rules.h"
#include "lb/policy/target_group.h"
#include "lb/proxy/back_conn.h"
#include "lb/proxy/counters.h"

namespace rr {

/// All connections to one target, and what is counted of it.
class TargetPool {
 public:
  TargetPool(Worker& worker, TargetId target, const TargetSpec& spec, const PoolSettings& settings);
  ~TargetPool();

  TargetId target() const { return target_; }
  const TargetSpec& spec() const { return spec_; }
  /// "172.31.16.10:8080", the logical address as logs show it.
  const std::string& text() const { return text_; }

  /// A kept connection, the last one that was used, or nullptr.
  BackConn* take_idle();
  /// A connection in the making for this user.
  BackConn* connect(Duration timeout, BackUser& user);
  /// Back from use: kept or closed, as PoolRules say.
  void release(BackConn& connection, bool reusable);
  /// Ends it now; also from within its own events.
  void close(BackConn& connection);
  void close_expired(Time now);
  /// Idle connections go at once: no request will use them.
  void set_draining();
  void take_over(const TargetSpec& spec);
  /// Ends every exchange with the target; returns how many there were.
  std::uint64_t end_exchanges();

  bool unused() const { return busy_.empty(); }
  std::size_t idle() const { return idle_.size(); }
  std::size_t open() const { return open_; }
  bool draining() const { return draining_; }
  const PoolSettings& settings() const { return settings_; }

  /// How late the news of the target's close arrives here.
  Duration network_delay() const { return PoolRules::network_delay(spec_.zone, settings_); }
  const KeepAliveWatch& keep_alive() const { return keep_alive_; }
  void note_first_response(std::optional<std::string_view> keep_alive);
  /// The target closed a connection that had been idle that long.
  void note_idle_close(Duration idle);

  TargetCounters counters;
  bool drain_reported = false;

 private:
  void close_idle();
  void warn() const;

  Worker& worker_;
  TargetId target_;
  TargetSpec spec_;
  std::string text_;
  const PoolSettings& settings_;
  IdleStack<BackConn> idle_;
  IntrusiveList<BackConn, BusyTag> busy_;
  std::size_t open_ = 0;
  bool draining_ = false;
  KeepAliveWatch keep_alive_;
};

/// The pools of a group, ascending by TargetId.
class BackPool {
 public:
  BackPool(Worker& worker, const PoolSettings& settings) : worker_(worker), settings_(settings) {}

  void configure(const PoolSettings& settings) { settings_ = settings; }
  /// Follows the group: new targets get a pool, changed ones take over, draining ones close what is idle.
  void follow(const std::vector<TargetStatus>& status);
  /// The pool of a target that the group knows.
  TargetPool& pool(TargetId target);
  /// Ends what is in progress and forgets the target; returns the number of exchanges that were cut.
  std::uint64_t forget(TargetId target);
  void close_expired(Time now);
  bool unused() const;
  /// Of all targets there ever were.
  TargetCounters counters() const;
  std::size_t open() const;
  const std::vector<std::unique_ptr<TargetPool>>& pools() const { return pools_; }

 private:
  TargetPool* find(TargetId target);

  Worker& worker_;
  PoolSettings settings_;
  std::vector<std::unique_ptr<TargetPool>> pools_;
  TargetCounters forgotten_;  // of those that have no pool any more
};

}  // namespace rr
