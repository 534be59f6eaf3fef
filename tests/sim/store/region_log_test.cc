// A region that is written down and read back: exact, whatever happened and wherever it was cut off.
#include "sim/store/region_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/sim/cloud/toy_world.h"

namespace rr::sim {
namespace {

using namespace std::chrono_literals;

const ZoneName kB("eu-west-1b");

/// A folder that is gone at the end of the test.
class Folder {
 public:
  Folder() {
    // In memory where there is such a place: every opening flushes, and a disk would make it minutes.
    const std::filesystem::path memory = "/dev/shm";
    const bool in_memory = ::access(memory.c_str(), W_OK) == 0;
    std::string pattern = ((in_memory ? memory : std::filesystem::temp_directory_path()) / "rr-store-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_text(const std::string& path, std::string_view text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

/// Keeps the records in memory.
class Memory final : public Recorder {
 public:
  std::vector<LogRecord> records;
  int syncs = 0;
  void record(Time now, const Command& command) override { add(now, command); }
  void record(Time now, const Event& event) override { add(now, event); }
  void record_wake(Time now) override { add(now, Woken{}); }
  void record_recovery(Time now, const std::set<std::string>& running) override { add(now, Recovered{running}); }
  void sync(const RegionState&) override { ++syncs; }

 private:
  template <class What>
  void add(Time now, What what) {
    records.push_back({records.size() + 1, now, what});
  }
};

/// A tier in all its states: released, powered off and on, scaled, its instances hung.
void live_through(ToyWorld& world, std::uint64_t seed, int steps) {
  Rng rng(seed);
  for (int step = 0; step < steps; ++step) {
    const auto live = world.live();
    switch (rng.below(18)) {
      case 16: {
        ScalingPolicy policy{.name = "track", .group = "web"};
        policy.target_value = 100;
        (void)world.command(PutScalingPolicy{policy});
        (void)world.command(PutMetricAlarm{{.name = "errors", .group = "web", .metric = Metric::kElb5xxCount}});
        ScheduledAction action{.name = "soon", .group = "web"};
        action.recurrence = "*/5 * * * *";
        action.desired_capacity = static_cast<int>(2 + rng.below(3));
        (void)world.command(PutScheduledUpdateGroupAction{action});
        break;
      }
      case 17:
        for (int period = 0; period < 4; ++period) {
          world.region.apply(world.now, MetricReported{"web", Metric::kRequestCountPerTarget,
                                                       60.0 * static_cast<double>(rng.below(4))});
          world.region.apply(world.now, MetricReported{"web", Metric::kElb5xxCount, std::nullopt});
        }
        (void)world.command(SetAlarmState{"errors", static_cast<AlarmStateValue>(rng.below(3)), "drawn"});
        break;
      case 11:
        if (!live.empty()) (void)world.command(EnterStandby{{live.front()->id}, rng.below(2) == 0});
        break;
      case 12:
        for (const auto& [id, instance] : std::map(world.state().instances)) {
          (void)world.command(ExitStandby{{id}});
          (void)world.command(AttachInstances{"web", {id}});
        }
        break;
      case 13:
        if (!live.empty()) (void)world.command(DetachInstances{{live.back()->id}, rng.below(2) == 0});
        if (!live.empty()) (void)world.command(SetInstanceProtection{{live.front()->id}, rng.below(2) == 0});
        break;
      case 14: {
        const auto process = static_cast<ScalingProcess>(rng.below(9));
        (void)world.command(SuspendProcesses{"web", {process}});
        if (rng.below(2) == 0) (void)world.command(ResumeProcesses{"web", {}});
        break;
      }
      case 15: {
        const auto transition = static_cast<LifecycleTransition>(rng.below(2));
        const LifecycleHook hook{"wait", transition, 30s, static_cast<LifecycleActionResult>(rng.below(2))};
        if (rng.below(2) == 0) (void)world.command(PutLifecycleHook{"web", hook});
        if (rng.below(2) == 0) (void)world.command(DeleteLifecycleHook{"web", "wait"});
        for (const auto& [id, instance] : std::map(world.state().instances)) {
          (void)world.command(RecordLifecycleActionHeartbeat{"web", "wait", id, ""});
          if (rng.below(4) == 0) {
            (void)world.command(CompleteLifecycleAction{"web", "wait", hook.default_result, id, ""});
          }
        }
        break;
      }
      case 9: {
        RefreshPreferences preferences;
        preferences.min_healthy_percentage = static_cast<int>(50 * rng.below(3));
        preferences.checkpoint_percentages = {50, 100};
        preferences.checkpoint_delay = 1min;
        preferences.bake_time = 10s;
        (void)world.command(StartInstanceRefresh{"web", LaunchTemplateSpecification{"web", "$Latest"}, preferences});
        break;
      }
      case 10:
        if (rng.below(3) != 0) break;
        if (!world.command(RollbackInstanceRefresh{"web"}).ok()) {
          (void)world.command(CancelInstanceRefresh{"web", rng.below(2) == 0});
        }
        break;
      case 0:
        world.cut_power(kB);
        break;
      case 1:
        world.restore_power(kB);
        break;
      case 2:
        (void)world.command(SetDesiredCapacity{"web", static_cast<int>(1 + rng.below(5))});
        break;
      case 3:
        (void)world.command(StartDoubleRelease{"web", world.add_image("commit" + std::to_string(step))});
        break;
      case 4:
        if (!live.empty() && world.machines.contains(live.front()->id)) world.hang(live.front()->id);
        break;
      case 5:
        if (!live.empty()) (void)world.command(TerminateInstanceInAutoScalingGroup{live.back()->id, rng.below(2) == 0});
        break;
      case 6:
        if (!live.empty()) (void)world.command(SetInstanceHealth{live.back()->id, rng.below(2) == 0, false});
        break;
      case 7:
        world.unhang_all();
        break;
      case 8:
        world.region.recover(world.now);
        for (auto& [id, machine] : world.machines) machine.running = false;
        for (auto& [name, node] : world.balancers) node.running = false;
        world.settle();
        break;
    }
    world.run_for(std::chrono::seconds(rng.below(90)));
  }
}

Region replayed(const RegionState& from, const std::vector<LogRecord>& records) {
  Region region(from, nullptr);
  for (const LogRecord& record : records) {
    const Status again = replay(region, record);
    EXPECT_TRUE(again.ok()) << again.error().message;
  }
  return region;
}

TEST(RegionLog, ReplayGivesTheLiveStateWhateverHappened) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    ToyWorld world(toy_settings(2 + static_cast<int>(seed % 2)), seed);
    const RegionState first = world.state();
    Memory memory;
    world.region.set_recorder(&memory);
    world.build();
    live_through(world, seed, 25);
    EXPECT_TRUE(replayed(first, memory.records).state() == world.state()) << "seed " << seed;
    // And from any moment on: here from the middle, through text.
    const std::size_t half = memory.records.size() / 2;
    const std::vector<LogRecord> before(memory.records.begin(), memory.records.begin() + static_cast<long>(half));
    const std::vector<LogRecord> after(memory.records.begin() + static_cast<long>(half), memory.records.end());
    const auto middle = read_snapshot(write_snapshot({half, replayed(first, before).state()}));
    ASSERT_TRUE(middle.ok()) << middle.error().message;
    EXPECT_TRUE(replayed(middle.value().state, after).state() == world.state()) << "seed " << seed;
  }
}

TEST(RegionLog, EveryStateAndRecordIsReadBackAsItWas) {
  ToyWorld world(toy_settings(), 5);
  Memory memory;
  world.region.set_recorder(&memory);
  world.build();
  live_through(world, 5, 400);  // so many that every kind of event comes
  const auto state = read_snapshot(write_snapshot({7, world.state()}));
  ASSERT_TRUE(state.ok()) << state.error().message;
  EXPECT_TRUE((state.value() == Snapshot{7, world.state()}));
  std::set<std::pair<std::size_t, std::size_t>> kinds;
  std::string seen;
  for (const LogRecord& record : memory.records) {
    const auto again = read_record(write_record(record));
    ASSERT_TRUE(again.ok()) << again.error().message;
    ASSERT_EQ(again.value(), record) << write_record(record);
    if (const auto* command = std::get_if<Command>(&record.what)) kinds.insert({2, command->index()});
    if (const auto* event = std::get_if<Event>(&record.what)) kinds.insert({3, event->index()});
  }
  for (const auto& [what, index] : kinds) seen += what == 3 ? std::to_string(index) + " " : "";
  EXPECT_EQ(std::count_if(kinds.begin(), kinds.end(), [](auto k) { return k.first == 3; }), 10)
      << "every kind of event, but only: " << seen;
}

TEST(RegionLog, CommandsAndSettingsThatTheTierDoesNotUseAreReadBackToo) {
  GroupSettings group = toy_group(toy_settings());
  group.default_instance_warmup = 90s;
  group.max_instance_lifetime = 48h;
  group.maintenance_policy = InstanceMaintenancePolicy{50, 150};
  group.termination_policies = {TerminationPolicy::kOldestInstance, TerminationPolicy::kClosestToNextInstanceHour};
  group.health_check_type = HealthCheckType::kEc2;
  Image image;
  image.command = {"node", "server.js", "\"quoted\"\n\u00e9"};
  for (const Command& command :
       {Command(RegisterImage{image}), Command(CreateLaunchTemplateVersion{"web", ImageId("ami-1"), "second"}),
        Command(CreateAutoScalingGroup{group, 3}), Command(UpdateAutoScalingGroup{group}),
        Command(StartZonalShift{ZoneName("eu-west-1b"), 2h}), Command(CancelZonalShift{})}) {
    const LogRecord record{1, kStart, command};
    const auto again = read_record(write_record(record));
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(again.value(), record);
  }
  RegionSettings settings = toy_settings();
  settings.speed = 12.3;
  settings.own_program = true;
  settings.load_balancer.listeners.push_back({"sorry", 81, FixedResponseAction{503, "text/html", "<p>later</p>"}});
  settings.load_balancer.target_groups.front().health_check.matcher = Matcher::parse("200-299,404").value();
  settings.load_balancer.target_groups.front().health_check.port = 9000;
  settings.load_balancer.cookie_key = std::string(64, 'a');
  const RegionState state = Region(kStart, settings, 3, nullptr).state();
  const auto again = read_snapshot(write_snapshot({0, state}));
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_TRUE(again.value().state == state);
}

TEST(RegionLog, AFolderOpensToWhatHadBeenRecorded) {
  Folder folder;
  const std::string path = folder / "region";
  EXPECT_FALSE(RegionLog::exists(path));
  ToyWorld world(toy_settings(), 9);
  auto log = RegionLog::create(path, world.state());
  ASSERT_TRUE(log.ok()) << log.error().message;
  EXPECT_TRUE(RegionLog::exists(path));
  (*log)->set_records_per_snapshot(40);
  world.region.set_recorder(log->get());
  world.build();
  live_through(world, 9, 10);
  world.region.set_recorder(nullptr);
  const auto opened = RegionLog::open(path, nullptr);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_TRUE(opened.value().region.state() == world.state());
  EXPECT_FALSE(opened.value().torn);
  EXPECT_LT(opened.value().replayed, 200u) << "snapshots are taken on the way";
  EXPECT_GT(read_snapshot(text_of(path + "/snapshot.json")).value().number, 40u);
}

TEST(RegionLog, CutOffAtAnyByteTheFolderOpensToAPrefix) {
  Folder folder;
  const std::string path = folder / "region";
  ToyWorld world(toy_settings(), 11);
  const RegionState first = world.state();
  Memory memory;
  {
    auto log = RegionLog::create(path, first);
    ASSERT_TRUE(log.ok());
    world.region.set_recorder(log->get());
    world.build();
    world.run_for(18s);
    world.region.set_recorder(nullptr);
  }
  const std::string snapshot = text_of(path + "/snapshot.json");
  const std::string whole = text_of(path + "/log.jsonl");
  ASSERT_GT(std::count(whole.begin(), whole.end(), '\n'), 20);
  ASSERT_GT(whole.size(), 3'000u);
  Region expected(first, nullptr);  // after the records whose line is complete
  std::size_t line = 0;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    if (size > 0 && whole[size - 1] == '\n') {
      const auto record = read_record(std::string_view(whole).substr(line, size - 1 - line));
      ASSERT_TRUE(record.ok() && replay(expected, *record).ok());
      line = size;
    }
    // Every byte of the first and the last records, which hold all kinds; in between the ends of lines and around them.
    const bool at_an_end = size == line || size == line + 1 || (size < whole.size() && whole[size] == '\n');
    if (size > 800 && size + 1'200 < whole.size() && !at_an_end) continue;
    const std::string copy = folder / "copy";
    write_text(copy + "/snapshot.json", snapshot);
    write_text(copy + "/log.jsonl", std::string_view(whole).substr(0, size));
    const auto opened = RegionLog::open(copy, nullptr);
    ASSERT_TRUE(opened.ok()) << "at byte " << size << ": " << opened.error().message;
    ASSERT_TRUE(opened.value().region.state() == expected.state()) << "at byte " << size;
    ASSERT_EQ(opened.value().torn, size != line);
    ASSERT_EQ(text_of(copy + "/log.jsonl"), whole.substr(0, line)) << "what is torn is cut off";
  }
  EXPECT_TRUE(expected.state() == world.state());
}

TEST(RegionLog, ACrashBetweenSnapshotAndEmptyingTheLogLosesAndRepeatsNothing) {
  Folder folder;
  const std::string path = folder / "region";
  ToyWorld world(toy_settings(), 13);
  auto log = RegionLog::create(path, world.state());
  ASSERT_TRUE(log.ok());
  world.region.set_recorder(log->get());
  world.build();
  world.run_for(2min);
  const std::string before = text_of(path + "/log.jsonl");
  (*log)->set_records_per_snapshot(1);
  (void)world.command(SetDesiredCapacity{"web", 3});
  // The log as it was before it was emptied, with the new snapshot.
  const auto record_count = std::count(before.begin(), before.end(), '\n');
  ASSERT_GT(read_snapshot(text_of(path + "/snapshot.json")).value().number, static_cast<std::uint64_t>(record_count));
  write_text(path + "/log.jsonl", before);
  const auto opened = RegionLog::open(path, nullptr);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(opened.value().replayed, 0u);
  EXPECT_EQ(opened.value().region.state().groups.at("web").desired_capacity, 3);
}

TEST(RegionLog, WhatCannotBeReadIsRefusedByNameWithTheCommandThatMovesItAway) {
  Folder folder;
  const std::string path = folder / "region";
  ToyWorld world(toy_settings(), 17);
  {
    auto log = RegionLog::create(path, world.state());
    ASSERT_TRUE(log.ok());
    world.region.set_recorder(log->get());
    world.build();
    world.region.set_recorder(nullptr);
  }
  const std::string snapshot = text_of(path + "/snapshot.json");
  const std::string log = text_of(path + "/log.jsonl");
  const std::string newer = std::string(snapshot).replace(snapshot.find("\"version\": 8\n"), 12, "\"version\": 9");
  const std::string broken = std::string(log).replace(log.find('\n') / 2, 1, "\x01");
  const std::string gap = log.substr(log.find('\n') + 1);
  struct Case {
    std::string snapshot;
    std::string log;
    std::string expected;
  };
  for (const Case& broken_case :
       {Case{newer, log, "snapshot.json: version 9 is newer than the 8"}, Case{"{}", log, "snapshot.json: "},
        Case{"", log, "snapshot.json: "}, Case{snapshot.substr(0, 100), log, "snapshot.json: "},
        Case{snapshot, broken, "log.jsonl: line 1: "}, Case{snapshot, gap, "log.jsonl: record 1 is missing"}}) {
    write_text(path + "/snapshot.json", broken_case.snapshot);
    write_text(path + "/log.jsonl", broken_case.log);
    const auto opened = RegionLog::open(path, nullptr);
    ASSERT_FALSE(opened.ok()) << broken_case.expected;
    EXPECT_NE(opened.error().message.find(broken_case.expected), std::string::npos) << opened.error().message;
    EXPECT_NE(opened.error().message.find("mv '" + path + "' '" + path + ".old'"), std::string::npos)
        << opened.error().message;
    EXPECT_EQ(text_of(path + "/log.jsonl"), broken_case.log) << "what is refused is left alone";
  }
  EXPECT_FALSE(RegionLog::create(path, world.state()).ok()) << "and never overwritten";
}

TEST(RegionLog, NothingIsAnsweredOrDoneBeforeItIsOnTheDisk) {
  ToyWorld world(toy_settings(), 19);
  Memory memory;
  world.region.set_recorder(&memory);
  const int before = memory.syncs;
  ASSERT_TRUE(world.region.apply(world.now, RegisterImage{}).ok());
  EXPECT_EQ(memory.syncs, before + 1) << "a reply";
  EXPECT_FALSE(world.region.apply(world.now, SetDesiredCapacity{"none", 1}).ok());
  EXPECT_EQ(memory.records.size(), 1u) << "what is refused is not recorded";
  world.region.wake(world.now);
  EXPECT_EQ(memory.syncs, before + 1);
  EXPECT_FALSE(world.region.take_actions().empty());
  EXPECT_EQ(memory.syncs, before + 2) << "actions";
  world.region.wake(world.now);
  EXPECT_EQ(memory.records.size(), 2u) << "a wake that has nothing to do is not recorded";
}

TEST(RegionLog, AfterARestartTheGroupIsMadeAnew) {
  Folder folder;
  const std::string path = folder / "region";
  RegionState left;
  {
    ToyWorld world(toy_settings(), 23);
    auto log = RegionLog::create(path, world.state());
    ASSERT_TRUE(log.ok());
    world.region.set_recorder(log->get());
    world.build();
    ASSERT_TRUE(world.run_until([&] { return world.steady(); }));
    ASSERT_TRUE(world.command(StartDoubleRelease{"web", world.add_image("two")}).ok());
    world.run_for(25s);
    left = world.state();
    world.region.set_recorder(nullptr);
  }
  auto opened = RegionLog::open(path, nullptr);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_TRUE(opened.value().region.state() == left);
  ToyWorld world(toy_settings(), 29);
  world.region = std::move(opened.value().region);
  world.now = left.as_of + 10s;
  world.region.recover(world.now);
  world.settle();
  ASSERT_TRUE(world.run_until([&] { return !world.state().release->in_progress() && world.steady(); }));
  EXPECT_EQ(world.state().release->phase, DoublePhase::kReleased) << world.state().release->outcome;
  EXPECT_EQ(world.running_commits(), (std::vector<std::string>{"two", "two"}));
}

}  // namespace
}  // namespace rr::sim
