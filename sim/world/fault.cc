#include "sim/world/fault.h"

#include <array>

namespace rr::sim {

namespace {

constexpr std::array kZoneOnly{FaultTargetKind::kZone};
constexpr std::array kAnything{FaultTargetKind::kZone, FaultTargetKind::kInstance, FaultTargetKind::kNode};
constexpr std::array kProcesses{FaultTargetKind::kInstance, FaultTargetKind::kNode};

constexpr std::array kRows{
    FaultKindRow{FaultKind::kPowerLoss, "power-loss", kZoneOnly,
                 "everything in the zone is killed at once, and nothing can be launched there until it is healed"},
    FaultKindRow{FaultKind::kHang, "hang", kAnything,
                 "its processes are frozen: connections are accepted by the kernel and never answered"},
    FaultKindRow{FaultKind::kCrash, "crash", kProcesses,
                 "the process and all its children are killed; nothing prevents its replacement"},
};

}  // namespace

std::span<const FaultKindRow> fault_kinds() { return kRows; }

}  // namespace rr::sim
