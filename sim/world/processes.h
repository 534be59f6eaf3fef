#pragma once
// The two kinds of process that a tier has, as ProcessWorld knows them.
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lb/net/timer.h"
#include "sim/cloud/region.h"
#include "sim/world/diagnosis.h"
#include "sim/world/line_splitter.h"
#include "sim/world/listening_socket.h"
#include "sim/world/node_channel.h"
#include "sim/world/process_environment.h"
#include "sim/world/wire_search.h"

namespace rr::sim {

/// Its life; every instance in the table is in one of these.
enum class InstancePhase : std::uint8_t {
  kWaiting,  // its zone hangs: the launch does, too
  kRunning,
  kStopping,  // it was asked to end
};

struct InstanceProcess {
  LaunchInstance launch;
  InstancePhase phase = InstancePhase::kWaiting;
  std::uint16_t port = 0;  // PORT
  Environment environment;
  std::string folder;
  std::string working_folder;
  Time started;
  std::optional<Address> wire;  // found
  std::unique_ptr<WireSearch> search;
  std::optional<ListeningSocket> door;
  std::unique_ptr<Timer> patience;  // kWaiting: how long the launch hangs; kStopping: until it is killed
  bool flapped_down = false;        // by a fault: in the half of its period in which it is frozen
  std::optional<Health> health;     // as the last node saw it
  bool was_healthy = false;
  std::vector<Address> listening;  // when last looked
  LineSplitter splitter;
  std::deque<std::string> last_lines;
  std::string diagnosis;
};

struct NodeProcess {
  std::string name;
  ZoneName zone;
  Address address;
  bool running = false;
  std::unique_ptr<NodeChannel> channel;  // while it runs
  std::optional<ConfigureNode> wanted;
  std::uint64_t generation = 0;  // of the document, ours: it rises also when only a wire address changed
  std::string document;          // without its generation
  std::string observed;
  LineSplitter splitter;
};

}  // namespace rr::sim
