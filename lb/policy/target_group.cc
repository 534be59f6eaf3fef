#include "lb/policy/target_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lb/base/check.h"
#include "lb/policy/target_group_state.h"

namespace rr {
namespace {

std::string transition_text(const Health& from, const Health& to) {
  const std::string states = fmt::format("{} -> {}", to_string(from.state), to_string(to.state));
  if (to.reason == TargetReason::kNone) return states;
  return fmt::format("{}: {}: {}", states, to_string(to.reason), describe(to));
}

/// So many targets before its turn a record is fetched: what one takes is a fraction of what memory takes to answer.
constexpr std::size_t kLookAhead = 8;

constexpr Health kNotRegistered{TargetState::kUnused, TargetReason::kNotRegistered, 0};

}  // namespace

Health TargetRecord::health(const HealthState& checked) const {
  Health health = checked.health();
  if (draining) {
    health.state = TargetState::kDraining;
    health.reason = TargetReason::kDeregistrationInProgress;
  } else if (unused) {
    health.state = TargetState::kUnused;
    health.reason = *unused;
  }
  return health;
}

void TargetGroup::State::write(Time now, const TargetRecord& record, const Health& from, const Health& to) {
  if (journal != nullptr) journal->write(now, record.spec.id, transition_text(from, to));
}

// ------------------------------------------------------------------------------------- registration and draining

void TargetGroup::State::register_target(Time now, const TargetSpec& spec) {
  TargetRecord& record = records.add();
  const TargetId target = record.target;
  record.spec = spec;
  record.sticky_name = rr::sticky_name(spec.id, spec.address.port);
  record.since = now;
  record.founder = founding;
  record.unused = unused_because(spec);
  if (!record.unused) check(record).set_deadline(probes.add(now, target));
  record.desired_in_generation = generation;
  in_order.push_back(&record);
  by_key[TargetKey{spec.id, spec.address.port}] = target;
  by_sticky_name[record.sticky_name] = target;
  // Room now, so that a pick after a transition needs none.
  balancer.reserve(in_order.capacity());
  routable.reserve(in_order.capacity());
  write(now, record, kNotRegistered, health(record));
  recount(record);
}

void TargetGroup::State::take_over(TargetRecord& record, const TargetSpec& spec) {
  if (record.spec == spec) return;
  // What the old address answers says nothing about the new one.
  if (record.spec.wire != spec.wire) check(record).ignore_started();
  record.spec = spec;
}

/// Requests go on for the propagation delay, as they do until a node of AWS's hears of a deregistration; the API shows
/// the target as draining from the first moment. It is there for the longer one of the two delays.
void TargetGroup::State::begin_drain(Time now, TargetRecord& record) {
  const Health before = health(record);
  if (!record.unused) probes.remove(check(record).deadline());
  check(record).ignore_started();
  record.draining = true;
  record.since = now;
  record.drain_ends = drains.add(now + std::max(settings.deregistration_delay, place.propagation_delay), record.target);
  if (record.in_scope && place.propagation_delay > Duration::zero()) {
    record.heard_of_late = heard_of_late.add(now + place.propagation_delay, record.target);
    routing_changes = Time::min();
  }
  recount(record);
  write(now, record, before, health(record));
}

void TargetGroup::State::reconcile_one(Time now, const TargetSpec& spec) {
  const auto found = by_key.find(TargetKeyView{spec.id, spec.address.port});
  if (found == by_key.end()) {
    register_target(now, spec);
    return;
  }
  TargetRecord& known = *record(found->second);
  if (known.desired_in_generation == generation) return;
  known.desired_in_generation = generation;
  if (known.draining) {
    known.returns_as = spec;
  } else {
    take_over(known, spec);
    follow_use(now, known);
    recount(known);
  }
}

/// The target's delay is over. Called with its deadline still pending.
void TargetGroup::State::forget(Time now, TargetRecord& record) {
  const std::optional<TargetSpec> returns_as = std::move(record.returns_as);
  write(now, record, health(record), kNotRegistered);
  drains.remove(record.drain_ends);
  if (record.heard_of_late) heard_of_late.remove(*std::exchange(record.heard_of_late, std::nullopt));
  recount(record);
  by_key.erase(by_key.find(TargetKeyView{record.spec.id, record.spec.address.port}));
  by_sticky_name.erase(record.sticky_name);
  const auto position = std::lower_bound(in_order.begin(), in_order.end(), record.target,
                                         [](const TargetRecord* a, TargetId b) { return a->target < b; });
  in_order.erase(position);
  records.erase(record.target);
  if (returns_as) register_target(now, *returns_as);
}

void TargetGroup::State::begin_probes(Time now, TargetRecord& record) {
  TargetCheck& begins = check(record);
  begins.health_state = HealthState{};
  begins.ignore_started();
  begins.probed = false;
  begins.set_deadline(probes.add(now, record.target));
  record.founder = healthy == 0;
}

std::optional<TargetReason> TargetGroup::State::unused_because(const TargetSpec& spec) const {
  if (!place.in_use) return TargetReason::kNotInUse;
  const auto& zones = place.enabled_zones;
  const bool enabled =
      zones.empty() || in_every_zone(spec.zone) || std::find(zones.begin(), zones.end(), spec.zone) != zones.end();
  if (!enabled) return TargetReason::kZoneNotEnabled;
  return std::nullopt;
}

void TargetGroup::State::follow_use(Time now, TargetRecord& record) {
  if (record.draining) return;
  const std::optional<TargetReason> unused = unused_because(record.spec);
  if (unused == record.unused) return;
  const Health before = health(record);
  const bool was_unused = std::exchange(record.unused, unused).has_value();
  record.since = now;
  if (!unused) begin_probes(now, record);
  if (!was_unused) {
    TargetCheck& ends = check(record);
    probes.remove(ends.deadline());
    ends.health_state = HealthState{};
    ends.ignore_started();
  }
  write(now, record, before, health(record));
}

// ------------------------------------------------------------------------------------------------ what others ask

TargetGroup::TargetGroup(TargetGroupSettings settings, Journal* journal) : state_(std::make_unique<State>()) {
  state_->settings = std::move(settings);
  state_->journal = journal;
  state_->configure_balancer();
}
TargetGroup::~TargetGroup() = default;
TargetGroup::TargetGroup(TargetGroup&&) noexcept = default;
TargetGroup& TargetGroup::operator=(TargetGroup&&) noexcept = default;

const TargetGroupSettings& TargetGroup::settings() const { return state_->settings; }

void TargetGroup::configure(Time now, TargetGroupSettings settings) {
  if (settings == state_->settings) return;
  const TargetGroupSettings before = std::exchange(state_->settings, std::move(settings));
  const HealthCheck& check = state_->settings.health_check;
  const bool other_question = before.health_check.path != check.path || before.health_check.port != check.port;
  for (TargetRecord* record : state_->in_order) {
    if (record->draining || record->unused) continue;
    TargetCheck& known = state_->check(*record);
    if (other_question) known.ignore_started();
    if (before.health_check.interval == check.interval || !known.probed) continue;
    const Time next = std::max(now, known.last_probe + check.interval);
    known.set_deadline(state_->probes.move(known.deadline(), next));
  }
  if (before.slow_start != state_->settings.slow_start) state_->change_slow_start(now);
  state_->configure_balancer();
  state_->recount_all(now);
  state_->routing_is_stale = true;
}

void TargetGroup::set_place(Time now, const GroupPlace& place) {
  if (place == state_->place) return;
  state_->place = place;
  state_->routing_changes = Time::min();
  state_->advance(now);  // a shift that is over already
  state_->recount_all(now);
}

void TargetGroup::set_targets(Time now, std::span<const TargetSpec> desired) {
  state_->begin_change();
  for (const TargetSpec& spec : desired) state_->reconcile_one(now, spec);
  for (TargetRecord* record : state_->in_order) {
    if (record->desired_in_generation != state_->generation) state_->end_registration(now, *record);
  }
  state_->end_change(now);
}

void TargetGroup::change_targets(Time now, std::span<const TargetSpec> added,
                                 std::span<const std::pair<std::string_view, std::uint16_t>> removed) {
  state_->begin_change();
  for (const TargetSpec& spec : added) state_->reconcile_one(now, spec);
  std::vector<TargetRecord*> leaving;
  for (const TargetKeyView& key : removed) {
    const auto found = state_->by_key.find(key);
    if (found != state_->by_key.end()) leaving.push_back(state_->record(found->second));
  }
  std::sort(leaving.begin(), leaving.end(), [](const auto* a, const auto* b) { return a->target < b->target; });
  for (TargetRecord* record : leaving) state_->end_registration(now, *record);
  state_->end_change(now);
}

void TargetGroup::State::begin_change() {
  ++generation;
  founding = std::all_of(in_order.begin(), in_order.end(), [](const TargetRecord* one) { return one->draining; });
}

void TargetGroup::State::end_change(Time now) {
  founding = false;
  if (place.zonal_shift) recount_all(now);
}

void TargetGroup::State::end_registration(Time now, TargetRecord& record) {
  record.returns_as.reset();
  if (!record.draining) begin_drain(now, record);
}

void TargetGroup::due_probes(Time now, std::vector<ProbeDue>& out) {
  state_->advance(now);
  const Duration interval = state_->settings.health_check.interval;
  while (const auto due = state_->probes.due(now)) {
    if (const auto coming = state_->probes.coming(kLookAhead)) state_->records.expect(*coming);
    TargetCheck& check = *state_->records.check(due->target);
    check.last_started = ++state_->last_sequence;
    out.push_back({due->target, check.last_started});
    // The schedule keeps to the target's own grid; starts that were missed are left out:
    // due at 10, interval 10, woken at 35 -> this is the start of 30, the next one is at 40.
    check.last_probe = due->time + (now - due->time) / interval * interval;
    check.probed = true;
    check.set_deadline(state_->probes.move(*due, check.last_probe + interval));
  }
}

std::optional<ProbeAddresses> TargetGroup::probe_addresses(TargetId target) const {
  const TargetRecord* record = state_->record(target);
  if (record == nullptr) return std::nullopt;
  ProbeAddresses addresses{record->spec.wire, record->spec.address};
  const std::optional<std::uint16_t> port = state_->settings.health_check.port;
  if (port) addresses.wire.port = addresses.logical.port = *port;
  return addresses;
}

std::optional<TargetChange> TargetGroup::observe(Time now, TargetId target, std::uint64_t sequence,
                                                 const ProbeOutcome& outcome) {
  TargetCheck* check = state_->records.check(target);
  // Of one that drains or is unused no outcome is awaited.
  if (check == nullptr || sequence <= check->last_applied || sequence > check->last_started) return std::nullopt;
  check->last_applied = sequence;
  const auto transition = check->health_state.observe(outcome, state_->settings.health_check);
  if (!transition) return std::nullopt;
  return state_->take_transition(now, *state_->record(target), *transition);
}

void TargetGroup::expect(TargetId target) const { state_->records.expect(target); }

const HealthState* TargetGroup::health_state(TargetId target) const {
  const TargetCheck* check = std::as_const(state_->records).check(target);
  return check == nullptr ? nullptr : &check->health_state;
}

std::optional<TargetChange> TargetGroup::adopt(Time now, TargetId target, const HealthState& health) {
  TargetRecord* record = state_->record(target);
  if (record == nullptr || record->draining || record->unused) return std::nullopt;
  HealthState& own = state_->check(*record).health_state;
  const Transition transition{own.health(), health.health()};
  own = health;
  if (transition.from == transition.to) return std::nullopt;
  return state_->take_transition(now, *record, transition);
}

TargetChange TargetGroup::State::take_transition(Time now, TargetRecord& record, const Transition& transition) {
  record.since = now;
  recount(record);
  follow_shift(now);
  if (transition.to.state == TargetState::kHealthy) begin_slow_start(now, record);
  write(now, record, transition.from, transition.to);
  return TargetChange{record.target, record.spec.id, transition};
}

void TargetGroup::expire_drains(Time now, std::vector<TargetId>& out) {
  state_->advance(now);
  while (const auto due = state_->drains.due(now)) {
    out.push_back(due->target);
    state_->forget(now, *state_->record(due->target));
  }
  if (state_->place.zonal_shift) state_->recount_all(now);
}

std::optional<Time> TargetGroup::next_wake() const {
  std::optional<Time> wake = state_->probes.next();
  const auto consider = [&](const std::optional<Time>& time) {
    if (time && (!wake || *time < *wake)) wake = time;
  };
  consider(state_->drains.next());
  consider(state_->heard_of_late.next());
  if (state_->place.zonal_shift) consider(state_->place.zonal_shift->expires);
  return wake;
}

const TargetSpec* TargetGroup::find(TargetId target) const {
  const TargetRecord* record = state_->record(target);
  return record == nullptr ? nullptr : &record->spec;
}

std::optional<TargetState> TargetGroup::state(TargetId target) const {
  const TargetRecord* record = state_->record(target);
  if (record == nullptr) return std::nullopt;
  return state_->health(*record).state;
}

std::optional<TargetId> TargetGroup::find(std::string_view id, std::uint16_t port) const {
  const auto found = state_->by_key.find(TargetKeyView{id, port});
  if (found == state_->by_key.end()) return std::nullopt;
  return found->second;
}

std::vector<TargetStatus> TargetGroup::status() const {
  std::vector<TargetStatus> all;
  all.reserve(state_->in_order.size());
  for (const TargetRecord* record : state_->in_order) {
    TargetStatus& status = all.emplace_back();
    status.target = record->target;
    status.spec = record->spec;
    status.health = state_->health(*record);
    status.since = record->since;
    if (record->draining) status.drain_ends = record->drain_ends.time;
    status.outstanding = record->outstanding;
    status.heard_of_late = record->heard_of_late.has_value();
    status.anomalous = record->anomaly.anomalous();
    status.mitigation_in_effect = record->anomaly.mitigation_in_effect();
    status.administrative_override = state_->administrative_override(*record);
  }
  return all;
}

}  // namespace rr
