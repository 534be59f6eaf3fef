#include "deploy/rollout/facts.h"

#include <array>

#include "deploy/rollout/command.h"

namespace rr::deploy {
namespace {

struct Row {
  RefreshStatus status;
  const char* name;
  bool active;
};

constexpr std::array kStatuses = {
    Row{RefreshStatus::kPending, "Pending", true},
    Row{RefreshStatus::kInProgress, "InProgress", true},
    Row{RefreshStatus::kBaking, "Baking", true},
    Row{RefreshStatus::kCancelling, "Cancelling", true},
    Row{RefreshStatus::kRollbackInProgress, "RollbackInProgress", true},
    Row{RefreshStatus::kSuccessful, "Successful", false},
    Row{RefreshStatus::kFailed, "Failed", false},
    Row{RefreshStatus::kCancelled, "Cancelled", false},
    Row{RefreshStatus::kRollbackSuccessful, "RollbackSuccessful", false},
    Row{RefreshStatus::kRollbackFailed, "RollbackFailed", false},
    Row{RefreshStatus::kUnknown, "in a status that this program does not know", true},
};

struct ActionName {
  const char* operator()(const GetCallerIdentity&) const { return "GetCallerIdentity"; }
  const char* operator()(const DescribeGroup&) const { return "DescribeAutoScalingGroups"; }
  const char* operator()(const DescribeRefreshes&) const { return "DescribeInstanceRefreshes"; }
  const char* operator()(const DescribeVersions&) const { return "DescribeLaunchTemplateVersions"; }
  const char* operator()(const DescribeImages&) const { return "DescribeImages"; }
  const char* operator()(const DescribeInstanceType&) const { return "DescribeInstanceTypes"; }
  const char* operator()(const DescribeTargetHealth&) const { return "DescribeTargetHealth"; }
  const char* operator()(const DescribeAlarms&) const { return "DescribeAlarms"; }
  const char* operator()(const DescribeActivities&) const { return "DescribeScalingActivities"; }
  const char* operator()(const ReadRecord&) const { return "GetParameter (record)"; }
  const char* operator()(const ReadLock&) const { return "GetParameter (lock)"; }
  const char* operator()(const WriteLock&) const { return "PutParameter (lock)"; }
  const char* operator()(const DeleteLock&) const { return "DeleteParameter (lock)"; }
  const char* operator()(const WriteRecord&) const { return "PutParameter (record)"; }
  const char* operator()(const CreateVersion&) const { return "CreateLaunchTemplateVersion"; }
  const char* operator()(const DeleteVersions&) const { return "DeleteLaunchTemplateVersions"; }
  const char* operator()(const StartRefresh&) const { return "StartInstanceRefresh"; }
  const char* operator()(const RollbackRefresh&) const { return "RollbackInstanceRefresh"; }
  const char* operator()(const CancelRefresh&) const { return "CancelInstanceRefresh"; }
  const char* operator()(const UpdateGroup&) const { return "UpdateAutoScalingGroup"; }
  const char* operator()(const SetDesired&) const { return "SetDesiredCapacity"; }
  const char* operator()(const TerminateInstance&) const { return "TerminateInstanceInAutoScalingGroup"; }
  const char* operator()(const SuspendProcesses&) const { return "SuspendProcesses"; }
  const char* operator()(const ResumeProcesses&) const { return "ResumeProcesses"; }
};

}  // namespace

const char* to_string(RefreshStatus status) {
  for (const Row& row : kStatuses) {
    if (row.status == status) return row.name;
  }
  RR_CHECK(false, "a refresh status without a row");
}

RefreshStatus refresh_status(const std::string& name) {
  for (const Row& row : kStatuses) {
    if (name == row.name) return row.status;
  }
  return RefreshStatus::kUnknown;
}

bool is_active(RefreshStatus status) {
  for (const Row& row : kStatuses) {
    if (row.status == status) return row.active;
  }
  RR_CHECK(false, "a refresh status without a row");
}

const char* to_string(JobKind kind) {
  switch (kind) {
    case JobKind::kRelease:
      return "release";
    case JobKind::kRollback:
      return "rollback";
  }
  return "?";
}

const char* to_string(Strategy strategy) {
  switch (strategy) {
    case Strategy::kRefresh:
      return "refresh";
    case Strategy::kDouble:
      return "double";
  }
  return "?";
}

const char* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kReleased:
      return "released";
    case Outcome::kRolledBack:
      return "rolled back";
    case Outcome::kBroken:
      return "broken";
  }
  return "?";
}

const char* action_of(const Command& command) { return std::visit(ActionName{}, command); }

}  // namespace rr::deploy
