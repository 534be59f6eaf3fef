#pragma once
// The folder that a tier lives in: one tier a folder, kept apart by a lock.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lb/base/result.h"

namespace rr::sim {

/// Where a tier keeps its things when no --state is given: ${XDG_STATE_HOME:-$HOME/.local/state}/round-robin/web.
std::string default_state_folder();

/// What lies where in the folder.
struct StateLayout {
  std::string folder;  // absolute
  explicit StateLayout(std::string at);
  std::string lock() const { return folder + "/lock"; }
  std::string control_socket() const { return folder + "/control.sock"; }
  std::string settings() const { return folder + "/settings.yaml"; }
  std::string region() const { return folder + "/region"; }
  std::string images() const { return folder + "/images"; }
  std::string build_counter() const { return folder + "/build-number"; }
  std::string journal() const { return folder + "/journal.log"; }
  std::string own_log() const { return folder + "/rr-sim.log"; }
  std::string faults() const { return folder + "/faults.json"; }
  std::string world() const { return folder + "/world"; }
};

/// Who holds a folder.
struct LockHolder {
  int pid = 0;
  std::string command;
};

/// The lock of a state folder, held until destroyed (or until the process ends, however it ends).
class StateLock {
 public:
  /// Makes the folder (mode 0700) when it is missing. An empty Result value is never returned; the error says who holds
  /// the folder, by pid and command line, or why it cannot be used, and what to do.
  static Result<StateLock> take(const StateLayout& layout, const std::string& command_line);
  ~StateLock();
  StateLock(StateLock&& other) noexcept;
  StateLock& operator=(StateLock&&) = delete;
  /// After a fork the child holds it: the parent only lets go of its copy.
  void write_holder(const std::string& command_line) const;

 private:
  explicit StateLock(int fd) : fd_(fd) {}
  int fd_;
};

/// Who holds the folder's lock now; none when nobody does.
std::optional<LockHolder> lock_holder(const StateLayout& layout);

/// True when a tier was here and did not stop in order.
bool holds_killed_tier(const StateLayout& layout);

/// Removes what a stopped tier needs no more: the region's state, sockets, instances, images, settings. Logs, the
/// journal and the build counter stay.
void remove_tier(const StateLayout& layout);

/// Removes a folder and what is in it, read-only images too.
void remove_folder(const std::string& folder);

/// The next build number of this folder (1, 2, ...), remembered in it.
int next_build_number(const StateLayout& layout);

/// " --state FOLDER" with the quoting of a shell, or nothing for the default folder: for commands that can be pasted.
std::string state_flag(const StateLayout& layout);
/// One word of a shell command line.
std::string shell_word(const std::string& text);

/// Last lines of a file, at most `count`; empty when it cannot be read.
std::vector<std::string> last_lines(const std::string& file, std::size_t count);

}  // namespace rr::sim
