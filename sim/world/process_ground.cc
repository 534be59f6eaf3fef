#include "sim/world/process_ground.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

namespace rr::sim {

namespace {

std::int64_t boot_delay_of(const ProcessSpec& spec) {
  if (!spec.boot_delay) return kNeverBoots;
  return std::chrono::ceil<std::chrono::milliseconds>(*spec.boot_delay).count();
}

}  // namespace

/// A process that was started and whose end has not been told.
struct ProcessGround::Running {
  int pid = 0;
  std::string folder;
  Descriptor output;
  std::optional<FdWatcher> watcher;
  std::function<void(std::string_view)> on_output;
  std::function<void(ProcessExit)> on_exit;
};

ProcessGround::ProcessGround(Loop& loop, GroundKind kind, std::unique_ptr<KeeperLink> keeper)
    : loop_(loop), kind_(kind), keeper_(std::move(keeper)) {
  keeper_->on_ended([this](const ProcessEnded& ended) { take_end(ended.name, {ended.status, ended.signal}); });
  keeper_->on_lost([this] { take_loss(); });
}

ProcessGround::~ProcessGround() = default;

Result<std::unique_ptr<Ground>> ProcessGround::start(Loop& loop, GroundKind kind) {
  auto keeper = KeeperLink::start(loop, kind);
  if (!keeper) return Error{fmt::format("the {} ground: {}", to_string(kind), keeper.error().message)};
  return std::unique_ptr<Ground>(new ProcessGround(loop, kind, std::move(*keeper)));
}

std::string ProcessGround::describe() const {
  switch (kind_) {
    case GroundKind::kNamespaces:
      return "namespaces: each instance has its own network, host name, processes and /tmp";
    case GroundKind::kPlain:
      return "plain: instances are ordinary processes, each with a port of its own on 127.31.x.y";
  }
  return {};
}

Status ProcessGround::start_process(ProcessSpec spec, std::function<void(std::string_view)> on_output,
                                    std::function<void(ProcessExit)> on_exit) {
  if (running_.contains(spec.name)) return Error{fmt::format("{} runs already", spec.name)};
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    return Error{fmt::format("pipe for {}: {}", spec.name, std::strerror(errno))};
  }
  auto running = std::make_shared<Running>();
  running->output = Descriptor(ends[0]);
  const Descriptor write_end(ends[1]);
  StartProcess start{spec.name,      spec.command, spec.environment,   spec.folder, spec.log_file, spec.logical,
                     spec.host_name, {},           boot_delay_of(spec)};
  std::vector<int> passed{write_end.get()};
  for (const auto& [number, descriptor] : spec.descriptors) {
    start.numbers.push_back(number);
    passed.push_back(descriptor);
  }
  const auto reply = keeper_->call(start, passed);
  if (!reply) return reply.error();
  running->pid = reply->pid;
  running->folder = spec.folder;
  running->on_output = std::move(on_output);
  running->on_exit = std::move(on_exit);
  running->watcher.emplace(loop_, running->output.get(), [this, name = spec.name] { take_output(name); });
  running_[spec.name] = std::move(running);
  return Ok{};
}

void ProcessGround::take_output(const std::string& name) {
  const auto found = running_.find(name);
  if (found == running_.end()) return;
  const std::shared_ptr<Running> running = found->second;  // what is called below may end it
  std::array<char, 64 * 1024> buffer;
  const ssize_t got = ::read(running->output.get(), buffer.data(), buffer.size());
  if (got > 0) {
    if (running->on_output) running->on_output({buffer.data(), static_cast<std::size_t>(got)});
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    running->watcher.reset();
  }
}

void ProcessGround::take_end(const std::string& name, ProcessExit exit) {
  const auto found = running_.find(name);
  if (found == running_.end()) return;
  const std::shared_ptr<Running> running = std::move(found->second);
  running_.erase(found);
  running->watcher.reset();
  // Its init passed everything on before the keeper heard of the end.
  std::array<char, 64 * 1024> buffer;
  for (ssize_t got = 0; (got = ::read(running->output.get(), buffer.data(), buffer.size())) > 0;) {
    if (running->on_output) running->on_output({buffer.data(), static_cast<std::size_t>(got)});
  }
  if (running->on_exit) running->on_exit(exit);
}

void ProcessGround::take_loss() {
  if (lost_) lost_();
  while (!running_.empty()) take_end(std::string(running_.begin()->first), {0, SIGKILL});
}

void ProcessGround::signal_process(const std::string& name, int signal_number, bool whole) {
  if (!running_.contains(name)) return;
  // Whoever has ended meanwhile needs no signal.
  (void)keeper_->call(SignalProcess{name, signal_number, whole}).ok();
}

int ProcessGround::pid(const std::string& name) const {
  const auto found = running_.find(name);
  return found == running_.end() ? 0 : found->second->pid;
}

Status ProcessGround::set_link(const std::string& name, bool up) {
  if (kind_ == GroundKind::kPlain) {
    return Error{fmt::format("the plain ground cannot take {}'s network link {}: --ground namespaces can", name,
                             up ? "up" : "down")};
  }
  const auto reply = keeper_->call(SetLink{name, up});
  if (!reply) return reply.error();
  return Ok{};
}

Status ProcessGround::open_door(const std::string& name, int listening, const Address& target) {
  const auto reply = keeper_->call(OpenDoor{name, target}, {listening});
  if (!reply) return reply.error();
  return Ok{};
}

std::vector<std::string> ProcessGround::enter_command(const std::string& name) const {
  const auto found = running_.find(name);
  if (kind_ == GroundKind::kPlain || found == running_.end()) return {};
  std::vector<std::string> command{"nsenter", "--target", std::to_string(found->second->pid)};
  // In its user namespace whoever enters is root, as the program is. A ground made by root has none of its own.
  const std::string process = fmt::format("/proc/{}", found->second->pid);
  std::error_code error;
  const auto theirs = std::filesystem::read_symlink(process + "/ns/user", error);
  if (theirs != std::filesystem::read_symlink("/proc/self/ns/user", error))
    command.insert(command.end(), {"--user", "--preserve-credentials"});
  command.insert(command.end(), {"--net", "--pid", "--mount", "--uts", "--ipc"});
  // The program's root too: after a change of the mount namespace it would be the machine's, which differs in a chroot.
  command.insert(command.end(), {"--root", "--wdns=" + found->second->folder, "--"});
  return command;
}

}  // namespace rr::sim
