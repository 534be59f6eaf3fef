#pragma once
// What the demo has seen, what it had promised, and the table at its end. Plain values.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lb/base/time.h"
#include "sim/scenario/attribution.h"
#include "sim/scenario/load_statistics.h"

namespace rr::sim {

struct DemoPhase {
  std::string name;
  LoadStatistics statistics;
};

struct DemoFacts {
  double speed = 1;
  std::vector<DemoPhase> phases;
  /// Who answered over one kept connection to one node, in order.
  std::vector<std::string> kept_connection;
  /// Answers over new connections through the front, by host; the nodes' own turns may differ by one each.
  std::map<std::string, std::uint64_t> new_connections;
  std::size_t nodes = 2;

  bool hang = false;  // how the zone failed
  FailureCounts zone_failures{};
  std::vector<std::string> unexplained;     // one line a failure
  std::vector<std::string> other_failures;  // outside the zone's failure, where none is excused
  Duration longest_silence{};               // between two answers while the zone was down

  std::optional<Duration> time_to_detect, time_to_remove_node, time_to_replace, time_to_balance, time_to_release;
  int least_in_service_while_balancing = 0;
  int most_in_service_while_releasing = 0;
  int desired = 2;
  bool released = false;
  std::string release_outcome;
  std::uint64_t answers_after_release = 0;
  std::uint64_t old_answers_after_release = 0;
};

/// Each broken promise as one sentence; empty when all were kept.
std::vector<std::string> broken_promises(const DemoFacts& facts);

/// The table, at most 80 columns wide. Uncoloured; the caller paints it.
std::vector<std::string> demo_table(const DemoFacts& facts);

/// True when no two neighbours are the same and two different ones take turns.
bool alternates(const std::vector<std::string>& hosts);

}  // namespace rr::sim
