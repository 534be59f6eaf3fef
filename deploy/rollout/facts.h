#pragma once
// What AWS holds about a tier, as plain values: what the calls of command.h answer.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lb/base/time.h"

namespace rr::deploy {

/// Statuses of an instance refresh (Auto Scaling API, InstanceRefresh.Status). kUnknown: one that is newer than this
/// program; it counts as active, because what is not known to have ended must not be started again.
enum class RefreshStatus {
  kPending,
  kInProgress,
  kBaking,
  kCancelling,
  kRollbackInProgress,
  kSuccessful,
  kFailed,
  kCancelled,
  kRollbackSuccessful,
  kRollbackFailed,
  kUnknown,
};

/// "InProgress", as the API says it.
const char* to_string(RefreshStatus status);
RefreshStatus refresh_status(const std::string& name);
/// One of these is at most under way in a group; all others have ended.
bool is_active(RefreshStatus status);

struct Identity {
  std::string account;
  std::string arn;
  bool operator==(const Identity&) const = default;
};

struct Instance {
  std::string id;
  std::string zone;
  std::string type;
  std::string lifecycle;  // "InService"
  std::string health;     // "Healthy"
  std::string version;    // of the launch template; empty when it is of none
  bool protected_from_scale_in = false;
  bool operator==(const Instance&) const = default;
};

struct Group {
  std::string name;
  int min_size = 0;
  int max_size = 0;
  int desired = 0;
  std::string template_id;
  std::string template_name;
  std::string version;  // as the group names it: "7", or "$Latest"
  int warm_up = 0;      // seconds: DefaultInstanceWarmup, else the grace period
  std::vector<Instance> instances;
  std::vector<std::string> suspended;      // processes
  std::vector<std::string> target_groups;  // ARNs
  std::map<std::string, std::string> tags;
  bool operator==(const Group&) const = default;
};

struct Refresh {
  std::string id;
  RefreshStatus status = RefreshStatus::kPending;
  std::string reason;
  int percent = 0;
  int to_update = 0;
  Duration age{};       // since it was started, by AWS's clock; 0 where AWS does not say
  std::string version;  // that it brings; empty when it was started without a desired configuration
  bool operator==(const Refresh&) const = default;
};

/// A numbered version of the launch template.
struct TemplateVersion {
  long number = 0;
  std::string description;
  std::string image;
  std::string instance_type;
  std::string artifact;  // of the artifact lane: an S3 URL; else empty
  std::string artifact_sha256;
  bool is_default = false;
  std::optional<Time> created;
  bool operator==(const TemplateVersion&) const = default;
};

struct Image {
  std::string id;
  std::string state;         // "available"
  std::string architecture;  // "x86_64", "arm64"
  std::map<std::string, std::string> tags;
  bool operator==(const Image&) const = default;
};

struct Alarm {
  std::string name;
  std::string state;  // "OK", "ALARM", "INSUFFICIENT_DATA"
  bool operator==(const Alarm&) const = default;
};

struct Target {
  std::string id;
  std::string state;   // "healthy", "initial", "unhealthy", "draining", ...
  std::string reason;  // "Target.ResponseCodeMismatch"; empty when healthy
  bool operator==(const Target&) const = default;
};

struct Activity {
  std::string id;
  std::string description;
  std::string status;
  std::string message;  // of a failure
  bool operator==(const Activity&) const = default;
};

/// An answer of the tier to one request through its load balancer.
struct Answer {
  int status = 0;      // 0: there was none, and `error` says why
  std::string error;   // "connection refused", "slower than 2s"
  std::string commit;  // where the version source says it; empty when it does not
  std::string build;
  std::string instance;  // whoever answered, by the best name that it gave
  std::string zone;
  Duration took{};
  bool operator==(const Answer&) const = default;
};

}  // namespace rr::deploy
