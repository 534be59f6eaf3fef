#include "sim/world/keeper_link.h"

#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <deque>
#include <optional>

#include "lb/net/fd_watcher.h"

namespace rr::sim {

namespace {

/// The keeper answers within milliseconds; a start has a time-out of its own there, which is shorter.
constexpr std::chrono::seconds kAnswerTimeout{20};
constexpr int kSocketNumber = 3;  // in the keeper

Result<pid_t> spawn_keeper(const std::string& program, int socket, GroundKind kind) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, socket, kSocketNumber);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A session of its own: a Ctrl-C in the terminal is for rr-sim, which ends its processes in order.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  std::string path = program, flag = "--ground", value(to_string(kind));
  std::array<char*, 4> arguments{path.data(), flag.data(), value.data(), nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, path.c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return Error{fmt::format("cannot run {}: {}", program, std::strerror(error))};
  return pid;
}

}  // namespace

std::string keeper_program() {
  std::array<char, 4096> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  const std::string self(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return self.substr(0, self.rfind('/') + 1) + "rr-keeper";
}

struct KeeperLink::State {
  State(Loop& owner, Descriptor end, pid_t keeper) : loop(owner), socket(std::move(end)), pid(keeper) {}

  void watch() {
    watcher.emplace(loop, socket.get(), [this] { take(); });
  }

  /// Takes what is there. Returns the first reply, if one came.
  std::optional<KeeperReply> take_packets() {
    Packet packet;
    for (;;) {
      switch (receive_packet(socket.get(), packet)) {
        case ReceiveOutcome::kNothingNow:
          return std::nullopt;
        case ReceiveOutcome::kClosed:
          gone = true;
          return std::nullopt;
        case ReceiveOutcome::kPacket:
          break;
      }
      const auto event = decode_event(packet.bytes);
      if (!event) continue;
      if (const auto* reply = std::get_if<KeeperReply>(&*event)) return *reply;
      if (const auto* ended = std::get_if<ProcessEnded>(&*event)) ends.push_back(*ended);
    }
  }

  std::optional<KeeperReply> await_reply() {
    const auto deadline = std::chrono::steady_clock::now() + kAnswerTimeout;
    while (!gone) {
      if (auto reply = take_packets()) return reply;
      const auto left = deadline - std::chrono::steady_clock::now();
      if (gone || left.count() <= 0) return std::nullopt;
      pollfd wait{socket.get(), POLLIN, 0};
      ::poll(&wait, 1, static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(left).count()) + 1);
    }
    return std::nullopt;
  }

  void take() {
    (void)take_packets();
    deliver();
  }

  /// Ends that came while a call waited are told when the caller is done.
  void deliver_later() {
    if (ends.empty() && !gone) return;
    loop.post([weak = std::weak_ptr<int>(alive), this] {
      if (!weak.expired()) deliver();
    });
  }

  void deliver() {
    const std::weak_ptr<int> weak = alive;
    while (!weak.expired() && !ends.empty()) {
      const ProcessEnded ended = ends.front();
      ends.pop_front();
      if (on_ended) on_ended(ended);
    }
    if (weak.expired() || !gone || told_lost) return;
    told_lost = true;
    watcher.reset();
    if (on_lost) on_lost();
  }

  void end() {
    watcher.reset();
    socket.reset();
    if (pid > 0) {
      while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
  }

  Loop& loop;
  Descriptor socket;
  pid_t pid;
  std::optional<FdWatcher> watcher;
  std::deque<ProcessEnded> ends;
  bool gone = false;
  bool told_lost = false;
  std::function<void(const ProcessEnded&)> on_ended;
  std::function<void()> on_lost;
  std::shared_ptr<int> alive = std::make_shared<int>(0);
};

KeeperLink::KeeperLink(std::unique_ptr<State> state) : state_(std::move(state)) {}
KeeperLink::~KeeperLink() { state_->end(); }

Result<std::unique_ptr<KeeperLink>> KeeperLink::start(Loop& loop, GroundKind kind) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return Error{fmt::format("socket pair for the keeper: {}", std::strerror(errno))};
  }
  Descriptor ours(ends[0]);
  Descriptor theirs(ends[1]);
  const auto pid = spawn_keeper(keeper_program(), theirs.get(), kind);
  if (!pid) return pid.error();
  theirs.reset();
  std::unique_ptr<KeeperLink> link(new KeeperLink(std::make_unique<State>(loop, std::move(ours), *pid)));
  State& state = *link->state_;
  pollfd wait{state.socket.get(), POLLIN, 0};
  ::poll(&wait, 1, static_cast<int>(std::chrono::milliseconds(kAnswerTimeout).count()));
  Packet packet;
  const bool heard = receive_packet(state.socket.get(), packet) == ReceiveOutcome::kPacket;
  const auto event = heard ? decode_event(packet.bytes) : std::nullopt;
  const auto* ready = event ? std::get_if<KeeperReady>(&*event) : nullptr;
  if (ready == nullptr) return Error{"rr-keeper ended before it stood"};
  if (!ready->error.empty()) return Error{ready->error};
  state.watch();
  return link;
}

Result<KeeperReply> KeeperLink::call(const KeeperRequest& request, const std::vector<int>& descriptors) {
  const Error lost{"the keeper process has gone, and every process of the tier with it"};
  if (state_->gone) return lost;
  if (Status sent = send_packet(state_->socket.get(), encode(request), descriptors); !sent) return lost;
  const auto reply = state_->await_reply();
  state_->deliver_later();
  if (!reply) return state_->gone ? lost : Error{"the keeper process does not answer"};
  if (!reply->error.empty()) return Error{reply->error};
  return *reply;
}

void KeeperLink::on_ended(std::function<void(const ProcessEnded&)> sink) { state_->on_ended = std::move(sink); }
void KeeperLink::on_lost(std::function<void()> sink) { state_->on_lost = std::move(sink); }

}  // namespace rr::sim
