#include "lb/proxy/served_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lb/proxy/worker.h"

namespace rr {

std::string stable_id(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

/// The whole drain, once every worker has told its part.
std::optional<DrainEnded> DrainLog::add_partly(DrainEnded drain) {
  const auto same = [&](const Partly& one) {
    return one.drain.id == drain.id && one.drain.port == drain.port && one.drain.target_group == drain.target_group &&
           one.drain.load_balancer == drain.load_balancer;
  };
  auto found = std::find_if(partly_.begin(), partly_.end(), same);
  if (found == partly_.end()) found = partly_.insert(partly_.end(), Partly{drain, 0});
  if (found->told > 0) {
    found->drain.expired |= drain.expired;
    found->drain.requests_cut += drain.requests_cut;
    found->drain.at = std::max(found->drain.at, drain.at);
  }
  if (++found->told < workers_) {
    if (partly_.size() > kKeep) partly_.pop_front();
    return std::nullopt;
  }
  DrainEnded whole = std::move(found->drain);
  partly_.erase(found);
  return whole;
}

void DrainLog::add(DrainEnded drain) {
  std::optional<DrainEnded> whole = std::move(drain);
  if (workers_ > 1) whole = add_partly(std::move(*whole));
  if (!whole) return;
  whole->cursor = ++last_;
  drains_.push_back(std::move(*whole));
  if (drains_.size() > kKeep) drains_.pop_front();
}

ServedGroup::ServedGroup(Worker& worker, std::string load_balancer, std::string load_balancer_log_name,
                         const TargetGroupSettings& settings, const PoolSettings& pool_settings,
                         std::function<void()> on_change)
    : worker_(worker),
      load_balancer_(std::move(load_balancer)),
      load_balancer_log_name_(std::move(load_balancer_log_name)),
      log_name_(fmt::format("targetgroup/{}/{}", settings.name, stable_id(settings.name))),
      on_change_(std::move(on_change)),
      group_(settings, worker.journal),
      pool_(worker, pool_settings),
      prober_(worker.loop, *this),
      timer_(worker.loop, [this] { wake(); }) {}

void ServedGroup::configure(const TargetGroupSettings& settings, const PoolSettings& pool_settings) {
  group_.configure(worker_.loop.now(), settings);
  pool_.configure(pool_settings);
  follow();
}

void ServedGroup::set_targets(const std::vector<TargetSpec>& targets) {
  group_.set_targets(worker_.loop.now(), targets);
  follow();
}

void ServedGroup::set_place(const GroupPlace& place) {
  place_ = place;
  group_.set_place(worker_.loop.now(), place);
  follow();
}

void ServedGroup::started(TargetPool& pool) {
  ++pool.counters.requests;
  group_.started(pool.target());
}

void ServedGroup::finished(TargetPool& pool, TargetResult result) {
  if (group_.finished(pool.target(), result)) report(pool, false, 0);
}

void ServedGroup::follow() {
  const std::vector<TargetStatus> status = group_.status();
  pool_.follow(status);
  for (const TargetStatus& one : status) {
    const bool drained = one.health.state == TargetState::kDraining && !one.heard_of_late && one.outstanding == 0;
    if (drained) report(pool_.pool(one.target), false, 0);
  }
  follow_shares();
  if (const auto next = group_.next_wake()) {
    timer_.arm_at(*next);
  } else {
    timer_.disarm();
  }
}

void ServedGroup::follow_shares() {
  const GroupHealth health = group_.zone_health();
  ZoneCount all;
  for (const ZoneCount& one : health.zones) {
    all.registered += one.registered;
    all.healthy += one.healthy;
  }
  std::optional<std::string> shifted;
  if (place_.zonal_shift && worker_.loop.now() < place_.zonal_shift->expires) shifted = place_.zonal_shift->zone;
  const ZoneCount of_zone = counted_for(health, place_.zone, shifted);
  const std::uint64_t requests = pool_.counters().requests;
  per_target_.share_among(all.healthy > 0 ? all.healthy : all.registered, requests);
  per_target_of_zone_.share_among(of_zone.healthy > 0 ? of_zone.healthy : of_zone.registered, requests);
}

double ServedGroup::requests_per_target(bool of_own_zone) const {
  return (of_own_zone ? per_target_of_zone_ : per_target_).sum(pool_.counters().requests);
}

void ServedGroup::report(TargetPool& pool, bool expired, std::uint64_t requests_cut) {
  if (pool.drain_reported) return;
  pool.drain_reported = true;
  if (!worker_.on_drain_ended) return;
  worker_.on_drain_ended(
      {0, load_balancer_, name(), pool.spec().id, pool.spec().address.port, expired, requests_cut, worker_.loop.now()});
}

void ServedGroup::wake() {
  const Time now = worker_.loop.now();
  std::vector<TargetId> expired;
  group_.expire_drains(now, expired);
  for (const TargetId target : expired) {
    TargetPool& pool = pool_.pool(target);
    const std::uint64_t cut = pool.end_exchanges();
    report(pool, true, cut);
    pool_.forget(target);
  }
  std::vector<ProbeDue> due;
  group_.due_probes(now, due);
  if (worker_.makes_health_checks) {
    for (const ProbeDue& probe : due) {
      if (const auto addresses = group_.probe_addresses(probe.target)) {
        prober_.probe(probe, *addresses, group_.settings().health_check);
      }
    }
  }
  follow();
  on_change_();
}

void ServedGroup::tell_observer(int status, ProbeReason reason, const ProbeCourse& course) const {
  if (worker_.health_check_observer == nullptr) return;
  worker_.health_check_observer->on_health_check({course.started, course.latency, course.asked, course.from,
                                                  load_balancer_log_name_, group_.settings().name, status, reason});
}

void ServedGroup::on_probe(const ProbeDue& probe, const ProbeOutcome& outcome, const ProbeCourse& course) {
  tell_observer(outcome.status, probe_reason(outcome, group_.settings().health_check.matcher), course);
  const bool changed = group_.observe(worker_.loop.now(), probe.target, probe.sequence, outcome).has_value();
  const TargetSpec* spec = group_.find(probe.target);
  if (worker_.on_health && spec != nullptr) {
    worker_.on_health({load_balancer_, name(), spec->id, spec->address.port, *group_.health_state(probe.target)});
  }
  if (!changed) return;
  follow_shares();
  on_change_();
}

void ServedGroup::adopt(const std::string& id, std::uint16_t port, const HealthState& health) {
  const auto target = group_.find(id, port);
  if (!target || !group_.adopt(worker_.loop.now(), *target, health)) return;
  follow_shares();
  on_change_();
}

// A flood of clients may use up the descriptors. Were the targets ejected for it, whoever replaces sick instances would
// replace all of them.
void ServedGroup::on_probe_not_made(const ProbeDue& probe, const ProbeCourse& course) {
  tell_observer(0, ProbeReason::kInternalError, course);
  const TargetSpec* spec = group_.find(probe.target);
  if (spec == nullptr || worker_.journal == nullptr) return;
  worker_.journal->write(worker_.loop.now(), spec->id, "no health check: no descriptor or port left");
}

}  // namespace rr
