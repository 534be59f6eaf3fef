#include "sim/scenario/status_document.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "sim/cloud/tempo.h"

namespace rr::sim {
namespace {
using nlohmann::json;

json optional_time(const std::optional<Time>& time) { return time ? json(format_iso8601(*time, 3)) : json(nullptr); }

double rounded(double seconds) { return std::round(seconds * 1000) / 1000; }

json optional_duration(Time from, const std::optional<Time>& to, double speed) {
  return to ? duration_document(*to - from, speed) : json(nullptr);
}

json health_of(const RegionState& region, const InstanceId& id) {
  const auto at = region.target_health.find(id);
  if (at == region.target_health.end()) return {{"state", "unused"}, {"reason", "Target.NotRegistered"}};
  const MergedHealth& merged = at->second;
  return {{"state", to_string(merged.health.state)},
          {"reason", to_string(merged.health.reason)},
          {"description", describe(merged.health)},
          {"stale", merged.stale}};
}

/// The lifecycle hooks that it waits for.
json hooks_of(const Instance& instance) {
  json out = json::array();
  for (const auto& [hook, action] : instance.lifecycle_actions) out.push_back(hook);
  return out;
}

json instance_document(const Tier& tier, const Instance& instance) {
  const RegionState& region = tier.region();
  json out = {{"id", instance.id.value},
              {"zone", instance.zone.value},
              {"address", format_address(instance.address)},
              {"host_name", instance.host_name},
              {"lifecycle", to_string(instance.lifecycle)},
              {"state", to_string(instance.ec2)},
              {"health_status", instance.healthy ? "Healthy" : "Unhealthy"},
              {"protected_from_scale_in", instance.protected_from_scale_in},
              {"waits_for", hooks_of(instance)},
              {"target_health", health_of(region, instance.id)},
              {"image", instance.image.value},
              {"launch_template_version", instance.template_version},
              {"launched", format_iso8601(instance.launched, 3)},
              {"in_service", optional_time(instance.in_service_at)},
              {"terminated", optional_time(instance.terminated_at)},
              {"launch_took", optional_duration(instance.launched, instance.in_service_at, region.settings.speed)}};
  if (const auto image = region.images.find(instance.image); image != region.images.end()) {
    out["commit"] = image->second.commit;
    out["build"] = image->second.build;
  }
  const auto process = tier.world().process(instance.id.value);
  out["pid"] = process ? process->pid : 0;
  if (process) {
    if (process->wire) out["wire"] = format_address(*process->wire);
    if (process->door) out["door"] = format_address(*process->door);
    out["log"] = process->log_file;
    out["folder"] = process->folder;
    out["frozen"] = process->frozen;
    out["diagnosis"] = process->diagnosis;
  }
  return out;
}

json node_document(const Tier& tier, const Node& node) {
  json out = {{"name", node.name},       {"zone", node.zone.value}, {"address", format_address(node.address)},
              {"running", node.running}, {"in_dns", node.in_dns},   {"failed_checks", node.failed_checks}};
  const auto process = tier.world().process(node.name);
  out["pid"] = process ? process->pid : 0;
  if (process) {
    if (process->zonal) out["zonal"] = format_address(*process->zonal);
    if (process->admin) out["admin"] = format_endpoint(*process->admin);
    out["log"] = process->log_file;
    out["frozen"] = process->frozen;
  }
  return out;
}

json suspended_of(const Group& group) {
  json out = json::array();
  for (const ScalingProcess process : group.suspended) out.push_back(to_string(process));
  return out;
}

json hooks_of(const Group& group) {
  json out = json::array();
  for (const auto& [name, hook] : group.hooks) {
    out.push_back({{"name", name},
                   {"transition", to_string(hook.transition)},
                   {"heartbeat_timeout_seconds", rounded(to_seconds(hook.heartbeat_timeout))},
                   {"default_result", to_string(hook.default_result)}});
  }
  return out;
}

json group_document(const RegionState& region, const Group& group) {
  int in_service = 0;
  for (const auto& [id, one] : region.instances) {
    in_service += one.group == group.settings.name && one.lifecycle == LifecycleState::kInService ? 1 : 0;
  }
  return {{"name", group.settings.name},
          {"min_size", group.settings.min_size},
          {"max_size", group.settings.max_size},
          {"desired_capacity", group.desired_capacity},
          {"in_service", in_service},
          {"healthy", healthy_in_service(region)},
          {"suspended_processes", suspended_of(group)},
          {"hooks", hooks_of(group)},
          {"launch_template", group.settings.launch_template.template_name},
          {"launch_template_version", group.settings.launch_template.version}};
}

json incident_document(const Incident& incident, double speed) {
  json lost = json::array();
  for (const InstanceId& id : incident.lost) lost.push_back(id.value);
  return {{"target", incident.target},
          {"what", incident.what},
          {"began", format_iso8601(incident.began, 3)},
          {"done", optional_time(incident.done)},
          {"lost", lost},
          {"time_to_hit", optional_duration(incident.began, incident.done, 1)},
          {"time_to_detect", optional_duration(incident.began, incident.detected, speed)},
          {"time_to_remove_node", optional_duration(incident.began, incident.node_removed, speed)},
          {"time_to_replace", optional_duration(incident.began, incident.replaced, speed)},
          {"detected", optional_time(incident.detected)},
          {"node_removed", optional_time(incident.node_removed)},
          {"replaced", optional_time(incident.replaced)},
          {"healed", optional_time(incident.healed)},
          {"time_to_balance", incident.healed ? optional_duration(*incident.healed, incident.balanced, speed) : json()},
          {"least_in_service", incident.least_in_service ? json(*incident.least_in_service) : json()}};
}

json release_document(const DoubleRelease& release, int most_in_service, double speed) {
  return {{"image", release.image.value},
          {"commit", release.commit},
          {"launch_template_version", release.template_version},
          {"strategy", "double"},
          {"phase", to_string(release.phase)},
          {"outcome", release.outcome},
          {"released", release.phase == DoublePhase::kReleased},
          {"rolled_back", release.rolled_back},
          {"ended", release.ended.has_value()},
          {"confirmed", release.confirmed.size()},
          {"front_answers", release.front_answers},
          {"most_in_service", most_in_service},
          {"original_capacity", release.original_capacity},
          {"started", format_iso8601(release.started, 3)},
          {"took", optional_duration(release.started, release.ended, speed)}};
}

json refresh_document(const RefreshState& refresh, double speed) {
  json rollback = nullptr;
  if (refresh.rollback) {
    rollback = {{"reason", refresh.rollback->reason},
                {"started", format_iso8601(refresh.rollback->started, 3)},
                {"percentage_complete", refresh.rollback->percentage_complete},
                {"instances_to_update", refresh.rollback->instances_to_update}};
  }
  return {{"id", refresh.id},
          {"status", to_string(refresh.status)},
          {"status_reason", refresh.status_reason},
          {"percentage_complete", refresh.percentage_complete},
          {"instances_to_update", refresh.instances_to_update},
          {"min_healthy_percentage", refresh.min_healthy_percentage},
          {"max_healthy_percentage", refresh.max_healthy_percentage},
          {"instance_warmup_seconds", rounded(to_seconds(refresh.instance_warmup))},
          {"launch_template_version",
           refresh.desired_configuration ? json(refresh.desired_configuration->version) : json(nullptr)},
          {"rollback", rollback},
          {"started", format_iso8601(refresh.started, 3)},
          {"ended", optional_time(refresh.ended)},
          {"took", optional_duration(refresh.started, refresh.ended, speed)}};
}

/// Newest first, as DescribeInstanceRefreshes gives them.
json refreshes_document(const RegionState& region) {
  json out = json::array();
  for (const auto& [name, group] : region.groups) {
    for (auto one = group.refreshes.rbegin(); one != group.refreshes.rend(); ++one) {
      out.push_back(refresh_document(*one, region.settings.speed));
    }
  }
  return out;
}

json datapoints_of(const Alarm& alarm) {
  json out = json::array();
  for (const std::optional<double>& value : alarm.datapoints) out.push_back(value ? json(*value) : json(nullptr));
  return out;
}

json alarms_document(const RegionState& region) {
  json out = json::array();
  for (const auto& [name, alarm] : region.alarms) {
    const AlarmSettings& settings = alarm.settings;
    out.push_back({{"name", name},
                   {"state", to_string(alarm.state)},
                   {"state_reason", alarm.state_reason},
                   {"state_since", format_iso8601(alarm.state_since, 3)},
                   {"metric", to_string(settings.metric)},
                   {"comparison", to_string(settings.comparison)},
                   {"threshold", settings.threshold},
                   {"evaluation_periods", settings.evaluation_periods},
                   {"datapoints_to_alarm", settings.datapoints_to_alarm.value_or(settings.evaluation_periods)},
                   {"treat_missing_data", to_string(settings.treat_missing_data)},
                   {"datapoints", datapoints_of(alarm)}});
  }
  return out;
}

json policies_document(const RegionState& region) {
  json out = json::array();
  for (const auto& [name, policy] : region.policies) {
    const bool tracks = policy.type == PolicyType::kTargetTrackingScaling;
    out.push_back({{"name", name},
                   {"type", to_string(policy.type)},
                   {"alarm", tracks ? std::string() : policy.alarm},
                   {"target_value", tracks ? json(policy.target_value) : json(nullptr)}});
  }
  return out;
}

json scheduled_document(const RegionState& region) {
  json out = json::array();
  for (const auto& [name, action] : region.scheduled_actions) {
    out.push_back({{"name", name}, {"recurrence", action.recurrence}, {"next", optional_time(action.next)}});
  }
  return out;
}

json activities_document(const RegionState& region) {
  constexpr std::size_t kShown = 50;
  json out = json::array();
  const auto& all = region.activities;
  for (std::size_t i = all.size() > kShown ? all.size() - kShown : 0; i < all.size(); ++i) {
    const ScalingActivity& one = all[i];
    out.push_back({{"number", one.number},
                   {"instance", one.instance.value},
                   {"zone", one.zone.value},
                   {"description", one.description},
                   {"cause", one.cause},
                   {"status", one.status_code},
                   {"progress", one.progress},
                   {"status_message", one.status_message},
                   {"started", format_iso8601(one.started, 3)},
                   {"took", optional_duration(one.started, one.ended, region.settings.speed)}});
  }
  return out;
}

json load_document(const Tier& tier) {
  const LoadStatistics* load = tier.load();
  if (load == nullptr) return nullptr;
  json causes = json::object();
  for (std::size_t i = 0; i < kRequestCauses; ++i) {
    const auto cause = static_cast<RequestCause>(i);
    if (failed(cause) && load->by_cause[i] > 0) causes[std::string(to_string(cause))] = load->by_cause[i];
  }
  return {{"rate", tier.load_rate()},
          {"finished", load->finished},
          {"failed", load->failed},
          {"not_sent", load->not_sent},
          {"failures", causes},
          {"by_host", load->by_host},
          {"p50_seconds", to_seconds(load->latency.percentile(0.5))},
          {"p99_seconds", to_seconds(load->latency.percentile(0.99))}};
}

json pace(std::string_view what, Duration aws, Duration here) {
  return {{"what", what}, {"aws_seconds", rounded(to_seconds(aws))}, {"seconds", rounded(to_seconds(here))}};
}

// What --speed divides and what it leaves alone, as the control plane itself computes it.
void add_pace(json& out, const RegionState& region) {
  const RegionSettings& s = region.settings;
  const Tempo tempo(s);
  const TargetGroupSettings& targets = s.load_balancer.target_groups.front();
  json divided = json::array();
  json alone = json::array();
  const auto add = [&](std::string_view what, Duration aws, Duration here) {
    (aws == here && s.speed != 1 ? alone : divided).push_back(pace(what, aws, here));
  };
  add("launch", s.launch_time, tempo.waits(s.launch_time));
  add("health-check interval", targets.health_check.interval, tempo.waits(targets.health_check.interval));
  add("health-check timeout", targets.health_check.timeout, tempo.check_timeout(targets.health_check.timeout));
  add("health sweep", s.sweep_interval, tempo.waits(s.sweep_interval));
  add("rebalancing", s.rebalance_interval, tempo.waits(s.rebalance_interval));
  add("retry of a launch", s.launch_retry, tempo.waits(s.launch_retry));
  add("node check", s.node_check_interval, tempo.waits(s.node_check_interval));
  add("restart of a node", s.node_start_retry, tempo.waits(s.node_start_retry));
  if (!region.groups.empty()) {
    const Duration grace = region.groups.begin()->second.settings.health_check_grace_period;
    add("grace period", grace, tempo.races(grace));
  }
  add("deregistration delay", targets.deregistration_delay, tempo.races(targets.deregistration_delay));
  alone.push_back(pace("idle timeout", s.load_balancer.idle_timeout, s.load_balancer.idle_timeout));
  alone.push_back(pace("connect timeout", s.load_balancer.connect_timeout, s.load_balancer.connect_timeout));
  alone.push_back(pace("client keep-alive", s.load_balancer.client_keep_alive, s.load_balancer.client_keep_alive));
  out["speed_divides"] = divided;
  out["speed_leaves_alone"] = alone;
}

json fault_list(const Tier& tier) {
  json out = json::array();
  for (const FaultStatus& one : tier.world().faults()) {
    const FaultKindRow& row = fault_row(one.fault.kind);
    out.push_back({{"kind", row.name},
                   {"target", one.fault.target.describe()},
                   {"target_kind", to_string(one.fault.target.kind)},
                   {"amount", format_amount(row, one.fault.amount)},
                   {"since", format_iso8601(one.since, 3)},
                   {"until", optional_time(one.until)},
                   {"remaining_seconds", one.until ? json(rounded(to_seconds(*one.until - tier.now()))) : json()}});
  }
  return out;
}

json shift_document(const RegionState& region, Time now) {
  const auto& shift = region.settings.load_balancer.zonal_shift;
  if (!shift || shift->expires <= now) return nullptr;
  return {{"away_from", shift->zone},
          {"expires", format_iso8601(shift->expires, 3)},
          {"remaining_seconds", rounded(to_seconds(shift->expires - now))}};
}

}  // namespace

json duration_document(Duration measured, double speed) {
  return {{"seconds", rounded(to_seconds(measured))}, {"aws_seconds", rounded(to_seconds(measured) * speed)}};
}

json faults_document(const Tier& tier) {
  return {{"faults", fault_list(tier)}, {"zonal_shift", shift_document(tier.region(), tier.now())}};
}

json status_document(const Tier& tier) {
  const RegionState& region = tier.region();
  const double speed = region.settings.speed;
  json out = {{"url", tier.url()},
              {"pid", ::getpid()},
              {"ready", tier.ready()},
              {"state_folder", tier.options().layout.folder},
              {"ground", {{"kind", to_string(tier.world().ground().kind())}, {"reason", tier.options().ground.reason}}},
              {"speed", speed},
              {"own_program", region.settings.own_program},
              {"app", tier.options().settings.app},
              {"app_folder", tier.options().caller_folder},
              {"now", format_iso8601(tier.now(), 3)},
              {"up_seconds", rounded(to_seconds(tier.now() - tier.started()))},
              {"journal_lines", tier.journal_written()},
              {"region", region.settings.name},
              {"settled", settled(region)}};
  out["zones"] = json::array();
  for (const Zone& zone : region.settings.zones) {
    out["zones"].push_back(
        {{"name", zone.name.value}, {"cidr", fmt::format("{}/{}", format_ip(zone.subnet), zone.prefix)}});
  }
  out["groups"] = json::array();
  for (const auto& [name, group] : region.groups) out["groups"].push_back(group_document(region, group));
  out["instances"] = json::array();
  for (const auto& [id, instance] : region.instances) out["instances"].push_back(instance_document(tier, instance));
  out["nodes"] = json::array();
  for (const auto& [name, node] : region.nodes) out["nodes"].push_back(node_document(tier, node));
  out["images"] = json::array();
  for (const auto& [id, image] : region.images) {
    out["images"].push_back({{"id", id.value},
                             {"name", image.name},
                             {"commit", image.commit},
                             {"build", image.build},
                             {"folder", image.folder},
                             {"created", format_iso8601(image.created, 3)}});
  }
  out["faults"] = fault_list(tier);
  out["zonal_shift"] = shift_document(region, tier.now());
  out["incidents"] = json::array();
  for (const Incident& incident : tier.incidents()) out["incidents"].push_back(incident_document(incident, speed));
  out["activities"] = activities_document(region);
  out["release"] =
      region.release ? release_document(*region.release, tier.most_in_service_while_releasing(), speed) : json(nullptr);
  out["refreshes"] = refreshes_document(region);
  out["alarms"] = alarms_document(region);
  out["policies"] = policies_document(region);
  out["scheduled_actions"] = scheduled_document(region);
  out["load"] = load_document(tier);
  add_pace(out, region);
  return out;
}

}  // namespace rr::sim
