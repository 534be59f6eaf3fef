// A target group beside a model of it that is too simple to be wrong: no heap, no cursor, no counts, every question
// answered by looking at all targets. Random events are done to both, and after each of them everything that can be
// seen must be the same. A failing seed is printed and can be run alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lb/base/rng.h"
#include "lb/policy/target_group.h"

namespace rr {
namespace {

struct ModelTarget {
  TargetId target;
  TargetSpec spec;
  HealthState health;
  Time next_probe{};
  std::optional<Time> drain_ends;
  std::optional<TargetSpec> returns_as;
  std::vector<std::uint64_t> in_flight;  // ascending
};

struct Model {
  TargetGroupSettings settings;
  std::vector<ModelTarget> targets;
  std::uint32_t registered = 0;
  std::optional<TargetId> last_pick;
  GroupPlace place;
  bool shift_pending = false;

  static bool same(const TargetSpec& a, const TargetSpec& b) {
    return a.id == b.id && a.address.port == b.address.port;
  }

  void add(Time now, const TargetSpec& spec) {
    ModelTarget& target = targets.emplace_back();
    target.target = TargetId{++registered};
    target.spec = spec;
    target.next_probe = now;
  }

  void set_targets(Time now, const std::vector<TargetSpec>& desired) {
    const auto wanted = [&](const ModelTarget& t) {
      return std::find_if(desired.begin(), desired.end(), [&](const TargetSpec& s) { return same(s, t.spec); });
    };
    std::vector<TargetSpec> fresh;
    for (const TargetSpec& spec : desired) {
      if (std::none_of(targets.begin(), targets.end(), [&](const auto& t) { return same(t.spec, spec); })) {
        fresh.push_back(spec);
      }
    }
    for (ModelTarget& target : targets) {
      const auto found = wanted(target);
      if (target.drain_ends) {
        target.returns_as = found == desired.end() ? std::nullopt : std::optional(*found);
      } else if (found == desired.end()) {
        target.drain_ends = now + settings.deregistration_delay;
      } else {
        if (target.spec.wire != found->wire) target.in_flight.clear();
        target.spec = *found;
      }
    }
    for (const TargetSpec& spec : fresh) add(now, spec);
  }

  std::vector<TargetId> expire(Time now) {
    // By the end of the delay; equal ends in the order in which the drains began, which the ids do not tell: callers
    // compare as sets of one instant.
    std::vector<TargetId> gone;
    std::vector<TargetSpec> back;
    for (const ModelTarget& target : targets) {
      if (!target.drain_ends || *target.drain_ends > now) continue;
      gone.push_back(target.target);
      if (target.returns_as) back.push_back(*target.returns_as);
    }
    std::erase_if(targets, [&](const auto& t) { return t.drain_ends && *t.drain_ends <= now; });
    for (const TargetSpec& spec : back) add(now, spec);
    return gone;
  }

  std::optional<Time> next_wake() const {
    std::optional<Time> wake;
    for (const ModelTarget& target : targets) {
      const Time time = target.drain_ends ? *target.drain_ends : target.next_probe;
      if (!wake || time < *wake) wake = time;
    }
    // Noticed by due_probes and expire_drains, and by picks, whoever comes first.
    if (shift_pending) wake = wake ? std::min(*wake, place.zonal_shift->expires) : place.zonal_shift->expires;
    return wake;
  }

  bool crosses() const { return settings.cross_zone.value_or(true); }

  bool in_scope(const ModelTarget& target, Time now) const {
    if (target.drain_ends) return false;
    if (!crosses()) return place.zone.empty() || target.spec.zone == place.zone;
    if (!place.zonal_shift || place.zonal_shift->expires <= now) return true;
    return target.spec.zone != place.zonal_shift->zone || !has_somebody_elsewhere(target.spec.zone);
  }

  /// Whom requests may be shifted to.
  bool has_somebody_elsewhere(const std::string& zone) const {
    std::size_t healthy = 0, all = 0;
    for (const ModelTarget& other : targets) {
      if (other.drain_ends || other.spec.zone == zone) continue;
      ++all;
      if (other.health.health().state == TargetState::kHealthy) ++healthy;
    }
    return all > 0 && !fails_open(healthy, all);
  }

  bool fails_open(std::size_t healthy, std::size_t all) const {
    const MinimumHealthyTargets& minimum = settings.unhealthy_state_routing;
    const bool too_few = healthy < static_cast<std::size_t>(*minimum.count) ||
                         (minimum.percentage &&
                          static_cast<double>(healthy) / static_cast<double>(all) < *minimum.percentage / 100.0 - 1e-9);
    return too_few && healthy < all;
  }

  struct Scope {
    std::vector<TargetId> healthy, everybody;
    bool failing_open = false;
  };
  Scope scope(Time now) const {
    Scope scope;
    for (const ModelTarget& target : targets) {
      if (!in_scope(target, now)) continue;
      scope.everybody.push_back(target.target);
      if (target.health.health().state == TargetState::kHealthy) scope.healthy.push_back(target.target);
    }
    scope.failing_open = fails_open(scope.healthy.size(), scope.everybody.size());
    return scope;
  }

  std::vector<TargetId> routable(Time now) const {
    const Scope all = scope(now);
    return all.failing_open ? all.everybody : all.healthy;
  }

  std::optional<TargetId> pick(Time now) {
    const std::vector<TargetId> list = routable(now);
    if (list.empty()) return std::nullopt;
    for (const TargetId target : list) {
      if (!last_pick || target > *last_pick) return last_pick = target;
    }
    return last_pick = list.front();
  }
};

class SideBySide {
 public:
  explicit SideBySide(std::uint64_t seed) : random_(seed), group_(draw_settings(), nullptr) {
    model_.settings = group_.settings();
  }

  void step() {
    // Often nothing but time passes to the next wake or a little beyond; sometimes a long gap.
    if (random_.below(3) == 0) now_ += std::chrono::milliseconds(random_.below(3000));
    if (random_.below(50) == 0) now_ += std::chrono::seconds(60);
    switch (random_.below(9)) {
      case 0:
        set_targets();
        break;
      case 1:
        expire();
        break;
      case 2:
      case 3:
        probe();
        break;
      case 4:
      case 5:
        answer();
        break;
      case 6:
        configure();
        break;
      case 7:
        set_place();
        break;
      default:
        for (std::uint64_t i = random_.below(6); i > 0; --i) {
          ASSERT_EQ(group_.pick(now_, random_unused_), model_.pick(now_));
        }
    }
    compare();
  }

 private:
  TargetGroupSettings draw_settings() {
    TargetGroupSettings settings;
    settings.health_check.unrestricted = true;
    settings.health_check.interval = std::chrono::milliseconds(10 + random_.below(5000));
    settings.health_check.healthy_threshold = static_cast<int>(2 + random_.below(3));
    settings.health_check.unhealthy_threshold = static_cast<int>(2 + random_.below(3));
    settings.deregistration_delay = std::chrono::milliseconds(random_.below(3) == 0 ? 0 : random_.below(10'000));
    settings.unhealthy_state_routing.count = static_cast<int>(1 + random_.below(3));
    if (random_.below(2) == 0) settings.unhealthy_state_routing.percentage = static_cast<int>(1 + random_.below(100));
    if (random_.below(3) == 0) settings.cross_zone = random_.below(2) == 0;
    return settings;
  }

  /// A shift that is over is noticed before anything is asked.
  void set_place() {
    GroupPlace place;
    if (random_.below(4) != 0) place.zone = random_.below(2) == 0 ? "A" : "B";
    if (random_.below(2) == 0) {
      place.zonal_shift =
          ZonalShift{random_.below(2) == 0 ? "A" : "B", now_ + std::chrono::milliseconds(random_.below(20'000))};
    }
    group_.set_place(now_, place);
    model_.place = place;
  }

  void set_targets() {
    std::vector<TargetSpec> desired;
    for (std::uint8_t i = 0; i < 8; ++i) {
      if (random_.below(4) == 0) continue;
      const auto port = static_cast<std::uint16_t>(9000 + (random_.below(10) == 0 ? 1 : 0));
      desired.push_back({.id = "i-" + std::to_string(i),
                         .address = Address::v4(172, 31, 0, i, 8080),
                         .wire = Address::v4(127, 31, 0, i, port),
                         .zone = i % 3 == 0 ? "A" : "B"});
    }
    group_.set_targets(now_, desired);
    model_.set_targets(now_, desired);
    learn_numbers();
    // They ascend in the order of registration.
    ASSERT_TRUE(std::is_sorted(model_.targets.begin(), model_.targets.end(),
                               [](const auto& a, const auto& b) { return a.target < b.target; }));
  }

  /// A new target's number is the group's business.
  void learn_numbers() {
    for (ModelTarget& target : model_.targets) {
      target.target = group_.find(target.spec.id, target.spec.address.port).value_or(TargetId{});
    }
  }

  void expire() {
    std::vector<TargetId> gone;
    group_.expire_drains(now_, gone);
    std::sort(gone.begin(), gone.end());
    // Several targets that come back at one instant do so in the order in which their drains ended; the model does not
    // know it, so it learns the new ids from the group.
    ASSERT_EQ(gone, model_.expire(now_));
    learn_numbers();
    std::sort(model_.targets.begin(), model_.targets.end(),
              [](const auto& a, const auto& b) { return a.target < b.target; });
  }

  void probe() {
    std::vector<ProbeDue> due;
    group_.due_probes(now_, due);
    std::vector<TargetId> expected;
    for (ModelTarget& target : model_.targets) {
      if (target.drain_ends || target.next_probe > now_) continue;
      expected.push_back(target.target);
      while (target.next_probe <= now_) target.next_probe += model_.settings.health_check.interval;
    }
    std::vector<TargetId> probed;
    for (const ProbeDue& probe : due) {
      probed.push_back(probe.target);
      ASSERT_GT(probe.sequence, last_sequence_);
      last_sequence_ = probe.sequence;
      started_.emplace_back(probe.target, probe.sequence);
      for (ModelTarget& target : model_.targets) {
        if (target.target == probe.target) target.in_flight.push_back(probe.sequence);
      }
    }
    std::sort(probed.begin(), probed.end());
    ASSERT_EQ(probed, expected);
  }

  /// One of the probes that were ever started is answered: perhaps late, perhaps twice.
  void answer() {
    if (started_.empty()) return;
    const auto [target, sequence] =
        started_[started_.size() - 1 - random_.below(std::min<std::size_t>(12, started_.size()))];
    ProbeOutcome outcome{ProbeOutcome::Kind::kAnswered, random_.below(3) == 0 ? 503 : 200};
    if (random_.below(5) == 0) outcome = {ProbeOutcome::Kind::kTimedOut, 0};
    const auto change = group_.observe(now_, target, sequence, outcome);
    std::optional<Transition> expected;
    for (ModelTarget& known : model_.targets) {
      if (known.target != target || known.drain_ends) continue;
      const auto found = std::find(known.in_flight.begin(), known.in_flight.end(), sequence);
      if (found == known.in_flight.end()) continue;
      known.in_flight.erase(known.in_flight.begin(), found + 1);  // older ones no longer count
      expected = known.health.observe(outcome, model_.settings.health_check);
    }
    ASSERT_EQ(change ? std::optional(change->transition) : std::nullopt, expected);
  }

  void configure() {
    TargetGroupSettings settings = draw_settings();
    settings.health_check.interval = model_.settings.health_check.interval;  // has a test of its own
    group_.configure(now_, settings);
    model_.settings = settings;
  }

  void compare() {
    static_cast<void>(group_.pick(now_, random_unused_));  // notices the end of a shift
    static_cast<void>(model_.pick(now_));
    model_.shift_pending = model_.place.zonal_shift && model_.place.zonal_shift->expires > now_;
    ASSERT_EQ(group_.next_wake(), model_.next_wake());
    const std::vector<TargetStatus> status = group_.status();
    ASSERT_EQ(status.size(), model_.targets.size());
    for (std::size_t i = 0; i < status.size(); ++i) {
      const ModelTarget& expected = model_.targets[i];
      ASSERT_EQ(status[i].target, expected.target);
      ASSERT_EQ(status[i].spec, expected.spec);
      ASSERT_EQ(status[i].drain_ends, expected.drain_ends);
      if (expected.drain_ends) {
        ASSERT_EQ(status[i].health.state, TargetState::kDraining);
        continue;
      }
      ASSERT_EQ(status[i].health, expected.health.health());
    }
    const Model::Scope scope = model_.scope(now_);
    ASSERT_EQ(group_.failing_open(), scope.failing_open);
    const std::vector<TargetId> routable = model_.routable(now_);
    for (const TargetStatus& one : status) {
      const bool expected = std::find(routable.begin(), routable.end(), one.target) != routable.end();
      ASSERT_EQ(group_.accepts(one.target), expected);
    }
  }

  Rng random_;
  Rng random_unused_{0};
  TargetGroup group_;
  Model model_;
  Time now_{};
  std::uint64_t last_sequence_ = 0;
  std::vector<std::pair<TargetId, std::uint64_t>> started_;
};

TEST(TargetGroupModel, DoesAsTheModelDoes) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SideBySide run(seed);
    for (int step = 0; step < 400; ++step) {
      run.step();
      ASSERT_FALSE(testing::Test::HasFatalFailure()) << "seed " << seed << " step " << step;
    }
  }
}

TEST(TargetGroupModel, TenThousandTargetsAreProbedOnTime) {
  // A hundred registered at each of a hundred instants: every wake has a hundred probes, and a target's probes are 10 s
  // apart.
  constexpr int kTargets = 10'000;
  TargetGroup group({.health_check = {.interval = std::chrono::seconds(10)}}, nullptr);
  std::vector<TargetSpec> desired;
  for (int i = 0; i < kTargets; ++i) {
    desired.push_back({.id = std::to_string(i), .address = Address::v4(10, 0, 0, 1, 80), .wire = {}, .zone = ""});
  }
  for (int i = 100; i <= kTargets; i += 100) {
    group.set_targets(Time{std::chrono::milliseconds(i)}, std::span(desired).first(static_cast<std::size_t>(i)));
  }
  std::map<TargetId, Time> last;
  std::vector<ProbeDue> due;
  int probes = 0;
  for (Time now = *group.next_wake(); now <= Time{std::chrono::seconds(30)}; now = *group.next_wake()) {
    due.clear();
    group.due_probes(now, due);
    ASSERT_EQ(due.size(), 100U);
    for (const ProbeDue& probe : due) {
      const auto [before, first] = last.try_emplace(probe.target, now);
      ASSERT_TRUE(first || now - before->second == std::chrono::seconds(10));
      before->second = now;
      ++probes;
      group.observe(now, probe.target, probe.sequence, {ProbeOutcome::Kind::kAnswered, 200});
    }
    Rng random(1);
    ASSERT_TRUE(group.pick(now, random));
  }
  EXPECT_EQ(probes, 3 * kTargets);
  EXPECT_EQ(last.size(), static_cast<std::size_t>(kTargets));
}

}  // namespace
}  // namespace rr
