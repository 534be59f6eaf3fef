#include "sim/scenario/settings.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "sim/scenario/setting_table.h"

namespace rr::sim {
namespace {

// A list or the map of zones as the one-line text that fields read.
std::string flat(const YAML::Node& node) {
  if (node.IsScalar()) return node.Scalar();
  std::string out;
  if (node.IsSequence()) {
    for (const auto& item : node) out += (out.empty() ? "" : ", ") + flat(item);
  } else if (node.IsMap()) {
    for (const auto& item : node) out += (out.empty() ? "" : ", ") + item.first.Scalar() + ": " + flat(item.second);
  }
  return out;
}

// Takes one setting of a file; `where` is "tier.yaml:7: speed".
using TakeSetting =
    std::function<Status(const SettingField& field, const std::string& value, const std::string& where)>;

// All settings of a map and of the maps within it, in their order, until one is refused. `prefix`: "", or "region.".
Status walk(const YAML::Node& map, const std::string& prefix, const std::string& file, const TakeSetting& take) {
  std::set<std::string> seen;
  for (const auto& item : map) {
    const std::string part = item.first.IsScalar() ? item.first.Scalar() : "?";
    const std::string key = prefix + part;
    const std::string where = fmt::format("{}:{}: {}", file, item.first.Mark().line + 1, key);
    if (!seen.insert(part).second) return Error{where + ": is there twice; once is right"};
    const SettingField* field = find_field(key);
    if (field == nullptr && !is_section(key)) {
      return Error{fmt::format("{}: is no setting{}; known {}: {}", where, prefix.empty() ? "" : " there",
                               prefix.empty() ? "are" : "there are", known_keys(prefix))};
    }
    if (field == nullptr && !item.second.IsMap()) {
      return Error{fmt::format("{}: keys below it are right: {}", where, known_keys(key + "."))};
    }
    const Status status =
        field == nullptr ? walk(item.second, key + ".", file, take) : take(*field, flat(item.second), where);
    if (!status) return status;
  }
  return Ok{};
}

// Which key a field of validate() was set by.
std::string key_of_setting(const TierSettings& settings, const std::string& field) {
  const std::string group = fmt::format("target_groups[{}].", settings.target_group().name);
  if (field.rfind(group, 0) == 0) return "target_group." + field.substr(group.size());
  return "load_balancer." + field;
}

struct Broken {
  std::string key;
  std::string message;  // "VALUE: what would be right"
};

std::optional<Broken> check_whole(const TierSettings& s) {
  const auto capacity = [&](const char* key, int value, const std::string& right) {
    return Broken{std::string("auto_scaling_group.") + key, fmt::format("{}: {}", value, right)};
  };
  if (s.group.max_size < s.group.min_size) {
    return capacity("max_size", s.group.max_size, fmt::format("min_size ({}) or more is right", s.group.min_size));
  }
  if (s.desired_capacity < s.group.min_size || s.desired_capacity > s.group.max_size) {
    return capacity("desired_capacity", s.desired_capacity,
                    fmt::format("min_size ({}) to max_size ({}) is right", s.group.min_size, s.group.max_size));
  }
  for (const SettingError& error : validate(s.region.load_balancer)) {
    const std::string key = key_of_setting(s, error.field);
    std::string message = error.message;
    if (message.rfind(error.field + ": ", 0) == 0) message = message.substr(error.field.size() + 2);
    return Broken{key, message};
  }
  return std::nullopt;
}

std::string quoted(const std::string& value) {
  const bool clean = !value.empty() && value.find_first_of("\"'#:{}[],&*!|>%@`\\ ") == std::string::npos;
  if (clean) return value;
  if (value.find('\'') == std::string::npos) return "'" + value + "'";
  std::string out;
  for (const char c : value) out += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return "\"" + out + "\"";
}

}  // namespace

TierSettings::TierSettings() {
  region.zones = {Zone{ZoneName{"eu-west-1a"}, Address::v4(172, 31, 16, 0, 0), 20, 10},
                  Zone{ZoneName{"eu-west-1b"}, Address::v4(172, 31, 32, 0, 0), 20, 10}};
  TargetGroupSettings targets;
  targets.name = "web";
  targets.deregistration_delay = std::chrono::seconds(30);
  targets.health_check.path = "/healthz";
  targets.health_check.interval = std::chrono::seconds(10);
  ListenerSettings listener;
  listener.default_action = ForwardAction{{ForwardTarget{targets.name, 1}}};
  region.load_balancer.listeners = {listener};
  // What a packet takes within a zone and across, by order of magnitude; AWS gives no figures.
  region.load_balancer.network_delay_same_zone = std::chrono::microseconds(500);
  region.load_balancer.network_delay_cross_zone = std::chrono::milliseconds(1);
  region.load_balancer.target_groups = {targets};
  region.load_balancer.zonal_shift_enabled = true;  // AWS's default is false: here nothing is at stake
}

Status SettingsReader::read_file(const std::string& file) {
  std::ifstream stream(file);
  if (!stream)
    return Error{fmt::format("--settings {}: cannot be read; `rr-sim settings` prints one to begin with", file)};
  std::stringstream text;
  text << stream.rdbuf();
  return read_text(text.str(), file);
}

Status SettingsReader::read_text(const std::string& text, const std::string& file) {
  YAML::Node root;
  try {
    root = YAML::Load(text);
  } catch (const YAML::Exception& error) {
    return Error{fmt::format("{}:{}: this is not YAML: {}", file, error.mark.line + 1, error.msg)};
  }
  if (root.IsNull()) return Ok{};
  if (!root.IsMap())
    return Error{fmt::format("{}:1: keys with values are right, as `rr-sim settings` prints them", file)};

  return walk(root, "", file, [&](const SettingField& field, const std::string& value, const std::string& where) {
    if (flags_.count(field.key) != 0) return Status(Ok{});
    if (Wrong wrong = field.read(settings_, value))
      return Status(Error{fmt::format("{}: {}: {}", where, value, *wrong)});
    origin_[field.key] = where;
    return Status(Ok{});
  });
}

Status SettingsReader::set(std::string_view key, const std::string& value, const std::string& said_as) {
  const SettingField* field = find_field(key);
  RR_CHECK(field != nullptr, "a flag that sets no field");
  if (Wrong wrong = field->read(settings_, value)) return Error{fmt::format("{} {}: {}", said_as, value, *wrong)};
  const std::string name_of_key(key);
  origin_[name_of_key] = said_as;
  flags_[name_of_key] = value;
  return Ok{};
}

Status SettingsReader::set_by_name(const std::string& key, const std::string& value) {
  if (find_field(key) != nullptr) return set(key, value, "--set " + key);
  return Error{fmt::format("--set {}: is no setting; `rr-sim settings` prints them all", key)};
}

Result<TierSettings> SettingsReader::finish() const {
  TierSettings whole = settings_;
  whole.region.own_program = !whole.app.empty();
  // A program of the user's need not know our paths: it is checked at / as the ALB does, and asked for no commit.
  if (whole.region.own_program && origin_.count("target_group.health_check.path") == 0) {
    whole.target_group().health_check.path = "/";
  }
  if (whole.region.own_program && origin_.count("app.version_from") == 0) {
    whole.version_from = VersionFrom{VersionFrom::Kind::kNone, ""};
  }
  // The group and the listener name the target group; the group spreads over all zones.
  whole.region.load_balancer.listeners.front().default_action =
      ForwardAction{{ForwardTarget{whole.target_group().name, 1}}};
  whole.group.target_groups = {whole.target_group().name};
  // A zone must not stay in DNS for longer than its node tells healthy targets from others.
  whole.target_group().dns_failover.count = whole.target_group().unhealthy_state_routing.count;
  whole.group.launch_template.template_name = whole.group.name;
  whole.group.launch_template.version = "$Default";
  whole.group.zones.clear();
  for (const Zone& zone : whole.region.zones) whole.group.zones.push_back(zone.name);
  if (const auto broken = check_whole(whole)) {
    const auto origin = origin_.find(broken->key);
    const bool by_flag = flags_.count(broken->key) != 0;
    const std::string where = origin == origin_.end() ? broken->key : origin->second;
    return Error{fmt::format("{}{}{}", where, by_flag ? " " : ": ", broken->message)};
  }
  return whole;
}

std::string write_settings(const TierSettings& settings) {
  std::string out =
      "# A tier of rr-sim: every setting with its value. Times are AWS's own; speed divides those that\n"
      "# the control plane waits for. A flag wins over this file.\n";
  std::vector<std::string> open;  // sections we are in
  for (const SettingField& field : setting_fields()) {
    std::vector<std::string> parts;
    std::stringstream stream(field.key);
    for (std::string part; std::getline(stream, part, '.');) parts.push_back(part);
    std::size_t same = 0;
    while (same < open.size() && same + 1 < parts.size() && open[same] == parts[same]) ++same;
    open.resize(same);
    if (same == 0 && (parts.size() > 1 || field.key == "zones")) out += "\n";
    for (std::size_t i = same; i + 1 < parts.size(); ++i) {
      out += fmt::format("{}{}:\n", std::string(2 * i, ' '), parts[i]);
      open.push_back(parts[i]);
    }
    const std::string indent(2 * (parts.size() - 1), ' ');
    const std::string value = field.show(settings);
    if (!field.comment.empty()) out += fmt::format("{}# {}\n", indent, field.comment);
    out += fmt::format("{}{}:{}{}\n", indent, parts.back(), field.raw && value.front() == '\n' ? "" : " ",
                       field.raw ? value : quoted(value));
  }
  return out;
}

}  // namespace rr::sim
