#include "deploy/settings/fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace rr::deploy {
namespace {

using S = Settings;
using Get = Slot (*)(S&);

constexpr long kSecondsOfAMinute = 60;
constexpr long kSecondsOfAnHour = 3600;
constexpr long kLeastLock = 6;  // six looks of the shortest poll_interval
constexpr long kSecondsOfADay = 86'400;
constexpr const char* kRoleName = "[A-Za-z0-9+=,.@_-]{1,64}";
constexpr const char* kBucketName = "[a-z0-9][a-z0-9.{}-]{1,70}";

Field text(std::string key, std::string meaning, Get slot, std::string pattern, std::string right) {
  return {std::move(key), std::move(meaning), slot, 0, 0, std::move(pattern), std::move(right)};
}

Field choice(std::string key, std::string meaning, Get slot, std::vector<std::string> choices) {
  return {std::move(key), std::move(meaning), slot, 0, 0, "", "", std::move(choices)};
}

Field number(std::string key, std::string meaning, Get slot, long least, long most) {
  return {std::move(key), std::move(meaning), slot, least, most};
}

Field boolean(std::string key, std::string meaning, Get slot) { return {std::move(key), std::move(meaning), slot}; }

Field seconds(std::string key, std::string meaning, Get slot, long least, long most) {
  return {std::move(key), std::move(meaning), slot, least * 1000, most * 1000, "", "", {}, true};
}

Field milliseconds(std::string key, std::string meaning, Get slot, long least, long most) {
  return {std::move(key), std::move(meaning), slot, least, most};
}

std::vector<Field> application_fields() {
  return {
      text(
          "name", "What everything of this tier is called, with the environment after it.",
          [](S& s) -> Slot { return &s.name; }, "[a-z][a-z0-9-]{0,22}[a-z0-9]",
          "2 to 24 lower-case letters, digits and hyphens, such as round-robin"),
      text(
          "environment", "Which environment this is; the file has its name.",
          [](S& s) -> Slot { return &s.environment; }, "[a-z][a-z0-9-]{0,14}[a-z0-9]",
          "2 to 16 lower-case letters, digits and hyphens, such as production"),
      text(
          "application.name", "Of the program's folder, user and unit on an instance.",
          [](S& s) -> Slot { return &s.application.name; }, "[a-z][a-z0-9-]{0,29}[a-z0-9]",
          "2 to 31 lower-case letters, digits and hyphens, such as rr-webapp"),
      text(
          "application.folder", "What is baked; empty: rr-webapp as this repository builds it.",
          [](S& s) -> Slot { return &s.application.folder; }, "[ -~]{0,512}", "a folder, or nothing"),
      text(
          "application.start_command", "Runs in the application's folder, with HOST and PORT; {port} is replaced.",
          [](S& s) -> Slot { return &s.application.start_command; }, "[!-~][ -~]{0,511}",
          "one line of at most 512 characters, such as node server.js"),
      number(
          "application.port", "Where it listens on an instance.", [](S& s) -> Slot { return &s.application.port; }, 1,
          65'535),
      text(
          "application.health_check_path", "What the load balancer asks for.",
          [](S& s) -> Slot { return &s.application.health_check_path; }, "/[!-~]{0,999}", "a path such as /healthz"),
      text(
          "application.runtime_packages", "Packages of the distribution that it needs.",
          [](S& s) -> Slot { return &s.application.runtime_packages; }, "[A-Za-z0-9][A-Za-z0-9._+-]{0,127}",
          "names of packages, such as nodejs"),
      text(
          "application.version_from", "Where an answer tells its commit.",
          [](S& s) -> Slot { return &s.application.version_from; },
          "none|path(:/[!-~]{0,255})?|header:[A-Za-z0-9-]{1,64}", "path, path:/version, header:NAME or none"),
      boolean("unit.notify", "Whether it tells systemd that it is ready and alive (sd_notify).",
              [](S& s) -> Slot { return &s.unit.notify; }),
      seconds(
          "unit.watchdog", "Without a sign of life for so long it is started anew.",
          [](S& s) -> Slot { return &s.unit.watchdog; }, 1, kSecondsOfAnHour),
      seconds(
          "unit.restart_delay", "Before it is started anew.", [](S& s) -> Slot { return &s.unit.restart_delay; }, 0,
          kSecondsOfAnHour),
      seconds(
          "unit.stop_timeout", "From SIGTERM to SIGKILL.", [](S& s) -> Slot { return &s.unit.stop_timeout; }, 1,
          2 * kSecondsOfAnHour),
      number(
          "unit.open_files", "LimitNOFILE.", [](S& s) -> Slot { return &s.unit.open_files; }, 1024, 1'048'576),
      boolean("unit.write_execute_memory", "Whether memory may be written and run, as just-in-time compilers need it.",
              [](S& s) -> Slot { return &s.unit.write_execute_memory; }),
  };
}

std::vector<Field> place_fields() {
  return {
      text(
          "aws.account", "The only account that may be touched; empty: any.",
          [](S& s) -> Slot { return &s.aws.account; }, "([0-9]{12})?", "12 digits, or nothing"),
      text(
          "aws.region", "", [](S& s) -> Slot { return &s.aws.region; }, "[a-z]{2,4}(-[a-z]{2,12}){1,2}-[0-9]",
          "a region such as eu-west-1"),
      number(
          "aws.zones", "How many availability zones the tier stands in: the first of the VPC's.",
          [](S& s) -> Slot { return &s.aws.zones; }, 2, 6),
      text(
          "aws.vpc_id", "Empty: the default VPC.", [](S& s) -> Slot { return &s.aws.vpc_id; }, "(vpc-[0-9a-f]{8,17})?",
          "a VPC's id, or nothing"),
      text(
          "aws.subnet_ids", "Of the load balancer. Empty: one subnet of each zone.",
          [](S& s) -> Slot { return &s.aws.subnet_ids; }, "subnet-[0-9a-f]{8,17}", "ids of subnets"),
      text(
          "aws.instance_subnet_ids", "Of the instances, in the same zones. Empty: those of the load balancer.",
          [](S& s) -> Slot { return &s.aws.instance_subnet_ids; }, "subnet-[0-9a-f]{8,17}", "ids of subnets"),
      text(
          "instance.type", "", [](S& s) -> Slot { return &s.instance.type; }, "[a-z][a-z0-9-]{1,15}[.][a-z0-9-]{2,16}",
          "a type such as t3.micro"),
      choice("instance.architecture", "Of the instance type and of the image.",
             [](S& s) -> Slot { return &s.instance.architecture; }, {"x86_64", "arm64"}),
      number(
          "instance.root_volume_size", "GiB; a larger one makes a slower snapshot.",
          [](S& s) -> Slot { return &s.instance.root_volume_size; }, 8, 1024),
      boolean("instance.public_ip", "An address of its own; needed in public subnets without NAT.",
              [](S& s) -> Slot { return &s.instance.public_ip; }),
      number(
          "auto_scaling_group.min_size", "", [](S& s) -> Slot { return &s.auto_scaling_group.min_size; }, 1, 500),
      number(
          "auto_scaling_group.max_size", "", [](S& s) -> Slot { return &s.auto_scaling_group.max_size; }, 1, 1000),
      number(
          "auto_scaling_group.desired_capacity", "Of the first apply; later it is the group's own.",
          [](S& s) -> Slot { return &s.auto_scaling_group.desired_capacity; }, 1, 500),
      seconds(
          "auto_scaling_group.health_check_grace_period", "Until then a failing check ends no instance.",
          [](S& s) -> Slot { return &s.auto_scaling_group.health_check_grace_period; }, 0, 7200),
      seconds(
          "auto_scaling_group.default_instance_warmup", "From in service until it counts.",
          [](S& s) -> Slot { return &s.auto_scaling_group.default_instance_warmup; }, 0, 21'600),
      number(
          "auto_scaling_group.min_healthy_percentage", "100: launch before terminate.",
          [](S& s) -> Slot { return &s.auto_scaling_group.min_healthy_percentage; }, 0, 100),
      number(
          "auto_scaling_group.max_healthy_percentage", "200: all new ones at once.",
          [](S& s) -> Slot { return &s.auto_scaling_group.max_healthy_percentage; }, 100, 200),
      choice("auto_scaling_group.termination_policies", "Who goes first, after the zones are balanced.",
             [](S& s) -> Slot { return &s.auto_scaling_group.termination_policies; },
             {"Default", "AllocationStrategy", "OldestLaunchTemplate", "OldestInstance", "NewestInstance",
              "ClosestToNextInstanceHour"}),
  };
}

std::vector<Field> balancer_fields() {
  return {
      number(
          "load_balancer.http_port", "", [](S& s) -> Slot { return &s.load_balancer.http_port; }, 1, 65'535),
      number(
          "load_balancer.https_port", "", [](S& s) -> Slot { return &s.load_balancer.https_port; }, 1, 65'535),
      text(
          "load_balancer.certificate_arn", "With it HTTPS serves and HTTP redirects.",
          [](S& s) -> Slot { return &s.load_balancer.certificate_arn; },
          "(arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+)?", "a certificate's ARN, or nothing"),
      text(
          "load_balancer.host_name", "What viewers call the tier, and what the certificate is for.",
          [](S& s) -> Slot { return &s.load_balancer.host_name; },
          "([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?([.][a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+)?",
          "a name such as www.example.org, or nothing"),
      text(
          "load_balancer.ssl_policy", "", [](S& s) -> Slot { return &s.load_balancer.ssl_policy; },
          "ELBSecurityPolicy-[A-Za-z0-9-]{1,64}", "a policy such as ELBSecurityPolicy-TLS13-1-2-2021-06"),
      text(
          "load_balancer.allowed_cidrs", "Who may connect.",
          [](S& s) -> Slot { return &s.load_balancer.allowed_cidrs; },
          "[0-9]{1,3}([.][0-9]{1,3}){3}/([0-9]|[12][0-9]|3[0-2])", "IPv4 blocks such as 0.0.0.0/0"),
      seconds(
          "load_balancer.idle_timeout", "Shorter than the application keeps idle connections.",
          [](S& s) -> Slot { return &s.load_balancer.idle_timeout; }, 1, 4000),
      seconds(
          "load_balancer.client_keep_alive", "", [](S& s) -> Slot { return &s.load_balancer.client_keep_alive; }, 60,
          604'800),
      choice("load_balancer.desync_mitigation_mode", "",
             [](S& s) -> Slot { return &s.load_balancer.desync_mitigation_mode; },
             {"monitor", "defensive", "strictest"}),
      boolean("load_balancer.deletion_protection", "",
              [](S& s) -> Slot { return &s.load_balancer.deletion_protection; }),
      text(
          "load_balancer.access_log_bucket", "Empty: no access logs.",
          [](S& s) -> Slot { return &s.load_balancer.access_log_bucket; }, "([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?",
          "a bucket's name, or nothing"),
      seconds(
          "target_group.deregistration_delay", "How long a leaving instance may finish its requests.",
          [](S& s) -> Slot { return &s.target_group.deregistration_delay; }, 0, 3600),
      seconds(
          "target_group.slow_start", "0s, or 30s to 15m.", [](S& s) -> Slot { return &s.target_group.slow_start; }, 0,
          900),
      seconds(
          "target_group.health_check.interval", "", [](S& s) -> Slot { return &s.target_group.health_check.interval; },
          5, 300),
      seconds(
          "target_group.health_check.timeout", "Less than the interval.",
          [](S& s) -> Slot { return &s.target_group.health_check.timeout; }, 2, 120),
      number(
          "target_group.health_check.healthy_threshold", "Passes of one that was unhealthy; a new one needs one.",
          [](S& s) -> Slot { return &s.target_group.health_check.healthy_threshold; }, 2, 10),
      number(
          "target_group.health_check.unhealthy_threshold", "Failures in a row.",
          [](S& s) -> Slot { return &s.target_group.health_check.unhealthy_threshold; }, 2, 10),
      text(
          "target_group.health_check.matcher", "Status codes that pass.",
          [](S& s) -> Slot { return &s.target_group.health_check.matcher; }, "[2-4][0-9]{2}([,-][2-4][0-9]{2}){0,9}",
          "codes from 200 to 499, such as 200, 200,202 or 200-299"),
  };
}

std::vector<Field> release_fields() {
  return {
      text(
          "bake.base_image_parameter", "A public parameter with the base image; {architecture} is replaced.",
          [](S& s) -> Slot { return &s.bake.base_image_parameter; }, "/[A-Za-z0-9_./{}-]{1,511}", "a parameter's path"),
      text(
          "bake.instance_type", "That an image is made on.", [](S& s) -> Slot { return &s.bake.instance_type; },
          "[a-z][a-z0-9-]{1,15}[.][a-z0-9-]{2,16}", "a type such as t3.small"),
      seconds(
          "bake.connect_timeout", "Until the instance can be reached.",
          [](S& s) -> Slot { return &s.bake.connect_timeout; }, 10, kSecondsOfAnHour),
      text(
          "bake.cloudwatch_agent_version", "This one; 1.300070 was the first to read the journal.",
          [](S& s) -> Slot { return &s.bake.cloudwatch_agent_version; }, "[0-9]{1,8}([.][0-9]{1,8}){2}b[0-9]{1,8}",
          "a version with its build, such as 1.300072.0b1766"),
      seconds(
          "bake.deprecate_after", "From then on an image is marked as deprecated.",
          [](S& s) -> Slot { return &s.bake.deprecate_after; }, kSecondsOfAnHour, 3650 * kSecondsOfADay),
      seconds(
          "release.deadline", "A rollout that takes longer is rolled back.",
          [](S& s) -> Slot { return &s.release.deadline; }, 60, 6 * kSecondsOfAnHour),
      seconds(
          "release.poll_interval", "Between two looks at the rollout.",
          [](S& s) -> Slot { return &s.release.poll_interval; }, 1, 60),
      seconds(
          "release.bake_time", "How long the alarms are watched after the last replacement.",
          [](S& s) -> Slot { return &s.release.bake_time; }, 0, 2 * kSecondsOfADay),
      seconds(
          "release.patience", "For so long an AWS that does not answer is asked again.",
          [](S& s) -> Slot { return &s.release.patience; }, 1, kSecondsOfAnHour),
      seconds(
          "release.lock_timeout", "A lock that was not renewed for so long was left behind.",
          [](S& s) -> Slot { return &s.release.lock_timeout; }, kLeastLock, kSecondsOfAnHour),
      number(
          "release.keep_versions", "Launch-template versions, the newest.",
          [](S& s) -> Slot { return &s.release.keep_versions; }, 2, 1000),
      number(
          "release.keep_images", "Images, the newest: so many releases can be gone back to.",
          [](S& s) -> Slot { return &s.release.keep_images; }, 2, 1000),
      number(
          "verification.consecutive_answers", "Good answers in a row.",
          [](S& s) -> Slot { return &s.verification.consecutive_answers; }, 1, 10'000),
      number(
          "verification.minimum_instances", "That they must come from.",
          [](S& s) -> Slot { return &s.verification.minimum_instances; }, 1, 500),
      milliseconds(
          "verification.question_interval", "", [](S& s) -> Slot { return &s.verification.question_interval; }, 10,
          60'000),
      milliseconds(
          "verification.answer_timeout", "", [](S& s) -> Slot { return &s.verification.answer_timeout; }, 100, 60'000),
      seconds(
          "verification.deadline", "Without enough good answers by then the release has failed.",
          [](S& s) -> Slot { return &s.verification.deadline; }, 1, kSecondsOfAnHour),
      milliseconds(
          "probe.interval", "Between two questions during a rollout.", [](S& s) -> Slot { return &s.probe.interval; },
          20, 60'000),
      milliseconds(
          "probe.answer_timeout", "", [](S& s) -> Slot { return &s.probe.answer_timeout; }, 100, 60'000),
      number(
          "probe.allowed_failures", "More than these roll a release back.",
          [](S& s) -> Slot { return &s.probe.allowed_failures; }, 0, 100'000),
  };
}

std::vector<Field> observation_fields() {
  return {
      seconds(
          "alarms.period", "Whole minutes.", [](S& s) -> Slot { return &s.alarms.period; }, 60, 3600),
      number(
          "alarms.evaluation_periods", "", [](S& s) -> Slot { return &s.alarms.evaluation_periods; }, 1, 60),
      number(
          "alarms.datapoints", "Of these periods that must be over the threshold.",
          [](S& s) -> Slot { return &s.alarms.datapoints; }, 1, 60),
      number(
          "alarms.target_5xx_count", "5xx answers of the application in a period.",
          [](S& s) -> Slot { return &s.alarms.target_5xx_count; }, 1, 1'000'000),
      number(
          "alarms.load_balancer_5xx_count", "5xx answers of the load balancer in a period.",
          [](S& s) -> Slot { return &s.alarms.load_balancer_5xx_count; }, 1, 1'000'000),
      milliseconds(
          "alarms.response_time_p99", "", [](S& s) -> Slot { return &s.alarms.response_time_p99; }, 10, 60'000),
      number(
          "alarms.rejected_connections", "", [](S& s) -> Slot { return &s.alarms.rejected_connections; }, 1, 1'000'000),
      number(
          "alarms.unhealthy_hosts", "", [](S& s) -> Slot { return &s.alarms.unhealthy_hosts; }, 1, 500),
      number(
          "alarms.unhealthy_evaluation_periods", "",
          [](S& s) -> Slot { return &s.alarms.unhealthy_evaluation_periods; }, 1, 60),
      number(
          "alarms.unhealthy_datapoints", "", [](S& s) -> Slot { return &s.alarms.unhealthy_datapoints; }, 1, 60),
      number(
          "alarms.logged_errors", "Lines in a period that logs.error_pattern matches.",
          [](S& s) -> Slot { return &s.alarms.logged_errors; }, 1, 1'000'000),
      text(
          "alarms.topic_arns", "Who is told.", [](S& s) -> Slot { return &s.alarms.topic_arns; },
          "arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}", "ARNs of SNS topics"),
      number(
          "logs.retention_days", "One of CloudWatch's steps.", [](S& s) -> Slot { return &s.logs.retention_days; }, 1,
          3653),
      text(
          "logs.kms_key_arn", "Empty: the service's own key.", [](S& s) -> Slot { return &s.logs.kms_key_arn; },
          "(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)?", "a key's ARN, or nothing"),
      text(
          "logs.error_pattern", "CloudWatch's filter pattern of lines that are errors. Empty: none are counted.",
          [](S& s) -> Slot { return &s.logs.error_pattern; }, "[ -~]{0,256}",
          "a filter pattern on one line, or nothing"),
      text(
          "artifacts.bucket", "Of the fast lane; {account} is replaced.",
          [](S& s) -> Slot { return &s.artifacts.bucket; }, kBucketName, "a bucket's name, {account} in it or not"),
      text(
          "artifacts.prefix", "", [](S& s) -> Slot { return &s.artifacts.prefix; }, "[a-z0-9][a-z0-9/_-]{0,127}",
          "a prefix without a slash at its ends"),
      seconds(
          "artifacts.expire_after", "Whole days.", [](S& s) -> Slot { return &s.artifacts.expire_after; },
          kSecondsOfADay, 3650 * kSecondsOfADay),
  };
}

std::vector<Field> ci_fields() {
  return {
      text(
          "ci.repository", "Empty: no roles for CI.", [](S& s) -> Slot { return &s.ci.repository; },
          "([A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100})?", "ORG/NAME, or nothing"),
      choice("ci.oidc_provider", "GitHub's identity provider; an account has one, whatever the number of environments.",
             [](S& s) -> Slot { return &s.ci.oidc_provider; }, {"create", "existing"}),
      text(
          "ci.subject_prefix", "What the token's sub claim begins with; {repository} is replaced.",
          [](S& s) -> Slot { return &s.ci.subject_prefix; }, "repo:[A-Za-z0-9_./{}@-]{1,250}", "repo:{repository}"),
      text(
          "ci.branch", "Whose builds may bake.", [](S& s) -> Slot { return &s.ci.branch; },
          "[A-Za-z0-9][A-Za-z0-9._/-]{0,127}", "a branch such as main"),
      text(
          "ci.github_environment", "Whose jobs may release.", [](S& s) -> Slot { return &s.ci.github_environment; },
          "[A-Za-z0-9_-]{1,64}", "an environment's name"),
      text(
          "ci.plan_role", "Reads.", [](S& s) -> Slot { return &s.ci.plan_role; }, kRoleName, "a role's name"),
      text(
          "ci.apply_role", "Changes the shape.", [](S& s) -> Slot { return &s.ci.apply_role; }, kRoleName,
          "a role's name"),
      text(
          "ci.bake_role", "Makes images.", [](S& s) -> Slot { return &s.ci.bake_role; }, kRoleName, "a role's name"),
      text(
          "ci.deploy_role", "Releases.", [](S& s) -> Slot { return &s.ci.deploy_role; }, kRoleName, "a role's name"),
      seconds(
          "ci.role_session", "", [](S& s) -> Slot { return &s.ci.role_session; }, kSecondsOfAnHour,
          12 * kSecondsOfAnHour),
      text(
          "ci.state_bucket", "Of Terraform's state; {account} is replaced.",
          [](S& s) -> Slot { return &s.ci.state_bucket; }, kBucketName, "a bucket's name, {account} in it or not"),
      text(
          "ci.state_key", "", [](S& s) -> Slot { return &s.ci.state_key; }, "[A-Za-z0-9][A-Za-z0-9._/-]{0,255}",
          "an object's key"),
      seconds(
          "ci.release_timeout", "Of the whole job, a rollback included.",
          [](S& s) -> Slot { return &s.ci.release_timeout; }, 5 * kSecondsOfAMinute, 12 * kSecondsOfAnHour),
      text(
          "ci.game_day_schedule", "As cron writes it, in UTC.", [](S& s) -> Slot { return &s.ci.game_day_schedule; },
          "[0-9*/,-]{1,20}( [0-9*/,-]{1,20}){4}", "five fields such as 17 5 * * 1"),
      text(
          "simulator.listen", "The front on a laptop.", [](S& s) -> Slot { return &s.simulator.listen; },
          "[0-9a-fA-F.:\\[\\]]{3,45}:[0-9]{1,5}", "an address with a port, such as 127.0.0.1:8080"),
      choice("simulator.ground", "", [](S& s) -> Slot { return &s.simulator.ground; }, {"auto", "namespaces", "plain"}),
      number(
          "simulator.speed", "Divides what the control plane waits for.",
          [](S& s) -> Slot { return &s.simulator.speed; }, 1, 1000),
  };
}

std::string show_milliseconds(long milliseconds) { return format_duration(std::chrono::milliseconds(milliseconds)); }

}  // namespace

const std::vector<Field>& fields() {
  static const std::vector<Field> all = [] {
    std::vector<Field> list;
    for (auto part : {application_fields(), place_fields(), balancer_fields(), release_fields(), observation_fields(),
                      ci_fields()}) {
      list.insert(list.end(), part.begin(), part.end());
    }
    return list;
  }();
  return all;
}

std::vector<std::string> parts_below(std::string_view prefix) {
  std::vector<std::string> parts;
  for (const Field& field : fields()) {
    if (!std::string_view(field.key).starts_with(prefix)) continue;
    const std::string rest = field.key.substr(prefix.size());
    std::string part = rest.substr(0, rest.find('.'));
    if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(std::move(part));
  }
  return parts;
}

const Field* find_field(std::string_view key) {
  const auto found = std::find_if(fields().begin(), fields().end(), [&](const Field& one) { return one.key == key; });
  return found == fields().end() ? nullptr : &*found;
}

std::string right_of(const Field& field) {
  if (!field.choices.empty()) return fmt::format("one of {}", fmt::join(field.choices, ", "));
  if (!field.right.empty()) return field.right;
  Settings settings;
  const Slot slot = field.slot(settings);
  if (std::holds_alternative<bool*>(slot)) return "true or false";
  if (std::holds_alternative<int*>(slot)) return fmt::format("{} to {}", field.least, field.most);
  return fmt::format("{} to {}{}", show_milliseconds(field.least), show_milliseconds(field.most),
                     field.whole_seconds ? ", in whole seconds" : "");
}

Slot slot_of(const Field& field, const Settings& settings) { return field.slot(const_cast<Settings&>(settings)); }

}  // namespace rr::deploy
