#include "sim/keeper/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <set>

#include "sim/keeper/descriptor.h"

namespace rr::sim {

namespace {

void nap() {
  const timespec millisecond{0, 1'000'000};
  ::nanosleep(&millisecond, nullptr);
}

bool read_stat(int proc, const char* pid, pid_t& parent, char& state) {
  std::array<char, 320> path{};
  std::snprintf(path.data(), path.size(), "%s/stat", pid);
  const Descriptor file(::openat(proc, path.data(), O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> line{};
  const ssize_t got = file.open() ? ::read(file.get(), line.data(), line.size()) : 0;
  return got > 0 && parse_stat({line.data(), static_cast<std::size_t>(got)}, parent, state);
}

/// All living processes by their parents.
std::multimap<pid_t, pid_t> children_by_parent() {
  std::multimap<pid_t, pid_t> children;
  DIR* folder = ::opendir("/proc");
  if (folder == nullptr) return children;
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    pid_t parent = 0;
    char state = 0;
    if (!read_stat(::dirfd(folder), entry->d_name, parent, state)) continue;
    // A zombie has no children any more: they have been given to their next parent.
    if (state != 'Z' && state != 'X') children.emplace(parent, std::atoi(entry->d_name));
  }
  ::closedir(folder);
  return children;
}

template <class List>
bool kill_until_none(List list) {
  constexpr int kPasses = 1000;
  for (int pass = 0; pass < kPasses; ++pass) {
    const std::vector<pid_t> left = list();
    if (left.empty()) return true;
    for (const pid_t pid : left) ::kill(pid, SIGKILL);
    nap();
  }
  return false;
}

}  // namespace

bool parse_stat(std::string_view line, pid_t& parent, char& state) {
  const std::size_t bracket = line.rfind(')');
  if (bracket == std::string_view::npos || bracket + 4 >= line.size()) return false;
  state = line[bracket + 2];
  const char* first = line.data() + bracket + 4;
  return std::from_chars(first, line.data() + line.size(), parent).ec == std::errc{};
}

std::vector<pid_t> descendants(pid_t root) {
  const std::multimap<pid_t, pid_t> children = children_by_parent();
  std::vector<pid_t> found;
  const auto add_children = [&](pid_t parent) {
    const auto [first, last] = children.equal_range(parent);
    for (auto child = first; child != last; ++child) found.push_back(child->second);
  };
  add_children(root);
  for (std::size_t next = 0; next < found.size(); ++next) add_children(found[next]);
  return found;
}

int signal_descendants(pid_t root, int signal_number, bool until_no_new) {
  std::set<pid_t> reached;
  for (bool any_new = true; any_new;) {
    any_new = false;
    for (const pid_t pid : descendants(root)) {
      if (!reached.insert(pid).second) continue;
      any_new = true;
      ::kill(pid, signal_number);
    }
    if (!until_no_new) break;
  }
  return static_cast<int>(reached.size());
}

std::vector<pid_t> children(pid_t parent) {
  const std::multimap<pid_t, pid_t> all = children_by_parent();
  std::vector<pid_t> found;
  const auto [first, last] = all.equal_range(parent);
  for (auto child = first; child != last; ++child) found.push_back(child->second);
  return found;
}

bool kill_descendants(pid_t root) {
  return kill_until_none([root] { return descendants(root); });
}

bool kill_grandchildren(pid_t root) {
  return kill_until_none([root] {
    std::vector<pid_t> below = descendants(root);
    const std::vector<pid_t> spared = children(root);
    std::erase_if(below, [&](pid_t pid) { return std::find(spared.begin(), spared.end(), pid) != spared.end(); });
    return below;
  });
}

}  // namespace rr::sim
