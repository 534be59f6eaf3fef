#pragma once
// Why a request failed while a zone was failing, told from evidence: when it was sent and how it ended, what the access
// logs of the nodes that live say about it, and when the dead targets and the dead node were found out.
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/load_statistics.h"

namespace rr::sim {

/// The three failures that a zone's death excuses, and the one that nothing does.
enum class FailureClass : std::uint8_t {
  kInFlightThroughDeadNode,   // sent before the node died, no answer after it
  kGivenToDeadTarget,         // a live node gave it to a target of the dead zone that was not yet ejected
  kTakenByNodeBeforeRemoval,  // sent after the failure, taken by a frozen node before it left DNS
  kUnexplained,
};
constexpr std::size_t kFailureClasses = 4;
std::string_view to_string(FailureClass kind);

/// When a zone's failure began and when it was found out. Instants of the same clock as the samples.
struct ZoneFailure {
  bool hang = false;                    // frozen, not dead
  Time began;                           // the command was given
  Time done;                            // every process of the zone had ended or was frozen
  std::optional<Time> targets_ejected;  // no live node routes to a target of the zone any more
  std::optional<Time> node_removed;     // the zone's node has left DNS
};

/// What a live node's access log says about a request.
struct NodeRecord {
  std::string node;
  std::string target;        // logical address that it was given to; empty: none
  int status = 0;            // that the client was sent
  bool dead_target = false;  // the target was of the zone that failed
};

struct Verdict {
  FailureClass kind = FailureClass::kUnexplained;
  std::string evidence;  // one clause
};

/// Judges one failed request. `record`: of a live node, if any of them has logged this request's trace id.
Verdict attribute(const LoadSample& failed, const ZoneFailure& failure, const std::optional<NodeRecord>& record);

using FailureCounts = std::array<std::uint64_t, kFailureClasses>;

/// The fields of one access-log line of the ALB's form that attribution needs.
struct AccessLogEntry {
  std::string trace_root;
  std::string target;
  int elb_status = 0;
  bool operator==(const AccessLogEntry&) const = default;
};
/// None when the line is no access-log line or has no trace id.
std::optional<AccessLogEntry> read_access_log_line(std::string_view line);

}  // namespace rr::sim
