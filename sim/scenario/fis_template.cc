#include "sim/scenario/fis_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "lb/document/map_reader.h"

namespace rr::sim {

namespace {

using Json = nlohmann::ordered_json;

// FIS takes a minute to twelve hours.
constexpr Duration kLeastDuration = std::chrono::minutes(1);
constexpr Duration kMostDuration = std::chrono::hours(12);
constexpr Duration kUnsaidDuration = std::chrono::minutes(10);
constexpr std::size_t kMostActions = 20;  // of a template
constexpr std::string_view kRolePlaceholder = "arn:aws:iam::111122223333:role/fis";

/// "eu-west-1b": a region's name with a letter behind it.
bool looks_like_zone(std::string_view text) {
  const std::size_t digit = text.size() < 2 ? 0 : text.size() - 2;
  return text.size() > 4 && text[digit] >= '0' && text[digit] <= '9' && text.back() >= 'a' && text.back() <= 'z' &&
         text[digit - 1] == '-' && text.find('-') == 2;
}

FaultTarget target_of(const std::string& text) {
  if (text == kControlPlaneName) return {FaultTargetKind::kControlPlane, ""};
  if (text.find('/') != std::string::npos) return {FaultTargetKind::kLink, text};
  if (text.starts_with("lb-")) return {FaultTargetKind::kNode, text};
  if (looks_like_zone(text)) return {FaultTargetKind::kZone, text};
  return {FaultTargetKind::kInstance, text};
}

std::string region_of(const std::string& zone) { return zone.substr(0, zone.size() - 1); }

void read_step(MapReader& map, FaultStep& step) {
  std::string kind, target, amount;
  Duration lasts{};
  map.duration("at", step.at);
  map.text("fault", kind);
  map.text("target", target);
  map.text("amount", amount);
  map.duration("for", lasts);
  if (lasts > Duration{}) step.fault.lasts = lasts;
  step.fault.target = target_of(target);
  step.zonal_shift = kind == "zonal-shift";
  if (target.empty()) map.complain(map.key_path("target"), map.document(), "is missing");
  if (step.zonal_shift) {
    if (step.fault.target.kind != FaultTargetKind::kZone)
      map.complain(map.key_path("target"), map.document(), "a zone is right");
    return;
  }
  const FaultKindRow* row = find_fault_kind(kind);
  if (row == nullptr) {
    return map.complain(map.key_path("fault"), map.document(),
                        fmt::format("'{}': zonal-shift is right, or a kind that `rr-sim fault --help` lists", kind));
  }
  step.fault.kind = row->kind;
  const auto read = parse_amount(*row, amount);
  if (!read) return map.complain(map.key_path("amount"), map.document(), read.error().message);
  step.fault.amount = *read;
  if (Status possible = check_fault(step.fault, FaultGround::kVirtual, false); !possible) {
    map.complain(map.key_path("fault"), map.document(), possible.error().message);
  }
}

/// Writes the template step by step.
class Writer {
 public:
  explicit Writer(const FisSettings& settings) : settings_(settings) {}

  void add(const FaultStep& step) {
    at_ = step.at;
    what_ = step.zonal_shift ? "zonal-shift" : std::string(fault_row(step.fault.kind).name);
    target_ = step.fault.target.describe();
    if (step.zonal_shift) return add_shift(step.fault);
    if (step.fault.target.kind != FaultTargetKind::kZone && step.fault.target.kind != FaultTargetKind::kInstance) {
      return warn("FIS reaches no node of a load balancer, no single link and no control plane: left out");
    }
    add_fault(step.fault);
  }

  FisTemplate finish() {
    const bool no_role = settings_.role_arn.empty();
    if (no_role) {
      warnings_.push_back(fmt::format("roleArn is a placeholder ({}): give --role", kRolePlaceholder));
    }
    if (actions_.size() > kMostActions) {
      warnings_.push_back(
          fmt::format("{} actions: FIS takes at most {} in one template", actions_.size(), kMostActions));
    }
    if (ssm_actions_ > 1) {
      warnings_.emplace_back("the AWSFIS-Run-Network documents cannot run in parallel on one instance");
    }
    const Json whole{
        {"description", "made by rr-sim export-fis"},
        {"targets", targets_},
        {"actions", actions_},
        {"stopConditions", Json::array({{{"source", "none"}}})},
        {"roleArn", no_role ? std::string(kRolePlaceholder) : settings_.role_arn},
        {"tags", {{settings_.tag_key, settings_.tag_value}}},
        {"experimentOptions", {{"accountTargeting", "single-account"}, {"emptyTargetResolutionMode", "fail"}}}};
    warnings_.emplace_back("stopConditions is none: name an alarm before it touches what matters");
    return {whole.dump(2) + "\n", std::move(warnings_), static_cast<int>(actions_.size())};
  }

 private:
  void add_shift(const Fault& fault) {
    const std::string balancer = target("load-balancers", "aws:arc:zonal-shift-managed-resource", "", "");
    add_action("aws:arc:start-zonal-autoshift",
               {{"availabilityZoneIdentifier", fault.target.name},
                {"duration", duration(fault)},
                {"managedResourceTypes", "ALB"},
                {"zonalAutoshiftStatus", "ANY"}},
               "ManagedResources", balancer);
  }

  void add_fault(const Fault& fault) {
    const bool zone = fault.target.kind == FaultTargetKind::kZone;
    switch (fault.kind) {
      case FaultKind::kPowerLoss:
        add_action("aws:ec2:stop-instances",
                   {{"startInstancesAfterDuration", duration(fault)}, {"completeIfInstancesTerminated", "true"}},
                   "Instances", instances(fault));
        add_capacity_error(fault);
        return warn("the load balancer's node in the zone is AWS's and runs on");
      case FaultKind::kLaunchesRefused:
        return add_capacity_error(fault);
      case FaultKind::kPartition:
        return add_action(
            "aws:network:disrupt-connectivity", {{"scope", "all"}, {"duration", duration(fault)}}, "Subnets",
            target("subnets-" + fault.target.name, "aws:ec2:subnet", "AvailabilityZone", fault.target.name));
      case FaultKind::kCrash:
        return add_action("aws:ec2:stop-instances", Json::object(), "Instances", instances(fault));
      case FaultKind::kLatency:
      case FaultKind::kJitter:
      case FaultKind::kLoss:
      case FaultKind::kBlackhole:
        return add_document(fault, zone);
      case FaultKind::kHang:
      case FaultKind::kSlow:
      case FaultKind::kErrorAnswers:
      case FaultKind::kHealthFailure:
      case FaultKind::kFlapping:
      case FaultKind::kNodeLoss:
      case FaultKind::kBootFailure:
      case FaultKind::kSlowBoot:
      case FaultKind::kReset:
      case FaultKind::kRefuse:
      case FaultKind::kGray:
      case FaultKind::kOutage:
        return warn("FIS has no such action: left out");
    }
  }

  void add_capacity_error(const Fault& fault) {
    add_action(
        "aws:ec2:asg-insufficient-instance-capacity-error",
        {{"duration", duration(fault)}, {"availabilityZoneIdentifiers", fault.target.name}, {"percentage", "100"}},
        "AutoScalingGroups", target("groups", "aws:ec2:autoscaling-group", "", ""));
  }

  // What a target sends is delayed or lost on its way out: egress.
  void add_document(const Fault& fault, bool zone) {
    const std::string milliseconds = std::to_string(std::lround(fault.amount * 1000));
    std::string document = "AWSFIS-Run-Network-Latency-Sources";
    Json parameters;
    if (fault.kind == FaultKind::kLatency) {
      parameters = {{"DelayMilliseconds", milliseconds}, {"JitterMilliseconds", "0"}};
    } else if (fault.kind == FaultKind::kJitter) {
      // tc spreads to both sides of the delay.
      const std::string half = std::to_string(std::lround(fault.amount * 500));
      parameters = {{"DelayMilliseconds", half}, {"JitterMilliseconds", half}};
    } else if (fault.kind == FaultKind::kLoss) {
      document = "AWSFIS-Run-Network-Packet-Loss-Sources";
      parameters = {{"LossPercent", std::to_string(std::lround(fault.amount))}};
    } else {
      document = "AWSFIS-Run-Network-Blackhole-Port";
      parameters = {{"Protocol", "tcp"}, {"Port", std::to_string(settings_.target_port)}, {"TrafficType", "ingress"}};
    }
    if (fault.kind != FaultKind::kBlackhole) {
      parameters["Sources"] = "ALL";
      parameters["TrafficType"] = "egress";
    }
    parameters["DurationSeconds"] = std::to_string(seconds(fault));
    parameters["InstallDependencies"] = "True";
    ++ssm_actions_;
    const std::string region = zone ? region_of(fault.target.name) : "eu-west-1";
    if (!zone) warn("the documentArn says eu-west-1: an instance's name does not tell its region");
    add_action("aws:ssm:send-command",
               {{"documentArn", fmt::format("arn:aws:ssm:{}::document/{}", region, document)},
                {"documentParameters", parameters.dump()},
                {"duration", duration(fault)}},
               "Instances", instances(fault));
  }

  std::string instances(const Fault& fault) {
    if (fault.target.kind == FaultTargetKind::kZone) {
      return target("instances-" + fault.target.name, "aws:ec2:instance", "Placement.AvailabilityZone",
                    fault.target.name);
    }
    warn("becomes one instance by chance: the simulator's instances are not AWS's");
    const std::string name = target("one-instance", "aws:ec2:instance", "", "");
    targets_[name]["selectionMode"] = "COUNT(1)";
    return name;
  }

  std::string target(const std::string& name, std::string_view type, std::string_view path, const std::string& value) {
    Json json{
        {"resourceType", type}, {"resourceTags", {{settings_.tag_key, settings_.tag_value}}}, {"selectionMode", "ALL"}};
    if (!path.empty()) json["filters"] = Json::array({{{"path", path}, {"values", Json::array({value})}}});
    targets_[name] = std::move(json);
    return name;
  }

  void add_action(std::string_view id, Json parameters, std::string_view target_key, const std::string& target_name) {
    Json action{{"actionId", id}, {"parameters", std::move(parameters)}, {"targets", {{target_key, target_name}}}};
    if (at_ > Duration{}) action["startAfter"] = Json::array({wait()});
    actions_[fmt::format("{}-{}", ++number_, what_)] = std::move(action);
  }

  /// The action that those which begin at that time wait for.
  std::string wait() {
    const Duration span = std::clamp(at_, kLeastDuration, kMostDuration);
    if (span != at_) warn(fmt::format("begins after {}: FIS waits for 1m to 12h", format_duration(span)));
    const std::string name = "wait-" + iso(span);
    actions_[name] = {{"actionId", "aws:fis:wait"}, {"parameters", {{"duration", iso(span)}}}};
    return name;
  }

  std::int64_t seconds(const Fault& fault) {
    const Duration wanted = fault.lasts.value_or(kUnsaidDuration);
    return std::chrono::ceil<std::chrono::seconds>(std::clamp(wanted, kLeastDuration, kMostDuration)).count();
  }
  std::string duration(const Fault& fault) {
    const Duration span = std::chrono::seconds(seconds(fault));
    if (!fault.lasts) warn(fmt::format("lasts {}: nothing is said, and FIS wants to know", format_duration(span)));
    if (fault.lasts && *fault.lasts != span) {
      warn(fmt::format("lasts {} in place of {}: FIS takes 1m to 12h in whole seconds", format_duration(span),
                       format_duration(*fault.lasts)));
    }
    return iso(span);
  }
  static std::string iso(Duration span) {
    const auto whole = std::chrono::ceil<std::chrono::seconds>(span).count();
    return whole % 60 == 0 ? fmt::format("PT{}M", whole / 60) : fmt::format("PT{}S", whole);
  }

  void warn(std::string_view what) {
    std::string line = fmt::format("{} of {}: {}", what_, target_, what);
    if (std::find(warnings_.begin(), warnings_.end(), line) == warnings_.end()) warnings_.push_back(std::move(line));
  }

  const FisSettings& settings_;
  Duration at_{};
  std::string what_, target_;
  Json targets_ = Json::object();
  Json actions_ = Json::object();
  std::vector<std::string> warnings_;
  int number_ = 0;
  int ssm_actions_ = 0;
};

}  // namespace

Result<std::vector<FaultStep>> read_fault_list(std::string_view text, const std::string& file) {
  const auto document = parse_yaml_document(text);
  if (!document) return Error{fmt::format("{}: {}", file, document.error().message)};
  std::vector<FaultStep> steps;
  ConfigErrors errors;
  {
    MapReader map(*document, "", file, errors);
    map.list("faults", [&](const Document& item, const std::string& path) {
      MapReader step(map, item, path);
      read_step(step, steps.emplace_back());
    });
  }
  if (errors.empty() && steps.empty())
    errors.push_back(fmt::format("{}: faults: a list with one at least is right", file));
  if (!errors.empty()) return Error{fmt::format("{}", fmt::join(errors, "\n"))};
  return steps;
}

FisTemplate fis_template(const std::vector<FaultStep>& steps, const FisSettings& settings) {
  Writer writer(settings);
  for (const FaultStep& step : steps) writer.add(step);
  return writer.finish();
}

}  // namespace rr::sim
