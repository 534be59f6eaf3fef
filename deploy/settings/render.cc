#include "deploy/settings/render.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "deploy/settings/fields.h"
#include "deploy/settings/partition.h"

namespace rr::deploy {
namespace {

using Json = nlohmann::ordered_json;

/// A number of seconds: whole where it is, so that 5 does not become 5.0.
Json seconds_of(Duration span) {
  if (span % kSecond == Duration::zero()) return span / kSecond;
  return to_seconds(span);
}

/// The side that sends must be the one that gives up an idle connection first, or a request meets its end.
constexpr Duration kLongerThanTheLoadBalancer = std::chrono::seconds(15);  // not a setting: a margin

std::string packer_time(Duration span) { return fmt::format("{}s", span / kSecond); }

struct ValueJson {
  Json operator()(const std::string* value) const { return *value; }
  Json operator()(const int* value) const { return *value; }
  Json operator()(const Duration* value) const { return seconds_of(*value); }
  Json operator()(const bool* value) const { return *value; }
  Json operator()(const std::vector<std::string>* value) const { return *value; }
};

Json section_json(const Settings& settings, const std::string& prefix) {
  Json out = Json::object();
  for (const std::string& part : parts_below(prefix)) {
    const Field* field = find_field(prefix + part);
    out[part] = field == nullptr ? section_json(settings, prefix + part + ".")
                                 : std::visit(ValueJson{}, slot_of(*field, settings));
  }
  return out;
}

std::string replaced(std::string text, std::string_view what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

std::string start_command(const Settings& s) {
  return replaced(s.application.start_command, "{port}", std::to_string(s.application.port));
}

/// An image is made where its instances will run: what they reach, the bake reaches.
std::string bake_subnet(const AwsSettings& aws) {
  const auto& subnets = aws.instance_subnet_ids.empty() ? aws.subnet_ids : aws.instance_subnet_ids;
  return subnets.empty() ? "" : subnets.front();
}

/// For systemd's EnvironmentFile: within double quotes only these four have a meaning.
std::string environment_quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '$' || c == '`') out += '\\';
    out += c;
  }
  return out + '"';
}

/// YAML takes JSON's strings as they are.
std::string yaml_quoted(const std::string& text) { return Json(text).dump(); }

/// Its name alone where the account is not known.
std::string ci_role(const Settings& s, const std::string& role) {
  return s.aws.account.empty() ? role : role_arn(s.aws.region, s.aws.account, role);
}

/// The blocks of AWS's default VPC: 172.31.0.0/20 and on; the simulator's zones begin with the second.
std::string simulator_zones(const AwsSettings& aws) {
  std::string out = "zones:\n";
  for (int i = 0; i < aws.zones; ++i) {
    out += fmt::format("  {}{}: 172.31.{}.0/20\n", aws.region, static_cast<char>('a' + i), 16 * (i + 1));
  }
  return out;
}

std::string simulator_application(const Settings& s) {
  const bool is_ours = s.application.folder.empty();
  std::string out = "app:\n";
  if (!is_ours) {
    out += fmt::format("  command: {}\n  folder: {}\n", yaml_quoted(s.application.start_command),
                       yaml_quoted(s.application.folder));
  }
  return out + fmt::format("  version_from: {}\n", yaml_quoted(s.application.version_from));
}

std::string simulator_balancer(const Settings& s) {
  const HealthCheckSettings& check = s.target_group.health_check;
  return fmt::format(
      "load_balancer:\n  name: {0}\n  port: {1}\n  idle_timeout: {2}\n  client_keep_alive: {3}\n"
      "target_group:\n  name: {0}\n  port: {4}\n  deregistration_delay: {5}\n  health_check:\n    path: {6}\n"
      "    interval: {7}\n    timeout: {8}\n    healthy_threshold: {9}\n    unhealthy_threshold: {10}\n    matcher: "
      "{11}\n",
      names_of(s).tier, s.load_balancer.http_port, format_duration(s.load_balancer.idle_timeout),
      format_duration(s.load_balancer.client_keep_alive), s.application.port,
      format_duration(s.target_group.deregistration_delay), yaml_quoted(s.application.health_check_path),
      format_duration(check.interval), format_duration(check.timeout), check.healthy_threshold,
      check.unhealthy_threshold, yaml_quoted(check.matcher));
}

std::string simulator_group(const Settings& s) {
  const AutoScalingGroupSettings& group = s.auto_scaling_group;
  return fmt::format(
      "auto_scaling_group:\n  name: {}\n  min_size: {}\n  max_size: {}\n  desired_capacity: {}\n"
      "  health_check_type: ELB\n  health_check_grace_period: {}\n  default_instance_warmup: {}\n"
      "  instance_maintenance_policy: {}-{}\n  termination_policies: [{}]\n",
      names_of(s).tier, group.min_size, group.max_size, group.desired_capacity,
      format_duration(group.health_check_grace_period), format_duration(group.default_instance_warmup),
      group.min_healthy_percentage, group.max_healthy_percentage, fmt::join(group.termination_policies, ", "));
}

}  // namespace

std::string_view to_string(Receiver receiver) {
  switch (receiver) {
    case Receiver::kTerraform:
      return "terraform";
    case Receiver::kPacker:
      return "packer";
    case Receiver::kUnit:
      return "unit";
    case Receiver::kSimulator:
      return "sim";
    case Receiver::kCi:
      return "ci";
  }
  return "";
}

std::optional<Receiver> parse_receiver(std::string_view text) {
  for (const Receiver one :
       {Receiver::kTerraform, Receiver::kPacker, Receiver::kUnit, Receiver::kSimulator, Receiver::kCi}) {
    if (to_string(one) == text) return one;
  }
  return std::nullopt;
}

std::string render(const Settings& settings, Receiver receiver) {
  switch (receiver) {
    case Receiver::kTerraform:
      return render_terraform(settings);
    case Receiver::kPacker:
      return render_packer(settings);
    case Receiver::kUnit:
      return render_unit(settings);
    case Receiver::kSimulator:
      return render_simulator(settings);
    case Receiver::kCi:
      return render_ci(settings);
  }
  return "";
}

std::string render_terraform(const Settings& settings) {
  Json out = section_json(settings, "");
  for (const auto& [word, name] : listed(names_of(settings))) out["names"][word] = name;
  return out.dump(2) + "\n";
}

std::string render_packer(const Settings& s) {
  const Names names = names_of(s);
  const Json out = {
      {"name", s.name},
      {"environment", s.environment},
      {"tier", names.tier},
      {"region", s.aws.region},
      {"architecture", s.instance.architecture},
      {"base_image_parameter", replaced(s.bake.base_image_parameter, "{architecture}", s.instance.architecture)},
      {"instance_type", s.bake.instance_type},
      {"instance_profile", names.bake_profile},
      {"root_volume_size", s.instance.root_volume_size},
      {"connect_timeout", packer_time(s.bake.connect_timeout)},
      {"deprecate_after", packer_time(s.bake.deprecate_after)},
      {"cloudwatch_agent_version", s.bake.cloudwatch_agent_version},
      {"log_group", names.log_group},
      {"app_name", s.application.name},
      {"app_folder", s.application.folder},
      {"start_command", start_command(s)},
      {"port", s.application.port},
      {"health_check_path", s.application.health_check_path},
      {"version_from", s.application.version_from},
      {"runtime_packages", s.application.runtime_packages},
      {"start_seconds", s.auto_scaling_group.health_check_grace_period / kSecond},
      {"answer_seconds", s.target_group.health_check.timeout / kSecond},
      {"unit_notify", s.unit.notify},
      {"unit_watchdog", packer_time(s.unit.watchdog)},
      {"unit_restart_delay", packer_time(s.unit.restart_delay)},
      {"unit_stop_timeout", packer_time(s.unit.stop_timeout)},
      {"unit_open_files", s.unit.open_files},
      {"unit_write_execute_memory", s.unit.write_execute_memory},
      {"vpc_id", s.aws.vpc_id},
      {"subnet_id", bake_subnet(s.aws)},
      {"public_ip", s.instance.public_ip},
  };
  return out.dump(2) + "\n";
}

std::string render_unit(const Settings& s) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    out += fmt::format("{}={}\n", name, environment_quoted(value));
  };
  line("HOST", "0.0.0.0");
  line("PORT", std::to_string(s.application.port));
  line("KEEP_ALIVE_TIMEOUT", std::to_string((s.load_balancer.idle_timeout + kLongerThanTheLoadBalancer) / kSecond));
  line("APP_NAME", s.application.name);
  line("APP_ENVIRONMENT", s.environment);
  line("APP_HEALTH_CHECK_PATH", s.application.health_check_path);
  line("APP_VERSION_FROM", s.application.version_from);
  line("APP_START_COMMAND", start_command(s));
  return out;
}

std::string render_simulator(const Settings& s) {
  return fmt::format("listen: {}\nground: {}\nspeed: {}\n", yaml_quoted(s.simulator.listen), s.simulator.ground,
                     s.simulator.speed) +
         simulator_application(s) + fmt::format("region:\n  name: {}\n", s.aws.region) + simulator_zones(s.aws) +
         simulator_balancer(s) + simulator_group(s);
}

std::string render_ci(const Settings& s) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    out += fmt::format("{}={}\n", name, value);
  };
  line("AWS_REGION", s.aws.region);
  line("RR_ENVIRONMENT", s.environment);
  line("RR_TIER", names_of(s).tier);
  line("RR_BRANCH", s.ci.branch);
  line("RR_GITHUB_ENVIRONMENT", s.ci.github_environment);
  line("RR_PLAN_ROLE", ci_role(s, s.ci.plan_role));
  line("RR_APPLY_ROLE", ci_role(s, s.ci.apply_role));
  line("RR_BAKE_ROLE", ci_role(s, s.ci.bake_role));
  line("RR_DEPLOY_ROLE", ci_role(s, s.ci.deploy_role));
  line("RR_ROLE_SESSION_SECONDS", std::to_string(s.ci.role_session / kSecond));
  line("RR_STATE_BUCKET", s.ci.state_bucket);
  line("RR_STATE_KEY", s.ci.state_key);
  line("RR_ARTIFACT_BUCKET", s.artifacts.bucket);
  line("RR_RELEASE_TIMEOUT_MINUTES", std::to_string(s.ci.release_timeout / std::chrono::minutes(1)));
  line("RR_GAME_DAY_SCHEDULE", s.ci.game_day_schedule);
  return out;
}

}  // namespace rr::deploy
