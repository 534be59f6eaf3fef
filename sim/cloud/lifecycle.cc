// The tables of legal moves of model.h.
#include <array>
#include <cstddef>

#include "sim/cloud/model.h"

namespace rr::sim {
namespace {

template <class State>
struct Move {
  State from;
  State to;
};

using L = LifecycleState;
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
// An instance whose launch fails ends without ever having been in service; a terminating one never returns.
constexpr std::array kLifecycleMoves{
    Move<L>{L::kPending, L::kPendingWait},
    Move<L>{L::kPending, L::kInService},
    Move<L>{L::kPending, L::kTerminating},
    Move<L>{L::kPendingWait, L::kPendingProceed},
    Move<L>{L::kPendingWait, L::kTerminating},
    Move<L>{L::kPendingProceed, L::kInService},
    Move<L>{L::kPendingProceed, L::kTerminating},
    Move<L>{L::kInService, L::kTerminating},
    Move<L>{L::kInService, L::kEnteringStandby},
    Move<L>{L::kInService, L::kDetaching},
    Move<L>{L::kEnteringStandby, L::kStandby},
    Move<L>{L::kEnteringStandby, L::kTerminating},
    Move<L>{L::kStandby, L::kPending},
    Move<L>{L::kStandby, L::kTerminating},
    Move<L>{L::kStandby, L::kDetaching},
    Move<L>{L::kDetaching, L::kDetached},
    Move<L>{L::kDetaching, L::kTerminating},
    Move<L>{L::kDetached, L::kPending},
    Move<L>{L::kDetached, L::kTerminating},
    Move<L>{L::kTerminating, L::kTerminatingWait},
    Move<L>{L::kTerminating, L::kTerminated},
    Move<L>{L::kTerminatingWait, L::kTerminatingProceed},
    Move<L>{L::kTerminatingProceed, L::kTerminated},
};

using S = InstanceState;
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
constexpr std::array kInstanceMoves{
    Move<S>{S::kPending, S::kRunning},         Move<S>{S::kPending, S::kShuttingDown},
    Move<S>{S::kRunning, S::kShuttingDown},    Move<S>{S::kRunning, S::kStopping},
    Move<S>{S::kStopping, S::kStopped},        Move<S>{S::kStopping, S::kTerminated},
    Move<S>{S::kStopped, S::kPending},         Move<S>{S::kStopped, S::kTerminated},
    Move<S>{S::kShuttingDown, S::kTerminated},
};

template <class State, std::size_t N>
bool in_table(const std::array<Move<State>, N>& table, State from, State to) {
  for (const Move<State>& move : table) {
    if (move.from == from && move.to == to) return true;
  }
  return false;
}

}  // namespace

bool legal(LifecycleState from, LifecycleState to) { return in_table(kLifecycleMoves, from, to); }
bool legal(InstanceState from, InstanceState to) { return in_table(kInstanceMoves, from, to); }

std::string_view to_string(LifecycleState state) {
  switch (state) {
    case LifecycleState::kPending:
      return "Pending";
    case LifecycleState::kPendingWait:
      return "Pending:Wait";
    case LifecycleState::kPendingProceed:
      return "Pending:Proceed";
    case LifecycleState::kInService:
      return "InService";
    case LifecycleState::kTerminating:
      return "Terminating";
    case LifecycleState::kTerminatingWait:
      return "Terminating:Wait";
    case LifecycleState::kTerminatingProceed:
      return "Terminating:Proceed";
    case LifecycleState::kTerminated:
      return "Terminated";
    case LifecycleState::kEnteringStandby:
      return "EnteringStandby";
    case LifecycleState::kStandby:
      return "Standby";
    case LifecycleState::kDetaching:
      return "Detaching";
    case LifecycleState::kDetached:
      return "Detached";
  }
  return "";
}

std::string_view to_string(InstanceState state) {
  switch (state) {
    case InstanceState::kPending:
      return "pending";
    case InstanceState::kRunning:
      return "running";
    case InstanceState::kShuttingDown:
      return "shutting-down";
    case InstanceState::kTerminated:
      return "terminated";
    case InstanceState::kStopping:
      return "stopping";
    case InstanceState::kStopped:
      return "stopped";
  }
  return "";
}

}  // namespace rr::sim
