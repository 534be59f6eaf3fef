#pragma once
// A world in memory that answers a region's actions with delays drawn from a seed, and can lose power or hang. It says
// nothing of its faults but by what the real world would report too.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lb/base/journal.h"
#include "lb/base/rng.h"
#include "sim/cloud/address_plan.h"
#include "sim/cloud/region.h"

namespace rr::sim {

inline constexpr Time kStart{std::chrono::seconds(1'700'000'000)};

/// Two (or more) zones, a group "web" of min 2, max 4, one target group, nothing yet made.
inline RegionSettings toy_settings(int zones = 2) {
  RegionSettings settings;
  settings.zones = default_zones("eu-west-1", zones);
  TargetGroupSettings targets;
  targets.name = "web";
  targets.health_check.interval = std::chrono::seconds(10);
  targets.deregistration_delay = std::chrono::seconds(30);
  settings.load_balancer.target_groups = {targets};
  ListenerSettings listener;
  listener.default_action = ForwardAction{{{"web", 1}}};
  settings.load_balancer.listeners = {listener};
  return settings;
}

inline GroupSettings toy_group(const RegionSettings& region) {
  GroupSettings group;
  group.launch_template.template_name = "web";
  group.target_groups = {"web"};
  for (const Zone& zone : region.zones) group.zones.push_back(zone.name);
  return group;
}

class ToyWorld {
 public:
  struct Machine {
    ZoneName zone;
    Image image;
    std::string host_name;
    bool running = false;
    bool hung = false;
    Time answers_from;
  };
  struct Seen {  // one target, as one node sees it
    Health health;
    int successes = 0;
    int failures = 0;
  };
  struct Balancer {
    ZoneName zone;
    bool running = false;
    bool hung = false;
    ConfigureNode configuration;
    std::map<std::string, Seen> seen;
    std::size_t turn = 0;
  };

  ToyWorld(RegionSettings settings, std::uint64_t seed)
      : settings_(settings), rng_(seed ^ 0x5eed), region(kStart, settings, seed, &journal) {
    for (const Zone& zone : settings.zones) powered_.insert(zone.name);
  }

  // Commands ----------------------------------------------------------------------------------------------------------
  Result<Reply, ApiError> command(const Command& what) {
    auto reply = region.apply(now, what);
    settle();
    return reply;
  }
  ImageId add_image(const std::string& commit) {
    Image image;
    image.commit = commit;
    image.build = "1";
    return ImageId(command(RegisterImage{image}).value().id);
  }
  /// The tier as it begins: image "one", template, group.
  void build(GroupSettings group, int desired) {
    const ImageId image = add_image("one");
    command(CreateLaunchTemplate{group.launch_template.template_name, image, ""}).value();
    command(CreateAutoScalingGroup{std::move(group), desired}).value();
  }
  void build(int desired = 2) { build(toy_group(settings_), desired); }

  // Faults ------------------------------------------------------------------------------------------------------------
  void cut_power(const ZoneName& zone) {
    powered_.erase(zone);
    for (auto& [id, machine] : machines) {
      if (machine.zone == zone && machine.running) stop(id, "killed by signal 9");
    }
    for (auto& [name, node] : balancers) {
      if (node.zone == zone && node.running) stop_node(name);
    }
  }
  void restore_power(const ZoneName& zone) {
    powered_.insert(zone);
    refusing_.erase(zone);
  }
  /// Until restore_power; what runs there goes on.
  void refuse_launches(const ZoneName& zone) { refusing_.insert(zone); }
  void hang(const InstanceId& id) { machines.at(id).hung = true; }
  void unhang_all() {
    for (auto& [id, machine] : machines) machine.hung = false;
    for (auto& [name, node] : balancers) node.hung = false;
  }
  void kill(const InstanceId& id) {
    if (machines.at(id).running) stop(id, "killed by signal 9");
  }
  void hang_node(const std::string& name) { balancers.at(name).hung = true; }
  /// Images of this commit never answer.
  std::set<std::string> broken_commits;
  /// What instances answer instead of their commit.
  std::map<std::string, std::string> claimed_commits;
  bool answers_name_commit = true;

  // Time --------------------------------------------------------------------------------------------------------------
  void run_for(Duration span) {
    const Time end = now + span;
    while (true) {
      const Time next = next_instant(end);
      if (next > end) break;
      now = next;
      deliver();
      settle();
    }
    now = end;
  }
  /// False when it has not come true within `limit`.
  bool run_until(const std::function<bool()>& condition, Duration limit = std::chrono::minutes(30)) {
    const Time end = now + limit;
    while (!condition()) {
      const Time next = next_instant(end);
      if (next > end) return false;
      now = next;
      deliver();
      settle();
    }
    return true;
  }
  /// Called at every instant, after everything has settled.
  std::function<void()> invariant;
  /// Wakes the region this often in between, to show that it makes no difference.
  Duration idle_wakes{};

  // Looking -----------------------------------------------------------------------------------------------------------
  const RegionState& state() const { return region.state(); }
  std::vector<const Instance*> live() const {
    std::vector<const Instance*> found;
    for (const auto& [id, instance] : state().instances) {
      if (instance.lifecycle == LifecycleState::kPending || instance.lifecycle == LifecycleState::kInService) {
        found.push_back(&instance);
      }
    }
    return found;
  }
  std::vector<const Instance*> in_service() const {
    std::vector<const Instance*> found = live();
    std::erase_if(found, [](const Instance* i) { return i->lifecycle != LifecycleState::kInService; });
    return found;
  }
  int live_in(const ZoneName& zone) const {
    int count = 0;
    for (const Instance* instance : live()) count += instance->zone == zone ? 1 : 0;
    return count;
  }
  /// At the desired capacity, all settled and healthy, nobody leaving, zones within one of each other.
  bool steady() const {
    const auto& group = state().groups.at("web");
    int live_count = 0;
    for (const auto& [id, instance] : state().instances) {
      if (instance.lifecycle == LifecycleState::kTerminated) continue;
      if (instance.lifecycle != LifecycleState::kInService || !instance.settled_at || !instance.healthy) return false;
      const auto health = state().target_health.find(id);
      if (health == state().target_health.end() || health->second.health.state != TargetState::kHealthy) return false;
      ++live_count;
    }
    int least = live_count;
    int most = 0;
    for (const ZoneName& zone : group.settings.zones) {
      least = std::min(least, live_in(zone));
      most = std::max(most, live_in(zone));
    }
    return live_count == group.desired_capacity && most - least <= 1;
  }
  std::vector<std::string> running_commits() const {
    std::vector<std::string> commits;
    for (const auto& [id, machine] : machines) {
      if (machine.running) commits.push_back(machine.image.commit);
    }
    return commits;
  }

 private:
  RegionSettings settings_;
  Rng rng_;
  std::set<ZoneName> powered_;
  std::set<ZoneName> refusing_;
  struct Happening {
    Time at;
    std::uint64_t number;
    std::function<void()> happen;
  };
  std::map<std::pair<Time, std::uint64_t>, std::function<void()>> queue_;
  std::uint64_t number_ = 0;

 public:
  Time now = kStart;
  Journal journal;
  Region region;
  std::map<InstanceId, Machine> machines;
  std::map<std::string, Balancer> balancers;
  std::vector<Action> performed;

  void settle() {
    region.wake(now);
    for (int rounds = 0; rounds < 10; ++rounds) {
      const std::vector<Action> actions = region.take_actions();
      if (actions.empty()) break;
      for (const Action& action : actions) {
        performed.push_back(action);
        std::visit([this](const auto& what) { perform(what); }, action);
      }
    }
    if (invariant) invariant();
  }

 private:
  Time next_instant(Time end) {
    Time next = end + kSecond;
    if (!queue_.empty()) next = std::min(next, queue_.begin()->first.first);
    if (const auto wake = region.next_wake()) next = std::min(next, std::max(*wake, now));
    if (idle_wakes > Duration::zero()) {
      for (Time t = now; t < next && t < end; t += idle_wakes) region.wake(t);
    }
    return next;
  }
  void deliver() {
    while (!queue_.empty() && queue_.begin()->first.first <= now) {
      const auto happen = std::move(queue_.begin()->second);
      queue_.erase(queue_.begin());
      happen();
    }
  }
  void later(Duration delay, std::function<void()> happen) {
    queue_.emplace(std::pair{now + delay, number_++}, std::move(happen));
  }
  /// Between `least` and `most` milliseconds.
  Duration some(int least, int most) {
    return std::chrono::milliseconds(least +
                                     static_cast<int>(rng_.below(static_cast<std::uint64_t>(most - least + 1))));
  }
  void say(Duration delay, Event event) {
    later(delay, [this, event] { region.apply(now, event); });
  }

  void stop(const InstanceId& id, const std::string& why) {
    machines.at(id).running = false;
    say(some(1, 50), InstanceStopped{id, why});
  }
  void stop_node(const std::string& name) {
    balancers.at(name).running = false;
    balancers.at(name).hung = false;
    say(some(1, 50), NodeStopped{name, "killed by signal 9"});
  }

  void perform(const LaunchInstance& action) {
    if (!powered_.contains(action.zone) || refusing_.contains(action.zone)) {
      say(some(1, 400), LaunchFailed{action.instance, "InsufficientInstanceCapacity", "no power"});
      return;
    }
    const Duration boot = some(50, 2'000);
    machines[action.instance] = {action.zone, action.image, action.host_name, true, false, now + boot};
    later(some(1, 40), [this, id = action.instance] {
      if (machines.at(id).running) region.apply(now, InstanceRunning{id});
    });
  }
  void perform(const TerminateInstance& action) {
    const auto found = machines.find(action.instance);
    if (found == machines.end() || !found->second.running) return;
    later(some(1, 900), [this, id = action.instance] {
      if (machines.at(id).running) stop(id, "exited with status 0");
    });
  }
  void perform(const StartNode& action) {
    Balancer& node = balancers[action.node];
    node.zone = action.zone;
    if (!powered_.contains(action.zone)) return say(some(1, 50), NodeStopped{action.node, "no power"});
    later(some(1, 90), [this, name = action.node] {
      Balancer& started = balancers.at(name);
      if (!powered_.contains(started.zone)) return region.apply(now, NodeStopped{name, "no power"});
      started = Balancer{.zone = started.zone, .running = true, .hung = false, .configuration = {}, .seen = {}};
      region.apply(now, NodeRunning{name});
      probe(name);
    });
  }
  void perform(const ConfigureNode& action) {
    Balancer& node = balancers.at(action.node);
    if (!node.running || node.hung || action.generation < node.configuration.generation) return;
    node.configuration = action;
    std::set<std::string> wanted;
    for (const auto& target : action.targets.of("web")) wanted.insert(target->id);
    for (auto target = node.seen.begin(); target != node.seen.end();) {
      if (wanted.contains(target->first)) {
        ++target;
        continue;
      }
      later(some(1, 3'000), [this, name = action.node, id = target->first] {
        if (balancers.at(name).running) region.apply(now, TargetDrained{name, id});
      });
      target = node.seen.erase(target);
    }
    for (const std::string& id : wanted) node.seen.try_emplace(id);
    report_soon(action.node);
  }
  void perform(const CheckNode& action) {
    const bool passes = balancers.at(action.node).running && !balancers.at(action.node).hung;
    say(passes ? some(1, 20) : action.timeout, NodeChecked{action.node, passes});
  }
  void perform(const AskInstance& action) {
    const Machine& machine = machines.at(action.instance);
    say(some(1, 30), answers(machine) ? VersionAnswered{action.instance, 200, commit_of(machine), machine.host_name}
                                      : VersionAnswered{action.instance, 0, "", ""});
  }
  void perform(const AskFront&) {
    for (auto& [name, node] : balancers) {
      if (!node.running || node.hung || !node.configuration.accepting) continue;
      std::vector<std::string> healthy;
      for (const auto& [id, seen] : node.seen) {
        if (seen.health.state == TargetState::kHealthy) healthy.push_back(id);
      }
      if (healthy.empty() || rng_.below(2) == 0) continue;
      const Machine& machine = machines.at(InstanceId(healthy[node.turn++ % healthy.size()]));
      if (!answers(machine)) break;
      return say(some(1, 30), VersionAnswered{std::nullopt, 200, commit_of(machine), machine.host_name});
    }
    say(some(1, 30), VersionAnswered{std::nullopt, 502, "", ""});
  }

  bool answers(const Machine& machine) const {
    return machine.running && !machine.hung && now >= machine.answers_from &&
           !broken_commits.contains(machine.image.commit);
  }
  std::string commit_of(const Machine& machine) const {
    if (!answers_name_commit) return "";
    const auto claimed = claimed_commits.find(machine.image.commit);
    return claimed == claimed_commits.end() ? machine.image.commit : claimed->second;
  }

  void report_soon(const std::string& name) {
    later(some(100, 300), [this, name] { look(name); });
  }
  void probe(const std::string& name) {
    const Duration interval = settings_.load_balancer.target_groups.front().health_check.interval;
    later(std::max<Duration>(
              Duration(static_cast<Duration::rep>(static_cast<double>(interval.count()) / settings_.speed)),
              std::chrono::milliseconds(100)),
          [this, name] {
            if (!balancers.at(name).running) return;
            look(name);
            probe(name);
          });
  }
  /// One health check of each target, and the report of it.
  void look(const std::string& name) {
    Balancer& node = balancers.at(name);
    if (!node.running || node.hung) return;
    TargetHealthReported report{name, {}};
    for (auto& [id, seen] : node.seen) {
      observe(seen, answers(machines.at(InstanceId(id))));
      report.targets.push_back({id, 8080, seen.health});
    }
    region.apply(now, report);
  }
  static void observe(Seen& seen, bool success) {
    seen.successes = success ? seen.successes + 1 : 0;
    seen.failures = success ? 0 : seen.failures + 1;
    const bool is_new = seen.health.state == TargetState::kInitial;
    if (seen.successes >= (is_new ? 1 : 5)) seen.health = {TargetState::kHealthy, TargetReason::kNone, 200};
    if (seen.failures >= 2) seen.health = {TargetState::kUnhealthy, TargetReason::kTimeout, 0};
  }
};

/// What a command was answered: "accepted", or the error's code and message.
inline std::string error_of(const Result<Reply, ApiError>& reply) {
  return reply.ok() ? "accepted" : reply.error().code + ": " + reply.error().message;
}

}  // namespace rr::sim
