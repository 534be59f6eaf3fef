// Twice the group, wait, half of it again: the way of releasing that needs no instance refresh. What the original
// script assumed is checked: that the new ones are healthy, answer, and stand in as many zones as the old ones before
// anybody leaves, and that those who leave are the old ones.
//
// Worked example, two instances to begin with, a and b of version 6, version 7 to come:
//
//   leaving {a, b}, group on 6, desired 2    -> the group on 7
//   group on 7, desired 2, staying {}        -> desired 4: the two that leave and two that stay
//   a b c d, c and d not healthy yet         -> wait
//   c and d in one zone, a and b in two      -> end d by name; AWS launches where the fewest are
//   a b c d healthy, c and d answer          -> desired 2
//   b d (AWS chose a and c)                  -> desired 3
//   b d e, e healthy                         -> end b by name, and the group is one smaller
//   d e                                      -> done
//
// Backwards it is the same with the roles exchanged, but those that leave are ended by name: nobody who goes back wants
// to leave the choice to a policy.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "deploy/rollout/rollout.h"

namespace rr::deploy {
namespace {

// So often a new instance is ended because the new ones stand in too few zones. A zone that has no room has none the
// next time either.
constexpr int kMostRespread = 2;

std::map<std::string, std::vector<const Instance*>> by_zone(const std::vector<const Instance*>& instances) {
  std::map<std::string, std::vector<const Instance*>> zones;
  for (const Instance* instance : instances) zones[instance->zone].push_back(instance);
  return zones;
}

std::string zones_text(const std::map<std::string, std::vector<const Instance*>>& zones) {
  std::vector<std::string> names;
  for (const auto& [name, there] : zones) names.push_back(name);
  return fmt::format("{}", fmt::join(names, ", "));
}

bool is_there(const Instance& instance) {
  return instance.lifecycle.rfind("Terminat", 0) != 0 && instance.lifecycle.rfind("Detach", 0) != 0;
}

}  // namespace

std::vector<const Instance*> Rollout::leaving() const {
  std::vector<const Instance*> found;
  for (const Instance& instance : facts_.group->instances) {
    const bool leaves = std::find(job_.leaving.begin(), job_.leaving.end(), instance.id) != job_.leaving.end();
    if (leaves && is_there(instance)) found.push_back(&instance);
  }
  return found;
}

/// In service and healthy, in the load balancer's eyes too.
std::vector<const Instance*> Rollout::staying() const {
  std::vector<const Instance*> found;
  for (const Instance& instance : facts_.group->instances) {
    const bool leaves = std::find(job_.leaving.begin(), job_.leaving.end(), instance.id) != job_.leaving.end();
    if (leaves || instance.lifecycle != "InService" || instance.health != "Healthy") continue;
    const bool healthy =
        target_group().empty() || std::any_of(facts_.targets.begin(), facts_.targets.end(), [&](const Target& target) {
          return target.id == instance.id && target.state == "healthy";
        });
    if (healthy) found.push_back(&instance);
  }
  return found;
}

/// True when the new ones stand in as many zones as the old ones did: else the release would end with a tier that one
/// zone's failure takes away. The crowded zone's first is ended, and AWS launches its successor where the fewest are.
bool Rollout::spread(const std::vector<const Instance*>& fresh, Time now) {
  const auto zones = by_zone(fresh);
  if (static_cast<int>(zones.size()) >= std::min(job_.desired, job_.zones)) return true;
  const std::string where =
      fmt::format("the new instances stand in {} only, the former in {} zones", zones_text(zones), job_.zones);
  if (respread_ == kMostRespread) {
    turn(where, now);
    return false;
  }
  ++respread_;
  const auto crowded = std::max_element(zones.begin(), zones.end(),
                                        [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  const Instance& one = *crowded->second.front();
  note(Note::Kind::kWarning, fmt::format("{}; {} is ended, so that another is launched elsewhere", where, one.id));
  act(TerminateInstance{one.id, false});
  return false;
}

/// One step; true when nobody is left who has to leave and the group has its size again.
bool Rollout::double_towards(const std::string& version, bool forward, Time now) {
  const Group& group = *facts_.group;
  if (group.version != version) {
    act(UpdateGroup{plan_.group, group.template_id, version});
    return false;
  }
  const auto old = leaving();
  const auto good = staying();
  const int size = job_.desired;
  if (old.empty() && group.desired == size && static_cast<int>(good.size()) >= size) {
    const auto zones = by_zone(good);
    if (forward && static_cast<int>(zones.size()) < std::min(size, job_.zones)) {
      note(Note::Kind::kWarning,
           fmt::format("all stand in {}: AWS spreads them again (AZRebalance)", zones_text(zones)));
    }
    return true;
  }
  wait(now);
  const auto there = std::count_if(group.instances.begin(), group.instances.end(), is_there);
  if (there > group.desired) return false;  // AWS is at it
  if (static_cast<int>(good.size()) < size) {
    const int wanted = std::min(static_cast<int>(old.size()) + size, group.max_size);
    if (group.desired < wanted) {
      note(Note::Kind::kChange,
           fmt::format("{} instances wanted, so that {} are there before {} leave", wanted, size, old.size()));
      act(SetDesired{plan_.group, wanted});
    }
    return false;
  }
  if (forward && !halved_) {
    // The answers of the new ones are among those of the old ones: it is enough that each kind was heard.
    const auto& versions = tally_.versions();
    const bool heard = !plan_.verification.commits_known || job_.to.commit == job_.from.commit ||
                       std::any_of(versions.begin(), versions.end(),
                                   [&](const auto& entry) { return entry.first.rfind(job_.to.commit, 0) == 0; });
    if (!heard || !spread(good, now)) return false;
    halved_ = true;
    note(Note::Kind::kChange,
         fmt::format("{} new instances are healthy and answer; {} leave", good.size(), old.size()));
    act(SetDesired{plan_.group, size});
    return false;
  }
  // Forward: whoever is still here was spared by the termination policy. Back: whoever is here is to go.
  int left = group.desired;
  for (const Instance* instance : old) {
    note(Note::Kind::kChange, fmt::format("{} has to leave and is ended by name", instance->id));
    act(TerminateInstance{instance->id, left > size});
    if (left > size) --left;
  }
  if (old.empty() && group.desired != size) act(SetDesired{plan_.group, size});
  return false;
}

}  // namespace rr::deploy
