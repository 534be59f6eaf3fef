#include "sim/keeper/keeper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>
#include <map>
#include <optional>
#include <set>

#include "sim/keeper/door_keeper.h"
#include "sim/keeper/init.h"
#include "sim/keeper/message.h"
#include "sim/keeper/namespaces.h"
#include "sim/keeper/netlink.h"
#include "sim/keeper/private_world.h"
#include "sim/keeper/process_tree.h"

namespace rr::sim {

namespace {

const std::string kBridge = "rr-tier";
constexpr std::chrono::seconds kStartTimeout{15};
constexpr std::chrono::milliseconds kLastLines{500};

struct Pipe {
  Descriptor read_end, write_end;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error{fmt::format("pipe: {}", std::strerror(errno))};
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

std::chrono::steady_clock::time_point steady_now() { return std::chrono::steady_clock::now(); }

/// Waits until a descriptor is readable. False: the time is over.
bool readable_before(int fd, std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_now()).count();
    if (left <= 0) return false;
    pollfd wait{fd, POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

/// Everything until the end of file. Nothing: it did not come in time.
std::optional<std::string> read_to_end(int fd, std::chrono::steady_clock::time_point deadline) {
  std::string text;
  std::array<char, 1024> buffer;
  for (;;) {
    if (!readable_before(fd, deadline)) return std::nullopt;
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0) return text;
    if (got < 0 && errno != EINTR) return std::nullopt;
    if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

/// As fork(), into the new namespaces of `flags`.
pid_t fork_into(int flags) {
  return static_cast<pid_t>(::syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

int open_process(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

struct Child {
  pid_t init = 0;
  pid_t program = 0;   // in the keeper's numbering
  Descriptor process;  // a pidfd: a signal never reaches somebody who got the number afterwards
  Descriptor ended;    // the init writes the program's wait status here
  std::string cable;   // empty on the plain ground
};

class Keeper {
 public:
  Keeper(Descriptor socket, bool own_worlds, int outside_proc)
      : socket_(std::move(socket)), own_worlds_(own_worlds), outside_proc_(outside_proc) {}

  int run() {
    prepare();
    std::string trouble;
    if (own_worlds_) trouble = furnish();
    tier_proc_ = Descriptor(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    tell(KeeperReady{trouble});
    while (trouble.empty() && !closed_) {
      std::array<pollfd, 2> watched{pollfd{socket_.get(), POLLIN, 0}, pollfd{signals_.get(), POLLIN, 0}};
      ::poll(watched.data(), watched.size(), -1);
      if (watched[1].revents != 0) take_signals();
      if (watched[0].revents != 0) take_requests();
    }
    end_everything();
    return trouble.empty() ? 0 : 1;
  }

 private:
  void prepare() {
    ::prctl(PR_SET_NAME, "rr-keeper");
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigset_t watched;
    sigemptyset(&watched);
    // Only the socket decides when it is over: a Ctrl-C or a hang-up that reaches the keeper changes nothing. SIGTERM
    // is meant for it.
    for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGTTOU}) sigaddset(&watched, number);
    ::sigprocmask(SIG_SETMASK, &watched, nullptr);
    signals_ = Descriptor(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  }

  std::string furnish() {
    if (Status done = furnish_namespaces(kBridge); !done) return done.error().message;
    auto netlink = Netlink::open();
    if (!netlink) return netlink.error().message;
    netlink_ = std::move(*netlink);
    auto doors = DoorKeeper::start();
    if (!doors) return doors.error().message;
    doors_ = std::move(*doors);
    return {};
  }

  void tell(const KeeperEvent& event) {
    if (!send_packet(socket_.get(), encode(event), {})) closed_ = true;
  }

  void take_requests() {
    Packet packet;
    while (!closed_) {
      switch (receive_packet(socket_.get(), packet)) {
        case ReceiveOutcome::kNothingNow:
          return;
        case ReceiveOutcome::kClosed:
          closed_ = true;
          return;
        case ReceiveOutcome::kPacket:
          break;
      }
      auto request = decode_request(packet.bytes);
      KeeperReply reply{"the keeper did not understand", 0};
      if (request) {
        reply = std::visit([&](auto& wish) { return fulfil(wish, packet.descriptors); }, *request);
      }
      tell(reply);
    }
  }

  KeeperReply fulfil(StartProcess& start, std::vector<Descriptor>& descriptors) {
    if (children_.contains(start.name)) return {fmt::format("{} runs already", start.name), 0};
    if (start.command.empty() || descriptors.size() != start.numbers.size() + 1) return {"no command", 0};
    Child child;
    const std::string name = start.name;
    auto started = launch(std::move(start), std::move(descriptors), child);
    if (!started) {
      if (child.init > 0) discard(child.init);
      return {started.error().message, 0};
    }
    children_.emplace(name, std::move(child));
    return {{}, *started};
  }

  /// Returns the program's process id as seen from outside.
  Result<int> launch(StartProcess start, std::vector<Descriptor> descriptors, Child& child) {
    auto started = make_pipe();
    if (!started) return started.error();
    auto ended = make_pipe();
    if (!ended) return ended.error();
    auto go = make_pipe();
    if (!go) return go.error();
    const Address address = start.logical;
    const std::string program = start.command.front();

    const pid_t self = ::getpid();
    child.init = own_worlds_ ? fork_into(own_world_flags()) : ::fork();
    if (child.init < 0) return Error{fmt::format("fork: {}", std::strerror(errno))};
    if (child.init == 0) {
      InitTask task;
      task.start = std::move(start);
      task.own_world = own_worlds_;
      task.keeper = self;
      task.tier_proc = tier_proc_.get();
      task.outside_proc = outside_proc_;
      task.forward = std::move(descriptors.front());
      descriptors.erase(descriptors.begin());
      task.passed = std::move(descriptors);
      task.started = std::move(started->write_end);
      task.ended = std::move(ended->write_end);
      if (own_worlds_) task.go = std::move(go->read_end);
      run_init(std::move(task));
    }
    started->write_end.reset();
    descriptors.clear();
    child.ended = std::move(ended->read_end);
    if (own_worlds_) {
      if (Status wired = wire(child, address); !wired) return wired.error();
      if (::write(go->write_end.get(), "g", 1) != 1) return Error{"the process's init ended"};
    }
    return await_start(child, started->read_end.get(), program);
  }

  Result<int> await_start(Child& child, int started, const std::string& program) {
    const auto report = read_to_end(started, steady_now() + kStartTimeout);
    if (!report) return Error{fmt::format("{} could not be started within {} s", program, kStartTimeout.count())};
    StartedRecord record;
    // A failure before the fork is text alone; one after it comes behind the record.
    const bool forked = report->size() >= sizeof record && !(*report)[sizeof record - 1];
    if (!forked) return Error{report->empty() ? "the process's init ended" : *report};
    std::memcpy(&record, report->data(), sizeof record);
    if (report->size() > sizeof record) return Error{report->substr(sizeof record)};
    child.program = record.tier_pid;
    child.process = Descriptor(open_process(child.program));
    return record.outside_pid;
  }

  Status wire(Child& child, const Address& address) {
    child.cable = fmt::format("rr{}", ++cables_);
    const Address gateway = gateway_of(address);
    if (gateways_.insert(gateway).second) {
      if (Status done = netlink_->add_address(kBridge, gateway, kNetworkPrefix); !done) return done;
    }
    if (Status done = netlink_->create_cable(child.cable, "eth0", mac_of(address), child.init); !done) return done;
    if (Status done = netlink_->plug_into(child.cable, kBridge); !done) return done;
    return netlink_->set_up(child.cable, true);
  }

  /// An init whose program never ran.
  static void discard(pid_t init) {
    kill_descendants(init);
    ::kill(init, SIGKILL);
    ::waitpid(init, nullptr, 0);
  }

  KeeperReply fulfil(const SignalProcess& wish, std::vector<Descriptor>&) {
    const auto found = children_.find(wish.name);
    if (found == children_.end()) return {fmt::format("{} does not run", wish.name), 0};
    const Child& child = found->second;
    if (!wish.whole) {
      signal_program(child, wish.signal_number);
    } else if (wish.signal_number == SIGKILL) {
      if (!kill_descendants(child.init)) ::kill(child.init, SIGKILL);
    } else {
      const bool asks_to_end = wish.signal_number == SIGTERM;
      if (asks_to_end) ::kill(child.init, kSignalStopping);
      signal_descendants(child.init, wish.signal_number, !asks_to_end);
    }
    return {};
  }

  static void signal_program(const Child& child, int number) {
    if (!child.process.open() || ::syscall(SYS_pidfd_send_signal, child.process.get(), number, nullptr, 0) != 0) {
      if (errno == ENOSYS || errno == EPERM || !child.process.open()) ::kill(child.program, number);
    }
  }

  KeeperReply fulfil(const SetLink& wish, std::vector<Descriptor>&) {
    const auto found = children_.find(wish.name);
    if (found == children_.end()) return {fmt::format("{} does not run", wish.name), 0};
    if (!netlink_) return {"the plain ground has no network links: use --ground namespaces", 0};
    const Status done = netlink_->set_up(found->second.cable, wish.up);
    return {done ? std::string() : done.error().message, 0};
  }

  KeeperReply fulfil(const OpenDoor& wish, std::vector<Descriptor>& descriptors) {
    if (!doors_) return {"the plain ground needs no doors", 0};
    if (!children_.contains(wish.name) || descriptors.size() != 1) {
      return {fmt::format("{} does not run", wish.name), 0};
    }
    const Status done = doors_->open(wish.name, wish.target, descriptors.front().get());
    return {done ? std::string() : done.error().message, 0};
  }

  void take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (info.ssi_signo == SIGTERM) closed_ = true;
    }
    reap();
  }

  void reap() {
    int status = 0;
    bool init_was_killed = false;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      for (auto child = children_.begin(); child != children_.end(); ++child) {
        if (child->second.init != pid) continue;
        init_was_killed = init_was_killed || WIFSIGNALED(status);
        report_end(*child, status);
        children_.erase(child);
        break;
      }
    }
    // Who lost its program and its init is adopted by the keeper (plain ground) and belongs to nobody any more.
    if (init_was_killed && !own_worlds_) kill_strays();
  }

  void report_end(std::pair<const std::string, Child>& child, int init_status) {
    std::int32_t status = init_status;  // of the init, if it was killed before it could tell
    if (::read(child.second.ended.get(), &status, sizeof status) != sizeof status) status = init_status;
    if (doors_) doors_->close(child.first);
    ProcessEnded ended{child.first, 0, 0};
    if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
    if (WIFEXITED(status)) ended.status = WEXITSTATUS(status);
    tell(ended);
  }

  void kill_strays() {
    for (const pid_t pid : children(::getpid())) {
      bool known = false;
      for (const auto& [name, child] : children_) known = known || child.init == pid;
      if (known) continue;
      kill_descendants(pid);
      ::kill(pid, SIGKILL);
    }
  }

  /// Programs first, so that their inits can write their last lines down; then the inits and whatever is left.
  void end_everything() {
    kill_grandchildren(::getpid());
    const auto deadline = steady_now() + kLastLines;
    while (!children_.empty() && readable_before(signals_.get(), deadline)) take_signals();
    kill_descendants(::getpid());
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
  }

  Descriptor socket_;
  bool own_worlds_;
  int outside_proc_;
  Descriptor tier_proc_;
  Descriptor signals_;
  bool closed_ = false;
  std::map<std::string, Child> children_;
  std::optional<Netlink> netlink_;
  std::optional<DoorKeeper> doors_;
  std::set<Address> gateways_;
  std::uint64_t cables_ = 0;
};

/// In the tier's namespaces, as first process of its process-id namespace.
[[noreturn]] void run_inside(Descriptor socket, int outside_proc) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::_exit(Keeper(std::move(socket), true, outside_proc).run());
}

/// Does not return: a leak checker needs a thread, and a process that has left its process-id namespace can make none.
[[noreturn]] void run_in_namespaces(Descriptor socket, int outside_proc) {
  const auto entered = enter_namespaces();
  if (!entered) {
    (void)send_packet(socket.get(), encode(KeeperEvent{KeeperReady{entered.error().message}}), {}).ok();
    ::_exit(1);
  }
  const pid_t inside = ::fork();
  if (inside == 0) run_inside(std::move(socket), outside_proc);
  if (inside < 0) {
    const std::string trouble = fmt::format("fork into the process-id namespace: {}", std::strerror(errno));
    (void)send_packet(socket.get(), encode(KeeperEvent{KeeperReady{trouble}}), {}).ok();
    ::_exit(1);
  }
  socket.reset();
  // Whoever stops the keeper means the one inside; its death ends this one.
  for (const int number : {SIGINT, SIGHUP, SIGQUIT}) std::signal(number, SIG_IGN);
  int status = 0;
  while (::waitpid(inside, &status, 0) < 0 && errno == EINTR) {
  }
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/// Waits for the keeper's next word, or for its silence.
Result<KeeperEvent> next_event(int socket) {
  if (!readable_before(socket, steady_now() + kStartTimeout)) return Error{"the keeper does not answer"};
  Packet packet;
  if (receive_packet(socket, packet) != ReceiveOutcome::kPacket) return Error{"the keeper ended"};
  auto event = decode_event(packet.bytes);
  if (!event) return Error{"the keeper said something unknown"};
  return std::move(*event);
}

Status start_something(int socket) {
  auto ready = next_event(socket);
  if (!ready) return ready.error();
  const KeeperReady* stands = std::get_if<KeeperReady>(&*ready);
  if (stands == nullptr || !stands->error.empty()) return Error{stands == nullptr ? "no greeting" : stands->error};
  StartProcess start;
  start.name = "trial";
  start.command = {"true"};
  start.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}};
  start.folder = "/";
  start.log_file = "/dev/null";
  start.logical = Address::v4(172, 31, 16, 10, 0);
  start.host_name = "ip-172-31-16-10";
  auto output = make_pipe();
  if (!output) return output.error();
  if (Status sent = send_packet(socket, encode(KeeperRequest{start}), {output->write_end.get()}); !sent) return sent;
  for (;;) {
    auto event = next_event(socket);
    if (!event) return event.error();
    const KeeperReply* reply = std::get_if<KeeperReply>(&*event);
    if (reply != nullptr && !reply->error.empty()) return Error{reply->error};
    if (std::holds_alternative<ProcessEnded>(*event)) return Ok{};
  }
}

}  // namespace

int run_keeper(const KeeperSettings& settings) {
  Descriptor socket(settings.socket);
  const Descriptor outside_proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (settings.own_worlds) run_in_namespaces(std::move(socket), outside_proc.get());
  return Keeper(std::move(socket), false, outside_proc.get()).run();
}

Status try_own_worlds() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return Error{fmt::format("socket pair: {}", std::strerror(errno))};
  }
  Descriptor ours(ends[0]);
  Descriptor theirs(ends[1]);
  const pid_t keeper = ::fork();
  if (keeper < 0) return Error{fmt::format("fork: {}", std::strerror(errno))};
  if (keeper == 0) {
    ours.reset();
    ::_exit(run_keeper({theirs.release(), true}));
  }
  theirs.reset();
  Status outcome = start_something(ours.get());
  ours.reset();
  ::waitpid(keeper, nullptr, 0);
  return outcome;
}

}  // namespace rr::sim
