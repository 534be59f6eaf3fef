#pragma once
// What a rollout asks of AWS, and what it is told. Each struct is one API call; deploy/aws says it in AWS's protocols.
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "deploy/rollout/facts.h"
#include "deploy/rollout/job.h"

namespace rr::deploy {

// -- calls that look

struct GetCallerIdentity {
  bool operator==(const GetCallerIdentity&) const = default;
};
struct DescribeGroup {
  std::string group;
  bool operator==(const DescribeGroup&) const = default;
};
struct DescribeRefreshes {
  std::string group;
  bool operator==(const DescribeRefreshes&) const = default;
};
struct DescribeVersions {
  std::string template_id;
  bool operator==(const DescribeVersions&) const = default;
};
struct DescribeImages {
  std::vector<std::string> images;
  bool operator==(const DescribeImages&) const = default;
};
/// The architectures that an instance type runs.
struct DescribeInstanceType {
  std::string type;
  bool operator==(const DescribeInstanceType&) const = default;
};
struct DescribeTargetHealth {
  std::string target_group;
  bool operator==(const DescribeTargetHealth&) const = default;
};
struct DescribeAlarms {
  std::vector<std::string> alarms;
  bool operator==(const DescribeAlarms&) const = default;
};
struct DescribeActivities {
  std::string group;
  bool operator==(const DescribeActivities&) const = default;
};
struct ReadRecord {
  bool operator==(const ReadRecord&) const = default;
};
struct ReadLock {
  bool operator==(const ReadLock&) const = default;
};

// -- calls that change

/// Without `overwrite` it fails with ParameterAlreadyExists when somebody holds it.
struct WriteLock {
  Job job;
  bool overwrite = false;
  bool operator==(const WriteLock&) const = default;
};
struct DeleteLock {
  bool operator==(const DeleteLock&) const = default;
};
struct WriteRecord {
  Record record;
  bool operator==(const WriteRecord&) const = default;
};
/// A version like `base` but for what the lane changes. The same token twice gives the same version.
struct CreateVersion {
  std::string template_id;
  std::string base;
  Lane lane;
  std::string description;
  std::string token;
  bool drops_artifact = false;  // the base fetches an artifact at boot, and the image is to serve as it is
  bool operator==(const CreateVersion&) const = default;
};
struct DeleteVersions {
  std::string template_id;
  std::vector<std::string> versions;
  bool operator==(const DeleteVersions&) const = default;
};
/// Launch before terminate (100/200), SkipMatching, with `version` as the desired configuration.
struct StartRefresh {
  std::string group;
  std::string template_id;
  std::string version;
  bool auto_rollback = true;
  int warm_up = 0;  // seconds
  int bake = 0;     // seconds
  std::vector<std::string> alarms;
  bool operator==(const StartRefresh&) const = default;
};
struct RollbackRefresh {
  std::string group;
  bool operator==(const RollbackRefresh&) const = default;
};
struct CancelRefresh {
  std::string group;
  bool operator==(const CancelRefresh&) const = default;
};
struct UpdateGroup {
  std::string group;
  std::string template_id;
  std::string version;
  bool operator==(const UpdateGroup&) const = default;
};
struct SetDesired {
  std::string group;
  int desired = 0;
  bool operator==(const SetDesired&) const = default;
};
struct TerminateInstance {
  std::string instance;
  bool decrement = false;
  bool operator==(const TerminateInstance&) const = default;
};
struct SuspendProcesses {
  std::string group;
  std::vector<std::string> processes;
  bool operator==(const SuspendProcesses&) const = default;
};
struct ResumeProcesses {
  std::string group;
  std::vector<std::string> processes;
  bool operator==(const ResumeProcesses&) const = default;
};

using Command =
    std::variant<GetCallerIdentity, DescribeGroup, DescribeRefreshes, DescribeVersions, DescribeImages,
                 DescribeInstanceType, DescribeTargetHealth, DescribeAlarms, DescribeActivities, ReadRecord, ReadLock,
                 WriteLock, DeleteLock, WriteRecord, CreateVersion, DeleteVersions, StartRefresh, RollbackRefresh,
                 CancelRefresh, UpdateGroup, SetDesired, TerminateInstance, SuspendProcesses, ResumeProcesses>;

/// "StartInstanceRefresh": the API action, for messages.
const char* action_of(const Command& command);

// -- what comes back

struct Done {
  bool operator==(const Done&) const = default;
};
struct Created {
  std::string version;
  bool operator==(const Created&) const = default;
};
struct Started {
  std::string refresh;
  bool operator==(const Started&) const = default;
};
struct GroupFound {
  std::optional<Group> group;
  bool operator==(const GroupFound&) const = default;
};
struct RecordFound {
  std::optional<Record> record;
  bool operator==(const RecordFound&) const = default;
};
struct Architectures {
  std::vector<std::string> names;
  bool operator==(const Architectures&) const = default;
};

using Reply = std::variant<Done, Identity, GroupFound, std::vector<Refresh>, std::vector<TemplateVersion>,
                           std::vector<Image>, Architectures, std::vector<Target>, std::vector<Alarm>,
                           std::vector<Activity>, RecordFound, Lock, Created, Started>;

/// Why a call did not succeed, after whoever made it has tried again as often as makes sense.
struct Failure {
  enum class Kind {
    kTransient,  // throttled, a 5xx, no connection: it may work later
    kExpired,    // the credentials are not valid (any more)
    kDenied,     // they do not allow it
    kRefused,    // AWS understood and says no; `code` says why
  };
  Kind kind = Kind::kRefused;
  std::string code;  // "InstanceRefreshInProgress"
  std::string message;
  bool operator==(const Failure&) const = default;
};

/// Time has come to what next_wake() said.
struct Wake {
  bool operator==(const Wake&) const = default;
};
/// Ctrl-C, or SIGTERM from a build service.
struct Interrupt {
  bool operator==(const Interrupt&) const = default;
};

using Event = std::variant<Reply, Failure, Answer, Wake, Interrupt>;

}  // namespace rr::deploy
