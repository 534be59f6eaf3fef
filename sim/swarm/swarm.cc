#include "sim/swarm/swarm.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sim/swarm/drawn_call.h"
#include "sim/swarm/drawn_tier.h"
#include "sim/virtual/virtual_run.h"

namespace rr::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time kBeginning{seconds(1'700'000'000)};
/// With a short grace period and slow starters some are replaced before all are there, one after the other.
constexpr Duration kMustStart = minutes(20);
constexpr Duration kTroubled = minutes(20);
/// A launch that fails is tried again after up to 4 minutes, a node's start after up to 1, and an unhealthy instance is
/// found, drained and replaced meanwhile: several rounds of that.
constexpr Duration kMustSettle = minutes(30);
constexpr Duration kQuiet = minutes(3);
/// How often somebody looks whether there is something to tidy up, while there are no troubles.
constexpr Duration kTidiesEvery = seconds(20);
constexpr std::size_t kMostViolations = 10;

int rounded_up(int part, int percentage) { return (part * percentage + 99) / 100; }

/// One seed's run, and what is watched while it goes on.
class Swarm final : private RunObserver {
 public:
  Swarm(std::uint64_t seed, const SwarmOptions& options)
      : rng_(seed),
        tier_(draw_tier(rng_)),
        region_(kBeginning, tier_.region, seed, &journal_),
        world_(tier_.world, seed, &journal_),
        run_(kBeginning, region_, world_, this) {
    outcome_.seed = seed;
    outcome_.tier = tier_.describe();
    if (options.on_line) journal_.set_sink(options.on_line);
    if (options.broken_policy) break_policy();
  }

  SwarmOutcome run() {
    build();
    tidy(run_.now());
    if (!run_.run_until(kBeginning + kMustStart, [this] { return at_rest(); })) {
      violated(fmt::format("the tier did not come into service within {}: {}", format_duration(kMustStart), unrest()));
    }
    clients_ = world_.add_clients(run_.now(), tier_.clients);
    watch();
    run_.run_for(minutes(2));
    promised_ = tier_.calm;
    begun_ = true;
    draw_troubles();
    run_.run_for(kTroubled);
    promised_ = false;
    settle();
    conclude();
    return std::move(outcome_);
  }

 private:
  void violated(std::string what) {
    if (outcome_.violations.size() < kMostViolations) {
      outcome_.violations.push_back(fmt::format("{} {}", format_iso8601(run_.now(), 3), what));
    }
  }

  ImageId add_image(const std::string& commit) {
    Image image;
    image.commit = commit;
    return ImageId(run_.command(RegisterImage{image}).value().id);
  }

  void build() {
    run_.command(CreateLaunchTemplate{"web", add_image("one"), ""}).value();
    run_.command(CreateLaunchTemplateVersion{"web", add_image("two"), ""}).value();
    run_.command(CreateAutoScalingGroup{tier_.group, tier_.desired}).value();
    for (const LifecycleHook& hook : tier_.hooks) run_.command(PutLifecycleHook{"web", hook}).value();
  }

  /// Alarms and policies, once there is something to be measured.
  void watch() {
    run_.report_metrics();
    for (const AlarmSettings& alarm : tier_.alarms) run_.command(PutMetricAlarm{alarm}).value();
    for (const ScalingPolicy& policy : tier_.policies) run_.command(PutScalingPolicy{policy}).value();
  }

  /// Requests go to every target that is known, in turn.
  void break_policy() {
    world_.set_chooser([turn = std::size_t{0}](Time, Rng&, BalancerGroup& group) mutable -> std::optional<TargetId> {
      const auto& pools = group.pools();
      for (std::size_t tried = 0; tried < pools.size(); ++tried) {
        const auto& pool = pools[turn++ % pools.size()];
        if (pool && group.targets.find(pool->target) != nullptr) return pool->target;
      }
      return std::nullopt;
    });
  }

  // Troubles ----------------------------------------------------------------------------------------------------------

  void draw_troubles() {
    std::vector<Duration> moments;
    for (int i = 0; i < tier_.troubles; ++i) moments.push_back(seconds(rng_.below(to_count(kTroubled))));
    if (tier_.calm) moments.assign(1, seconds(1));
    for (const Duration moment : moments) {
      run_.at(run_.now() + moment, [this](Time now) { make_trouble(now); });
    }
  }
  static std::uint64_t to_count(Duration span) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<seconds>(span).count());
  }

  void make_trouble(Time now) {
    if (!tier_.calm && rng_.below(10) < 5) return cause_fault(now);
    if (!tier_.calm) return make_call(now);
    StartInstanceRefresh refresh{"web", LaunchTemplateSpecification{"web", rng_.below(2) == 0 ? "1" : "2"},
                                 tier_.refresh};
    note(fmt::format("refresh to version {}, at least {} % healthy", refresh.desired_configuration->version,
                     *tier_.refresh.min_healthy_percentage),
         refused(refresh));
  }
  void make_call(Time now) {
    const std::optional<DrawnCall> call = draw_call(rng_, now, tier_, region_.state());
    if (call) note(call->what, refused(call->command));
  }
  void cause_fault(Time now) {
    const Fault fault = draw_fault(rng_, tier_, world_);
    const FaultKindRow& row = fault_row(fault.kind);
    const Status done = world_.inject(now, fault);
    note(fmt::format("{} {} {}{}", row.name, fault.target.describe(), format_amount(row, fault.amount),
                     fault.lasts ? " for " + format_duration(*fault.lasts) : ""),
         done.ok() ? "" : done.error().message);
  }
  /// From within an appointment: the step that called it goes on with what follows. Why it was refused, if it was.
  std::string refused(const Command& command) {
    if (world_.control_plane_is_out()) return "the control plane is out";
    const Result<Reply, ApiError> reply = region_.apply(run_.now(), command);
    return reply.ok() ? "" : reply.error().message;
  }
  void note(const std::string& what, const std::string& refused) {
    outcome_.troubles.push_back(fmt::format("{} {}{}", format_iso8601(run_.now(), 0), what,
                                            refused.empty() ? "" : " (refused: " + refused + ")"));
  }

  // Safety ------------------------------------------------------------------------------------------------------------

  void on_step(Time now) override {
    const auto found = region_.state().groups.find("web");
    if (found == region_.state().groups.end()) return;
    answer_hooks();
    check_members(found->second);
    check_maximum(now, found->second);
    if (promised_) check_promise(found->second);
  }

  /// Whoever is told that an instance waits for a hook; each of its waits once.
  void answer_hooks() {
    for (const auto& [id, one] : region_.state().instances) {
      for (const auto& [hook, action] : one.lifecycle_actions) {
        if (!told_.insert(action.token).second) continue;
        const std::optional<DrawnAnswer> answer = draw_answer(rng_, one, hook, !begun_ || tier_.calm || settling_);
        if (!answer) continue;
        run_.at(run_.now() + answer->after, [this, command = answer->command](Time) { (void)refused(command); });
      }
    }
  }

  /// The desired capacity is within its bounds; an instance waits for hooks in its two states and in no other, and gets
  /// requests in service and nowhere else.
  void check_members(const Group& group) {
    const int desired = group.desired_capacity;
    if (desired < group.settings.min_size || desired > group.settings.max_size) {
      violated(
          fmt::format("desired capacity {} of {} to {}", desired, group.settings.min_size, group.settings.max_size));
    }
    for (const auto& [id, one] : region_.state().instances) {
      const LifecycleState at = one.lifecycle;
      const bool waits = at == LifecycleState::kPendingWait || at == LifecycleState::kTerminatingWait;
      if (waits == one.lifecycle_actions.empty()) {
        violated(fmt::format("{} is {} and waits for {} hooks", id.value, to_string(at), one.lifecycle_actions.size()));
      }
      if (one.registered && at != LifecycleState::kInService) {
        violated(fmt::format("{} is {} and registered", id.value, to_string(at)));
      }
    }
  }

  /// Nothing is launched beyond AWS's own allowance: a tenth (at least one) to balance zones, and what a refresh or the
  /// replacement of unhealthy instances launches before it ends others, by its maximum. (Whoever lowers the maximum is
  /// above it until as many have ended.)
  void check_maximum(Time now, const Group& group) {
    int live = 0;
    bool launched = false;
    for (const auto& [id, one] : region_.state().instances) {
      const LifecycleState at = one.lifecycle;
      const bool pending =
          at == LifecycleState::kPending || at == LifecycleState::kPendingWait || at == LifecycleState::kPendingProceed;
      live += pending || at == LifecycleState::kInService ? 1 : 0;
      launched = launched || (pending && one.launched == now);
    }
    if (!launched) return;
    const GroupSettings& settings = group.settings;
    const RefreshState* refresh = group.active_refresh();
    const int percentage =
        std::max(refresh == nullptr ? 100 : refresh->max_healthy_percentage,
                 settings.maintenance_policy ? settings.maintenance_policy->max_healthy_percentage : 100);
    const int beyond = std::max(settings.max_size + std::max(1, settings.max_size / 10),
                                std::max(rounded_up(std::max(group.desired_capacity, 1), percentage),
                                         settings.max_size + (percentage > 100 ? 1 : 0)));
    if (live > beyond) violated(fmt::format("{} instances of at most {}", live, settings.max_size));
  }

  /// Nobody does anything but a refresh: every node has as many healthy targets as it promises, or all but one when
  /// that would leave nothing to replace.
  void check_promise(const Group& group) {
    const RefreshState* refresh = group.active_refresh();
    if (refresh == nullptr) return;
    const int wanted = rounded_up(group.desired_capacity, refresh->min_healthy_percentage);
    const int least = std::min(wanted, group.desired_capacity - 1);
    for (const auto& [name, node] : region_.state().nodes) {
      const BalancerGroup* targets = world_.group(name, "web");
      if (targets == nullptr || static_cast<int>(targets->usable()) >= least) continue;
      violated(fmt::format("{} has {} healthy targets while a refresh promises {} of {}", name, targets->usable(),
                           least, group.desired_capacity));
    }
  }

  // Liveness
  // ------------------------------------------------------------------------------------------------------------

  void settle() {
    for (const FaultStatus& one : world_.faults()) (void)world_.heal(run_.now(), one.fault.target).ok();
    const Time healed = run_.now();
    settling_ = true;
    told_.clear();
    if (!run_.run_until(healed + kMustSettle, [this] { return at_rest(); })) {
      violated(fmt::format("{} after the last fault: {}", format_duration(kMustSettle), unrest()));
    }
    outcome_.settled_after = run_.now() - healed;
    run_.run_for(minutes(1));
    const std::uint64_t before = world_.tally(clients_).failed;
    run_.run_for(kQuiet);
    if (!at_rest()) violated("it did not stay at rest: " + unrest());
    const std::uint64_t lost = world_.tally(clients_).failed - before;
    if (lost > 0) violated(fmt::format("{} requests were lost without any fault", lost));
  }

  /// Now and again from now on.
  void tidy(Time now) {
    if (!begun_ || settling_) {
      for (const Command& call : calls_to_tidy(region_.state(), tier_.group)) (void)refused(call);
    }
    run_.at(now + kTidiesEvery, [this](Time at) { tidy(at); });
  }

  bool at_rest() const { return unrest().empty(); }
  /// What is not as it should be; empty when all is.
  std::string unrest() const {
    const RegionState& state = region_.state();
    const auto found = state.groups.find("web");
    if (found == state.groups.end()) return "there is no group";
    const Group& group = found->second;
    if (group.active_refresh() != nullptr) return "a refresh is under way";
    const auto desired = static_cast<std::size_t>(group.desired_capacity);
    std::map<ZoneName, int> zones;
    for (const ZoneName& zone : group.settings.zones) zones[zone] = 0;
    std::size_t settled = 0;
    for (const auto& [id, one] : state.instances) {
      const bool outside = one.lifecycle == LifecycleState::kDetached && one.ec2 == InstanceState::kStopped;
      if (one.lifecycle == LifecycleState::kTerminated || outside) continue;
      if (one.lifecycle != LifecycleState::kInService || !one.settled_at || !one.healthy) {
        return fmt::format("{} is {}{}", id.value, to_string(one.lifecycle), one.healthy ? "" : ", unhealthy");
      }
      ++settled;
      ++zones[one.zone];
    }
    if (settled != desired) return fmt::format("{} instances of {}", settled, desired);
    if (world_.living().size() != desired) return fmt::format("{} run, of {}", world_.living().size(), desired);
    const auto [least, most] = std::minmax_element(zones.begin(), zones.end(),
                                                   [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most->second - least->second > 1) return fmt::format("{} has {} more", most->first.value, most->second);
    for (const auto& [name, node] : state.nodes) {
      if (!node.running || !node.in_dns) return name + (node.running ? " is out of DNS" : " does not run");
      const BalancerGroup* targets = world_.group(name, "web");
      if (targets == nullptr || targets->usable() != desired) return name + " has not all targets";
    }
    return "";
  }

  // The end
  // -------------------------------------------------------------------------------------------------------------

  void conclude() {
    world_.check(run_.now());
    for (const std::string& one : world_.violations()) outcome_.violations.push_back(one);
    const ClientTally& tally = world_.tally(clients_);
    std::uint64_t explained = tally.timed_out;
    for (const auto& [status, count] : tally.by_status) explained += count;
    if (explained + tally.in_flight != tally.attempts) {
      violated(fmt::format("{} attempts, of which {} ended and {} are under way", tally.attempts, explained,
                           tally.in_flight));
    }
    std::uint64_t blamed = 0;
    for (const Loss& loss : world_.losses()) {
      blamed += loss.attempts;
      outcome_.losses.push_back(fmt::format("{} lost: {}", loss.attempts, loss.why));
    }
    std::uint64_t lost = tally.timed_out;
    for (const auto& [status, count] : tally.by_status) lost += status >= 200 && status < 500 ? 0 : count;
    if (blamed != lost) violated(fmt::format("{} attempts failed, {} are explained", lost, blamed));
    outcome_.requests = tally.offered;
    outcome_.failed = tally.failed;
    outcome_.happenings = world_.happenings();
    journal_.write(run_.now(), "clients",
                   fmt::format("{} ok, {} failed, {} in all", tally.ok, tally.failed, tally.latency.sum().count()));
    outcome_.digest = journal_.digest();
  }

  SwarmOutcome outcome_;
  Rng rng_;
  DrawnTier tier_;
  Journal journal_{1'000};
  Region region_;
  VirtualWorld world_;
  VirtualRun run_;
  std::size_t clients_ = 0;
  std::set<std::string> told_;  // tokens of waits for hooks
  bool begun_ = false;          // the troubles
  bool settling_ = false;
  bool promised_ = false;
};

}  // namespace

SwarmOutcome run_seed(std::uint64_t seed, const SwarmOptions& options) { return Swarm(seed, options).run(); }

}  // namespace rr::sim
