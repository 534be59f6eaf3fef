#pragma once
// What the tier's processes stand on: namespaces of their own where the kernel allows it, plain processes elsewhere.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lb/base/address.h"
#include "lb/base/result.h"
#include "lb/net/loop.h"

namespace rr::sim {

enum class GroundKind : std::uint8_t { kNamespaces, kPlain };
std::string_view to_string(GroundKind kind);  // "namespaces"

struct ProcessSpec {
  std::string name;  // unique within the tier
  std::vector<std::string> command;
  std::map<std::string, std::string> environment;  // the whole of it
  std::string folder;                              // working directory
  std::string log_file;  // standard output and error are appended to it and handed to on_output
  Address logical;       // its address in the tier's network; the port says nothing here
  std::string host_name;
  std::vector<std::pair<int, int>> descriptors;  // (number in the child, descriptor here)
  /// How long its program starts after the process does; none: never.
  std::optional<Duration> boot_delay = Duration{};
};

struct ProcessExit {
  int status = 0;  // exit status, when not signalled
  int signal = 0;
  std::string describe() const;  // "exited with status 1", "killed by signal 9 (SIGKILL)"
};

class Ground {
 public:
  virtual ~Ground() = default;
  virtual GroundKind kind() const = 0;
  /// "namespaces: each instance has its own network, host name, mounts and processes" / why not, in one line.
  virtual std::string describe() const = 0;

  virtual Status start_process(ProcessSpec spec, std::function<void(std::string_view)> on_output,
                               std::function<void(ProcessExit)> on_exit) = 0;
  /// To the process and, with `whole`, to every descendant of it, also those that made themselves daemons.
  virtual void signal_process(const std::string& name, int signal_number, bool whole) = 0;
  /// The process id as seen from outside, 0 when it does not run.
  virtual int pid(const std::string& name) const = 0;
  /// Takes the process's network link down or up. The error names the ground when it cannot.
  virtual Status set_link(const std::string& name, bool up) = 0;
  /// Prefix of a command that runs inside the process's world ("nsenter ..."); empty on the plain ground.
  virtual std::vector<std::string> enter_command(const std::string& name) const = 0;
  /// True when addresses of the tier are reached from here only through the nodes and doors.
  virtual bool has_own_network() const = 0;
  /// Leads the connections of a listening socket here to an address in the tier's own network, as long as the named
  /// process runs. The caller may close its descriptor afterwards. The plain ground needs none and refuses.
  virtual Status open_door(const std::string& name, int listening, const Address& target) = 0;
  /// Called when the ground itself breaks down: every process has gone, and none can be started any more.
  virtual void on_lost(std::function<void()> sink) = 0;
};

/// Which ground the kernel allows, tried by doing it once in a child, and why. `wanted`: none = best available.
struct GroundChoice {
  GroundKind kind = GroundKind::kPlain;
  std::string reason;  // one line
};
Result<GroundChoice> choose_ground(std::optional<GroundKind> wanted);
Result<std::unique_ptr<Ground>> make_ground(Loop& loop, GroundKind kind, const std::string& state_folder);

}  // namespace rr::sim
