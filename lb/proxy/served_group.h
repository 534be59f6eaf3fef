#pragma once
// A target group in service: its policy, its prober, its connections, and the one timer that drives them.
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lb/net/timer.h"
#include "lb/policy/requests_per_target.h"
#include "lb/policy/target_group.h"
#include "lb/proxy/back_pool.h"
#include "lb/proxy/prober.h"
#include "lb/proxy/worker_news.h"

namespace rr {

struct Worker;

/// The drains that ended, the last kKeep of them, numbered.
class DrainLog {
 public:
  static constexpr std::size_t kKeep = 10'000;
  /// Each drain is told by so many workers; it has ended when the last of them has said so. Before the first add().
  void set_workers(std::size_t workers) { workers_ = workers; }
  void add(DrainEnded drain);
  const std::deque<DrainEnded>& drains() const { return drains_; }
  std::uint64_t last_cursor() const { return last_; }

 private:
  struct Partly {
    DrainEnded drain;
    std::size_t told = 0;
  };
  std::optional<DrainEnded> add_partly(DrainEnded drain);

  std::size_t workers_ = 1;
  std::deque<Partly> partly_;  // in the order of their first word; at most kKeep
  std::deque<DrainEnded> drains_;
  std::uint64_t last_ = 0;
};

class ServedGroup final : private ProbeListener {
 public:
  /// `on_change` is called when health, or what a zonal shift does, may have changed; not from within a call of this
  /// class.
  ServedGroup(Worker& worker, std::string load_balancer, std::string load_balancer_log_name,
              const TargetGroupSettings& settings, const PoolSettings& pool_settings, std::function<void()> on_change);

  void configure(const TargetGroupSettings& settings, const PoolSettings& pool_settings);
  void set_place(const GroupPlace& place);
  void set_targets(const std::vector<TargetSpec>& targets);

  TargetGroup& group() { return group_; }
  const TargetGroup& group() const { return group_; }
  BackPool& back_pool() { return pool_; }
  const BackPool& back_pool() const { return pool_; }
  const std::string& name() const { return group_.settings().name; }
  /// "targetgroup/web/0123456789abcdef", as in an ARN.
  const std::string& log_name() const { return log_name_; }

  /// What the worker that makes the health checks has found out about a target.
  void adopt(const std::string& id, std::uint16_t port, const HealthState& health);

  /// A request is given to the target, and is over.
  void started(TargetPool& pool);
  void finished(TargetPool& pool, TargetResult result);

  /// What requests took that went to a target of the group.
  GroupLatencies& latencies() { return latencies_; }
  GroupTotals totals() const { return {pool_.counters(), latencies_, pool_.open()}; }
  /// RequestCountPerTarget, by the targets of all zones or of those that this node gives requests to.
  double requests_per_target(bool of_own_zone) const;

  void close_expired(Time now) { pool_.close_expired(now); }

 private:
  void on_probe(const ProbeDue& probe, const ProbeOutcome& outcome, const ProbeCourse& course) override;
  void on_probe_not_made(const ProbeDue& probe, const ProbeCourse& course) override;
  void tell_observer(int status, ProbeReason reason, const ProbeCourse& course) const;
  void wake();
  void follow();
  void follow_shares();
  void report(TargetPool& pool, bool expired, std::uint64_t requests_cut);

  Worker& worker_;
  std::string load_balancer_;
  std::string load_balancer_log_name_;
  std::string log_name_;
  std::function<void()> on_change_;
  TargetGroup group_;
  GroupPlace place_;
  BackPool pool_;
  GroupLatencies latencies_;
  RequestsPerTarget per_target_, per_target_of_zone_;
  Prober prober_;
  Timer timer_;
};

/// 16 hexadecimal digits that follow from a name: what stands for AWS's random part of an ARN.
std::string stable_id(std::string_view name);

}  // namespace rr
