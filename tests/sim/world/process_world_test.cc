// The world of real processes, told what to do by hand: two zones with a real rr-lb each, and small servers as
// instances.
#include "sim/world/process_world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "lb/net/http_client.h"
#include "sim/keeper/process_tree.h"
#include "sim/world/keeper_link.h"
#include "sim/world/listening_socket.h"
#include "tests/sim/world/real_loop.h"

namespace rr::sim {
namespace {

/// A server that takes its port and address from the environment and says who it is.
constexpr const char* kServer = R"(
import http.server, json, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        found = self.path in ('/healthz', '/version', '/')
        body = json.dumps({'commit': os.environ['APP_COMMIT'], 'host': os.environ['RR_HOST_NAME']}).encode()
        self.send_response(200 if found else 404)
        self.send_header('Content-Length', str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *rest): pass
class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
address = (sys.argv[1] if len(sys.argv) > 1 else os.environ['HOST'], int(sys.argv[2] if len(sys.argv) > 2 else os.environ['PORT']))
try:
    server = Server(address, Handler)
except OSError as error:
    print(error, flush=True); sys.exit(1)
print('serving on', *address, flush=True)
server.serve_forever()
)";

const ZoneName kZoneA("eu-west-1a"), kZoneB("eu-west-1b");

class WorldTest : public testing::TestWithParam<GroundKind> {
 protected:
  void SetUp() override {
    RR_NEED_GROUND(GetParam());
    std::filesystem::create_directories(folder.path("image"));
    std::ofstream(folder.path("image/server.py")) << kServer;
    settings.state_folder = folder.path("state");
    const std::string keeper = keeper_program();
    settings.lb_program = keeper.substr(0, keeper.rfind('/') + 1) + "rr-lb";
    settings.front = Address::v4(127, 0, 0, 1, 0);
    settings.zones = {{kZoneA, Address::v4(172, 31, 16, 0, 0)}, {kZoneB, Address::v4(172, 31, 32, 0, 0)}};
    settings.instance_stop_grace = patience(5);
    settings.node_stop_grace = patience(5);
  }

  void start_world() {
    auto ground = make_ground(loop, GetParam(), settings.state_folder);
    ASSERT_TRUE(ground.ok()) << ground.error().message;
    auto made = ProcessWorld::start(loop, settings, std::move(ground).value());
    ASSERT_TRUE(made.ok()) << made.error().message;
    world = std::move(made).value();
    world->on_event([this](Time, const Event& event) { take(event); });
    world->on_line([this](const ProcessLine& line) { lines += line.name + ": " + line.text + "\n"; });
    world->on_diagnosis([this](const std::string& name, const std::string& said) { diagnoses[name] = said; });
  }

  void take(const Event& event) {
    events.push_back(event);
    const auto* report = std::get_if<TargetHealthReported>(&event);
    if (report == nullptr) return;
    for (const auto& target : report->targets) health[report->node + " " + target.id] = target.health;
  }

  void perform(const Action& action) { world->perform(loop.now(), action); }

  LaunchInstance launch(const std::string& id, const ZoneName& zone, std::uint8_t host) {
    LaunchInstance made;
    made.instance = InstanceId(id);
    made.zone = zone;
    made.image.id = ImageId("ami-1");
    made.image.commit = "c0ffee";
    made.image.folder = folder.path("image");
    made.image.command = {"python3", "server.py"};
    made.address = Address::v4(172, 31, zone == kZoneA ? 16 : 32, host, 8080);
    made.host_name = "ip-172-31-" + std::string(zone == kZoneA ? "16-" : "32-") + std::to_string(host);
    return made;
  }

  StartNode node(const ZoneName& zone) {
    return {"lb-" + zone.value, zone, Address::v4(172, 31, zone == kZoneA ? 16 : 32, 4, 0)};
  }

  ConfigureNode configuration(const ZoneName& zone, const std::vector<LaunchInstance>& registered) {
    ConfigureNode wanted;
    wanted.node = "lb-" + zone.value;
    wanted.load_balancer.listeners = {{"http", 80, ForwardAction{{{"web", 1}}}}};
    TargetGroupSettings group;
    group.name = "web";
    group.health_check.path = settings.health_path;
    group.health_check.unrestricted = true;
    group.health_check.interval = kMillisecond * 200;
    group.health_check.timeout = patience(1);
    group.health_check.healthy_threshold = 2;
    wanted.load_balancer.target_groups = {group};
    for (const LaunchInstance& one : registered) {
      wanted.targets.put("web", {one.instance.value, one.address, {}, one.zone.value});
    }
    return wanted;
  }

  template <class Kind, class Test>
  bool happened(Test test) {
    return std::any_of(events.begin(), events.end(), [&](const Event& event) {
      const auto* one = std::get_if<Kind>(&event);
      return one != nullptr && test(*one);
    });
  }
  template <class Kind, class Test>
  bool happens(Test test) {
    return run_until(loop, [&] { return happened<Kind>(test); });
  }
  bool stops(const std::string& id) {
    return happens<InstanceStopped>([&](const InstanceStopped& one) { return one.instance.value == id; });
  }
  bool becomes(const std::string& node_and_id, TargetState state) {
    return run_until(loop, [&] {
      const auto found = health.find(node_and_id);
      return found != health.end() && found->second.state == state;
    });
  }
  bool is_diagnosed(const std::string& name) {
    return run_until(
        loop, [&] { return diagnoses.contains(name); }, 30);
  }
  bool ends(bool at_once) {
    bool stopped = false;
    world->stop(at_once, [&] { stopped = true; });
    return run_until(
        loop, [&] { return stopped; }, 30);
  }

  /// Two nodes and two instances, all healthy.
  void start_tier() {
    start_world();
    const std::vector<LaunchInstance> both{launch("i-a", kZoneA, 10), launch("i-b", kZoneB, 10)};
    for (const LaunchInstance& one : both) perform(one);
    for (const ZoneName& zone : {kZoneA, kZoneB}) {
      perform(node(zone));
      perform(configuration(zone, both));
    }
    for (const char* pair : {"lb-eu-west-1a i-a", "lb-eu-west-1a i-b", "lb-eu-west-1b i-a", "lb-eu-west-1b i-b"}) {
      ASSERT_TRUE(becomes(pair, TargetState::kHealthy)) << pair << "\n" << lines;
    }
  }

  Folder folder;
  Loop loop;
  ProcessWorldSettings settings;
  std::unique_ptr<ProcessWorld> world;
  std::vector<Event> events;
  std::map<std::string, Health> health;
  std::map<std::string, std::string> diagnoses;
  std::string lines;
};

INSTANTIATE_TEST_SUITE_P(World, WorldTest, testing::Values(GroundKind::kPlain, GroundKind::kNamespaces), ground_name);

TEST_P(WorldTest, AFrontInUseIsNamed) {
  const auto taken = open_listening_socket(Address::v4(127, 0, 0, 1, 0));
  ASSERT_TRUE(taken.ok());
  settings.front = taken.value().address;
  auto ground = make_ground(loop, GetParam(), settings.state_folder);
  const auto made = ProcessWorld::start(loop, settings, std::move(ground).value());
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().message,
            "--listen " + format_address(taken.value().address) + " is in use by another program");
}

TEST_P(WorldTest, ATierServesAndSaysWhatItRuns) {
  start_tier();
  EXPECT_TRUE(happened<InstanceRunning>([](const InstanceRunning& one) { return one.instance.value == "i-b"; }));
  EXPECT_TRUE(happened<NodeRunning>([](const NodeRunning& one) { return one.node == "lb-eu-west-1b"; }));
  EXPECT_TRUE(run_until(loop, [&] { return lines.find("i-a: serving on") != std::string::npos; }));
  std::set<std::string> hosts;
  for (int question = 0; question < 20 && hosts.size() < 2; ++question) {
    events.clear();
    perform(AskFront{});
    ASSERT_TRUE(happens<VersionAnswered>([&](const VersionAnswered& one) {
      if (one.commit == "c0ffee") hosts.insert(one.served_by);
      return !one.instance;
    }));
  }
  EXPECT_EQ(hosts, (std::set<std::string>{"ip-172-31-16-10", "ip-172-31-32-10"}));
  perform(AskInstance{InstanceId("i-b")});
  EXPECT_TRUE(happens<VersionAnswered>([](const VersionAnswered& one) {
    return one.instance == InstanceId("i-b") && one.status == 200 && one.served_by == "ip-172-31-32-10";
  }));
  perform(AskInstance{InstanceId("i-none")});
  EXPECT_TRUE(happens<VersionAnswered>(
      [](const VersionAnswered& one) { return one.instance == InstanceId("i-none") && one.status == 0; }));
  const auto status = world->process("i-a");
  ASSERT_TRUE(status);
  EXPECT_GT(status->pid, 0);
  EXPECT_TRUE(status->wire && status->door);
  EXPECT_NE(world->observed("lb-eu-west-1a").find("i-a"), std::string::npos);
  EXPECT_TRUE(ends(false));
  EXPECT_FALSE(world->process("i-a"));
}

TEST_P(WorldTest, ATerminatedInstanceIsDrainedAndGone) {
  start_tier();
  const std::string instance_folder = world->process("i-a")->folder;
  ConfigureNode without = configuration(kZoneB, {launch("i-b", kZoneB, 10)});
  without.load_balancer.target_groups[0].deregistration_delay = kMillisecond * 300;
  perform(without);
  EXPECT_TRUE(
      happens<TargetDrained>([](const TargetDrained& one) { return one.node == "lb-eu-west-1b" && one.id == "i-a"; }));
  perform(TerminateInstance{InstanceId("i-a"), "test"});
  perform(TerminateInstance{InstanceId("i-a"), "twice"});
  ASSERT_TRUE(stops("i-a"));
  EXPECT_FALSE(std::filesystem::exists(instance_folder));
  EXPECT_TRUE(std::filesystem::exists(folder.path("state/logs/i-a.log")));
  perform(TerminateInstance{InstanceId("i-none"), "unknown"});
  EXPECT_TRUE(stops("i-none"));
  EXPECT_TRUE(diagnoses.empty()) << diagnoses.begin()->second;
}

TEST_P(WorldTest, AZoneWithoutPowerIsGoneUntilHealed) {
  start_tier();
  const Fault fault{FaultKind::kPowerLoss, {FaultTargetKind::kZone, kZoneB.value}};
  ASSERT_TRUE(world->inject(loop.now(), fault).ok());
  EXPECT_FALSE(world->inject(loop.now(), fault).ok()) << "it has that fault already";
  ASSERT_EQ(world->faults().size(), 1U);
  EXPECT_TRUE(becomes("lb-eu-west-1a i-b", TargetState::kUnhealthy));
  ASSERT_TRUE(run_until(loop, [&] { return !world->process("i-b"); }));
  EXPECT_FALSE(happened<InstanceStopped>([](const InstanceStopped&) { return true; }))
      << "nobody is told, only checks find out";
  EXPECT_FALSE(happened<NodeStopped>([](const NodeStopped&) { return true; }));
  perform(launch("i-c", kZoneB, 11));
  EXPECT_TRUE(happens<LaunchFailed>([](const LaunchFailed& one) {
    return one.instance.value == "i-c" && one.code == "InsufficientInstanceCapacity" &&
           one.message.find("(eu-west-1b)") != std::string::npos &&
           one.message.find("choosing eu-west-1a.") != std::string::npos;
  }));
  events.clear();
  perform(node(kZoneB));
  EXPECT_TRUE(happens<NodeStopped>([](const NodeStopped& one) { return one.why == "eu-west-1b has no power"; }));
  perform(CheckNode{"lb-eu-west-1b", kMillisecond * 200});
  EXPECT_TRUE(happens<NodeChecked>([](const NodeChecked& one) { return one.node == "lb-eu-west-1b" && !one.passed; }));
  ASSERT_TRUE(world->heal(loop.now(), fault.target).ok());
  EXPECT_FALSE(world->heal(loop.now(), fault.target).ok());
  EXPECT_TRUE(stops("i-b")) << "now it can be seen";
  health.clear();
  perform(node(kZoneB));  // it is told its configuration again by itself
  perform(launch("i-b", kZoneB, 10));
  EXPECT_TRUE(becomes("lb-eu-west-1b i-b", TargetState::kHealthy)) << lines;
  EXPECT_TRUE(becomes("lb-eu-west-1b i-a", TargetState::kHealthy));
  perform(CheckNode{"lb-eu-west-1b", patience(5)});
  EXPECT_TRUE(happens<NodeChecked>([](const NodeChecked& one) { return one.node == "lb-eu-west-1b" && one.passed; }));
  EXPECT_TRUE(diagnoses.empty()) << diagnoses.begin()->second;
}

TEST_P(WorldTest, AZoneThatHangsIsSilentUntilHealed) {
  settings.speed = 600;  // a launch there hangs for 0.1 s
  start_tier();
  ASSERT_TRUE(world->inject(loop.now(), {FaultKind::kHang, {FaultTargetKind::kZone, kZoneB.value}}).ok());
  EXPECT_TRUE(world->process("i-b")->frozen);
  EXPECT_TRUE(becomes("lb-eu-west-1a i-b", TargetState::kUnhealthy));
  perform(CheckNode{"lb-eu-west-1b", kMillisecond * 200});
  EXPECT_TRUE(happens<NodeChecked>([](const NodeChecked& one) { return one.node == "lb-eu-west-1b" && !one.passed; }));
  perform(launch("i-c", kZoneB, 11));
  EXPECT_TRUE(happens<LaunchFailed>([](const LaunchFailed& one) { return one.code == "Client.InternalError"; }));
  ASSERT_TRUE(world->heal(loop.now(), {FaultTargetKind::kZone, kZoneB.value}).ok());
  EXPECT_TRUE(becomes("lb-eu-west-1a i-b", TargetState::kHealthy));
  EXPECT_FALSE(happened<NodeStopped>([](const NodeStopped&) { return true; }));
}

TEST_P(WorldTest, FaultsOfOneInstanceAndOneNode) {
  start_tier();
  const FaultTarget instance{FaultTargetKind::kInstance, "i-a"};
  ASSERT_TRUE(world->inject(loop.now(), {FaultKind::kHang, instance, 1, patience(1) * 2}).ok());
  EXPECT_TRUE(becomes("lb-eu-west-1b i-a", TargetState::kUnhealthy));
  EXPECT_TRUE(becomes("lb-eu-west-1b i-a", TargetState::kHealthy)) << "the fault ends by itself";
  EXPECT_TRUE(world->faults().empty());
  ASSERT_TRUE(world->inject(loop.now(), {FaultKind::kCrash, instance}).ok());
  EXPECT_TRUE(stops("i-a"));
  EXPECT_TRUE(world->faults().empty()) << "a crash is over when it has happened";
  ASSERT_TRUE(world->inject(loop.now(), {FaultKind::kCrash, {FaultTargetKind::kNode, "lb-eu-west-1a"}}).ok());
  EXPECT_TRUE(happens<NodeStopped>([](const NodeStopped& one) { return one.node == "lb-eu-west-1a"; }));
  const auto no_zone = world->inject(loop.now(), {FaultKind::kPowerLoss, {FaultTargetKind::kZone, "eu-west-1z"}});
  ASSERT_FALSE(no_zone.ok());
  EXPECT_EQ(no_zone.error().message, "there is no zone 'eu-west-1z': eu-west-1a, eu-west-1b");
  EXPECT_FALSE(world->inject(loop.now(), {FaultKind::kHang, instance}).ok()) << "it does not run any more";
  EXPECT_FALSE(world->inject(loop.now(), {FaultKind::kPowerLoss, {FaultTargetKind::kInstance, "i-b"}}).ok());
  EXPECT_FALSE(world->heal(loop.now(), instance).ok());
}

TEST_P(WorldTest, ANodeThatLeavesDnsIsStillCheckedAndComesBack) {
  start_tier();
  ConfigureNode wanted = configuration(kZoneA, {launch("i-a", kZoneA, 10), launch("i-b", kZoneB, 10)});
  wanted.accepting = false;
  perform(wanted);
  ASSERT_TRUE(run_until(
      loop, [&] { return world->observed("lb-eu-west-1a").find("\"accepting\": false") != std::string::npos; }));
  perform(CheckNode{"lb-eu-west-1a", patience(5)});
  EXPECT_TRUE(happens<NodeChecked>([](const NodeChecked& one) { return one.passed; }));
  wanted.accepting = true;
  perform(wanted);
  EXPECT_TRUE(run_until(
      loop, [&] { return world->observed("lb-eu-west-1a").find("\"accepting\": false") == std::string::npos; }));
}

TEST_P(WorldTest, AProgramThatIgnoresPortIsDiagnosed) {
  settings.own_program = true;
  start_world();
  LaunchInstance wrong = launch("i-a", kZoneA, 10);
  wrong.image.command = {"python3", "server.py", "0.0.0.0", "18345"};
  perform(wrong);
  ASSERT_TRUE(is_diagnosed("i-a"));
  EXPECT_NE(diagnoses["i-a"].find("i-a listens on port 18345 and not on its PORT"), std::string::npos)
      << diagnoses["i-a"];
  EXPECT_EQ(world->process("i-a")->diagnosis, diagnoses["i-a"]);
  if (GetParam() == GroundKind::kNamespaces) return;
  LaunchInstance second = launch("i-b", kZoneB, 10);
  second.image.command = wrong.image.command;
  perform(second);
  ASSERT_TRUE(stops("i-b"));
  EXPECT_NE(diagnoses["i-b"].find("it insists on port 18345, which i-a has already"), std::string::npos)
      << diagnoses["i-b"] << lines;
}

TEST_P(WorldTest, AProgramThatExitsOrCannotBeRunIsDiagnosed) {
  settings.own_program = true;
  start_world();
  LaunchInstance wrong = launch("i-a", kZoneA, 10);
  wrong.image.command = {"sh", "-c", "echo cannot find my settings; exit 7"};
  perform(wrong);
  ASSERT_TRUE(stops("i-a"));
  EXPECT_NE(diagnoses["i-a"].find("exited with status 7"), std::string::npos) << diagnoses["i-a"];
  EXPECT_NE(lines.find("i-a: cannot find my settings"), std::string::npos);
  wrong.instance = InstanceId("i-b");
  wrong.image.command = {"nodde", "server.js"};
  perform(wrong);
  EXPECT_TRUE(happens<LaunchFailed>([](const LaunchFailed& one) { return one.instance.value == "i-b"; }));
  EXPECT_NE(diagnoses["i-b"].find("cannot run nodde"), std::string::npos) << diagnoses["i-b"];
}

TEST_P(WorldTest, AProgramWithoutTheHealthPathIsDiagnosed) {
  settings.own_program = true;
  settings.health_path = "/no-such-path";
  start_world();
  perform(launch("i-a", kZoneA, 10));
  perform(node(kZoneA));
  perform(configuration(kZoneA, {launch("i-a", kZoneA, 10)}));
  ASSERT_TRUE(is_diagnosed("i-a"));
  EXPECT_NE(diagnoses["i-a"].find("GET /no-such-path with 404"), std::string::npos) << diagnoses["i-a"];
}

TEST_P(WorldTest, AProgramOnLoopbackIsFoundOrDiagnosed) {
  settings.own_program = true;
  start_world();
  LaunchInstance shy = launch("i-a", kZoneA, 10);
  shy.image.command = {"python3", "server.py", "127.0.0.1"};
  perform(shy);
  if (GetParam() == GroundKind::kPlain) {
    ASSERT_TRUE(run_until(loop, [&] { return world->process("i-a")->wire.has_value(); }));
    EXPECT_EQ(format_ip(*world->process("i-a")->wire), "127.0.0.1");
  } else {
    ASSERT_TRUE(is_diagnosed("i-a"));
    EXPECT_NE(diagnoses["i-a"].find("listens on 127.0.0.1:8080 only"), std::string::npos) << diagnoses["i-a"];
  }
}

int open_descriptors() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return static_cast<int>(std::distance(begin(entries), end(entries)));
}

TEST_P(WorldTest, FiftyLaunchesAndTerminationsLeaveNothingBehind) {
  start_world();
  perform(node(kZoneA));
  const auto cycle = [&](int number) {
    LaunchInstance one = launch("i-" + std::to_string(number), kZoneA, 10);
    one.image.command = {"sleep", "1000"};
    perform(one);
    perform(configuration(kZoneA, {one}));
    ASSERT_TRUE(happens<InstanceRunning>([&](const InstanceRunning& event) { return event.instance == one.instance; }));
    perform(TerminateInstance{one.instance, "test"});
    ASSERT_TRUE(stops(one.instance.value));
  };
  ASSERT_TRUE(run_until(loop, [&] { return !world->observed("lb-eu-west-1a").empty(); }));
  cycle(0);
  run_for(loop, kMillisecond * 50);  // what is destroyed later is destroyed
  const int before = open_descriptors();
  const std::size_t processes = descendants(::getpid()).size();
  for (int number = 1; number <= 50; ++number) cycle(number);
  EXPECT_TRUE(run_until(loop, [&] { return open_descriptors() <= before; })) << open_descriptors() << " > " << before;
  EXPECT_EQ(descendants(::getpid()).size(), processes);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path("state/instances")));
}

TEST_P(WorldTest, StoppingAtOnceLeavesNoProcess) {
  start_tier();
  ASSERT_TRUE(world->inject(loop.now(), {FaultKind::kHang, {FaultTargetKind::kZone, kZoneB.value}}).ok());
  EXPECT_TRUE(ends(true));
  world.reset();
  EXPECT_TRUE(descendants(::getpid()).empty());
}

TEST_P(WorldTest, StoppingInOrderEndsFrozenOnesToo) {
  start_tier();
  ASSERT_TRUE(world->inject(loop.now(), {FaultKind::kHang, {FaultTargetKind::kZone, kZoneB.value}}).ok());
  EXPECT_TRUE(ends(false));
  perform(launch("i-late", kZoneA, 12));
  run_for(loop, kMillisecond * 50);
  EXPECT_FALSE(world->process("i-late")) << "a world that stops does nothing any more";
}

TEST_P(WorldTest, ASessionHasTheInstancesEnvironment) {
  start_tier();
  const auto session = world->session("i-a");
  ASSERT_TRUE(session.ok());
  EXPECT_EQ(session.value().environment.at("RR_INSTANCE_ID"), "i-a");
  EXPECT_EQ(session.value().folder, world->process("i-a")->folder);
  EXPECT_FALSE(session.value().command.empty());
  EXPECT_FALSE(world->session("i-none").ok());
}

}  // namespace
}  // namespace rr::sim
