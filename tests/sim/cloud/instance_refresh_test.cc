// What an instance refresh does next: the sizes of its batches by tables, and whole refreshes of small groups, every
// size from 1 to 10 with every window.
#include "sim/cloud/instance_refresh.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rr::sim {
namespace {

using namespace std::chrono_literals;

const Time kNow{std::chrono::hours(500'000)};
const ZoneName kA("a");
const ZoneName kB("b");

TEST(RefreshWindow, FollowsItsTable) {
  struct Case {
    int desired, least, most;
    int size, end_first;
    bool empty;
  };
  for (const Case& c : {
           Case{2, 90, 100, 1, 1, true},    // ceil(1.8) = 2 required, 2 allowed: the minimum is broken
           Case{2, 51, 100, 1, 1, true},    // ceil(1.02) = 2
           Case{2, 50, 100, 1, 1, false},   // 1 required
           Case{2, 0, 100, 2, 2, false},    // an outage
           Case{2, 100, 100, 1, 0, true},   // the maximum is broken
           Case{2, 100, 110, 1, 0, true},   // floor(2.2) = 2
           Case{2, 100, 150, 1, 0, false},  // floor(3) = 3
           Case{2, 100, 200, 2, 0, false}, Case{2, 90, 110, 1, 1, true},
           Case{2, 50, 150, 2, 1, false},  // 1 required, 3 allowed
           Case{1, 90, 100, 1, 1, true}, Case{1, 100, 200, 1, 0, false}, Case{10, 90, 100, 1, 1, false},
           Case{10, 90, 110, 2, 1, false},                                  // 9 required, 11 allowed
           Case{10, 95, 120, 2, 0, false},                                  // ceil(9.5) = 10 required: launched first
           Case{10, 100, 130, 3, 0, false}, Case{3, 66, 100, 1, 1, false},  // ceil(1.98) = 2 required
       }) {
    const RefreshWindow window = refresh_window(c.desired, c.least, c.most);
    EXPECT_EQ(window.size, c.size) << c.desired << ": " << c.least << "/" << c.most;
    EXPECT_EQ(window.end_first, c.end_first) << c.desired << ": " << c.least << "/" << c.most;
    EXPECT_EQ(window.empty, c.empty) << c.desired << ": " << c.least << "/" << c.most;
  }
}

TEST(RefreshOrder, TakesTheOldestOfTheZoneWithTheMostLeft) {
  std::vector<Instance> all(5);
  for (int i = 0; i < 5; ++i) {
    all[static_cast<std::size_t>(i)].id = InstanceId("i-" + std::to_string(i));
    all[static_cast<std::size_t>(i)].zone = i < 3 ? kA : kB;
    all[static_cast<std::size_t>(i)].launched = kNow - 1s * i;  // i-4 is the oldest
  }
  std::vector<const Instance*> members;
  for (const Instance& one : all) members.push_back(&one);
  // a has 3, b has 2: a first, then they are equal and a is named first.
  EXPECT_EQ(refresh_order(members), (std::deque<InstanceId>{InstanceId("i-2"), InstanceId("i-1"), InstanceId("i-4"),
                                                            InstanceId("i-0"), InstanceId("i-3")}));
}

/// A group over two zones under refresh, whose launches and warm-ups happen when the test says so.
struct Fixture {
  Group group;
  std::map<InstanceId, Instance> instances;
  GroupCounts counts;
  Rng rng{1};
  Time now = kNow;
  Tempo tempo{1, false};
  int latest = 2;  // what the refresh brings
  int made = 0;
  int lowest_ready = 1'000;
  int highest = 0;

  Fixture(int desired, int least, int most) {
    group.settings.zones = {kA, kB};
    group.settings.max_size = 2 * desired;
    group.desired_capacity = desired;
    std::vector<const Instance*> members;
    for (int i = 0; i < desired; ++i) members.push_back(&add(i % 2 == 0 ? kA : kB, 1, true));
    RefreshState refresh;
    refresh.min_healthy_percentage = least;
    refresh.max_healthy_percentage = most;
    set_work(refresh, refresh_order(members), now);
    group.refreshes.push_back(refresh);
  }
  RefreshState& refresh() { return group.refreshes.back(); }
  Instance& add(const ZoneName& zone, int version, bool ready) {
    Instance instance;
    instance.id = InstanceId("i-" + std::to_string(1'000 + made++));
    instance.zone = zone;
    instance.template_name = "web";
    instance.template_version = version;
    instance.launched = now;
    instance.launch_reason = ready ? ChangeReason::kDesiredCapacity : ChangeReason::kInstanceRefresh;
    instance.lifecycle = ready ? LifecycleState::kInService : LifecycleState::kPending;
    if (ready) instance.settled_at = now;
    counts.count(instance, 1);
    return instances.emplace(instance.id, instance).first->second;
  }
  void change(const InstanceId& id, const std::function<void(Instance&)>& how) {
    Instance& instance = instances.at(id);
    counts.count(instance, -1);
    how(instance);
    counts.count(instance, 1);
  }
  void end(const InstanceId& id) {
    refresh().left.erase(id);
    EXPECT_NE(instances.at(id).lifecycle, LifecycleState::kTerminating) << id.value << " is ended twice";
    change(id, [](Instance& i) { i.lifecycle = LifecycleState::kTerminating; });
  }
  GroupView view() {
    const RefreshState* active = group.active_refresh();
    return {.group = group,
            .instances = instances,
            .counts = counts,
            .current = {"web", 1},
            .hour = 1h,
            .rebalance_suspended = true,
            .surplus = active == nullptr ? 0 : active->surplus(),
            .refresh_owed = active == nullptr ? 0 : active->batch.owed,
            .launches = {"web", refresh().rollback ? 1 : latest},
            .refresh_timeout = 1h};
  }
  void note() {
    const int live = static_cast<int>(counts.members.size());
    highest = std::max(highest, live);
    lowest_ready = std::min(lowest_ready, live - static_cast<int>(counts.unsettled.size() + counts.unhealthy.size()));
  }
  /// Everything that is due now, launches included.
  void look() {
    while (group.active_refresh() != nullptr) {
      const RefreshStep step = advance(refresh(), view(), now);
      for (const InstanceId& id : step.terminate) end(id);
      apply_step(refresh(), step, now, tempo);
      note();
      if (!step.look_again() || step.begin) break;
    }
    const Plan plan = reconcile(view(), now, rng);
    for (const Plan::Terminate& item : plan.terminate) end(item.instance);
    for (const Plan::Launch& item : plan.launch) add(item.zone, view().launches.version, false);
    if (group.active_refresh() != nullptr) refresh().batch.owed = plan.refresh_owed;
    note();
  }
  /// Every pending instance comes into service and is ready.
  void settle() {
    const std::set<InstanceId> unsettled = counts.unsettled;
    for (const InstanceId& id : unsettled) {
      change(id, [&](Instance& i) {
        i.lifecycle = LifecycleState::kInService;
        i.settled_at = now;
      });
    }
  }
  int of_version(int version) {
    return static_cast<int>(std::count_if(counts.members.begin(), counts.members.end(), [&](const InstanceId& id) {
      return instances.at(id).template_version == version;
    }));
  }
  /// False when it does not end.
  bool run(int rounds = 200) {
    for (int round = 0; round < rounds && group.active_refresh() != nullptr; ++round) {
      look();
      now += 1min;
      settle();
    }
    return group.active_refresh() == nullptr;
  }
};

TEST(InstanceRefresh, TwoInstancesFollowTheTable) {
  struct Case {
    int least, most;
    int lowest_ready, highest;
  };
  for (const Case& c : {Case{90, 100, 1, 2}, Case{51, 100, 1, 2}, Case{99, 100, 1, 2}, Case{50, 100, 1, 2},
                        Case{0, 100, 0, 2}, Case{100, 100, 2, 3}, Case{100, 110, 2, 3}, Case{100, 150, 2, 3},
                        Case{100, 200, 2, 4}, Case{90, 110, 1, 2}, Case{50, 150, 1, 3}}) {
    Fixture fixture(2, c.least, c.most);
    ASSERT_TRUE(fixture.run());
    EXPECT_EQ(fixture.refresh().status, RefreshStatus::kSuccessful);
    EXPECT_EQ(fixture.refresh().percentage_complete, 100);
    EXPECT_EQ(fixture.lowest_ready, c.lowest_ready) << c.least << "/" << c.most;
    EXPECT_EQ(fixture.highest, c.highest) << c.least << "/" << c.most;
    EXPECT_EQ(fixture.of_version(2), 2);
    EXPECT_EQ(fixture.counts.members.size(), 2u);
  }
}

TEST(InstanceRefresh, EverySizeFromOneToTenWithEveryWindowKeepsIt) {
  for (int desired = 1; desired <= 10; ++desired) {
    for (int least = 0; least <= 100; least += 5) {
      for (int most = 100; most <= std::min(200, least + 100); most += 5) {
        Fixture fixture(desired, least, most);
        ASSERT_TRUE(fixture.run()) << desired << ": " << least << "/" << most;
        ASSERT_EQ(fixture.refresh().status, RefreshStatus::kSuccessful) << desired << ": " << least << "/" << most;
        ASSERT_EQ(fixture.of_version(2), desired) << desired << ": " << least << "/" << most;
        ASSERT_EQ(static_cast<int>(fixture.counts.members.size()), desired) << desired << ": " << least << "/" << most;
        const RefreshWindow window = refresh_window(desired, least, most);
        const int broken = window.empty ? 1 : 0;
        // Which of the two is broken where nothing fits: the maximum at 100 %, the minimum below it.
        const int required = least == 100 ? desired : std::min(desired, window.required) - broken;
        const int allowed = std::max(desired, window.allowed) + (least == 100 ? broken : 0);
        ASSERT_GE(fixture.lowest_ready, required) << desired << ": " << least << "/" << most;
        ASSERT_LE(fixture.highest, allowed) << desired << ": " << least << "/" << most;
      }
    }
  }
}

TEST(InstanceRefresh, PercentageCountsWarmInstancesAndToUpdateThoseNotBegun) {
  Fixture fixture(4, 75, 100);  // 3 required: one at a time
  fixture.look();               // Pending -> InProgress -> the first batch
  EXPECT_EQ(fixture.refresh().status, RefreshStatus::kInProgress);
  EXPECT_EQ(fixture.refresh().batch.size, 1);
  fixture.look();
  EXPECT_EQ(fixture.refresh().percentage_complete, 0);
  EXPECT_EQ(fixture.refresh().instances_to_update, 3) << "its replacement has begun";
  EXPECT_NE(fixture.refresh().status_reason.find("is Pending."), std::string::npos) << fixture.refresh().status_reason;
  fixture.settle();
  fixture.look();
  EXPECT_EQ(fixture.refresh().percentage_complete, 25);
}

TEST(InstanceRefresh, AnUnhealthyOldInstanceGoesFirstAndCostsNothing) {
  Fixture fixture(4, 75, 100);
  const InstanceId ill = fixture.refresh().order.back();
  fixture.change(ill, [](Instance& i) {
    i.healthy = false;
    i.end_reason = ChangeReason::kElbHealthCheck;
  });
  fixture.look();
  EXPECT_FALSE(fixture.counts.members.contains(ill));
  EXPECT_EQ(fixture.lowest_ready, 3);
}

TEST(InstanceRefresh, AnHourWithoutProgressFailsIt) {
  for (const bool auto_rollback : {false, true}) {
    Fixture fixture(2, 100, 100);
    fixture.refresh().preferences.auto_rollback = auto_rollback;
    fixture.look();
    EXPECT_EQ(fixture.counts.members.size(), 3u);
    RefreshStep step = advance(fixture.refresh(), fixture.view(), kNow + 1h - 1ns);
    EXPECT_EQ(step.to, std::nullopt);
    EXPECT_EQ(step.look_at, kNow + 1h);
    step = advance(fixture.refresh(), fixture.view(), kNow + 1h);
    EXPECT_EQ(step.to, auto_rollback ? RefreshStatus::kRollbackInProgress : RefreshStatus::kFailed);
    if (auto_rollback) continue;
    EXPECT_EQ(step.terminate.size(), 1u) << "what it launched in excess and never became ready";
    EXPECT_EQ(fixture.instances.at(step.terminate.front()).template_version, 2);
  }
}

TEST(InstanceRefresh, CheckpointsHoldItForTheirDelay) {
  Fixture fixture(10, 90, 100);
  fixture.refresh().preferences.checkpoint_percentages = {20, 100};
  fixture.refresh().preferences.checkpoint_delay = 10min;
  std::vector<int> seen;
  for (int minute = 0; minute < 60 && fixture.group.active_refresh() != nullptr; ++minute) {
    fixture.look();
    seen.push_back(fixture.refresh().percentage_complete);
    fixture.now += 1min;
    fixture.settle();
  }
  EXPECT_EQ(fixture.refresh().status, RefreshStatus::kSuccessful);
  // A minute each: 0, 10, then 20 for the delay of ten minutes, and on.
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 20), 11);
  EXPECT_EQ(seen.back(), 100);
}

TEST(InstanceRefresh, WithoutACheckpointOfAHundredTheRestStaysOld) {
  Fixture fixture(10, 90, 100);
  fixture.refresh().preferences.checkpoint_percentages = {50};
  ASSERT_TRUE(fixture.run());
  EXPECT_EQ(fixture.refresh().status, RefreshStatus::kSuccessful);
  EXPECT_EQ(fixture.of_version(2), 5);
  EXPECT_EQ(fixture.refresh().percentage_complete, 50);
}

TEST(InstanceRefresh, ABatchEndsAtTheNextCheckpoint) {
  Fixture fixture(10, 0, 100);  // ten at once, if it may
  fixture.refresh().preferences.checkpoint_percentages = {30, 100};
  fixture.look();
  EXPECT_EQ(fixture.refresh().batch.size, 3);
}

TEST(InstanceRefresh, ProtectedInstancesAreReplacedSkippedOrWaitedFor) {
  using Choice = ScaleInProtectedInstances;
  for (const Choice choice : {Choice::kRefresh, Choice::kIgnore, Choice::kWait}) {
    Fixture fixture(4, 50, 100);
    fixture.refresh().preferences.scale_in_protected_instances = choice;
    const InstanceId kept = fixture.refresh().order.front();
    fixture.change(kept, [](Instance& i) { i.protected_from_scale_in = true; });
    for (int round = 0; round < 20; ++round, fixture.settle()) fixture.look();
    EXPECT_EQ(fixture.counts.members.contains(kept), choice != Choice::kRefresh);
    EXPECT_EQ(fixture.of_version(2), choice == Choice::kRefresh ? 4 : 3);
    if (choice != Choice::kWait) {
      EXPECT_EQ(fixture.refresh().status, RefreshStatus::kSuccessful);
      continue;
    }
    EXPECT_EQ(fixture.refresh().status, RefreshStatus::kInProgress);
    EXPECT_EQ(fixture.refresh().percentage_complete, 75);
    EXPECT_EQ(fixture.refresh().status_reason,
              "Waiting for scale-in protection to be removed. For example: " + kept.value + " is protected.");
    fixture.change(kept, [](Instance& i) { i.protected_from_scale_in = false; });
    EXPECT_TRUE(fixture.run());
    EXPECT_EQ(fixture.of_version(2), 4);
  }
}

TEST(InstanceRefresh, SkipMatchingLeavesWhatMatchesAlone) {
  Fixture fixture(4, 50, 100);
  fixture.refresh().preferences.skip_matching = true;
  const InstanceId same = fixture.refresh().order.front();
  fixture.change(same, [](Instance& i) { i.template_version = 2; });
  ASSERT_TRUE(fixture.run());
  EXPECT_TRUE(fixture.counts.members.contains(same));
  EXPECT_EQ(fixture.of_version(2), 4);
  EXPECT_EQ(fixture.refresh().total, 3);

  Fixture all(3, 90, 100);
  all.refresh().preferences.skip_matching = true;
  for (const InstanceId& id : std::set(all.counts.members)) all.change(id, [](Instance& i) { i.template_version = 2; });
  all.look();
  EXPECT_EQ(all.refresh().status, RefreshStatus::kSuccessful) << "at once, nothing replaced";
  EXPECT_EQ(all.made, 3);
}

TEST(InstanceRefresh, WhatMatchedAndDoesNoMoreIsReplacedOnce) {
  Fixture fixture(3, 33, 100);  // two at a time
  fixture.refresh().preferences.skip_matching = true;
  const InstanceId last = fixture.refresh().order.back();
  fixture.change(last, [](Instance& i) { i.template_version = 2; });
  const InstanceId away = fixture.add(kA, 2, true).id;
  fixture.change(away, [](Instance& i) { i.lifecycle = LifecycleState::kStandby; });
  EXPECT_FALSE(fixture.run(20)) << "it waits for the one in standby";
  ASSERT_EQ(fixture.of_version(2), 3);
  fixture.latest = 3;  // published while it waits
  EXPECT_FALSE(fixture.run(20));
  fixture.change(away, [](Instance& i) { i.lifecycle = LifecycleState::kTerminated; });
  EXPECT_TRUE(fixture.run());
  EXPECT_EQ(fixture.of_version(3), 3);
  EXPECT_EQ(fixture.refresh().status, RefreshStatus::kSuccessful);
}

TEST(InstanceRefresh, ARollbackReplacesWhatWasLaunchedFromAnyMoment) {
  for (int least = 0; least <= 100; least += 50) {
    for (int most = 100; most <= std::min(200, least + 100); most += 50) {
      for (int rounds = 0; rounds <= 6; ++rounds) {
        Fixture fixture(4, least, most);
        for (int i = 0; i < rounds && fixture.group.active_refresh() != nullptr; ++i) {
          fixture.look();
          if (i % 2 == 1) fixture.settle();  // also with a batch half way
        }
        if (fixture.group.active_refresh() == nullptr) continue;
        std::vector<const Instance*> launched;
        for (const InstanceId& id : fixture.counts.members) {
          if (fixture.instances.at(id).template_version == 2) launched.push_back(&fixture.instances.at(id));
        }
        begin_rollback(fixture.refresh(), "asked for", refresh_order(launched), fixture.now);
        const int percentage = fixture.refresh().percentage_complete;
        ASSERT_TRUE(fixture.run()) << least << "/" << most << " after " << rounds;
        EXPECT_EQ(fixture.refresh().status, RefreshStatus::kRollbackSuccessful);
        EXPECT_EQ(fixture.of_version(1), 4) << least << "/" << most << " after " << rounds;
        EXPECT_EQ(fixture.counts.members.size(), 4u);
        EXPECT_EQ(fixture.refresh().rollback->percentage_complete, percentage);
        EXPECT_EQ(fixture.refresh().percentage_complete, 0) << "back at the beginning";
      }
    }
  }
}

TEST(InstanceRefresh, CancellingWaitsForTheBatchUnderWay) {
  Fixture fixture(4, 50, 100);
  fixture.look();
  fixture.refresh().status = RefreshStatus::kCancelling;
  fixture.look();
  EXPECT_EQ(fixture.refresh().status, RefreshStatus::kCancelling);
  fixture.settle();
  fixture.look();
  EXPECT_EQ(fixture.refresh().status, RefreshStatus::kCancelled);
  EXPECT_EQ(fixture.of_version(2), 2) << "nothing is undone, nothing more is done";
}

TEST(InstanceRefresh, AnAlarmFailsItAndBakingWaits) {
  Fixture fixture(2, 90, 100);
  fixture.refresh().preferences.bake_time = 10min;
  fixture.look();
  const auto look_alarmed = [&](Time now) {
    GroupView view = fixture.view();
    view.alarm = "errors";
    return advance(fixture.refresh(), view, now);
  };
  const RefreshStep step = look_alarmed(fixture.now);
  EXPECT_EQ(step.to, RefreshStatus::kFailed);
  EXPECT_EQ(step.reason, "The alarm errors is in the ALARM state.");
  while (fixture.refresh().status == RefreshStatus::kInProgress) {
    fixture.settle();
    fixture.look();
  }
  EXPECT_EQ(fixture.refresh().status, RefreshStatus::kBaking);
  EXPECT_EQ(fixture.refresh().percentage_complete, 100);
  const Time began = fixture.now;
  EXPECT_EQ(advance(fixture.refresh(), fixture.view(), began + 10min - 1ns).look_at, began + 10min);
  EXPECT_EQ(look_alarmed(began).to, RefreshStatus::kFailed) << "alarms are watched while it bakes";
}

}  // namespace
}  // namespace rr::sim
