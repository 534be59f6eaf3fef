// The half of TargetGroup that says whom a request may be given to: scope, fail-open, slow start, anomalies, the list.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "lb/base/check.h"
#include "lb/policy/target_group_state.h"

namespace rr {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 4> kOverrides{"unknown", "no_override", "zonal_shift_active",
                                                     "zonal_shift_delegated_to_dns"};

}  // namespace

std::string_view to_string(AdministrativeOverride state) { return kOverrides[static_cast<std::size_t>(state)]; }

// --------------------------------------------------------------------------------------------------------- the scope

bool TargetGroup::State::is_in_use(const TargetRecord& record) {
  return !record.unused && (!record.draining || record.heard_of_late);
}

bool TargetGroup::State::stands_in_scope(const TargetRecord& record) const {
  if (!is_in_use(record)) return false;
  const std::string& zone = record.spec.zone;
  if (in_every_zone(zone)) return true;
  if (!crosses_zones(settings)) return place.zone.empty() || zone == place.zone;
  return !shift_applies || zone != place.zonal_shift->zone;
}

void TargetGroup::State::recount(TargetRecord& record) {
  const bool in_scope = stands_in_scope(record);
  const bool is_healthy = in_scope && check(record).health_state.health().state == TargetState::kHealthy;
  if (in_scope == record.in_scope && is_healthy == record.healthy_in_scope) return;
  active = active - (record.in_scope ? 1 : 0) + (in_scope ? 1 : 0);
  healthy = healthy - (record.healthy_in_scope ? 1 : 0) + (is_healthy ? 1 : 0);
  record.in_scope = in_scope;
  record.healthy_in_scope = is_healthy;
  if (!is_healthy) end_slow_start(record);
  routing_is_stale = true;
}

/// A zonal shift has no effect on a group whose targets are all in one zone, nor where those of the other zones would
/// fail open: then there is nobody to shift to.
/// https://docs.aws.amazon.com/r53recovery/latest/dg/arc-zonal-shift.resource-types.html
bool TargetGroup::State::shift_concerns_targets() const {
  if (!place.zonal_shift || !crosses_zones(settings)) return false;
  bool other_zones = false;
  std::size_t others = 0, healthy_others = 0;
  for (const TargetRecord* one : in_order) {
    if (one->spec.zone == place.zonal_shift->zone) continue;
    other_zones = other_zones || (!one->draining && !in_every_zone(one->spec.zone));
    if (!is_in_use(*one)) continue;
    ++others;
    if (check(*one).health_state.health().state == TargetState::kHealthy) ++healthy_others;
  }
  return other_zones && others > 0 && !fails_open(healthy_others, others);
}

void TargetGroup::State::follow_shift(Time now) {
  if (place.zonal_shift && shift_applies != shift_concerns_targets()) recount_all(now);
}

void TargetGroup::State::recount_all(Time now) {
  shift_applies = shift_concerns_targets();
  for (TargetRecord* record : in_order) {
    follow_use(now, *record);
    recount(*record);
  }
  routing_changes = Time::min();
}

bool TargetGroup::State::fails_open(std::size_t healthy_ones, std::size_t all) const {
  return all > healthy_ones && is_below(settings.unhealthy_state_routing, healthy_ones, all);
}

bool TargetGroup::State::failing_open() const { return fails_open(healthy, active); }

AdministrativeOverride TargetGroup::State::administrative_override(const TargetRecord& record) const {
  if (!place.zonal_shift || record.spec.zone != place.zonal_shift->zone) return AdministrativeOverride::kNoOverride;
  if (!crosses_zones(settings)) return AdministrativeOverride::kZonalShiftDelegatedToDns;
  return shift_applies ? AdministrativeOverride::kZonalShiftActive : AdministrativeOverride::kNoOverride;
}

// -------------------------------------------------------------------------------------------------------- slow start

/// Only beside at least one healthy target that is not in slow start: those that come to an empty group together begin
/// with whole shares.
void TargetGroup::State::configure_balancer() {
  const auto floor = static_cast<std::uint32_t>(settings.slow_start_floor_percent) * (kFullWeight / 100);
  balancer.configure(settings.algorithm, settings.slow_start, floor);
}

void TargetGroup::State::begin_slow_start(Time now, TargetRecord& record) {
  if (std::exchange(record.founder, false)) return;
  if (settings.slow_start == Duration::zero() || !record.healthy_in_scope) return;
  advance(now);  // some may be over
  if (healthy - 1 <= slow_starts.size()) return;
  record.slow_since = now;
  record.slow_start_ends = slow_starts.add(now + settings.slow_start, record.target);
  routing_changes = Time::min();
  routing_is_stale = true;
}

void TargetGroup::State::end_slow_start(TargetRecord& record) {
  if (!record.slow_start_ends) return;
  slow_starts.remove(*record.slow_start_ends);
  record.slow_start_ends.reset();
}

/// Those that are in slow start go on by the new duration; others are not concerned.
void TargetGroup::State::change_slow_start(Time now) {
  for (TargetRecord* record : in_order) {
    if (!record->slow_start_ends) continue;
    const Time ends = record->slow_since + settings.slow_start;
    end_slow_start(*record);
    if (ends > now) record->slow_start_ends = slow_starts.add(ends, record->target);
  }
}

// --------------------------------------------------------------------------------------------------- as time goes by

void TargetGroup::State::advance(Time now) {
  if (now < routing_changes) return;
  if (place.zonal_shift && place.zonal_shift->expires <= now) {
    place.zonal_shift.reset();
    recount_all(now);
  }
  while (const auto due = heard_of_late.due(now)) {
    TargetRecord& heard = *record(due->target);
    heard_of_late.remove(*due);
    heard.heard_of_late.reset();
    recount(heard);
    follow_shift(now);
  }
  while (const auto due = slow_starts.due(now)) {
    end_slow_start(*record(due->target));
    routing_is_stale = true;
  }
  if (!next_judgement) next_judgement = now + kAnomalyInterval;
  if (*next_judgement <= now) judge_anomalies(now);
  routing_changes = *next_judgement;
  for (const auto& next : {heard_of_late.next(), slow_starts.next()}) {
    if (next) routing_changes = std::min(routing_changes, *next);
  }
  if (place.zonal_shift) routing_changes = std::min(routing_changes, place.zonal_shift->expires);
}

/// Not a look at each target where no request was judged: a group of a thousand that is only checked would spend more
/// on these looks than on the checks.
void TargetGroup::State::judge_anomalies(Time now) {
  next_judgement = now + kAnomalyInterval;
  if (!std::exchange(has_to_judge, false)) return;
  ErrorCount all;
  for (const TargetRecord* one : in_order) {
    if (!one->in_scope) continue;
    all.requests += one->anomaly.recent().requests;
    all.failed += one->anomaly.recent().failed;
  }
  for (TargetRecord* one : in_order) {
    has_to_judge = has_to_judge || !one->anomaly.is_as_new();
    if (!one->in_scope) continue;
    const ErrorCount own = one->anomaly.recent();
    const auto change = one->anomaly.judge(all, healthy >= kAnomalyMinimumHealthy, settings.anomaly_mitigation);
    routing_is_stale = routing_is_stale || change.weight;
    if (!change.result || journal == nullptr) continue;
    journal->write(now, one->spec.id,
                   fmt::format("{}: {} of {} requests failed, {} of {} of its peers'",
                               one->anomaly.anomalous() ? "normal -> anomalous" : "anomalous -> normal", own.failed,
                               own.requests, all.failed - own.failed, all.requests - own.requests));
  }
}

void TargetGroup::State::rebuild_routing() {
  routable.clear();
  for (const TargetRecord* record : in_order) {
    if (!routes_to(*record)) continue;
    Candidate& one = routable.emplace_back();
    one.target = record->target;
    one.outstanding = record->outstanding;
    one.weight = record->anomaly.weight();
    if (record->slow_start_ends) one.slow_since = record->slow_since;
  }
  balancer.rebuild(routable);
  routing_is_stale = false;
}

// ----------------------------------------------------------------------------------------------- what the proxy asks

std::optional<TargetId> TargetGroup::pick(Time now, Rng& random, std::span<const TargetId> tried) {
  if (now >= state_->routing_changes) state_->advance(now);
  if (state_->routing_is_stale) state_->rebuild_routing();
  return state_->balancer.pick(now, random, tried);
}

bool TargetGroup::accepts(TargetId target) const {
  const TargetRecord* record = state_->record(target);
  return record != nullptr && state_->routes_to(*record);
}

std::optional<TargetId> TargetGroup::claimed(const TargetClaim& claim) const {
  const auto found = state_->by_sticky_name.find(claim.target);
  if (found == state_->by_sticky_name.end() || !accepts(found->second)) return std::nullopt;
  return found->second;
}

StickyName TargetGroup::sticky_name() const { return rr::sticky_name(state_->settings.name); }

StickyName TargetGroup::sticky_name(TargetId target) const {
  const TargetRecord* record = state_->record(target);
  RR_CHECK(record != nullptr, "a cookie names a target that is registered");
  return record->sticky_name;
}

void TargetGroup::started(TargetId target) {
  TargetRecord* record = state_->record(target);
  RR_CHECK(record != nullptr, "a request was started to a target that is not registered");
  ++record->outstanding;
  state_->balancer.set_outstanding(target, record->outstanding);
  if (state_->failing_open()) ++state_->unhealthy_routing_requests;
}

bool TargetGroup::finished(TargetId target, TargetResult result) {
  TargetRecord* record = state_->record(target);
  if (record == nullptr) return false;
  RR_CHECK(record->outstanding > 0, "more requests of a target finished than were started");
  --record->outstanding;
  state_->balancer.set_outstanding(target, record->outstanding);
  record->anomaly.count(result);
  state_->has_to_judge = true;
  return record->draining && !record->heard_of_late && record->outstanding == 0;
}

bool TargetGroup::failing_open() const { return state_->failing_open(); }
std::uint64_t TargetGroup::unhealthy_routing_requests() const { return state_->unhealthy_routing_requests; }

GroupHealth TargetGroup::zone_health() const {
  GroupHealth group{state_->settings.name, crosses_zones(state_->settings), state_->settings.dns_failover, {}};
  for (const TargetRecord* record : state_->in_order) {
    if (record->draining || record->unused) continue;
    auto zone = std::find_if(group.zones.begin(), group.zones.end(),
                             [&](const ZoneCount& one) { return one.zone == record->spec.zone; });
    if (zone == group.zones.end()) zone = group.zones.insert(zone, ZoneCount{record->spec.zone});
    ++zone->registered;
    if (state_->check(*record).health_state.health().state == TargetState::kHealthy) ++zone->healthy;
  }
  return group;
}

}  // namespace rr
