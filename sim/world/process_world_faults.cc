// The faults of the world: which are in force, what they do to processes, and how it is undone.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "sim/world/process_world_state.h"

namespace rr::sim {

namespace {

/// An instance's program is asked again when it did not answer.
constexpr Duration kAskAgain = std::chrono::milliseconds(500);
constexpr Duration kDoorTimeout = std::chrono::seconds(2);

bool is_of_webapp(FaultKind kind) { return fault_row(kind).own_webapp_only; }

/// Whether it cannot be without the process that it was done to. What is done to a network or a place stays.
bool ends_with_process(const Fault& fault) {
  switch (fault.target.kind) {
    case FaultTargetKind::kZone:
    case FaultTargetKind::kControlPlane:
      return false;
    case FaultTargetKind::kInstance:
    case FaultTargetKind::kLink:
      return true;
    case FaultTargetKind::kNode:
      return fault.kind == FaultKind::kHang;
  }
  return false;
}

/// What rr-webapp's /fault is asked for one fault.
std::string webapp_words(const Fault& fault) {
  if (fault.kind == FaultKind::kSlow) return fmt::format("&slow={}", fault.amount);
  if (fault.kind == FaultKind::kErrorAnswers) return fmt::format("&error={:.0f}&status=500", fault.amount);
  return fault.kind == FaultKind::kHealthFailure ? "&unhealthy=on" : "";
}

}  // namespace

bool ProcessWorld::State::zone_has(FaultKind kind, const ZoneName& zone) const {
  return in_zone(kind, zone) != nullptr;
}

const Fault* ProcessWorld::State::in_zone(FaultKind kind, const ZoneName& zone) const {
  for (const FaultStatus& one : in_force) {
    const FaultTarget& target = one.fault.target;
    if (one.fault.kind == kind && target.kind == FaultTargetKind::kZone && target.name == zone.value) return &one.fault;
  }
  return nullptr;
}

bool ProcessWorld::State::has(FaultKind kind, FaultTargetKind target, const std::string& name) const {
  return std::any_of(in_force.begin(), in_force.end(), [&](const FaultStatus& one) {
    return one.fault.kind == kind && one.fault.target == FaultTarget{target, name};
  });
}

bool ProcessWorld::State::stands_still(const ZoneName& zone) const {
  return zone_has(FaultKind::kHang, zone) || zone_has(FaultKind::kPartition, zone);
}

bool ProcessWorld::State::frozen(const InstanceProcess& instance) const {
  return zone_has(FaultKind::kHang, instance.launch.zone) || instance.flapped_down ||
         has(FaultKind::kHang, FaultTargetKind::kInstance, instance.launch.instance.value);
}

// To everybody outside, a node that nothing reaches and one that stands still are the same; and on a front that nodes
// share, only one that stands still accepts nobody.
bool ProcessWorld::State::frozen(const NodeProcess& node) const {
  return stands_still(node.zone) || has(FaultKind::kHang, FaultTargetKind::kNode, node.name);
}

bool ProcessWorld::State::has_zone(const std::string& name) const {
  return std::any_of(settings.zones.begin(), settings.zones.end(),
                     [&](const Zone& zone) { return zone.name.value == name; });
}

Status ProcessWorld::State::check_target(const Fault& fault) const {
  const FaultTarget& target = fault.target;
  switch (target.kind) {
    case FaultTargetKind::kZone: {
      if (has_zone(target.name)) return Ok{};
      std::vector<std::string> names;
      for (const Zone& zone : settings.zones) names.push_back(zone.name.value);
      return Error{fmt::format("there is no zone '{}': {}", target.name, fmt::join(names, ", "))};
    }
    case FaultTargetKind::kInstance:
      if (instances.contains(target.name)) return Ok{};
      return Error{fmt::format("no instance '{}' runs", target.name)};
    case FaultTargetKind::kNode: {
      const auto node = nodes.find(target.name);
      const bool must_run = fault.kind == FaultKind::kHang || fault.kind == FaultKind::kCrash;
      if (node != nodes.end() && (node->second.running || !must_run)) return Ok{};
      return Error{fmt::format("no node '{}' runs", target.name)};
    }
    case FaultTargetKind::kLink: {
      const auto ends = link_ends(target);
      if (ends && nodes.contains(ends->node) && instances.contains(ends->instance)) return Ok{};
      return Error{fmt::format("there is no link '{}': NODE/INSTANCE of two that run is right", target.name)};
    }
    case FaultTargetKind::kControlPlane:
      return Ok{};
  }
  return Ok{};
}

Status ProcessWorld::State::check_webapp(const Fault& fault) const {
  if (!is_of_webapp(fault.kind)) return Ok{};
  const InstanceProcess& instance = instances.at(fault.target.name);
  if (!is_webapp(instance.launch.image.command)) {
    return Error{fmt::format("{} cannot be done to {}: it does not run rr-webapp, which could be asked for it",
                             fault_row(fault.kind).name, fault.target.name)};
  }
  if (reached_from_here(instance)) return Ok{};
  return Error{fmt::format("{} does not listen yet: try again in a moment", fault.target.name)};
}

bool ProcessWorld::State::is_webapp(const std::vector<std::string>& command) {
  return !command.empty() && std::filesystem::path(command.front()).filename() == "rr-webapp";
}

Status ProcessWorld::State::inject(Time now, const Fault& fault) {
  const FaultKindRow& row = fault_row(fault.kind);
  const FaultGround here = ground->kind() == GroundKind::kPlain ? FaultGround::kPlain : FaultGround::kNamespaces;
  if (Status possible = check_fault(fault, here, settings.own_program); !possible) return possible;
  if (Status known = check_target(fault); !known) return known;
  if (Status able = check_webapp(fault); !able) return able;
  if (has(fault.kind, fault.target.kind, fault.target.name)) {
    return Error{fmt::format("'{}' has this fault already: {}", fault.target.describe(), row.name)};
  }
  if (row.lasts) {
    std::optional<Time> until;
    if (fault.lasts) until = now + *fault.lasts;
    in_force.push_back({fault, now, until});
  }
  if (Status struck = strike(fault); !struck) {
    if (row.lasts) in_force.pop_back();
    undo(fault);
    thaw();
    return struck;
  }
  faults_changed({});
  return Ok{};
}

void ProcessWorld::State::restore(Time now, const std::vector<FaultStatus>& before) {
  for (const FaultStatus& one : before) {
    const bool over = one.until && *one.until <= now;
    const bool outage = one.fault.kind == FaultKind::kOutage;
    if (over || outage || ends_with_process(one.fault)) continue;
    if (one.fault.target.kind == FaultTargetKind::kZone && !has_zone(one.fault.target.name)) continue;
    in_force.push_back(one);
  }
  (void)relink().ok();  // nothing runs yet: there is nothing to lead through a relay
  faults_changed({});
}

Status ProcessWorld::State::strike(const Fault& fault) {
  const std::string& name = fault.target.name;
  if (wire_faults_of(fault)) return relink();
  switch (fault.kind) {
    case FaultKind::kCrash:
    case FaultKind::kNodeLoss:
      ground->signal_process(name, SIGKILL, true);
      break;
    case FaultKind::kPowerLoss:
      for (const std::string& process : processes_in(ZoneName(name))) ground->signal_process(process, SIGKILL, true);
      refuse_waiting(ZoneName(name));
      break;
    case FaultKind::kLaunchesRefused:
      refuse_waiting(ZoneName(name));
      break;
    case FaultKind::kHang:
      freeze();
      break;
    case FaultKind::kPartition:
      freeze();
      return set_links(ZoneName(name), false);
    case FaultKind::kFlapping:
      flap();
      break;
    case FaultKind::kSlow:
    case FaultKind::kErrorAnswers:
    case FaultKind::kHealthFailure:
      tell_webapp(name);
      break;
    case FaultKind::kBootFailure:  // of launches to come
    case FaultKind::kSlowBoot:
    case FaultKind::kOutage:   // who drives the control plane is told
    case FaultKind::kLatency:  // of links, above
    case FaultKind::kJitter:
    case FaultKind::kLoss:
    case FaultKind::kReset:
    case FaultKind::kRefuse:
    case FaultKind::kBlackhole:
    case FaultKind::kGray:
      break;
  }
  return Ok{};
}

Status ProcessWorld::State::set_links(const ZoneName& zone, bool up) {
  for (const auto& [name, instance] : instances) {
    if (instance.launch.zone != zone || ground->pid(name) == 0) continue;
    if (Status set = ground->set_link(name, up); !set) return set;
  }
  return Ok{};
}

std::vector<std::string> ProcessWorld::State::processes_in(const ZoneName& zone) const {
  std::vector<std::string> names;
  for (const auto& [name, node] : nodes) {
    if (node.zone == zone && node.running) names.push_back(name);
  }
  for (const auto& [name, instance] : instances) {
    if (instance.launch.zone == zone && instance.phase != InstancePhase::kWaiting) names.push_back(name);
  }
  return names;
}

void ProcessWorld::State::refuse_waiting(const ZoneName& zone) {
  std::erase_if(instances, [&](auto& entry) {
    const InstanceProcess& instance = entry.second;
    if (instance.phase != InstancePhase::kWaiting || instance.launch.zone != zone) return false;
    emit(LaunchFailed{instance.launch.instance, "InsufficientInstanceCapacity",
                      insufficient_capacity(zone, settings.zones)});
    return true;
  });
}

// ---- the end of faults

Status ProcessWorld::State::heal(Time, const FaultTarget& target) {
  const auto concerns = [&](const FaultStatus& one) { return one.fault.target == target; };
  if (std::none_of(in_force.begin(), in_force.end(), concerns)) {
    if (target.kind == FaultTargetKind::kZone && !has_zone(target.name)) {
      return check_target({.kind = FaultKind::kHang, .target = target});
    }
    return Error{fmt::format("'{}' has no fault to heal", target.describe())};
  }
  end_faults(concerns);
  return Ok{};
}

void ProcessWorld::State::end_faults(const std::function<bool(const FaultStatus&)>& concerns) {
  std::vector<FaultStatus> ended;
  for (const FaultStatus& one : in_force) {
    if (concerns(one)) ended.push_back(one);
  }
  std::erase_if(in_force, concerns);
  for (const FaultStatus& one : ended) undo(one.fault);
  flap();
  thaw();
  (void)relink().ok();  // links that have no fault any more need no relay
  start_waiting(loop.now());
  faults_changed(ended);
}

void ProcessWorld::State::undo(const Fault& fault) {
  const std::string& name = fault.target.name;
  if (fault.kind == FaultKind::kPowerLoss) {
    tell_what_was_lost([&](const std::string&, const ZoneName& zone) { return zone.value == name; });
  }
  if (fault.kind == FaultKind::kNodeLoss) {
    tell_what_was_lost([&](const std::string& process, const ZoneName&) { return process == name; });
  }
  if (fault.kind == FaultKind::kPartition) (void)set_links(ZoneName(name), true).ok();
  if (is_of_webapp(fault.kind)) tell_webapp(name);
}

void ProcessWorld::State::freeze() {
  for (auto& [name, instance] : instances) {
    if (frozen(instance) && instance.phase != InstancePhase::kWaiting) ground->signal_process(name, SIGSTOP, true);
  }
  for (auto& [name, node] : nodes) {
    if (frozen(node) && node.running) ground->signal_process(name, SIGSTOP, true);
  }
}

void ProcessWorld::State::thaw() {
  for (auto& [name, instance] : instances) {
    if (!frozen(instance)) ground->signal_process(name, SIGCONT, true);
  }
  for (auto& [name, node] : nodes) {
    if (!frozen(node)) ground->signal_process(name, SIGCONT, true);
  }
}

// Down in the first half of each period, counted from the fault's begin.
void ProcessWorld::State::flap() {
  std::optional<Time> next;
  for (auto& [name, instance] : instances) {
    bool down = false;
    for (const FaultStatus& one : in_force) {
      if (one.fault.kind != FaultKind::kFlapping || one.fault.target.name != name) continue;
      const auto half = Duration(static_cast<Duration::rep>(one.fault.amount * 1e9 / 2));
      const auto halves = (loop.now() - one.since) / half;
      down = halves % 2 == 0;
      const Time turn = one.since + half * (halves + 1);
      if (!next || turn < *next) next = turn;
    }
    if (down == instance.flapped_down) continue;
    instance.flapped_down = down;
    if (instance.phase != InstancePhase::kWaiting) {
      ground->signal_process(name, frozen(instance) ? SIGSTOP : SIGCONT, true);
    }
  }
  if (next) {
    flap_timer.arm_at(*next);
  } else {
    flap_timer.disarm();
  }
}

void ProcessWorld::State::start_waiting(Time now) {
  std::vector<std::string> ready;
  for (const auto& [name, instance] : instances) {
    const ZoneName& zone = instance.launch.zone;
    const bool may_start = !stands_still(zone) && !zone_has(FaultKind::kPowerLoss, zone);
    if (instance.phase == InstancePhase::kWaiting && may_start) ready.push_back(name);
  }
  for (const std::string& name : ready) start_instance(now, name);
}

// ---- rr-webapp's own faults

// The whole of what is wrong with it, again and again until it has said that it is so.
void ProcessWorld::State::tell_webapp(const std::string& name) {
  const auto found = instances.find(name);
  if (found == instances.end()) return;
  const auto where = reached_from_here(found->second);
  std::string query = "all=off";
  for (const FaultStatus& one : in_force) {
    if (one.fault.target == FaultTarget{FaultTargetKind::kInstance, name}) query += webapp_words(one.fault);
  }
  if (!where) return;
  ClientRequest request;
  request.method = "POST";
  request.target = "/fault?" + query;
  ask(Endpoint(*where), kDoorTimeout, std::move(request),
      [this, name](const Result<ClientResponse, ClientFailure>& answer) {
        if (answer && answer->status == 200) return;
        if (answer) return webapp_refused(name, answer->status);
        webapp_to_tell.insert(name);
        if (!webapp_timer.armed()) webapp_timer.arm(kAskAgain);
      });
}

void ProcessWorld::State::tell_webapps_again() {
  for (const std::string& name : std::exchange(webapp_to_tell, {})) tell_webapp(name);
}

void ProcessWorld::State::webapp_refused(const std::string& name, int status) {
  take_line(name, false, fmt::format("its program refused to show a fault: it answered {} to /fault", status));
  end_faults([&](const FaultStatus& one) {
    return is_of_webapp(one.fault.kind) && one.fault.target == FaultTarget{FaultTargetKind::kInstance, name};
  });
}

// ---- keeping track

void ProcessWorld::State::faults_changed(const std::vector<FaultStatus>& ended) {
  std::optional<Time> next;
  for (const FaultStatus& one : in_force) {
    if (one.until && (!next || *one.until < *next)) next = one.until;
  }
  if (next) {
    fault_timer.arm_at(*next);
  } else {
    fault_timer.disarm();
  }
  if (fault_sink) fault_sink(ended);
}

void ProcessWorld::State::end_due_faults() {
  end_faults([now = loop.now()](const FaultStatus& one) { return one.until && *one.until <= now; });
}

// A fault ends with what it was done to.
void ProcessWorld::State::forget_faults_of_gone() {
  const auto gone = [this](const FaultStatus& one) {
    return ends_with_process(one.fault) && !check_target(one.fault).ok();
  };
  if (stopping || std::none_of(in_force.begin(), in_force.end(), gone)) return;
  end_faults(gone);
}

}  // namespace rr::sim
