#include "deploy/aws/wording.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "deploy/aws/artifact.h"
#include "deploy/aws/record_text.h"
#include "deploy/aws/xml.h"

namespace rr::deploy {
namespace {

using Json = nlohmann::json;

ApiCall once(ApiCall call) {
  call.repeatable = false;
  return call;
}

ApiCall scaling(const std::string& action, Parameters parameters, const std::string& page = "") {
  if (!page.empty()) parameters.emplace_back("NextToken", page);
  return query_call("autoscaling", action, parameters);
}

ApiCall ec2(const std::string& action, Parameters parameters, const std::string& page = "") {
  if (!page.empty()) parameters.emplace_back("NextToken", page);
  return query_call("ec2", action, parameters);
}

ApiCall get_parameter(const std::string& name) { return json_call("ssm", "GetParameter", Json{{"Name", name}}.dump()); }

ApiCall put_parameter(const std::string& name, const std::string& value, bool overwrite) {
  return json_call("ssm", "PutParameter",
                   Json{{"Name", name}, {"Value", value}, {"Type", "String"}, {"Overwrite", overwrite}}.dump());
}

const char* flag(bool value) { return value ? "true" : "false"; }

Parameters for_group(const std::string& group) { return {{"AutoScalingGroupName", group}}; }

Parameters with_processes(const std::string& group, const std::vector<std::string>& processes) {
  Parameters parameters = for_group(group);
  add_list(parameters, "ScalingProcesses.member", processes);
  return parameters;
}

ApiCall start_refresh(const StartRefresh& start) {
  Parameters p = for_group(start.group);
  p.emplace_back("Strategy", "Rolling");
  p.emplace_back("DesiredConfiguration.LaunchTemplate.LaunchTemplateId", start.template_id);
  p.emplace_back("DesiredConfiguration.LaunchTemplate.Version", start.version);
  p.emplace_back("Preferences.MinHealthyPercentage", "100");
  p.emplace_back("Preferences.MaxHealthyPercentage", "200");
  p.emplace_back("Preferences.SkipMatching", "true");
  p.emplace_back("Preferences.AutoRollback", flag(start.auto_rollback));
  p.emplace_back("Preferences.InstanceWarmup", std::to_string(start.warm_up));
  // The default waits an hour for somebody to take the protection away.
  p.emplace_back("Preferences.ScaleInProtectedInstances", "Refresh");
  p.emplace_back("Preferences.StandbyInstances", "Ignore");
  if (start.bake > 0) p.emplace_back("Preferences.BakeTime", std::to_string(start.bake));
  add_list(p, "Preferences.AlarmSpecification.Alarms.member", start.alarms);
  return scaling("StartInstanceRefresh", p);
}

ApiCall create_version(const CreateVersion& create, const Places& places) {
  // AWS lays what is given over the source version, so nothing of the shape can be lost on the way.
  Parameters p = {{"LaunchTemplateId", create.template_id},
                  {"SourceVersion", create.base},
                  {"VersionDescription", create.description.substr(0, 255)},
                  {"ClientToken", create.token}};
  if (const auto* image = std::get_if<ImageLane>(&create.lane)) {
    p.emplace_back("LaunchTemplateData.ImageId", image->image);
    if (create.drops_artifact) p.emplace_back("LaunchTemplateData.UserData", base64(plain_user_data()));
  } else {
    const auto& artifact = std::get<ArtifactLane>(create.lane);
    p.emplace_back("LaunchTemplateData.UserData", base64(artifact_user_data(artifact, places.unit)));
  }
  return ec2("CreateLaunchTemplateVersion", p);
}

ApiCall delete_versions(const DeleteVersions& remove) {
  Parameters p = {{"LaunchTemplateId", remove.template_id}};
  add_list(p, "LaunchTemplateVersion", remove.versions);
  return ec2("DeleteLaunchTemplateVersions", p);
}

struct Wording {
  const Places& places;
  const std::string& page;

  ApiCall operator()(const GetCallerIdentity&) const { return query_call("sts", "GetCallerIdentity", {}); }
  ApiCall operator()(const DescribeGroup& c) const {
    return scaling("DescribeAutoScalingGroups", {{"AutoScalingGroupNames.member.1", c.group}});
  }
  ApiCall operator()(const DescribeRefreshes& c) const {
    Parameters p = for_group(c.group);
    p.emplace_back("MaxRecords", "20");  // newest first; only the last few matter
    return scaling("DescribeInstanceRefreshes", p);
  }
  ApiCall operator()(const DescribeVersions& c) const {
    return ec2("DescribeLaunchTemplateVersions", {{"LaunchTemplateId", c.template_id}}, page);
  }
  ApiCall operator()(const DescribeImages& c) const {
    // A filter, not a list of ids: for an id that does not exist the list is an error, the filter is an empty answer.
    Parameters p = {{"Filter.1.Name", "image-id"}};
    add_list(p, "Filter.1.Value", c.images);
    return ec2("DescribeImages", p, page);
  }
  ApiCall operator()(const DescribeInstanceType& c) const {
    return ec2("DescribeInstanceTypes", {{"InstanceType.1", c.type}});
  }
  ApiCall operator()(const DescribeTargetHealth& c) const {
    return query_call("elasticloadbalancing", "DescribeTargetHealth", {{"TargetGroupArn", c.target_group}});
  }
  ApiCall operator()(const DescribeAlarms& c) const {
    Parameters p;
    add_list(p, "AlarmNames.member", c.alarms);
    if (!page.empty()) p.emplace_back("NextToken", page);
    return query_call("monitoring", "DescribeAlarms", p);
  }
  ApiCall operator()(const DescribeActivities& c) const {
    Parameters p = for_group(c.group);
    p.emplace_back("MaxRecords", "20");
    return scaling("DescribeScalingActivities", p);
  }
  ApiCall operator()(const ReadRecord&) const { return get_parameter(places.release_parameter); }
  ApiCall operator()(const ReadLock&) const { return get_parameter(places.lock_parameter); }
  ApiCall operator()(const WriteLock& c) const {
    const ApiCall call = put_parameter(places.lock_parameter, job_text(c.job), c.overwrite);
    return c.overwrite ? call : once(call);
  }
  ApiCall operator()(const DeleteLock&) const {
    return json_call("ssm", "DeleteParameter", Json{{"Name", places.lock_parameter}}.dump());
  }
  ApiCall operator()(const WriteRecord& c) const {
    return put_parameter(places.release_parameter, record_text(c.record), true);
  }
  ApiCall operator()(const CreateVersion& c) const { return create_version(c, places); }
  ApiCall operator()(const DeleteVersions& c) const { return delete_versions(c); }
  ApiCall operator()(const StartRefresh& c) const { return once(start_refresh(c)); }
  ApiCall operator()(const RollbackRefresh& c) const { return scaling("RollbackInstanceRefresh", for_group(c.group)); }
  ApiCall operator()(const CancelRefresh& c) const {
    Parameters p = for_group(c.group);
    p.emplace_back("WaitForTransitioningInstances", "false");
    return scaling("CancelInstanceRefresh", p);
  }
  ApiCall operator()(const UpdateGroup& c) const {
    Parameters p = for_group(c.group);
    p.emplace_back("LaunchTemplate.LaunchTemplateId", c.template_id);
    p.emplace_back("LaunchTemplate.Version", c.version);
    return scaling("UpdateAutoScalingGroup", p);
  }
  ApiCall operator()(const SetDesired& c) const {
    Parameters p = for_group(c.group);
    p.emplace_back("DesiredCapacity", std::to_string(c.desired));
    p.emplace_back("HonorCooldown", "false");
    return scaling("SetDesiredCapacity", p);
  }
  ApiCall operator()(const TerminateInstance& c) const {
    return once(scaling("TerminateInstanceInAutoScalingGroup",
                        {{"InstanceId", c.instance}, {"ShouldDecrementDesiredCapacity", flag(c.decrement)}}));
  }
  ApiCall operator()(const SuspendProcesses& c) const {
    return scaling("SuspendProcesses", with_processes(c.group, c.processes));
  }
  ApiCall operator()(const ResumeProcesses& c) const {
    return scaling("ResumeProcesses", with_processes(c.group, c.processes));
  }
};

// -- what comes back

std::optional<Time> time_of(const std::string& text) {
  const auto time = parse_iso8601(text);
  return time ? std::optional(*time) : std::nullopt;
}

int number_of(const std::string& text) { return std::atoi(text.c_str()); }

std::map<std::string, std::string> tags_of(const std::vector<Xml>& items, const char* key, const char* value) {
  std::map<std::string, std::string> tags;
  for (const Xml& tag : items) tags[tag.text(key)] = tag.text(value);
  return tags;
}

Instance instance_of(const Xml& member) {
  Instance instance;
  instance.id = member.text("InstanceId");
  instance.zone = member.text("AvailabilityZone");
  instance.type = member.text("InstanceType");
  instance.lifecycle = member.text("LifecycleState");
  instance.health = member.text("HealthStatus");
  instance.version = member.at("LaunchTemplate").text("Version");
  instance.protected_from_scale_in = member.text("ProtectedFromScaleIn") == "true";
  return instance;
}

Group group_of(const Xml& member) {
  Group group;
  group.name = member.text("AutoScalingGroupName");
  group.min_size = number_of(member.text("MinSize"));
  group.max_size = number_of(member.text("MaxSize"));
  group.desired = number_of(member.text("DesiredCapacity"));
  const Xml used = member.at("LaunchTemplate");
  group.template_id = used.text("LaunchTemplateId");
  group.template_name = used.text("LaunchTemplateName");
  group.version = used.text("Version");
  const std::string warm_up = member.text("DefaultInstanceWarmup");
  group.warm_up = number_of(warm_up.empty() ? member.text("HealthCheckGracePeriod") : warm_up);
  for (const Xml& one : member.items("Instances")) group.instances.push_back(instance_of(one));
  for (const Xml& one : member.items("SuspendedProcesses")) group.suspended.push_back(one.text("ProcessName"));
  for (const Xml& one : member.items("TargetGroupARNs")) group.target_groups.push_back(one.text());
  group.tags = tags_of(member.items("Tags"), "Key", "Value");
  return group;
}

/// When the answer was given, in seconds since 1970, by the server's own clock where it tells it.
std::optional<double> received(const HttpResponse& response) {
  const auto date = response.headers.find("x-rr-received");
  if (date == response.headers.end()) return std::nullopt;
  return std::strtod(date->second.c_str(), nullptr);
}

Duration positive(double seconds) {
  return seconds < 0 ? Duration{} : std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

Refresh refresh_of(const Xml& member, const HttpResponse& response) {
  Refresh refresh;
  const auto started = time_of(member.text("StartTime"));
  const auto at = received(response);
  if (started && at) refresh.age = positive(*at - to_seconds(started->time_since_epoch()));
  refresh.id = member.text("InstanceRefreshId");
  refresh.status = refresh_status(member.text("Status"));
  refresh.reason = member.text("StatusReason");
  refresh.percent = number_of(member.text("PercentageComplete"));
  refresh.to_update = number_of(member.text("InstancesToUpdate"));
  refresh.version = member.at("DesiredConfiguration").at("LaunchTemplate").text("Version");
  return refresh;
}

TemplateVersion version_of(const Xml& item) {
  TemplateVersion version;
  version.number = std::atol(item.text("versionNumber").c_str());
  version.description = item.text("versionDescription");
  version.is_default = item.text("defaultVersion") == "true";
  version.created = time_of(item.text("createTime"));
  const Xml held = item.at("launchTemplateData");
  version.image = held.text("imageId");
  version.instance_type = held.text("instanceType");
  const ArtifactLane artifact = artifact_in(from_base64(held.text("userData")));
  version.artifact = artifact.url;
  version.artifact_sha256 = artifact.sha256;
  return version;
}

Image image_of(const Xml& item) {
  return {item.text("imageId"), item.text("imageState"), item.text("architecture"),
          tags_of(item.items("tagSet"), "key", "value")};
}

template <class Value, class Read>
std::vector<Value> all_of(const std::vector<Xml>& items, Read read) {
  std::vector<Value> values;
  for (const Xml& item : items) values.push_back(read(item));
  return values;
}

Duration age_of(const Json& parameter, const HttpResponse& response) {
  const auto written = parameter.find("LastModifiedDate");
  const auto at = received(response);
  if (written == parameter.end() || !written->is_number() || !at) return Duration{};
  return positive(*at - written->get<double>());
}

Result<Understood, Failure> not_understood(const Command& command, const std::string& message) {
  return Failure{Failure::Kind::kTransient, "", fmt::format("{}: {}", action_of(command), message)};
}

struct Understanding {
  const Command& command;
  const Places& places;
  const HttpResponse& response;
  const Xml root = Xml::parse(response.body);

  using Answered = Result<Understood, Failure>;

  Xml result(const char* action) const { return root.at((std::string(action) + "Result").c_str()); }
  /// An endpoint that answers something else with a 200 must not be taken for one that has nothing.
  Answered page_of(Reply reply, const Xml& result, const char* list, const std::string& next) const {
    if (result.empty() || result.at(list).empty())
      return not_understood(command, "the answer is not what AWS would say");
    return Understood{std::move(reply), next};
  }
  Answered done() const { return Understood{Done{}, ""}; }

  Answered operator()(const GetCallerIdentity&) const {
    const Xml found = result("GetCallerIdentity");
    return page_of(Identity{found.text("Account"), found.text("Arn")}, found, "Account", "");
  }
  Answered operator()(const DescribeGroup&) const {
    const Xml found = result("DescribeAutoScalingGroups");
    const auto groups = found.items("AutoScalingGroups");
    GroupFound reply;
    if (!groups.empty()) reply.group = group_of(groups.front());
    return page_of(std::move(reply), found, "AutoScalingGroups", "");
  }
  Answered operator()(const DescribeRefreshes&) const {
    const Xml found = result("DescribeInstanceRefreshes");
    const auto read = [this](const Xml& member) { return refresh_of(member, response); };
    return page_of(all_of<Refresh>(found.items("InstanceRefreshes"), read), found, "InstanceRefreshes", "");
  }
  Answered operator()(const DescribeVersions&) const {
    return page_of(all_of<TemplateVersion>(root.items("launchTemplateVersionSet"), version_of), root,
                   "launchTemplateVersionSet", root.text("nextToken"));
  }
  Answered operator()(const DescribeImages&) const {
    return page_of(all_of<Image>(root.items("imagesSet"), image_of), root, "imagesSet", root.text("nextToken"));
  }
  Answered operator()(const DescribeInstanceType&) const {
    Architectures reply;
    for (const Xml& type : root.items("instanceTypeSet")) {
      for (const Xml& one : type.at("processorInfo").items("supportedArchitectures")) reply.names.push_back(one.text());
    }
    return page_of(std::move(reply), root, "instanceTypeSet", "");
  }
  Answered operator()(const DescribeTargetHealth&) const {
    const Xml found = result("DescribeTargetHealth");
    return page_of(
        all_of<Target>(found.items("TargetHealthDescriptions"),
                       [](const Xml& member) {
                         const Xml health = member.at("TargetHealth");
                         return Target{member.at("Target").text("Id"), health.text("State"), health.text("Reason")};
                       }),
        found, "TargetHealthDescriptions", "");
  }
  Answered operator()(const DescribeAlarms&) const {
    const Xml found = result("DescribeAlarms");
    return page_of(all_of<Alarm>(found.items("MetricAlarms"),
                                 [](const Xml& member) {
                                   return Alarm{member.text("AlarmName"), member.text("StateValue")};
                                 }),
                   found, "MetricAlarms", found.text("NextToken"));
  }
  Answered operator()(const DescribeActivities&) const {
    const Xml found = result("DescribeScalingActivities");
    return page_of(all_of<Activity>(found.items("Activities"),
                                    [](const Xml& member) {
                                      return Activity{member.text("ActivityId"), member.text("Description"),
                                                      member.text("StatusCode"), member.text("StatusMessage")};
                                    }),
                   found, "Activities", "");
  }
  Json parameter() const {
    const Json document = Json::parse(response.body, nullptr, false);
    return document.is_object() && document.contains("Parameter") && document["Parameter"].is_object()
               ? document["Parameter"]
               : Json(nullptr);
  }
  Answered operator()(const ReadRecord&) const {
    const Json found = parameter();
    if (!found.is_object()) return not_understood(command, "the answer is not what AWS would say");
    const std::string text = found.value("Value", "");
    // What Terraform makes, so that the parameter's history begins with the tier.
    if (text == "{}") return Understood{RecordFound{}, ""};
    const auto record = parse_record(text);
    if (!record) return Failure{Failure::Kind::kRefused, "", record.error().message};
    return Understood{RecordFound{*record}, ""};
  }
  Answered operator()(const ReadLock&) const {
    const Json found = parameter();
    if (!found.is_object()) return not_understood(command, "the answer is not what AWS would say");
    const auto job = parse_job(found.value("Value", ""));
    if (!job) return Failure{Failure::Kind::kRefused, "", job.error().message};
    Lock lock;
    lock.job = *job;
    lock.age = age_of(found, response);
    lock.holder_gone = job->host == places.host && places.is_alive && !places.is_alive(job->process);
    return Understood{lock, ""};
  }
  Answered operator()(const CreateVersion&) const {
    const Xml made = root.at("launchTemplateVersion");
    return page_of(Created{made.text("versionNumber")}, made, "versionNumber", "");
  }
  Answered operator()(const DeleteVersions&) const {
    const auto failed = root.items("unsuccessfullyDeletedLaunchTemplateVersionSet");
    if (failed.empty()) return done();
    const Xml error = failed.front().at("responseError");
    return Failure{Failure::Kind::kRefused, error.text("code"),
                   fmt::format("version {}: {}", failed.front().text("versionNumber"), error.text("message"))};
  }
  Answered operator()(const StartRefresh&) const {
    const Xml found = result("StartInstanceRefresh");
    return page_of(Started{found.text("InstanceRefreshId")}, found, "InstanceRefreshId", "");
  }
  Answered operator()(const WriteLock&) const { return done(); }
  Answered operator()(const DeleteLock&) const { return done(); }
  Answered operator()(const WriteRecord&) const { return done(); }
  Answered operator()(const RollbackRefresh&) const { return done(); }
  Answered operator()(const CancelRefresh&) const { return done(); }
  Answered operator()(const UpdateGroup&) const { return done(); }
  Answered operator()(const SetDesired&) const { return done(); }
  Answered operator()(const TerminateInstance&) const { return done(); }
  Answered operator()(const SuspendProcesses&) const { return done(); }
  Answered operator()(const ResumeProcesses&) const { return done(); }
};

}  // namespace

ApiCall wording(const Command& command, const Places& places, const std::string& page) {
  return std::visit(Wording{places, page}, command);
}

Result<Understood, Failure> understand(const Command& command, const Places& places, const HttpResponse& response) {
  return std::visit(Understanding{command, places, response}, command);
}

std::optional<Reply> understand_failure(const Command& command, const Failure& failure) {
  if (failure.code != "ParameterNotFound") return std::nullopt;
  if (std::holds_alternative<ReadRecord>(command)) return RecordFound{};
  if (std::holds_alternative<ReadLock>(command)) return Lock{};
  if (std::holds_alternative<DeleteLock>(command)) return Done{};
  return std::nullopt;
}

void append(Reply& to, Reply more) {
  std::visit(
      [&](auto& first) {
        using Kind = std::decay_t<decltype(first)>;
        if constexpr (requires { first.insert(first.end(), first.begin(), first.end()); }) {
          auto& further = std::get<Kind>(more);
          first.insert(first.end(), std::make_move_iterator(further.begin()), std::make_move_iterator(further.end()));
        }
      },
      to);
}

}  // namespace rr::deploy
