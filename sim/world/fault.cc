#include "sim/world/fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lb/base/check.h"

namespace rr::sim {

namespace {

using enum FaultTargetKind;

constexpr std::array kZoneOnly{kZone};
constexpr std::array kInstanceOnly{kInstance};
constexpr std::array kNodeOnly{kNode};
constexpr std::array kControlPlaneOnly{kControlPlane};
constexpr std::array kProcesses{kInstance, kNode};
constexpr std::array kZoneAndProcesses{kZone, kInstance, kNode};
constexpr std::array kNetwork{kZone, kNode, kInstance, kLink};

constexpr double kMostSpan = 3600;  // seconds
constexpr double kLeastSpan = 0.001;
constexpr double kLeastPeriod = 0.2;

constexpr std::array<std::string_view, kFaultGrounds> kNotOnPlain{
    "packets cannot be made to vanish between processes that share one network: hang is what it can do to a zone, "
    "and --ground namespaces can do this",
    "", ""};

constexpr std::array<FaultKindRow, kFaultKinds> kRows{
    FaultKindRow{.kind = FaultKind::kCrash,
                 .name = "crash",
                 .targets = kProcesses,
                 .lasts = false,
                 .what_it_does = "the process and all its children are killed; nothing prevents its replacement"},
    FaultKindRow{.kind = FaultKind::kHang,
                 .name = "hang",
                 .targets = kZoneAndProcesses,
                 .what_it_does = "its processes are frozen: connections are accepted and never answered"},
    FaultKindRow{.kind = FaultKind::kSlow,
                 .name = "slow",
                 .targets = kInstanceOnly,
                 .unit = AmountUnit::kSpan,
                 .least = kLeastSpan,
                 .most = kMostSpan,
                 .otherwise = 1,
                 .own_webapp_only = true,
                 .what_it_does = "every answer of it comes so much later, those to health checks too"},
    FaultKindRow{.kind = FaultKind::kErrorAnswers,
                 .name = "error-answers",
                 .targets = kInstanceOnly,
                 .unit = AmountUnit::kPercent,
                 .least = 1,
                 .most = 100,
                 .otherwise = 100,
                 .own_webapp_only = true,
                 .what_it_does = "so many of its answers say 500; its health check still passes"},
    FaultKindRow{.kind = FaultKind::kHealthFailure,
                 .name = "health-failure",
                 .targets = kInstanceOnly,
                 .own_webapp_only = true,
                 .what_it_does = "its health check is answered with 503, everything else as ever"},
    FaultKindRow{.kind = FaultKind::kFlapping,
                 .name = "flapping",
                 .targets = kInstanceOnly,
                 .unit = AmountUnit::kSpan,
                 .least = kLeastPeriod,
                 .most = kMostSpan,
                 .otherwise = 60,
                 .what_it_does = "frozen for the first half of each such period, well for the second"},
    FaultKindRow{.kind = FaultKind::kNodeLoss,
                 .name = "node-loss",
                 .targets = kNodeOnly,
                 .what_it_does = "the load balancer's node is killed, and none takes its place until it is healed"},
    FaultKindRow{.kind = FaultKind::kBootFailure,
                 .name = "boot-failure",
                 .targets = kZoneOnly,
                 .what_it_does = "instances launched in the zone run, but their program never starts"},
    FaultKindRow{.kind = FaultKind::kSlowBoot,
                 .name = "slow-boot",
                 .targets = kZoneOnly,
                 .unit = AmountUnit::kSpan,
                 .least = kLeastSpan,
                 .most = kMostSpan,
                 .otherwise = 30,
                 .what_it_does = "the program of instances launched in the zone starts so much later"},
    FaultKindRow{.kind = FaultKind::kLaunchesRefused,
                 .name = "launches-refused",
                 .targets = kZoneOnly,
                 .what_it_does = "every launch in the zone fails with InsufficientInstanceCapacity"},
    FaultKindRow{.kind = FaultKind::kLatency,
                 .name = "latency",
                 .toxiproxy = "latency",
                 .targets = kNetwork,
                 .unit = AmountUnit::kSpan,
                 .least = kLeastSpan,
                 .most = kMostSpan,
                 .otherwise = 0.1,
                 .what_it_does = "what the target sends arrives so much later"},
    FaultKindRow{.kind = FaultKind::kJitter,
                 .name = "jitter",
                 .toxiproxy = "jitter",
                 .targets = kNetwork,
                 .unit = AmountUnit::kSpan,
                 .least = kLeastSpan,
                 .most = kMostSpan,
                 .otherwise = 0.1,
                 .what_it_does = "what the target sends arrives later by chance, by up to so much, in its order"},
    FaultKindRow{.kind = FaultKind::kLoss,
                 .name = "loss",
                 .targets = kNetwork,
                 .unit = AmountUnit::kPercent,
                 .least = 1,
                 .most = 100,
                 .otherwise = 10,
                 .what_it_does = "so much of what is sent must be sent again: 200 ms, then 400 ms and so on later"},
    FaultKindRow{.kind = FaultKind::kReset,
                 .name = "reset",
                 .toxiproxy = "reset_peer",
                 .targets = kNetwork,
                 .unit = AmountUnit::kPercent,
                 .least = 1,
                 .most = 100,
                 .otherwise = 100,
                 .what_it_does = "so many of the connections are reset with their first request"},
    FaultKindRow{.kind = FaultKind::kRefuse,
                 .name = "refuse",
                 .toxiproxy = "down",
                 .targets = kNetwork,
                 .what_it_does = "connections are refused"},
    FaultKindRow{.kind = FaultKind::kBlackhole,
                 .name = "blackhole",
                 .toxiproxy = "timeout",
                 .targets = kNetwork,
                 .what_it_does = "attempts to connect are not answered at all, and what is connected falls silent"},
    FaultKindRow{.kind = FaultKind::kPowerLoss,
                 .name = "power-loss",
                 .targets = kZoneOnly,
                 .what_it_does = "everything in it is killed at once, and nothing can be launched there"},
    FaultKindRow{.kind = FaultKind::kPartition,
                 .name = "partition",
                 .targets = kZoneOnly,
                 .cannot = kNotOnPlain,
                 .what_it_does = "nothing gets into the zone or out of it; what is in it runs on"},
    FaultKindRow{.kind = FaultKind::kGray,
                 .name = "gray",
                 .targets = kZoneOnly,
                 .unit = AmountUnit::kPercent,
                 .least = 1,
                 .most = 100,
                 .otherwise = 30,
                 .what_it_does = "so many of the requests to the zone's instances fail, health checks included"},
    FaultKindRow{.kind = FaultKind::kOutage,
                 .name = "outage",
                 .targets = kControlPlaneOnly,
                 .what_it_does = "the control plane decides nothing and refuses every call; the tier runs on"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].kind) != i) return false;
  }
  return true;
}
static_assert(in_order(), "a row of kRows is missing or misplaced");

std::string_view to_string(FaultGround ground) {
  switch (ground) {
    case FaultGround::kPlain:
      return "plain";
    case FaultGround::kNamespaces:
      return "namespaces";
    case FaultGround::kVirtual:
      return "virtual";
  }
  return "?";
}

std::string targets_of(const FaultKindRow& row) {
  std::string out;
  for (const FaultTargetKind kind : row.targets) {
    out += fmt::format("{}{}", out.empty() ? "" : ", ", to_string(kind));
  }
  return out;
}

std::string range_of(const FaultKindRow& row) {
  return fmt::format("{} to {}", format_amount(row, row.least), format_amount(row, row.most));
}

std::optional<double> read_percent(std::string_view text) {
  if (text.ends_with('%')) text.remove_suffix(1);
  if (text.ends_with(' ')) text.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string grounds_of(const FaultKindRow& row) {
  std::string out;
  for (std::size_t i = 0; i < kFaultGrounds; ++i) {
    if (row.cannot[i].empty()) {
      out += fmt::format("{}{}", out.empty() ? "" : ", ", to_string(static_cast<FaultGround>(i)));
    }
  }
  return out + (row.own_webapp_only ? "; rr-webapp only" : "");
}

}  // namespace

std::string_view to_string(FaultTargetKind kind) {
  switch (kind) {
    case kZone:
      return "zone";
    case kInstance:
      return "instance";
    case kNode:
      return "node";
    case kLink:
      return "link";
    case kControlPlane:
      return "control plane";
  }
  return "?";
}

std::string FaultTarget::describe() const { return kind == kControlPlane ? std::string(kControlPlaneName) : name; }

FaultTarget link_target(std::string_view node, std::string_view instance) {
  return {kLink, fmt::format("{}/{}", node, instance)};
}

std::optional<LinkEnds> link_ends(const FaultTarget& target) {
  const std::size_t slash = target.name.find('/');
  if (target.kind != kLink || slash == std::string::npos) return std::nullopt;
  return LinkEnds{target.name.substr(0, slash), target.name.substr(slash + 1)};
}

std::span<const FaultKindRow> fault_kinds() { return kRows; }

const FaultKindRow& fault_row(FaultKind kind) { return kRows[static_cast<std::size_t>(kind)]; }

const FaultKindRow* find_fault_kind(std::string_view name) {
  for (const FaultKindRow& row : kRows) {
    if (row.name == name || (!row.toxiproxy.empty() && row.toxiproxy == name)) return &row;
  }
  return nullptr;
}

Result<double> parse_amount(const FaultKindRow& row, std::string_view text) {
  if (row.unit == AmountUnit::kNone) {
    if (text.empty()) return 1.0;
    return Error{fmt::format("{} has no amount", row.name)};
  }
  if (text.empty()) return row.otherwise;
  std::optional<double> amount;
  if (row.unit == AmountUnit::kPercent) {
    amount = read_percent(text);
  } else if (const auto span = parse_duration(text)) {
    amount = to_seconds(*span);
  }
  if (amount && *amount >= row.least && *amount <= row.most) return *amount;
  return Error{fmt::format("{}: {} is right for {}", text, range_of(row), row.name)};
}

std::string format_amount(const FaultKindRow& row, double amount) {
  switch (row.unit) {
    case AmountUnit::kNone:
      return {};
    case AmountUnit::kPercent:
      return fmt::format("{} %", amount);
    case AmountUnit::kSpan:
      return format_duration(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(amount)));
  }
  return {};
}

Status check_fault(const Fault& fault, FaultGround ground, bool own_program) {
  const FaultKindRow& row = fault_row(fault.kind);
  if (std::find(row.targets.begin(), row.targets.end(), fault.target.kind) == row.targets.end()) {
    return Error{fmt::format("{} cannot be done to the {} {}: it is for {}", row.name, to_string(fault.target.kind),
                             fault.target.describe(), targets_of(row))};
  }
  const bool has_amount = row.unit != AmountUnit::kNone;
  if (has_amount && !(fault.amount >= row.least && fault.amount <= row.most)) {
    return Error{fmt::format("{}: {} is right for {}", format_amount(row, fault.amount), range_of(row), row.name)};
  }
  if (fault.lasts && !row.lasts) return Error{fmt::format("{} is over at once and cannot last", row.name)};
  if (fault.lasts && *fault.lasts <= Duration{}) {
    return Error{fmt::format("{} must last longer than {}", row.name, format_duration(*fault.lasts))};
  }
  if (const std::string_view why = row.cannot[static_cast<std::size_t>(ground)]; !why.empty()) {
    return Error{fmt::format("the {} ground cannot do {}: {}", to_string(ground), row.name, why)};
  }
  if (row.own_webapp_only && own_program) {
    return Error{
        fmt::format("{} cannot be done to a program of yours, only to rr-webapp, which can be asked for it: "
                    "latency, loss, reset and hang are done from outside",
                    row.name)};
  }
  return Ok{};
}

std::string fault_table() {
  std::string out;
  for (const FaultKindRow& row : kRows) {
    out += fmt::format("  {:<17} {}\n", row.name, row.what_it_does);
    out += fmt::format("  {:<17}   targets: {}", "", targets_of(row));
    if (row.unit != AmountUnit::kNone) {
      out += fmt::format("; --amount {}, else {}", range_of(row), format_amount(row, row.otherwise));
    }
    out += fmt::format("\n  {:<17}   grounds: {}", "", grounds_of(row));
    if (!row.toxiproxy.empty() && row.toxiproxy != row.name) out += fmt::format("; Toxiproxy: {}", row.toxiproxy);
    out += '\n';
  }
  return out;
}

}  // namespace rr::sim
