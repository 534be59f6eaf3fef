// What is done to a tier's world, and how it is said.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "sim/scenario/faults_file.h"
#include "sim/scenario/tier_state.h"

namespace rr::sim {

namespace {

/// "power loss", as incidents and the status say it.
std::string spoken(const FaultKindRow& row) {
  std::string name(row.name);
  std::replace(name.begin(), name.end(), '-', ' ');
  return name;
}

/// "latency 300ms", "hang".
std::string with_amount(const Fault& fault) {
  const FaultKindRow& row = fault_row(fault.kind);
  const std::string amount = format_amount(row, fault.amount);
  return amount.empty() ? std::string(row.name) : fmt::format("{} {}", row.name, amount);
}

/// Whether it takes processes away, so that there is something to detect and to replace.
bool takes_processes(FaultKind kind) {
  return kind == FaultKind::kCrash || kind == FaultKind::kHang || kind == FaultKind::kPowerLoss;
}

}  // namespace

// ---- keeping

void Tier::State::take_up_faults() {
  const std::string file = options.layout.faults();
  world->on_faults([this](const std::vector<FaultStatus>& ended) { take_faults(ended); });
  if (!options.recover) return;
  const auto before = load_faults(file);
  if (!before)
    return note("tier", fmt::format("the faults that were in force are forgotten: {}", before.error().message));
  world->restore(loop.now(), *before);
  for (const FaultStatus& one : world->faults()) {
    note(one.fault.target.describe(), fmt::format("FAULT {} goes on", with_amount(one.fault)));
  }
}

void Tier::State::take_faults(const std::vector<FaultStatus>& ended) {
  const std::vector<FaultStatus> in_force = world->faults();
  if (Status saved = save_faults(options.layout.faults(), in_force); !saved) {
    note("tier", fmt::format("faults will not outlive this process: {}", saved.error().message));
  }
  for (const FaultStatus& one : ended) {
    const FaultTarget& target = one.fault.target;
    const bool gone = target.kind == FaultTargetKind::kInstance && !world->process(target.name);
    note(target.describe(),
         fmt::format("{} {}", gone ? "FAULT over with its instance:" : "HEALED", with_amount(one.fault)));
    for (Incident& incident : incidents) {
      if (!gone && incident.target == target.name && !incident.healed) incident.healed = loop.now();
    }
  }
  if (!driver) return;
  driver->suspend(std::any_of(in_force.begin(), in_force.end(),
                              [](const FaultStatus& one) { return one.fault.kind == FaultKind::kOutage; }));
}

// ---- finding

std::string Tier::State::heal_command(const FaultTarget& target) const {
  return "heal it with: " + command("heal " + target.describe());
}

Result<FaultTarget, Refusal> Tier::State::find_link(const std::string& text) const {
  const std::size_t slash = text.find('/');
  const std::string node = text.substr(0, slash);
  const auto& nodes = region->state().nodes;
  if (!nodes.contains(node)) {
    std::vector<std::string> names;
    for (const auto& [name, one] : nodes) names.push_back(name);
    return Refusal{2, fmt::format("{}: there is no such node; there are: {}", node, joined_names(names))};
  }
  const auto instance = tier->find_instance(text.substr(slash + 1), true);
  if (!instance) return instance.error();
  return link_target(node, instance->value);
}

Result<FaultTarget, Refusal> Tier::State::find_target(const std::string& text) const {
  if (text == kControlPlaneName) return FaultTarget{FaultTargetKind::kControlPlane, ""};
  if (text.find('/') != std::string::npos) return find_link(text);
  std::vector<std::string> names;
  for (const Zone& zone : region->state().settings.zones) {
    if (zone.name.value == text) return FaultTarget{FaultTargetKind::kZone, text};
    names.push_back(zone.name.value);
  }
  for (const auto& [name, node] : region->state().nodes) {
    if (name == text) return FaultTarget{FaultTargetKind::kNode, text};
    names.push_back(name);
  }
  // An instance that a fault was done to may be one that the region has given up; the world knows it still.
  for (const FaultStatus& one : world->faults()) {
    if (one.fault.target.describe() == text) return one.fault.target;
  }
  const auto instance = tier->find_instance(text, true);
  if (instance) return FaultTarget{FaultTargetKind::kInstance, instance->value};
  return Refusal{instance.error().exit, fmt::format("{}; zones and nodes: {}; NODE/INSTANCE is a link, and there is {}",
                                                    instance.error().message, joined_names(names), kControlPlaneName)};
}

// ---- doing

Outcome Tier::State::apply(const Fault& fault, std::vector<std::string> said) {
  const FaultTarget& target = fault.target;
  const FaultKindRow& row = fault_row(fault.kind);
  const bool zone = target.kind == FaultTargetKind::kZone;
  std::optional<Incident> incident;
  if (takes_processes(fault.kind) && (zone || target.kind == FaultTargetKind::kInstance)) {
    incident = begin_incident(region->state(), zone ? std::optional(ZoneName(target.name)) : std::nullopt,
                              zone ? std::nullopt : std::optional(InstanceId(target.name)), spoken(row), driver->now());
  }
  if (const Status done = world->inject(loop.now(), fault); !done) return Refusal{1, done.error().message};
  note(target.describe(), fmt::format("FAULT {}: {}", with_amount(fault), row.what_it_does));
  if (incident) incidents.push_back(*std::move(incident));
  after_step(driver->now());
  return said;
}

Outcome Tier::fault(const FaultWish& wish) {
  const FaultKindRow* row = find_fault_kind(wish.kind);
  if (row == nullptr) {
    return Refusal{2, fmt::format("{}: there is no such fault; `rr-sim fault --help` lists them", wish.kind)};
  }
  const auto amount = parse_amount(*row, wish.amount);
  if (!amount) return Refusal{2, fmt::format("--amount {}", amount.error().message)};
  Fault fault{.kind = row->kind, .target = {}, .amount = *amount, .lasts = std::nullopt};
  if (!wish.lasts.empty()) {
    const auto lasts = parse_duration(wish.lasts);
    if (!lasts || *lasts <= Duration{}) {
      return Refusal{2, fmt::format("--for {}: a time such as 30s is right", wish.lasts)};
    }
    fault.lasts = *lasts;
  }
  const auto target = state_->find_target(wish.target);
  if (!target) return target.error();
  fault.target = *target;
  std::vector<std::string> said{fmt::format("{}: {}", target->describe(), with_amount(fault)),
                                std::string(row->what_it_does)};
  if (fault.lasts) said.push_back(fmt::format("it ends by itself in {}", format_duration(*fault.lasts)));
  if (row->lasts && !fault.lasts) said.push_back(state_->heal_command(*target));
  return state_->apply(fault, std::move(said));
}

Outcome Tier::heal(const std::string& text) {
  const auto target = state_->find_target(text);
  if (!target) return target.error();
  const Status done = state_->world->heal(state_->loop.now(), *target);
  if (!done) return Refusal{1, done.error().message};
  return std::vector<std::string>{fmt::format("{} is healed", target->describe())};
}

Outcome Tier::heal_all() {
  const std::size_t count = state_->world->faults().size();
  if (count == 0) return Refusal{1, "there is no fault to heal"};
  state_->world->heal_all();
  return std::vector<std::string>{fmt::format("{} fault{} healed", count, count == 1 ? " is" : "s are")};
}

Outcome Tier::fail_zone(const std::string& text, const std::string& mode) {
  if (mode != "power" && mode != "hang") return Refusal{2, fmt::format("--mode {}: power or hang is right", mode)};
  const auto zone = find_zone(text);
  if (!zone) return zone.error();
  const bool hang = mode == "hang";
  std::set<std::string> failed_zones{text};
  for (const FaultStatus& one : state_->world->faults()) {
    const bool dead = one.fault.kind == FaultKind::kHang || one.fault.kind == FaultKind::kPowerLoss;
    if (dead && one.fault.target.kind == FaultTargetKind::kZone) failed_zones.insert(one.fault.target.name);
  }
  const std::size_t instances = begin_incident(region(), *zone, std::nullopt, "", now()).lost.size();
  const std::string there =
      fmt::format("{} instance{} and its load-balancer node", instances, instances == 1 ? "" : "s");
  std::vector<std::string> said{
      hang ? fmt::format("{} hangs: {} are frozen; connections to them are accepted and not answered", text, there)
           : fmt::format("{} has lost power: {} are gone, and nothing can be launched there", text, there)};
  if (failed_zones.size() == region().settings.zones.size()) {
    said.push_back(fmt::format("{} was the last zone standing: nothing answers until a zone is healed", text));
  }
  said.push_back("heal it with: " + state_->command("az heal " + text));
  return state_->apply({.kind = hang ? FaultKind::kHang : FaultKind::kPowerLoss,
                        .target = {FaultTargetKind::kZone, text},
                        .amount = 1,
                        .lasts = std::nullopt},
                       std::move(said));
}

Result<ZoneName, Refusal> Tier::find_zone(const std::string& text) const {
  std::vector<std::string> names;
  for (const Zone& zone : region().settings.zones) {
    if (zone.name.value == text) return zone.name;
    names.push_back(zone.name.value);
  }
  return Refusal{2, fmt::format("{}: there is no such zone; there are: {}", text, joined_names(names))};
}

Outcome Tier::heal_zone(const std::string& text) {
  const auto zone = find_zone(text);
  if (!zone) return zone.error();
  const Status done = state_->world->heal(state_->loop.now(), FaultTarget{FaultTargetKind::kZone, text});
  if (!done) return Refusal{1, done.error().message};
  return std::vector<std::string>{fmt::format(
      "{} is healed: its node starts again, and the group rebalances, launching before it terminates", text)};
}

Outcome Tier::fail_instance(const std::string& text, const std::string& mode) {
  const auto id = find_instance(text, true);
  if (!id) return id.error();
  if (mode != "kill" && mode != "hang") return Refusal{2, fmt::format("--mode {}: kill or hang is right", mode)};
  const bool hang = mode == "hang";
  std::vector<std::string> said;
  if (hang) {
    said = {fmt::format("{} hangs: connections to it are accepted and not answered", id->value),
            "heal it with: " + state_->command("instance heal " + id->value)};
  } else {
    said = {fmt::format("{} is killed; the group will replace it", id->value)};
  }
  return state_->apply({.kind = hang ? FaultKind::kHang : FaultKind::kCrash,
                        .target = {FaultTargetKind::kInstance, id->value},
                        .amount = 1,
                        .lasts = std::nullopt},
                       std::move(said));
}

Outcome Tier::heal_instance(const std::string& text) {
  const auto id = find_instance(text, true);
  if (!id) return id.error();
  const Status done = state_->world->heal(state_->loop.now(), FaultTarget{FaultTargetKind::kInstance, id->value});
  if (!done) return Refusal{1, done.error().message};
  return std::vector<std::string>{fmt::format("{} is healed", id->value)};
}

}  // namespace rr::sim
