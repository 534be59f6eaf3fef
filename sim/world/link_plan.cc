#include "sim/world/link_plan.h"

namespace rr::sim {

std::optional<WireFaults> wire_faults_of(const Fault& fault) {
  WireFaults faults;
  const auto span = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(fault.amount));
  switch (fault.kind) {
    case FaultKind::kLatency:
      faults.latency = span;
      return faults;
    case FaultKind::kJitter:
      faults.jitter = span;
      return faults;
    case FaultKind::kLoss:
      faults.loss_percent = fault.amount;
      return faults;
    case FaultKind::kReset:
      faults.reset_percent = fault.amount;
      return faults;
    case FaultKind::kGray:
      faults.gray_percent = fault.amount;
      return faults;
    case FaultKind::kRefuse:
      faults.refuse = true;
      return faults;
    case FaultKind::kBlackhole:
      faults.blackhole = true;
      return faults;
    case FaultKind::kCrash:
    case FaultKind::kHang:
    case FaultKind::kSlow:
    case FaultKind::kErrorAnswers:
    case FaultKind::kHealthFailure:
    case FaultKind::kFlapping:
    case FaultKind::kNodeLoss:
    case FaultKind::kBootFailure:
    case FaultKind::kSlowBoot:
    case FaultKind::kLaunchesRefused:
    case FaultKind::kPowerLoss:
    case FaultKind::kPartition:
    case FaultKind::kOutage:
      return std::nullopt;
  }
  return std::nullopt;
}

bool reaches(const FaultTarget& target, const LinkPlace& link) {
  switch (target.kind) {
    case FaultTargetKind::kZone:
      return target.name == link.instance_zone.value;
    case FaultTargetKind::kInstance:
      return target.name == link.instance;
    case FaultTargetKind::kNode:
      return target.name == link.node;
    case FaultTargetKind::kLink:
      return target == link_target(link.node, link.instance);
    case FaultTargetKind::kControlPlane:
      return false;
  }
  return false;
}

WireFaults wire_faults(std::span<const FaultStatus> in_force, const LinkPlace& link) {
  WireFaults all;
  for (const FaultStatus& one : in_force) {
    const auto faults = wire_faults_of(one.fault);
    if (faults && reaches(one.fault.target, link)) all = combined(all, *faults);
  }
  return all;
}

}  // namespace rr::sim
