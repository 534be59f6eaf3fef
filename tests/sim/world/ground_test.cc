// The two grounds with real processes: programs that end, hang, make themselves daemons, and owners that die.
#include "sim/world/ground.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "lb/net/http_client.h"
#include "sim/keeper/descriptor.h"
#include "sim/keeper/process_tree.h"
#include "sim/world/keeper_link.h"
#include "sim/world/listening_socket.h"
#include "tests/sim/world/real_loop.h"

namespace rr::sim {
namespace {

/// Held open by a process and all its descendants, whatever they do to their sessions, parents and environment: its end
/// of file means that none of them is left.
struct Lifeline {
  Lifeline() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    read_end = Descriptor(ends[0]);
    write_end = Descriptor(ends[1]);
  }
  bool cut(int milliseconds = 0) const {
    pollfd wait{read_end.get(), POLLIN, 0};
    return ::poll(&wait, 1, milliseconds) == 1 && (wait.revents & POLLHUP) != 0;
  }
  Descriptor read_end, write_end;
};

/// Starts a child with a session of its own, whose child has no parent, no environment and no ear for signals.
constexpr const char* kDaemon = R"(
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(number, signal.SIG_IGN)
        code = 'import time; print("daemon stands", flush=True); time.sleep(1000)'
        os.execve(sys.executable, [sys.executable, '-c', code], {})
    os._exit(0)
os.wait()
print('main stands', flush=True)
time.sleep(1000)
)";

class GroundTest : public testing::TestWithParam<GroundKind> {
 protected:
  void SetUp() override {
    RR_NEED_GROUND(GetParam());
    auto made = make_ground(loop, GetParam(), folder.path());
    ASSERT_TRUE(made.ok()) << made.error().message;
    ground = std::move(made).value();
  }

  ProcessSpec spec(const std::string& name, std::vector<std::string> command) {
    ProcessSpec made;
    made.name = name;
    made.command = std::move(command);
    made.environment = {{"PATH", std::getenv("PATH")}, {"GREETING", "hello"}};
    made.folder = folder.path();
    made.log_file = folder.path(name + ".log");
    made.logical = Address::v4(172, 31, 16, 10, 0);
    made.host_name = "ip-172-31-16-10";
    return made;
  }

  Status start(ProcessSpec what) {
    const std::string name = what.name;
    output[name].clear();
    exits.erase(name);
    return ground->start_process(
        std::move(what), [this, name](std::string_view bytes) { output[name] += bytes; },
        [this, name](ProcessExit exit) { exits[name] = exit; });
  }

  bool has_said(const std::string& name, const std::string& text) {
    return run_until(loop, [&] { return output[name].find(text) != std::string::npos; });
  }
  bool has_ended(const std::string& name) {
    return run_until(loop, [&] { return exits.contains(name); });
  }
  std::string log(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(folder.path(name + ".log")).rdbuf();
    return text.str();
  }
  static char state_of(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(file, line);
    pid_t parent = 0;
    char state = 0;
    parse_stat(line, parent, state);
    return state;
  }

  Folder folder;
  Loop loop;
  std::unique_ptr<Ground> ground;
  std::map<std::string, std::string> output;
  std::map<std::string, ProcessExit> exits;
};

INSTANTIATE_TEST_SUITE_P(Ground, GroundTest, testing::Values(GroundKind::kPlain, GroundKind::kNamespaces), ground_name);

TEST_P(GroundTest, AProgramSpeaksAndEnds) {
  ASSERT_TRUE(start(spec("i-1", {"sh", "-c", "echo $GREETING; pwd; echo mistake >&2; exit 3"})).ok());
  ASSERT_TRUE(has_ended("i-1"));
  EXPECT_EQ(exits["i-1"].describe(), "exited with status 3");
  EXPECT_EQ(output["i-1"], "hello\n" + folder.path() + "\nmistake\n");
  EXPECT_EQ(log("i-1"), output["i-1"]);
  EXPECT_EQ(ground->pid("i-1"), 0);
  ASSERT_TRUE(start(spec("i-1", {"sh", "-c", "kill -SEGV $$"})).ok()) << "a name is free again";
  ASSERT_TRUE(has_ended("i-1"));
  EXPECT_EQ(exits["i-1"].describe(), "killed by signal 11 (SIGSEGV)");
}

TEST_P(GroundTest, WhatCannotBeRunIsNamed) {
  const Status missing = start(spec("i-1", {"/no/such/program"}));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message, "cannot run /no/such/program: No such file or directory");
  ProcessSpec nowhere = spec("i-1", {"true"});
  nowhere.folder = "/no/such/folder";
  const Status folderless = start(nowhere);
  ASSERT_FALSE(folderless.ok());
  EXPECT_EQ(folderless.error().message, "cannot enter /no/such/folder: No such file or directory");
  EXPECT_TRUE(start(spec("i-1", {"true"})).ok());
  EXPECT_FALSE(start(spec("i-1", {"true"})).ok()) << "one of that name runs already";
  EXPECT_TRUE(has_ended("i-1"));
}

TEST_P(GroundTest, KillingTheWholeReachesDaemons) {
  Lifeline line;
  ProcessSpec what = spec("i-1", {"python3", "-c", kDaemon});
  what.descriptors = {{7, line.write_end.get()}};
  ASSERT_TRUE(start(what).ok());
  line.write_end.reset();
  // Python closes descriptors above 2 only for programs it starts itself; exec keeps 7 open here.
  ASSERT_TRUE(has_said("i-1", "daemon stands"));
  ASSERT_TRUE(has_said("i-1", "main stands"));
  ground->signal_process("i-1", SIGTERM, true);
  ASSERT_TRUE(run_until(loop, [&] {
    return state_of(ground->pid("i-1")) == 'Z' || ground->pid("i-1") == 0 || state_of(ground->pid("i-1")) == 0;
  }));
  EXPECT_FALSE(line.cut()) << "the daemon does not listen to SIGTERM, and was given time";
  EXPECT_FALSE(exits.contains("i-1")) << "its children may finish before it counts as ended";
  ground->signal_process("i-1", SIGKILL, true);
  ASSERT_TRUE(has_ended("i-1"));
  EXPECT_TRUE(line.cut());
  EXPECT_EQ(exits["i-1"].signal, SIGTERM);
}

TEST_P(GroundTest, WhatAProgramLeavesBehindEndsWithIt) {
  Lifeline line;
  ProcessSpec what = spec("i-1", {"sh", "-c", "sleep 1000 & exit 0"});
  what.descriptors = {{7, line.write_end.get()}};
  ASSERT_TRUE(start(what).ok());
  line.write_end.reset();
  ASSERT_TRUE(has_ended("i-1"));
  EXPECT_TRUE(line.cut());
}

TEST_P(GroundTest, AskedToEndItsChildrenFinishTheirWork) {
  // The shell dies of SIGTERM at once; its child has something to finish first.
  const char* child = "trap 'sleep 0.3; echo finished; exit 0' TERM; echo ready; while :; do sleep 0.05; done";
  ASSERT_TRUE(start(spec("i-1", {"sh", "-c", std::string("sh -c \"") + child + "\" & wait"})).ok());
  ASSERT_TRUE(has_said("i-1", "ready"));
  ground->signal_process("i-1", SIGTERM, true);
  ASSERT_TRUE(has_ended("i-1"));
  EXPECT_NE(output["i-1"].find("finished"), std::string::npos);
}

TEST_P(GroundTest, AFrozenProcessIsFrozenWithItsChildrenAndGoesOn) {
  const char* ticking = "sh -c 'while :; do echo tick; sleep 0.02; done' & wait";
  ASSERT_TRUE(start(spec("i-1", {"sh", "-c", ticking})).ok());
  ASSERT_TRUE(has_said("i-1", "tick"));
  ground->signal_process("i-1", SIGSTOP, true);
  EXPECT_TRUE(run_until(loop, [&] { return state_of(ground->pid("i-1")) == 'T'; }));
  run_for(loop, kMillisecond * 100);  // what was on its way arrives
  const std::size_t so_far = output["i-1"].size();
  run_for(loop, kMillisecond * 200);
  EXPECT_EQ(output["i-1"].size(), so_far);
  ground->signal_process("i-1", SIGCONT, true);
  EXPECT_TRUE(run_until(loop, [&] { return output["i-1"].size() > so_far; }));
  ground->signal_process("i-1", SIGSTOP, true);
  ground->signal_process("i-1", SIGKILL, true);
  EXPECT_TRUE(has_ended("i-1")) << "a frozen process can be killed";
}

TEST_P(GroundTest, OneProcessAloneGetsASignal) {
  ASSERT_TRUE(
      start(spec("i-1", {"sh", "-c", "trap 'echo got it' USR1; echo ready; while :; do sleep 0.02; done"})).ok());
  ASSERT_TRUE(has_said("i-1", "ready"));
  ground->signal_process("i-1", SIGUSR1, false);
  EXPECT_TRUE(has_said("i-1", "got it"));
}

TEST_P(GroundTest, ItsProcessIdIsTheOneSeenFromHere) {
  ASSERT_TRUE(start(spec("i-1", {"sleep", "1000"})).ok());
  std::ifstream file("/proc/" + std::to_string(ground->pid("i-1")) + "/comm");
  std::string name;
  file >> name;
  EXPECT_EQ(name, "sleep");
}

TEST_P(GroundTest, ALargeEnvironmentArrives) {
  ProcessSpec what = spec("i-1", {"sh", "-c", "echo ${#LARGE}"});
  what.environment["LARGE"] = std::string(100'000, 'x');
  ASSERT_TRUE(start(what).ok());
  EXPECT_TRUE(has_said("i-1", "100000"));
}

TEST_P(GroundTest, ManyLinesArriveWholeAndInOrder) {
  ASSERT_TRUE(start(spec("i-1", {"seq", "1", "20000"})).ok());
  ASSERT_TRUE(has_ended("i-1"));
  std::string expected;
  for (int number = 1; number <= 20'000; ++number) expected += std::to_string(number) + "\n";
  EXPECT_TRUE(log("i-1") == expected);
  EXPECT_TRUE(output["i-1"] == expected) << output["i-1"].size();
}

TEST_P(GroundTest, NothingSurvivesTheEndOfTheGround) {
  Lifeline line;
  ProcessSpec what = spec("i-1", {"python3", "-c", kDaemon});
  what.descriptors = {{7, line.write_end.get()}};
  ASSERT_TRUE(start(what).ok());
  line.write_end.reset();
  ASSERT_TRUE(has_said("i-1", "daemon stands"));
  ground->signal_process("i-1", SIGSTOP, true);
  ground.reset();
  EXPECT_TRUE(line.cut());
}

TEST_P(GroundTest, NothingSurvivesTheSuddenDeathOfItsOwner) {
  ground.reset();
  Lifeline line, stands;
  const pid_t owner = ::fork();
  if (owner == 0) {
    Loop own_loop;
    auto own = make_ground(own_loop, GetParam(), folder.path());
    if (!own) ::_exit(1);
    ProcessSpec what = spec("i-1", {"python3", "-c", kDaemon});
    what.descriptors = {{7, line.write_end.get()}};
    std::string said;
    const Status started = own.value()->start_process(
        what, [&](std::string_view bytes) { said += bytes; }, [](ProcessExit) {});
    const bool good =
        started.ok() && run_until(own_loop, [&] {
          return said.find("daemon stands") != std::string::npos && said.find("main stands") != std::string::npos;
        });
    if (good && ::write(stands.write_end.get(), "y", 1) == 1) ::pause();
    ::_exit(1);
  }
  line.write_end.reset();
  stands.write_end.reset();
  char answer = 0;
  ASSERT_EQ(::read(stands.read_end.get(), &answer, 1), 1) << "the owner did not come up";
  EXPECT_FALSE(line.cut());
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  EXPECT_TRUE(line.cut(static_cast<int>(patience(10) / kMillisecond)));
}

TEST_P(GroundTest, TheDeathOfTheKeeperEndsEverythingAndIsSaid) {
  Lifeline line;
  ProcessSpec what = spec("i-1", {"python3", "-c", kDaemon});
  what.descriptors = {{7, line.write_end.get()}};
  ASSERT_TRUE(start(what).ok());
  line.write_end.reset();
  ASSERT_TRUE(has_said("i-1", "daemon stands"));
  bool lost = false;
  ground->on_lost([&] { lost = true; });
  const std::vector<pid_t> keepers = children(::getpid());
  ASSERT_EQ(keepers.size(), 1U);
  ::kill(keepers.front(), SIGKILL);
  ASSERT_TRUE(has_ended("i-1"));
  EXPECT_TRUE(lost);
  EXPECT_EQ(exits["i-1"].signal, SIGKILL);
  EXPECT_TRUE(line.cut(static_cast<int>(patience(10) / kMillisecond)));
  const Status after = start(spec("i-2", {"true"}));
  ASSERT_FALSE(after.ok());
  EXPECT_NE(after.error().message.find("keeper"), std::string::npos);
}

int open_descriptors(pid_t pid) {
  const std::filesystem::directory_iterator entries("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<int>(std::distance(begin(entries), end(entries)));
}

TEST_P(GroundTest, FiftyProcessesLeaveNoDescriptorBehind) {
  const auto once = [&] {
    ASSERT_TRUE(start(spec("i-1", {"true"})).ok());
    ASSERT_TRUE(has_ended("i-1"));
  };
  once();
  const std::vector<pid_t> mine = children(::getpid());
  ASSERT_EQ(mine.size(), 1U);
  std::vector<pid_t> keepers = descendants(::getpid());
  std::map<pid_t, int> before;
  for (const pid_t pid : keepers) before[pid] = open_descriptors(pid);
  const int here = open_descriptors(::getpid());
  for (int cycle = 0; cycle < 50; ++cycle) once();
  EXPECT_EQ(open_descriptors(::getpid()), here);
  // The keeper tells of an end first and clears up then.
  EXPECT_TRUE(run_until(loop, [&] {
    return std::all_of(before.begin(), before.end(),
                       [](const auto& entry) { return open_descriptors(entry.first) <= entry.second; });
  }));
  EXPECT_TRUE(run_until(loop, [&] { return descendants(::getpid()) == keepers; })) << "no process is left either";
}

TEST(PlainGround, HasNoLinksAndNoDoors) {
  Loop loop;
  auto ground = make_ground(loop, GroundKind::kPlain, "/");
  ASSERT_TRUE(ground.ok());
  const Status link = ground.value()->set_link("i-1", false);
  ASSERT_FALSE(link.ok());
  EXPECT_NE(link.error().message.find("--ground namespaces"), std::string::npos);
  EXPECT_FALSE(ground.value()->open_door("i-1", 0, Address{}).ok());
  EXPECT_FALSE(ground.value()->has_own_network());
  EXPECT_TRUE(ground.value()->enter_command("i-1").empty());
}

constexpr const char* kServer = R"(
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = os.uname().nodename.encode()
        self.send_response(200); self.send_header('Content-Length', str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *rest): pass
server = http.server.ThreadingHTTPServer(('0.0.0.0', 80), Handler)
print('serving', flush=True)
server.serve_forever()
)";

class NamespacesTest : public GroundTest {
 protected:
  /// What the server behind the door says; empty without an answer in time.
  std::string ask(const Address& door, Duration timeout) {
    HttpClient::Settings settings;
    settings.timeout = timeout;
    settings.keep_alive = false;
    HttpClient client(loop, Endpoint(door), settings);
    std::optional<std::string> answer;
    client.send({}, [&](const Result<ClientResponse, ClientFailure>& result) {
      answer = result ? result.value().body : std::string();
    });
    EXPECT_TRUE(run_until(loop, [&] { return answer.has_value(); }));
    return answer.value_or("");
  }
  /// Starts the server at an address and opens a door to it.
  Address serve(const std::string& name, std::uint8_t host) {
    ProcessSpec what = spec(name, {"python3", "-c", kServer});
    what.logical = Address::v4(172, 31, 16, host, 0);
    what.host_name = name + "-host";
    EXPECT_TRUE(start(what).ok());
    EXPECT_TRUE(has_said(name, "serving"));
    auto socket = open_listening_socket(Address::v4(127, 31, 16, host, 0));
    EXPECT_TRUE(socket.ok());
    what.logical.port = 80;
    EXPECT_TRUE(ground->open_door(name, socket.value().fd.get(), what.logical).ok());
    return socket.value().address;
  }
};
INSTANTIATE_TEST_SUITE_P(Ground, NamespacesTest, testing::Values(GroundKind::kNamespaces), ground_name);

TEST_P(NamespacesTest, EachHasTheSamePortItsHostNameAndADoor) {
  const Address first = serve("i-1", 10);
  const Address second = serve("i-2", 11);
  EXPECT_EQ(ask(first, patience(5)), "i-1-host");
  EXPECT_EQ(ask(second, patience(5)), "i-2-host");
}

TEST_P(NamespacesTest, ALinkTakenDownIsSilentAndHealsAtOnce) {
  const Address door = serve("i-1", 10);
  ASSERT_EQ(ask(door, patience(5)), "i-1-host");
  ASSERT_TRUE(ground->set_link("i-1", false).ok());
  EXPECT_EQ(ask(door, kMillisecond * 400), "");
  ASSERT_TRUE(ground->set_link("i-1", true).ok());
  EXPECT_EQ(ask(door, patience(5)), "i-1-host");
}

TEST_P(NamespacesTest, ALinkTakenDownIsSilentForNeighboursToo) {
  serve("i-1", 10);
  ProcessSpec what = spec("i-2", {"python3", "-c", R"(
import socket, sys
socket.create_connection(('172.31.16.10', 80), 2).close(); print('reached', flush=True)
sys.stdin = open('go'); sys.stdin.read()
try: socket.create_connection(('172.31.16.10', 80), 4); print('connected')
except socket.timeout: print('silence')
except OSError as error: print('refused', error)
)"});
  what.logical = Address::v4(172, 31, 16, 11, 0);
  ASSERT_EQ(::mkfifo(folder.path("go").c_str(), 0600), 0);
  ASSERT_TRUE(start(what).ok());
  ASSERT_TRUE(has_said("i-2", "reached"));
  ASSERT_TRUE(ground->set_link("i-1", false).ok());
  { std::ofstream(folder.path("go")) << "go"; }
  ASSERT_TRUE(has_ended("i-2"));
  EXPECT_NE(output["i-2"].find("silence"), std::string::npos) << output["i-2"];
}

TEST_P(NamespacesTest, AnAddressIsTakenOverByItsSuccessor) {
  serve("i-1", 10);
  ground->signal_process("i-1", SIGKILL, true);
  ASSERT_TRUE(has_ended("i-1"));
  EXPECT_EQ(ask(serve("i-2", 10), patience(5)), "i-2-host");
}

TEST_P(NamespacesTest, ItSeesItsOwnProcessesNetworkAndTmp) {
  const std::string secret = folder.path() + "-not-for-instances";
  std::ofstream(secret) << "x";
  const char* look = R"(
import os, socket
print('processes', sorted(int(name) for name in os.listdir('/proc') if name.isdigit())[0] == 1, len([name for name in os.listdir('/proc') if name.isdigit()]))
print('tmp', sorted(os.listdir('/tmp')))
print('own name leads to', socket.gethostbyname(socket.gethostname()), socket.gethostbyname('localhost'))
probe = socket.socket(); probe.bind(('169.254.169.254', 80)); print('metadata address')
)";
  ASSERT_TRUE(start(spec("i-1", {"python3", "-c", look})).ok());
  ASSERT_TRUE(has_ended("i-1"));
  std::filesystem::remove(secret);
  EXPECT_NE(output["i-1"].find("processes True 2"), std::string::npos) << output["i-1"];
  EXPECT_NE(output["i-1"].find("own name leads to 172.31.16.10 127.0.0.1"), std::string::npos) << output["i-1"];
  EXPECT_NE(output["i-1"].find("metadata address"), std::string::npos) << output["i-1"];
  if (folder.path().starts_with("/tmp/")) {
    const std::string only = "tmp ['" + folder.path().substr(5) + "']";
    EXPECT_NE(output["i-1"].find(only), std::string::npos) << output["i-1"];
  }
}

TEST_P(NamespacesTest, ASessionEntersItsWorld) {
  ASSERT_TRUE(start(spec("i-1", {"sleep", "1000"})).ok());
  std::string command;
  for (const std::string& word : ground->enter_command("i-1")) command += word + " ";
  FILE* session = ::popen((command + "sh -c 'hostname; pwd' 2>&1").c_str(), "r");
  ASSERT_NE(session, nullptr);
  std::array<char, 512> said{};
  const std::size_t size = ::fread(said.data(), 1, said.size(), session);
  ::pclose(session);
  EXPECT_EQ(std::string(said.data(), size), "ip-172-31-16-10\n" + folder.path() + "\n");
}

TEST(ChooseGround, AnUnprivilegedUserGetsTheSameOrAReason) {
  if (::geteuid() != 0) GTEST_SKIP() << "every other test of this program runs unprivileged already";
  constexpr uid_t kNobody = 65'534;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresgid(kNobody, kNobody, kNobody) != 0 || ::setresuid(kNobody, kNobody, kNobody) != 0) ::_exit(3);
    if (::access(keeper_program().c_str(), X_OK) != 0) ::_exit(2);
    const auto choice = choose_ground(GroundKind::kNamespaces);
    if (!choice) ::_exit(2);
    Folder own;
    Loop loop;
    auto ground = make_ground(loop, GroundKind::kNamespaces, own.path());
    if (!ground) ::_exit(4);
    ProcessSpec what;
    what.name = "i-1";
    what.command = {"sh", "-c", "hostname; id -u"};
    what.environment = {{"PATH", std::getenv("PATH")}};
    what.folder = own.path();
    what.log_file = own.path("log");
    what.logical = Address::v4(172, 31, 16, 10, 0);
    what.host_name = "ip-172-31-16-10";
    std::string said;
    bool ended = false;
    const Status started = ground.value()->start_process(
        what, [&](std::string_view bytes) { said += bytes; }, [&](ProcessExit) { ended = true; });
    if (!started || !run_until(loop, [&] { return ended; })) ::_exit(5);
    ::_exit(said == "ip-172-31-16-10\n0\n" ? 0 : 6);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 2) {
    GTEST_SKIP() << "an unprivileged user cannot have namespaces (or not read " << keeper_program() << ") here";
  }
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace rr::sim
