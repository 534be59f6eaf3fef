#pragma once
// Faults as data. They are done to the world and never told to the decisions, which find out by probing.
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lb/base/result.h"
#include "lb/base/time.h"

namespace rr::sim {

enum class FaultKind : std::uint8_t {
  // of what runs
  kCrash,          // the process is killed; nothing prevents its replacement
  kHang,           // processes are frozen: connections are accepted by the kernel and never answered
  kSlow,           // every answer comes so much later
  kErrorAnswers,   // so many percent of the answers are errors, health checks excepted
  kHealthFailure,  // only the health check fails
  kFlapping,       // frozen for half of each period, well for the other half
  kNodeLoss,       // a load balancer's node is gone, and none takes its place
  // of launches
  kBootFailure,      // the machine runs, its program never starts
  kSlowBoot,         // the program starts so much later
  kLaunchesRefused,  // InsufficientInstanceCapacity
  // of the network between the nodes and their targets
  kLatency,
  kJitter,
  kLoss,
  kReset,
  kRefuse,
  kBlackhole,
  // of a zone
  kPowerLoss,  // everything in the zone is gone at once, and nothing can be launched there
  kPartition,  // nothing gets into the zone or out of it; what is in it runs on
  kGray,       // so many percent of the requests to the zone fail, health checks included
  // of the region
  kOutage,  // the control plane does nothing and answers nothing; the tier runs on
};
constexpr std::size_t kFaultKinds = static_cast<std::size_t>(FaultKind::kOutage) + 1;

enum class FaultTargetKind : std::uint8_t { kZone, kInstance, kNode, kLink, kControlPlane };
std::string_view to_string(FaultTargetKind kind);  // "zone", "control plane"

/// What stands for the control plane on command lines and in scenarios.
constexpr std::string_view kControlPlaneName = "control-plane";

struct FaultTarget {
  FaultTargetKind kind = FaultTargetKind::kInstance;
  std::string name;  // zone name, instance id, node name; NODE/INSTANCE for a link; empty for the control plane
  bool operator==(const FaultTarget&) const = default;

  /// The name, "control-plane" for the control plane.
  std::string describe() const;
};
FaultTarget link_target(std::string_view node, std::string_view instance);
/// The two ends of a link's name; none when it is no link's.
struct LinkEnds {
  std::string node;
  std::string instance;
};
std::optional<LinkEnds> link_ends(const FaultTarget& target);

struct Fault {
  FaultKind kind = FaultKind::kCrash;
  FaultTarget target;
  double amount = 1;                             // in the unit of its kind: percent, or seconds; else not read
  std::optional<Duration> lasts = std::nullopt;  // none: until healed
  bool operator==(const Fault&) const = default;
};

struct FaultStatus {
  Fault fault;
  Time since;
  std::optional<Time> until;
  bool operator==(const FaultStatus&) const = default;
};

/// What the amount of a kind is.
enum class AmountUnit : std::uint8_t {
  kNone,     // there is none
  kPercent,  // "30%" or "30"
  kSpan,     // "300ms"; `amount` is in seconds
};

/// What the world may stand on. The virtual one is a simulation in memory.
enum class FaultGround : std::uint8_t { kPlain, kNamespaces, kVirtual };
constexpr std::size_t kFaultGrounds = 3;

/// One row of the table that commands, scenarios and help texts share.
struct FaultKindRow {
  FaultKind kind;
  std::string_view name;                     // as typed: "power-loss"
  std::string_view toxiproxy{};              // its name in Toxiproxy, which is understood too; empty: none there
  std::span<const FaultTargetKind> targets;  // what it can be done to
  AmountUnit unit = AmountUnit::kNone;
  double least = 0;                                      // of the amount, in its unit
  double most = 0;                                       // likewise
  double otherwise = 0;                                  // when none is given
  bool lasts = true;                                     // false: it is over at once (a crash)
  bool own_webapp_only = false;                          // a program of the user's has no door to ask it through
  std::array<std::string_view, kFaultGrounds> cannot{};  // why a ground cannot do it; empty: it can
  std::string_view what_it_does{};                       // one sentence
};
/// In the order of FaultKind.
std::span<const FaultKindRow> fault_kinds();
const FaultKindRow& fault_row(FaultKind kind);
/// By its own name or Toxiproxy's.
const FaultKindRow* find_fault_kind(std::string_view name);

/// Reads "30%", "30" or "300ms" as the kind's unit says; an empty text is the kind's own amount. The error names the
/// range.
Result<double> parse_amount(const FaultKindRow& row, std::string_view text);
/// "30 %", "300ms"; empty for a kind without one.
std::string format_amount(const FaultKindRow& row, double amount);

/// Whether this fault may be: the kind can be done to such a target, its amount and time are in range, and the ground
/// can do it to such a program. The error is one line that names what is wrong and what would be right. Whether the
/// target exists is for the world to say.
Status check_fault(const Fault& fault, FaultGround ground, bool own_program);

/// The table for people, as `rr-sim fault --help` and docs/faults.md show it.
std::string fault_table();

}  // namespace rr::sim
