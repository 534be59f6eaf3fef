#pragma once
// Faults as data. They are done to the world and never told to the decisions, which find out by probing.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lb/base/result.h"
#include "lb/base/time.h"

namespace rr::sim {

enum class FaultKind : std::uint8_t {
  kPowerLoss,  // everything in the zone is gone at once, and nothing can be launched there
  kHang,       // processes are frozen: connections are accepted by the kernel and never answered
  kCrash,      // the process is killed; nothing prevents its replacement
};

enum class FaultTargetKind : std::uint8_t { kZone, kInstance, kNode, kLink, kControlPlane };

struct FaultTarget {
  FaultTargetKind kind = FaultTargetKind::kInstance;
  std::string name;  // zone name, instance id, node name; empty for the control plane
  bool operator==(const FaultTarget&) const = default;
};

struct Fault {
  FaultKind kind = FaultKind::kCrash;
  FaultTarget target;
  double amount = 1;                             // share or size, for kinds that have one
  std::optional<Duration> lasts = std::nullopt;  // none: until healed
  bool operator==(const Fault&) const = default;
};

struct FaultStatus {
  Fault fault;
  Time since;
  std::optional<Time> until;
};

/// One row of the table that commands, scenarios and help texts share.
struct FaultKindRow {
  FaultKind kind;
  std::string_view name;                     // as typed: "power-loss"
  std::span<const FaultTargetKind> targets;  // what it can be done to
  std::string_view what_it_does;             // one sentence
};
std::span<const FaultKindRow> fault_kinds();

}  // namespace rr::sim
