#include "lb/policy/target_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <compare>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "lb/base/check.h"

namespace rr {
namespace {

/// A target's identity; looked up without copying the id.
struct Key {
  std::string id;
  std::uint16_t port;
};
using KeyView = std::pair<std::string_view, std::uint16_t>;
struct KeyOrder {
  using is_transparent = void;
  static KeyView view(const Key& key) { return {key.id, key.port}; }
  static KeyView view(const KeyView& key) { return key; }
  bool operator()(const auto& a, const auto& b) const { return view(a) < view(b); }
};

/// Something that falls due; equal instants in the order in which they were set.
struct Deadline {
  Time time;
  std::uint64_t order;
  TargetId target;
  auto operator<=>(const Deadline&) const = default;
};

/// The pending deadlines of one kind, at most one a target: next in O(1), set and clear in O(log n).
class Deadlines {
 public:
  std::optional<Time> next() const {
    if (pending_.empty()) return std::nullopt;
    return pending_.begin()->time;
  }

  Deadline add(Time time, TargetId target) {
    const Deadline deadline{time, ++order_, target};
    pending_.insert(deadline);
    return deadline;
  }

  /// Moves a pending one without giving its memory back: probes do this all day.
  Deadline move(const Deadline& deadline, Time time) {
    auto node = pending_.extract(deadline);
    RR_CHECK(!node.empty(), "a deadline that is moved must be pending");
    node.value().time = time;
    node.value().order = ++order_;
    return *pending_.insert(std::move(node)).position;
  }

  void remove(const Deadline& deadline) {
    const std::size_t removed = pending_.erase(deadline);
    RR_CHECK(removed == 1, "a deadline that is removed must be pending");
  }

  /// The first one, if it is due.
  std::optional<Deadline> due(Time now) const {
    if (pending_.empty() || pending_.begin()->time > now) return std::nullopt;
    return *pending_.begin();
  }

 private:
  std::set<Deadline> pending_;
  std::uint64_t order_ = 0;
};

struct Record {
  TargetId target;
  TargetSpec spec;
  HealthState health_state;
  Time since{};
  bool draining = false;
  Deadline deadline;  // of the next probe, or while draining of the end of the delay
  std::uint32_t outstanding = 0;
  std::uint64_t last_started = 0;           // sequence of the newest probe
  std::uint64_t last_applied = 0;           // outcomes up to this sequence no longer count
  std::optional<Time> last_probe;           // when the newest probe was due
  std::optional<TargetSpec> returns_as;     // registered again while draining
  std::uint64_t desired_in_generation = 0;  // of set_targets

  Health health() const {
    Health health = health_state.health();
    if (draining) {
      health.state = TargetState::kDraining;
      health.reason = TargetReason::kDeregistrationInProgress;
    }
    return health;
  }
};

bool is_healthy(const Record& record) {
  return !record.draining && record.health_state.health().state == TargetState::kHealthy;
}

std::string transition_text(const Health& from, const Health& to) {
  const std::string states = fmt::format("{} -> {}", to_string(from.state), to_string(to.state));
  if (to.reason == TargetReason::kNone) return states;
  return fmt::format("{}: {}: {}", states, to_string(to.reason), describe(to));
}

constexpr Health kNotRegistered{TargetState::kUnused, TargetReason::kNotRegistered, 0};

}  // namespace

struct TargetGroup::State {
  TargetGroupSettings settings;
  Journal* journal;
  Balancer balancer;
  bool routing_is_stale = false;
  std::unordered_map<std::uint32_t, Record> records;  // looked up, never iterated
  std::vector<Record*> in_order;                      // of registration, which is ascending by TargetId
  std::map<Key, TargetId, KeyOrder> by_key;
  Deadlines probes;
  Deadlines drains;
  std::size_t active = 0;   // registered and not draining
  std::size_t healthy = 0;  // of these
  std::uint32_t last_target = 0;
  std::uint64_t last_sequence = 0;
  std::uint64_t generation = 0;
  std::vector<TargetId> routable;  // room for rebuilding

  Record* record(TargetId target) {
    const auto found = records.find(target.value);
    return found == records.end() ? nullptr : &found->second;
  }

  void write(Time now, const Record& record, const Health& from, const Health& to) {
    if (journal != nullptr) journal->write(now, record.spec.id, transition_text(from, to));
  }

  bool failing_open() const {
    return healthy < static_cast<std::size_t>(settings.unhealthy_state_routing.count.value_or(1)) && active > healthy;
  }

  bool routes_to(const Record& record) const { return failing_open() ? !record.draining : is_healthy(record); }

  void register_target(Time now, const TargetSpec& spec);
  void take_over(Record& record, const TargetSpec& spec);
  void begin_drain(Time now, Record& record);
  void reconcile_one(Time now, const TargetSpec& spec);
  void forget(Time now, Record& record);
  void rebuild_routing();
};

void TargetGroup::State::register_target(Time now, const TargetSpec& spec) {
  const TargetId target{++last_target};
  Record& record = records[target.value];
  record.target = target;
  record.spec = spec;
  record.since = now;
  record.deadline = probes.add(now, target);
  record.desired_in_generation = generation;
  in_order.push_back(&record);
  by_key[Key{spec.id, spec.address.port}] = target;
  ++active;
  // Room now, so that a pick after a transition needs none.
  balancer.reserve(in_order.capacity());
  routable.reserve(in_order.capacity());
  routing_is_stale = true;
  write(now, record, kNotRegistered, record.health());
}

void TargetGroup::State::take_over(Record& record, const TargetSpec& spec) {
  if (record.spec == spec) return;
  // What the old address answers says nothing about the new one.
  if (record.spec.wire != spec.wire) record.last_applied = record.last_started;
  record.spec = spec;
}

void TargetGroup::State::begin_drain(Time now, Record& record) {
  const Health before = record.health();
  --active;
  if (is_healthy(record)) --healthy;
  probes.remove(record.deadline);
  record.draining = true;
  record.since = now;
  record.deadline = drains.add(now + settings.deregistration_delay, record.target);
  routing_is_stale = true;
  write(now, record, before, record.health());
}

void TargetGroup::State::reconcile_one(Time now, const TargetSpec& spec) {
  const auto found = by_key.find(KeyView{spec.id, spec.address.port});
  if (found == by_key.end()) {
    register_target(now, spec);
    return;
  }
  Record& known = *record(found->second);
  if (known.desired_in_generation == generation) return;
  known.desired_in_generation = generation;
  if (known.draining) {
    known.returns_as = spec;
  } else {
    take_over(known, spec);
  }
}

/// The target's delay is over. Called with its deadline still pending.
void TargetGroup::State::forget(Time now, Record& record) {
  const std::optional<TargetSpec> returns_as = std::move(record.returns_as);
  write(now, record, record.health(), kNotRegistered);
  drains.remove(record.deadline);
  by_key.erase(by_key.find(KeyView{record.spec.id, record.spec.address.port}));
  const auto position = std::lower_bound(in_order.begin(), in_order.end(), record.target,
                                         [](const Record* a, TargetId b) { return a->target < b; });
  in_order.erase(position);
  records.erase(record.target.value);
  if (returns_as) register_target(now, *returns_as);
}

/// Called by the first pick after a transition, so that many transitions at one instant cost one rebuild. The list is
/// the same as if it were built at each of them: it follows from the states alone, and the turn from the last pick.
void TargetGroup::State::rebuild_routing() {
  routable.clear();
  for (const Record* record : in_order) {
    if (routes_to(*record)) routable.push_back(record->target);
  }
  balancer.rebuild(routable);
  routing_is_stale = false;
}

TargetGroup::TargetGroup(TargetGroupSettings settings, Journal* journal) : state_(std::make_unique<State>()) {
  state_->settings = std::move(settings);
  state_->journal = journal;
}
TargetGroup::~TargetGroup() = default;
TargetGroup::TargetGroup(TargetGroup&&) noexcept = default;
TargetGroup& TargetGroup::operator=(TargetGroup&&) noexcept = default;

const TargetGroupSettings& TargetGroup::settings() const { return state_->settings; }

void TargetGroup::configure(Time now, TargetGroupSettings settings) {
  if (settings == state_->settings) return;
  const HealthCheck before = std::exchange(state_->settings, std::move(settings)).health_check;
  const HealthCheck& after = state_->settings.health_check;
  const bool other_question = before.path != after.path || before.port != after.port;
  for (Record* record : state_->in_order) {
    if (record->draining) continue;
    if (other_question) record->last_applied = record->last_started;
    if (before.interval == after.interval || !record->last_probe) continue;
    const Time next = std::max(now, *record->last_probe + after.interval);
    record->deadline = state_->probes.move(record->deadline, next);
  }
  state_->routing_is_stale = true;
}

void TargetGroup::set_targets(Time now, std::span<const TargetSpec> desired) {
  ++state_->generation;
  for (const TargetSpec& spec : desired) state_->reconcile_one(now, spec);
  for (Record* record : state_->in_order) {
    if (record->desired_in_generation == state_->generation) continue;
    record->returns_as.reset();
    if (!record->draining) state_->begin_drain(now, *record);
  }
}

std::optional<TargetId> TargetGroup::pick(Time, Rng& random, std::span<const TargetId> tried) {
  if (state_->routing_is_stale) state_->rebuild_routing();
  if (state_->settings.algorithm == Algorithm::kWeightedRandom) return state_->balancer.pick_at_random(random, tried);
  return state_->balancer.pick_in_turn(tried);
}

bool TargetGroup::accepts(TargetId target) const {
  const Record* record = state_->record(target);
  return record != nullptr && state_->routes_to(*record);
}

void TargetGroup::started(TargetId target) {
  Record* record = state_->record(target);
  RR_CHECK(record != nullptr, "a request was started to a target that is not registered");
  ++record->outstanding;
}

bool TargetGroup::finished(TargetId target) {
  Record* record = state_->record(target);
  if (record == nullptr) return false;
  RR_CHECK(record->outstanding > 0, "more requests of a target finished than were started");
  --record->outstanding;
  return record->draining && record->outstanding == 0;
}

void TargetGroup::due_probes(Time now, std::vector<ProbeDue>& out) {
  const HealthCheck& check = state_->settings.health_check;
  while (const auto due = state_->probes.due(now)) {
    Record& record = *state_->record(due->target);
    ProbeDue probe{record.target, record.spec.wire, record.spec.address, ++state_->last_sequence};
    if (check.port) probe.wire.port = probe.logical.port = *check.port;
    record.last_started = probe.sequence;
    out.push_back(probe);
    // The schedule keeps to the target's own grid; starts that were missed are left out:
    // due at 10, interval 10, woken at 35 -> this is the start of 30, the next one is at 40.
    record.last_probe = due->time + (now - due->time) / check.interval * check.interval;
    record.deadline = state_->probes.move(*due, *record.last_probe + check.interval);
  }
}

std::optional<TargetChange> TargetGroup::observe(Time now, TargetId target, std::uint64_t sequence,
                                                 const ProbeOutcome& outcome) {
  Record* record = state_->record(target);
  if (record == nullptr || record->draining) return std::nullopt;
  if (sequence <= record->last_applied || sequence > record->last_started) return std::nullopt;
  record->last_applied = sequence;
  const bool was_healthy = is_healthy(*record);
  const auto transition = record->health_state.observe(outcome, state_->settings.health_check);
  if (!transition) return std::nullopt;
  record->since = now;
  if (was_healthy) --state_->healthy;
  if (is_healthy(*record)) ++state_->healthy;
  state_->routing_is_stale = true;
  state_->write(now, *record, transition->from, transition->to);
  return TargetChange{target, record->spec.id, *transition};
}

void TargetGroup::expire_drains(Time now, std::vector<TargetId>& out) {
  while (const auto due = state_->drains.due(now)) {
    out.push_back(due->target);
    state_->forget(now, *state_->record(due->target));
  }
}

std::optional<Time> TargetGroup::next_wake() const {
  const auto probe = state_->probes.next();
  const auto drain = state_->drains.next();
  if (probe && drain) return std::min(*probe, *drain);
  return probe ? probe : drain;
}

bool TargetGroup::failing_open() const { return state_->failing_open(); }

const TargetSpec* TargetGroup::find(TargetId target) const {
  const Record* record = state_->record(target);
  return record == nullptr ? nullptr : &record->spec;
}

std::optional<TargetState> TargetGroup::state(TargetId target) const {
  const Record* record = state_->record(target);
  if (record == nullptr) return std::nullopt;
  return record->health().state;
}

std::optional<TargetId> TargetGroup::find(std::string_view id, std::uint16_t port) const {
  const auto found = state_->by_key.find(KeyView{id, port});
  if (found == state_->by_key.end()) return std::nullopt;
  return found->second;
}

std::vector<TargetStatus> TargetGroup::status() const {
  std::vector<TargetStatus> all;
  all.reserve(state_->in_order.size());
  for (const Record* record : state_->in_order) {
    TargetStatus& status = all.emplace_back();
    status.target = record->target;
    status.spec = record->spec;
    status.health = record->health();
    status.since = record->since;
    if (record->draining) status.drain_ends = record->deadline.time;
    status.outstanding = record->outstanding;
  }
  return all;
}

}  // namespace rr
