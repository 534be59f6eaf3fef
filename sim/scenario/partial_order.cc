#include "sim/scenario/partial_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "sim/cloud/activity.h"

namespace rr::sim {
namespace {

enum class Kind : std::uint8_t {
  kFault,
  kHealed,
  kRefused,  // the first launch in a zone that failed since its fault
  kLaunched,
  kInService,
  kHealthy,
  kDetected,
  kEjected,
  kOtherState,
  kNodeRuns,
  kNodeStops,
  kInDns,
  kOutOfDns,
  kDesired,
  kRefreshBegins,
  kRefreshGoesOn,
};

struct Happened {
  Kind kind;
  std::string entity;  // a role, a node, the group, a zone, "control-plane"
  std::string zone;    // of instances, nodes and zones
  std::string why;     // of launches and ejections: the reason's text
  std::string name;    // unique
};

bool begins(std::string_view text, std::string_view with) { return text.substr(0, with.size()) == with; }

/// "a" of "x a y" between the two words; empty when they are not there.
std::string between(std::string_view text, std::string_view after, std::string_view until) {
  const std::size_t from = text.find(after);
  if (from == std::string_view::npos) return "";
  const std::size_t start = from + after.size();
  return std::string(text.substr(start, text.find(until, start) - start));
}

struct Move {
  std::string from, to, why;
};
/// "InService -> Terminating: user request"; none of other lines.
std::optional<Move> lifecycle_move(const std::string& event) {
  const std::size_t arrow = event.find(" -> ");
  if (arrow == std::string::npos || event.find(' ') != arrow || event[0] < 'A' || event[0] > 'Z') return std::nullopt;
  const std::size_t colon = event.find(": ", arrow);
  if (colon == std::string::npos) return std::nullopt;
  return Move{event.substr(0, arrow), event.substr(arrow + 4, colon - arrow - 4), event.substr(colon + 2)};
}

/// Reads a journal line by line.
class Reading {
 public:
  explicit Reading(std::span<const JournalLine> lines) : roles_(instance_roles(lines)) {
    for (const JournalLine& line : lines) {
      if (begins(line.event, "Pending in ")) zones_[line.entity] = between(line.event, "Pending in ", ",");
    }
    for (const JournalLine& line : lines) take(line);
  }

  std::vector<Happened> happened;

 private:
  struct Known {  // of an instance
    bool well = false;
    bool detected = false;
    bool leaves = false;
  };
  struct NodeLife {
    bool runs = false;
    bool passes = false;
    bool listed = false;
    bool in_dns = false;  // for a reason of its own
  };

  void add(Kind kind, const std::string& entity, const std::string& zone, const std::string& what,
           const std::string& why = "") {
    std::string name = entity + ": " + what;
    const int times = ++seen_[name];
    if (times > 1) name += fmt::format(" ({})", times);
    happened.push_back({kind, entity, zone, why, std::move(name)});
  }

  void take(const JournalLine& line) {
    if (take_fault(line)) return;
    if (zones_.contains(line.entity)) return take_instance(line);
    if (begins(line.entity, "lb-")) return take_node(line);
    take_group(line);
  }

  /// In virtual time "fault: hang", "healed", "fault over: hang"; of real processes "FAULT hang: ...", "HEALED hang".
  bool take_fault(const JournalLine& line) {
    const auto role = roles_.find(line.entity);
    const std::string& entity = role == roles_.end() ? line.entity : role->second;
    const auto zone = zones_.find(line.entity);
    const std::string where = zone != zones_.end()         ? zone->second
                              : begins(line.entity, "lb-") ? line.entity.substr(3)
                                                           : line.entity;
    for (const std::string_view beginning : {"fault: ", "FAULT "}) {
      if (!begins(line.event, beginning) || begins(line.event, "FAULT over")) continue;
      const std::string rest = line.event.substr(beginning.size());
      add(Kind::kFault, entity, where, "fault " + rest.substr(0, rest.find_first_of(": ")));
      refused_.erase(where);
      return true;
    }
    if (begins(line.event, "healed") || begins(line.event, "HEALED") || begins(line.event, "fault over: ")) {
      add(Kind::kHealed, entity, where, "healed");
      return true;
    }
    return begins(line.event, "FAULT over");
  }

  void take_instance(const JournalLine& line) {
    const std::string& zone = zones_.at(line.entity);
    if (begins(line.event, "launch failed in ") && refused_.insert(zone).second) {
      add(Kind::kRefused, zone, zone, "a launch fails");
    }
    const auto role = roles_.find(line.entity);
    if (role == roles_.end()) return;
    Known& known = known_[line.entity];
    if (begins(line.event, "Pending in ")) {
      const std::string why = between(line.event, ": ", "\n");
      add(Kind::kLaunched, role->second, zone,
          fmt::format("launched, version {}: {}", between(line.event, "version ", ":"), why), why);
    } else if (begins(line.event, "target ")) {
      take_health(line, role->second, zone, known);
    } else if (begins(line.event, "stopped: ") || begins(line.event, "Unhealthy: ")) {
      detect(role->second, zone, known);
    } else if (const auto move = lifecycle_move(line.event)) {
      take_move(*move, role->second, zone, known);
    }
  }

  void take_health(const JournalLine& line, const std::string& role, const std::string& zone, Known& known) {
    if (known.leaves) return;
    const std::string to = between(line.event, " -> ", " ");
    if (to == "healthy" && !known.well) {
      known = {.well = true, .detected = false, .leaves = false};
      add(Kind::kHealthy, role, zone, "healthy");
    } else if (to == "unhealthy" && known.well) {
      detect(role, zone, known);
    }
  }

  void detect(const std::string& role, const std::string& zone, Known& known) {
    if (known.detected || known.leaves) return;
    known.detected = true;
    known.well = false;
    add(Kind::kDetected, role, zone, "detected");
  }

  void take_move(const Move& move, const std::string& role, const std::string& zone, Known& known) {
    if (move.to == "InService") return add(Kind::kInService, role, zone, "in service");
    if (move.to == "Terminating") {
      known.leaves = true;
      return add(Kind::kEjected, role, zone, "ejected: " + move.why, move.why);
    }
    add(Kind::kOtherState, role, zone, move.to);
  }

  void take_node(const JournalLine& line) {
    const std::string zone = line.entity.substr(3);
    NodeLife& node = nodes_[line.entity];
    if (line.event == "running") {
      node.runs = true;
      node.passes = false;
      return add(Kind::kNodeRuns, line.entity, zone, "runs");
    }
    // A start that failed stops as well; that is none of the node's life.
    if (begins(line.event, "stopped: ") && std::exchange(node.runs, false)) {
      add(Kind::kNodeStops, line.entity, zone, "stops");
    }
    if (line.event == "passes its checks") node.passes = true;
    if (line.event == "in DNS") node.listed = true;
    if (line.event == "out of DNS") node.listed = false;
    // While none passes all are in DNS; which of them is checked first is chance.
    const bool in_dns = node.listed && (node.passes || node.in_dns);
    if (in_dns == std::exchange(node.in_dns, in_dns)) return;
    add(in_dns ? Kind::kInDns : Kind::kOutOfDns, line.entity, zone, in_dns ? "in DNS" : "out of DNS");
  }

  void take_group(const JournalLine& line) {
    if (begins(line.event, "desired capacity ")) {
      add(Kind::kDesired, line.entity, "", "desired capacity " + between(line.event, " -> ", "\n"));
    } else if (begins(line.event, "instance refresh ")) {
      const std::string status = between(line.event, ": ", ":");
      const bool is_first = status.find(" instances, ") != std::string::npos;
      add(is_first ? Kind::kRefreshBegins : Kind::kRefreshGoesOn, line.entity, "",
          is_first ? "a refresh begins" : "refresh " + status);
    }
  }

  std::map<std::string, std::string> roles_;
  std::map<std::string, std::string> zones_;  // of instances, by id
  std::map<std::string, Known> known_;
  std::map<std::string, NodeLife> nodes_;
  std::map<std::string, int> seen_;
  std::set<std::string> refused_;
};

/// Ties events together; which of two came first is what the journal says.
class Tying {
 public:
  explicit Tying(const std::vector<Happened>& all) : all_(all) {
    for (const Happened& one : all_) order.events.insert(one.name);
  }

  PartialOrder order;

  void chains() {
    std::map<std::string, std::size_t> last;
    for (std::size_t at = 0; at < all_.size(); ++at) {
      const auto before = last.find(all_[at].entity);
      if (before != last.end()) tie(before->second, at);
      last[all_[at].entity] = at;
    }
  }

  using About = std::function<bool(const Happened& cause, const Happened& effect)>;
  /// Each effect with the last cause before it, or with the first one after it when there is none.
  void nearest(Kind cause, Kind effect, const About& about) {
    for (std::size_t at = 0; at < all_.size(); ++at) {
      if (all_[at].kind != effect) continue;
      std::optional<std::size_t> found;
      for (std::size_t other = 0; other < all_.size() && (other < at || !found); ++other) {
        if (all_[other].kind == cause && about(all_[other], all_[at])) found = other;
      }
      if (found) tie(*found, at);
    }
  }

  using Which = std::function<bool(const Happened&)>;
  /// The first with the first, the second with the second.
  void in_turn(const Which& one, const Which& other) {
    std::vector<std::size_t> ones, others;
    for (std::size_t at = 0; at < all_.size(); ++at) {
      if (one(all_[at])) ones.push_back(at);
      if (other(all_[at])) others.push_back(at);
    }
    for (std::size_t i = 0; i < std::min(ones.size(), others.size()); ++i) tie(ones[i], others[i]);
  }

 private:
  void tie(std::size_t one, std::size_t other) {
    order.before.emplace(all_[std::min(one, other)].name, all_[std::max(one, other)].name);
  }
  const std::vector<Happened>& all_;
};

bool says(const Happened& one, ChangeReason reason) { return one.why == to_string(reason); }
bool for_health(const Happened& one) {
  return says(one, ChangeReason::kElbHealthCheck) || says(one, ChangeReason::kEc2HealthCheck) ||
         says(one, ChangeReason::kUserHealthCheck);
}

void tie_faults(Tying& tying) {
  const auto touches = [](const Happened& fault, const Happened& effect) {
    return fault.entity == effect.entity || fault.entity == effect.zone;
  };
  tying.nearest(Kind::kFault, Kind::kDetected, touches);
  tying.nearest(Kind::kFault, Kind::kOutOfDns, touches);
  tying.nearest(Kind::kHealed, Kind::kInDns, touches);
  tying.nearest(Kind::kHealed, Kind::kLaunched, [](const Happened& healed, const Happened& launch) {
    return healed.entity == launch.zone && says(launch, ChangeReason::kRebalance);
  });
}

void tie_replacements(Tying& tying, const std::vector<Happened>& all) {
  tying.in_turn(
      [](const Happened& one) { return one.kind == Kind::kEjected && for_health(one); },
      [](const Happened& one) { return one.kind == Kind::kLaunched && says(one, ChangeReason::kReplaceUnhealthy); });
  std::set<std::string> trials;
  for (const Happened& one : all) {
    if (one.kind == Kind::kLaunched && says(one, ChangeReason::kRebalance)) trials.insert(one.entity);
  }
  tying.in_turn([&](const Happened& one) { return one.kind == Kind::kHealthy && trials.contains(one.entity); },
                [](const Happened& one) { return one.kind == Kind::kEjected && says(one, ChangeReason::kRebalance); });
}

void tie_wishes(Tying& tying) {
  const auto of_capacity = [](const Happened&, const Happened& effect) {
    return says(effect, ChangeReason::kDesiredCapacity);
  };
  const auto of_refresh = [](const Happened&, const Happened& effect) {
    return says(effect, ChangeReason::kInstanceRefresh);
  };
  for (const Kind effect : {Kind::kLaunched, Kind::kEjected}) {
    tying.nearest(Kind::kDesired, effect, of_capacity);
    tying.nearest(Kind::kRefreshBegins, effect, of_refresh);
  }
  tying.in_turn(
      [](const Happened& one) { return one.kind == Kind::kEjected && says(one, ChangeReason::kInstanceRefresh); },
      [](const Happened& one) { return one.kind == Kind::kLaunched && says(one, ChangeReason::kInstanceRefresh); });
}

}  // namespace

std::map<std::string, std::string> instance_roles(std::span<const JournalLine> lines) {
  std::set<std::string> served;
  for (const JournalLine& line : lines) {
    const auto move = lifecycle_move(line.event);
    if (move && move->to == "InService") served.insert(line.entity);
  }
  std::map<std::string, std::string> roles;
  std::map<std::string, int> count;
  for (const JournalLine& line : lines) {
    if (!served.contains(line.entity) || !begins(line.event, "Pending in ")) continue;
    const std::string zone = between(line.event, "Pending in ", ",");
    roles.emplace(line.entity, fmt::format("{}#{}", zone, ++count[zone]));
  }
  return roles;
}

PartialOrder partial_order(std::span<const JournalLine> lines) {
  const Reading reading(lines);
  Tying tying(reading.happened);
  tying.chains();
  tie_faults(tying);
  tie_replacements(tying, reading.happened);
  tie_wishes(tying);
  return std::move(tying.order);
}

std::vector<std::string> differences(const PartialOrder& one, const std::string& one_name, const PartialOrder& other,
                                     const std::string& other_name) {
  std::vector<std::string> out;
  const auto missing = [&](const PartialOrder& in, const std::string& in_name, const PartialOrder& from,
                           const std::string& from_name) {
    for (const std::string& event : in.events) {
      if (!from.events.contains(event))
        out.push_back(fmt::format("{}, which is not in {}: {}", in_name, from_name, event));
    }
  };
  missing(one, one_name, other, other_name);
  missing(other, other_name, one, one_name);
  const auto ordered = [&](const PartialOrder& in, const std::string& in_name, const PartialOrder& from,
                           const std::string& from_name) {
    for (const auto& [first, second] : in.before) {
      const bool both = from.events.contains(first) && from.events.contains(second);
      if (!both || from.before.contains({first, second})) continue;
      const bool reversed = from.before.contains({second, first});
      out.push_back(fmt::format("{}: \"{}\" before \"{}\", {} {}", in_name, first, second,
                                reversed ? "the other way round in" : "not tied in", from_name));
    }
  };
  ordered(one, one_name, other, other_name);
  ordered(other, other_name, one, one_name);
  return out;
}

}  // namespace rr::sim
