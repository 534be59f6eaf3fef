#include "sim/scenario/state_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

namespace rr::sim {
namespace fs = std::filesystem;

std::string default_state_folder() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::string(state) + "/round-robin/web";
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr && *home != 0 ? home : "/tmp") + "/.local/state/round-robin/web";
}

StateLayout::StateLayout(std::string at) {
  std::error_code error;
  const fs::path absolute = fs::absolute(at, error).lexically_normal();
  folder = error ? std::move(at) : absolute.string();
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
}

namespace {

std::optional<LockHolder> read_holder(const StateLayout& layout) {
  std::ifstream file(layout.lock());
  LockHolder holder;
  if (!(file >> holder.pid)) return std::nullopt;
  file.ignore(1);
  std::getline(file, holder.command);
  return holder;
}

// Whatever a killed tier started dies with it, but not in the same instant, and holds the lock until then.
bool lock_once_dying_have_died(int fd, const StateLayout& layout) {
  using namespace std::chrono_literals;
  constexpr auto kPatience = 10s;
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const auto holder = read_holder(layout);
    const bool dead = holder && ::kill(holder->pid, 0) != 0 && errno == ESRCH;
    if (!dead || std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

}  // namespace

Result<StateLock> StateLock::take(const StateLayout& layout, const std::string& command_line) {
  // A socket's path has a limit far below that of other files; the deepest of ours is in world/.
  constexpr std::size_t kLongestInside = 48;
  if (layout.folder.size() + kLongestInside > sizeof(sockaddr_un::sun_path)) {
    return Error{fmt::format("--state {}: the path is too long for the sockets in it; {} characters or fewer are right",
                             layout.folder, sizeof(sockaddr_un::sun_path) - kLongestInside)};
  }
  std::error_code error;
  fs::create_directories(layout.folder, error);
  if (error) return Error{fmt::format("--state {}: cannot be made: {}", layout.folder, error.message())};
  ::chmod(layout.folder.c_str(), 0700);
  const int fd = ::open(layout.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Error{fmt::format("--state {}: cannot be written: {}", layout.folder, std::strerror(errno))};
  StateLock lock(fd);
  if (!lock_once_dying_have_died(fd, layout)) {
    const auto holder = read_holder(layout);
    const std::string who =
        holder ? fmt::format("by process {} ({})", holder->pid, holder->command) : "by another process";
    return Error{
        fmt::format("--state {}: a tier runs in it already, {}; stop it with `rr-sim down{}`, or give this one "
                    "another folder",
                    layout.folder, who, state_flag(layout))};
  }
  lock.write_holder(command_line);
  return lock;
}

void StateLock::write_holder(const std::string& command_line) const {
  const std::string text = fmt::format("{} {}\n", ::getpid(), command_line);
  if (::ftruncate(fd_, 0) != 0) return;
  [[maybe_unused]] const auto written = ::pwrite(fd_, text.data(), text.size(), 0);  // for a message only
}

StateLock::~StateLock() {
  if (fd_ >= 0) ::close(fd_);
}

StateLock::StateLock(StateLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

std::optional<LockHolder> lock_holder(const StateLayout& layout) {
  const int fd = ::open(layout.lock().c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  const bool held = ::flock(fd, LOCK_SH | LOCK_NB) != 0;
  ::close(fd);
  if (!held) return std::nullopt;
  auto holder = read_holder(layout);
  return holder ? holder : LockHolder{};
}

bool holds_killed_tier(const StateLayout& layout) {
  return fs::exists(layout.settings()) && fs::exists(layout.region());
}

void remove_folder(const std::string& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return;
  ::chmod(folder.c_str(), 0700);
  for (fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, error), end;
       !error && at != end; at.increment(error)) {
    if (at->is_directory(error) && !at->is_symlink(error)) ::chmod(at->path().c_str(), 0700);
  }
  fs::remove_all(folder, error);
}

void remove_tier(const StateLayout& layout) {
  for (const std::string& folder : {layout.region(), layout.images()}) remove_folder(folder);
  std::error_code error;
  fs::remove(layout.settings(), error);
  fs::remove(layout.control_socket(), error);
  fs::remove(layout.faults(), error);
  // The world's folder keeps its logs only.
  for (fs::directory_iterator at(layout.world(), error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename() != "logs") remove_folder(at->path().string());
  }
}

int next_build_number(const StateLayout& layout) {
  int last = 0;
  std::ifstream(layout.build_counter()) >> last;
  std::ofstream(layout.build_counter(), std::ios::trunc) << last + 1 << '\n';
  return last + 1;
}

std::string shell_word(const std::string& text) {
  const bool clean = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::strchr("-_./:=@%+,", c) != nullptr;
  });
  if (clean) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string state_flag(const StateLayout& layout) {
  if (layout.folder == StateLayout(default_state_folder()).folder) return "";
  return " --state " + shell_word(layout.folder);
}

std::vector<std::string> last_lines(const std::string& file, std::size_t count) {
  std::ifstream stream(file, std::ios::ate | std::ios::binary);
  if (!stream) return {};
  constexpr std::streamoff kMost = 64 * 1024;
  const std::streamoff size = stream.tellg();
  stream.seekg(std::max<std::streamoff>(0, size - kMost));
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
  if (size > kMost && !lines.empty()) lines.erase(lines.begin());  // cut in its middle
  if (lines.size() > count) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(count));
  return lines;
}

}  // namespace rr::sim
