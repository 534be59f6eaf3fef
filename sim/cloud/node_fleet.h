#pragma once
// The load-balancer nodes, one a zone: when they are started again, and which of them are in DNS, that is, accept on
// the front.
#include <map>
#include <set>
#include <string>

#include "lb/base/time.h"
#include "sim/cloud/model.h"

namespace rr::sim {

/// Takes the outcome of a check. A node that has not passed one since it started is in at its first success; one that
/// was put out comes back after `threshold` successes in a row, and `threshold` failures in a row put one out, as Route
/// 53 does. Returns whether `passing` flipped.
bool observe_check(Node& node, bool passed, int threshold);

/// The nodes that accept: the running ones that pass their checks; all running ones when none passes (fail-open).
std::set<std::string> nodes_in_dns(const std::map<std::string, Node>& nodes);

/// How long to wait before the next start after `failed_starts` in a row: first, doubling, at most `most`.
Duration start_delay(int failed_starts, Duration first, Duration most);

}  // namespace rr::sim
