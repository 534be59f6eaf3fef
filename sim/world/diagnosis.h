#pragma once
// What is wrong with a program that does not come up, in one sentence with the fix: a function of what was observed.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lb/base/address.h"
#include "lb/base/time.h"
#include "lb/policy/health_state.h"
#include "sim/world/ground.h"

namespace rr::sim {

/// Programs take their time to start. Before this nobody complains about a program that runs.
constexpr Duration kTimeToListen = std::chrono::seconds(15);
/// A program that listens somewhere else has this long to listen on its port too.
constexpr Duration kTimeToListenRightly = std::chrono::seconds(5);
/// A program that ends later than this has run, and its end is a fault like others.
constexpr Duration kEarlyExit = std::chrono::seconds(30);
constexpr std::size_t kLastLines = 20;

/// A program on the plain ground that insists on a port of its own.
struct FixedPort {
  std::string instance;
  std::uint16_t port = 0;
  bool operator==(const FixedPort&) const = default;
};

struct ProgramFacts {
  std::string instance;  // i-...
  GroundKind ground = GroundKind::kPlain;
  bool own_program = false;  // the user's --app
  std::uint16_t port = 0;    // what it was told in PORT
  Address logical;           // its address in the tier's network
  Duration ran{};            // since it was started
  std::optional<ProcessExit> exit;
  bool start_failed = false;  // could not be run at all: `start_error`
  std::string start_error;
  std::vector<Address> listening;  // it and everything that descends from it
  bool reached = false;            // its port has accepted a connection
  std::optional<Health> health;    // as a node saw it
  bool was_healthy = false;
  std::string health_path;
  std::vector<FixedPort> fixed_ports;   // other instances that listen elsewhere than told
  std::vector<std::string> last_lines;  // of its output, oldest first
};

/// Nothing when all is well or it is too early to tell.
std::optional<std::string> diagnose(const ProgramFacts& facts);

}  // namespace rr::sim
