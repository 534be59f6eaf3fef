#pragma once
// Everything that can be set about an environment of the deployment. One file an environment (deploy/settings/*.yaml)
// is the only place of these values; Terraform, Packer, the unit, the simulator and CI are given theirs by render.h.
//
// The members are named as the keys of the file. There are no defaults: a value stands in the file or nowhere. What
// each means and may be is in fields.cc, which also makes schema.json.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lb/base/result.h"
#include "lb/base/time.h"
#include "lb/document/map_reader.h"

namespace rr::deploy {

struct ApplicationSettings {
  std::string name;           // of its folder, user and unit on an instance
  std::string folder;         // what is baked; empty: rr-webapp as this repository builds it
  std::string start_command;  // {port} is replaced
  int port = 0;
  std::string health_check_path;
  std::vector<std::string> runtime_packages;  // of the distribution
  std::string version_from;                   // "path:/version", "header:NAME", "none"
  bool operator==(const ApplicationSettings&) const = default;
};

struct UnitSettings {
  bool notify = false;  // Type=notify and the watchdog; false: Type=exec
  Duration watchdog{};
  Duration restart_delay{};
  Duration stop_timeout{};
  int open_files = 0;
  bool write_execute_memory = false;  // a just-in-time compiler needs it
  bool operator==(const UnitSettings&) const = default;
};

struct AwsSettings {
  std::string account;  // empty: any
  std::string region;
  int zones = 0;
  std::string vpc_id;                            // empty: the default VPC
  std::vector<std::string> subnet_ids;           // empty: one of each zone
  std::vector<std::string> instance_subnet_ids;  // empty: those of the load balancer
  bool operator==(const AwsSettings&) const = default;
};

struct InstanceSettings {
  std::string type;
  std::string architecture;  // "x86_64", "arm64"
  int root_volume_size = 0;  // GiB
  bool public_ip = false;
  bool operator==(const InstanceSettings&) const = default;
};

struct AutoScalingGroupSettings {
  int min_size = 0;
  int max_size = 0;
  int desired_capacity = 0;
  Duration health_check_grace_period{};
  Duration default_instance_warmup{};
  int min_healthy_percentage = 0;
  int max_healthy_percentage = 0;
  std::vector<std::string> termination_policies;
  bool operator==(const AutoScalingGroupSettings&) const = default;
};

struct LoadBalancerSettings {
  int http_port = 0;
  int https_port = 0;
  std::string certificate_arn;  // empty: no HTTPS listener
  std::string host_name;        // that the certificate is for; empty: the load balancer's own
  std::string ssl_policy;
  std::vector<std::string> allowed_cidrs;
  Duration idle_timeout{};
  Duration client_keep_alive{};
  std::string desync_mitigation_mode;
  bool deletion_protection = false;
  std::string access_log_bucket;  // empty: no access logs
  bool operator==(const LoadBalancerSettings&) const = default;
};

struct HealthCheckSettings {
  Duration interval{};
  Duration timeout{};
  int healthy_threshold = 0;
  int unhealthy_threshold = 0;
  std::string matcher;
  bool operator==(const HealthCheckSettings&) const = default;
};

struct TargetGroupSettings {
  Duration deregistration_delay{};
  Duration slow_start{};
  HealthCheckSettings health_check;
  bool operator==(const TargetGroupSettings&) const = default;
};

struct BakeSettings {
  std::string base_image_parameter;  // {architecture} is replaced
  std::string instance_type;
  Duration connect_timeout{};
  std::string cloudwatch_agent_version;
  Duration deprecate_after{};
  bool operator==(const BakeSettings&) const = default;
};

struct ReleaseSettings {
  Duration deadline{};
  Duration poll_interval{};
  Duration bake_time{};
  Duration patience{};
  Duration lock_timeout{};
  int keep_versions = 0;
  int keep_images = 0;
  bool operator==(const ReleaseSettings&) const = default;
};

struct VerificationSettings {
  int consecutive_answers = 0;
  int minimum_instances = 0;
  Duration question_interval{};
  Duration answer_timeout{};
  Duration deadline{};
  bool operator==(const VerificationSettings&) const = default;
};

struct ProbeSettings {
  Duration interval{};
  Duration answer_timeout{};
  int allowed_failures = 0;
  bool operator==(const ProbeSettings&) const = default;
};

struct AlarmSettings {
  Duration period{};
  int evaluation_periods = 0;
  int datapoints = 0;
  int target_5xx_count = 0;
  int load_balancer_5xx_count = 0;
  Duration response_time_p99{};
  int rejected_connections = 0;
  int unhealthy_hosts = 0;
  int unhealthy_evaluation_periods = 0;
  int unhealthy_datapoints = 0;
  int logged_errors = 0;
  std::vector<std::string> topic_arns;
  bool operator==(const AlarmSettings&) const = default;
};

struct LogSettings {
  int retention_days = 0;
  std::string kms_key_arn;    // empty: the service's own key
  std::string error_pattern;  // empty: nothing is counted
  bool operator==(const LogSettings&) const = default;
};

struct ArtifactSettings {
  std::string bucket;  // {account} is replaced
  std::string prefix;
  Duration expire_after{};
  bool operator==(const ArtifactSettings&) const = default;
};

struct CiSettings {
  std::string repository;      // "ORG/NAME"; empty: no roles for CI
  std::string oidc_provider;   // "create", "existing"
  std::string subject_prefix;  // of the token's sub claim; {repository} is replaced
  std::string branch;
  std::string github_environment;
  std::string plan_role;
  std::string apply_role;
  std::string bake_role;
  std::string deploy_role;
  Duration role_session{};
  std::string state_bucket;  // {account} is replaced
  std::string state_key;
  Duration release_timeout{};
  std::string game_day_schedule;
  bool operator==(const CiSettings&) const = default;
};

struct SimulatorSettings {
  std::string listen;
  std::string ground;
  int speed = 0;
  bool operator==(const SimulatorSettings&) const = default;
};

struct Settings {
  std::string name;
  std::string environment;
  ApplicationSettings application;
  UnitSettings unit;
  AwsSettings aws;
  InstanceSettings instance;
  AutoScalingGroupSettings auto_scaling_group;
  LoadBalancerSettings load_balancer;
  TargetGroupSettings target_group;
  BakeSettings bake;
  ReleaseSettings release;
  VerificationSettings verification;
  ProbeSettings probe;
  AlarmSettings alarms;
  LogSettings logs;
  ArtifactSettings artifacts;
  CiSettings ci;
  SimulatorSettings simulator;
  bool operator==(const Settings&) const = default;
};

/// Reads a whole document, YAML or JSON (what Terraform keeps in Parameter Store is JSON). Every error at once, each a
/// line: "production.yaml:25: application.port: 80000: 1 to 65535 is right". A missing or unknown key is an error; so
/// is a file called NAME.yaml that is about another environment than NAME. `file` may be empty.
Result<Settings, ConfigErrors> read_settings(std::string_view text, std::string_view file);

/// What is wrong between several settings, each in range by itself.
struct BrokenRule {
  std::string key;      // that the complaint is best placed at
  std::string message;  // "30s: more than target_group.deregistration_delay (45s) is right"
  bool operator==(const BrokenRule&) const = default;
};
std::vector<BrokenRule> broken_rules(const Settings& settings);

/// The settings as they are once the account is known: {account} is replaced everywhere, and aws.account is it.
Settings in_account(Settings settings, const std::string& account);

/// What everything is called on AWS: made of name and environment, here and nowhere else.
struct Names {
  std::string tier;                 // of load balancer, group, launch template, role and instance profile
  std::string bake_profile;         // of an instance that is being baked
  std::string log_group;            // "/round-robin/production"
  std::string parameter_path;       // what all the following begin with, and policies name
  std::string settings_parameter;   // these settings, for who has no checkout
  std::string release_parameter;    // the release record
  std::string lock_parameter;       // who releases just now
  std::string candidate_parameter;  // the image that was baked last
  std::string alarm_prefix;         // alarms of the rollback set begin with it
  std::string watch_alarm_prefix;   // alarms that only tell somebody
  std::string dashboard;
};
Names names_of(const Settings& settings);

/// Each with the word for it, as Terraform's `names` has it.
std::vector<std::pair<std::string, std::string>> listed(const Names& names);

}  // namespace rr::deploy
