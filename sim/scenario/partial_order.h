#pragma once
// What of a run is the same in every world: not when things happened, but which of them happened, and in which order
// those that have to do with each other did. A journal is reduced to that, and two reductions are compared.
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lb/base/journal.h"

namespace rr::sim {

/// Events by name ("eu-west-1b#1: in service"), and which of them came before which. Ordered are
///
/// - what happened to one entity (an instance, a node, the group, whatever a fault was done to), one after the other;
/// - the named causes: a fault and what was detected of it, an ejection for health and the launch that replaces it, a
///   launch to balance zones and the termination that it is made for, a zone that is healed and what is launched there,
///   a fault and the node that leaves DNS, a new desired capacity or a refresh and what it launches and ends.
///
/// Everything else happens side by side, and its order is chance.
struct PartialOrder {
  std::set<std::string> events;
  std::set<std::pair<std::string, std::string>> before;
  bool operator==(const PartialOrder&) const = default;
};

/// Instances have other ids in each run; here one is called by its zone and by how many have come into service there
/// that were launched before it: eu-west-1a#1. By id; those that never came into service have no role.
std::map<std::string, std::string> instance_roles(std::span<const JournalLine> lines);

/// Of the journal of a tier, as rr-sim up or the virtual world writes it. Left out is what depends on how long things
/// take: launches that failed (but for the first one in a zone after its fault), node starts that failed, drained
/// connections, and by which sign a failure was detected.
PartialOrder partial_order(std::span<const JournalLine> lines);

/// What is not the same, a sentence each; none when the two are equal. The names stand for the runs in the sentences.
std::vector<std::string> differences(const PartialOrder& one, const std::string& one_name, const PartialOrder& other,
                                     const std::string& other_name);

}  // namespace rr::sim
