#include "sim/world/ground_choice.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>

#include "sim/keeper/descriptor.h"
#include "sim/world/keeper_link.h"

namespace rr::sim {

namespace {

constexpr std::chrono::milliseconds kTrialTimeout{20'000};

long read_number(const char* path) {
  std::ifstream file(path);
  long value = -1;
  if (!(file >> value)) return -1;
  return value;
}

bool has_seccomp_filter() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("Seccomp:")) return line.find('2') != std::string::npos;
  }
  return false;
}

NamespaceLimits read_limits() {
  NamespaceLimits limits;
  limits.apparmor_restricts = static_cast<int>(read_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"));
  limits.unprivileged_clone = static_cast<int>(read_number("/proc/sys/kernel/unprivileged_userns_clone"));
  limits.most_user_namespaces = read_number("/proc/sys/user/max_user_namespaces");
  limits.in_container = ::access("/.dockerenv", F_OK) == 0 || ::access("/run/.containerenv", F_OK) == 0;
  limits.seccomp = has_seccomp_filter();
  limits.root = ::geteuid() == 0;
  return limits;
}

std::string read_line_with_timeout(int fd) {
  std::string text;
  std::array<char, 1024> buffer;
  for (;;) {
    pollfd wait{fd, POLLIN, 0};
    if (::poll(&wait, 1, static_cast<int>(kTrialTimeout.count())) <= 0) return "it did not end";
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got <= 0) return text.substr(0, text.find('\n'));
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

/// Nothing when namespaces can be had; else what was refused.
std::string try_namespaces() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::strerror(errno);
  const Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
  std::string path = keeper_program(), flag = "--try", value = "namespaces";
  std::array<char*, 4> arguments{path.data(), flag.data(), value.data(), nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, path.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fmt::format("cannot run {}: {}", path, std::strerror(error));
  write_end.reset();
  const std::string said = read_line_with_timeout(read_end.get());
  ::kill(pid, SIGKILL);  // it has said all it had to say, or hangs
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (said == "ok") return {};
  return said.empty() ? "rr-keeper --try namespaces said nothing" : said;
}

}  // namespace

std::string why_not(const std::string& refused, const NamespaceLimits& limits) {
  if (!limits.root && limits.apparmor_restricts > 0) {
    return fmt::format("{}; AppArmor restricts them here (kernel.apparmor_restrict_unprivileged_userns=1)", refused);
  }
  if (!limits.root && limits.unprivileged_clone == 0) {
    return fmt::format("{}; kernel.unprivileged_userns_clone=0 forbids them", refused);
  }
  if (limits.most_user_namespaces == 0) return fmt::format("{}; user.max_user_namespaces=0 forbids them", refused);
  if (limits.in_container || limits.seccomp) {
    return fmt::format("{}; a container's default seccomp profile forbids them (docker run --privileged allows them)",
                       refused);
  }
  return refused;
}

Result<GroundChoice> choose_ground(std::optional<GroundKind> wanted) {
  if (wanted == GroundKind::kPlain) return GroundChoice{GroundKind::kPlain, "plain ground, as asked for"};
  const std::string refused = try_namespaces();
  if (refused.empty()) {
    return GroundChoice{GroundKind::kNamespaces,
                        "namespaces ground: each instance has its own network, host name, processes and /tmp"};
  }
  const std::string reason = why_not(refused, read_limits());
  if (wanted) {
    return Error{fmt::format("--ground namespaces is not possible here: {}; --ground plain works everywhere", reason)};
  }
  return GroundChoice{GroundKind::kPlain, fmt::format("plain ground, because namespaces were refused: {}", reason)};
}

}  // namespace rr::sim
