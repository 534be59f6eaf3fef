#include "deploy/rollout/preflight.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

namespace rr::deploy {
namespace {

// While one of these is suspended a rollout stands still or serves nobody (Auto Scaling user guide, "Suspend and resume
// processes").
constexpr const char* kNeeded[] = {"Launch",      "Terminate",        "AddToLoadBalancer",
                                   "HealthCheck", "ReplaceUnhealthy", "InstanceRefresh"};

constexpr const char* kUnknownCommit = "unknown commit";
constexpr const char* kBuildWord = " build ";
constexpr const char* kJobWord = " (rr-deploy job ";

std::vector<std::string> suspended_needed(const Group& group) {
  std::vector<std::string> found;
  for (const char* process : kNeeded) {
    if (std::find(group.suspended.begin(), group.suspended.end(), process) != group.suspended.end()) {
      found.emplace_back(process);
    }
  }
  return found;
}

void look_at_identity(const Plan& plan, const Facts& facts, std::vector<std::string>& problems) {
  if (!facts.identity) return;
  if (auto problem = account_problem(plan.account, *facts.identity)) problems.push_back(std::move(*problem));
}

/// A job that has begun has changed the group's size itself.
void look_at_group(const Plan& plan, const Group& group, bool begun, std::vector<std::string>& problems) {
  if (!is_numbered(group.version)) {
    problems.push_back(fmt::format(
        "group {} is on version {} of its launch template; it must be a number, or AWS refuses to roll back "
        "(IrreversibleInstanceRefresh): `rr-deploy apply` sets one",
        group.name, group.version.empty() ? "none" : group.version));
  }
  if (group.desired < 1) {
    problems.push_back(
        fmt::format("group {} wants {} instances: there is nothing to release to", group.name, group.desired));
  }
  if (!begun && plan.strategy == Strategy::kDouble && group.max_size < 2 * group.desired) {
    problems.push_back(fmt::format("group {} may have at most {} instances; doubling {} needs {}", group.name,
                                   group.max_size, group.desired, 2 * group.desired));
  }
  if (const auto suspended = suspended_needed(group); !suspended.empty()) {
    problems.push_back(
        fmt::format("group {} has suspended {}: a rollout would stand still (aws autoscaling "
                    "resume-processes --auto-scaling-group-name {})",
                    group.name, fmt::join(suspended, ", "), group.name));
  }
  if (plan.strategy == Strategy::kDouble) {
    for (const Instance& instance : group.instances) {
      if (!instance.protected_from_scale_in) continue;
      problems.push_back(fmt::format("{} is protected from scale-in, so halving would leave it", instance.id));
    }
  }
}

void look_at_health(const Plan& plan, const Facts& facts, const std::string& silence,
                    std::vector<std::string>& problems) {
  if (plan.force) return;
  const auto healthy = std::count_if(facts.targets.begin(), facts.targets.end(),
                                     [](const Target& target) { return target.state == "healthy"; });
  if (healthy < facts.group->desired) {
    problems.push_back(
        fmt::format("{} of {} targets are healthy; --force releases nevertheless", healthy, facts.group->desired));
  }
  for (const Alarm& alarm : facts.alarms) {
    if (alarm.state != "ALARM") continue;
    problems.push_back(
        fmt::format("alarm {} is in ALARM, which would end the rollout at once; --force releases without "
                    "alarms",
                    alarm.name));
  }
  if (!silence.empty()) {
    problems.push_back(
        fmt::format("the tier does not answer through its load balancer ({}); --force releases nevertheless", silence));
  }
}

void look_at_alarms(const Plan& plan, const Facts& facts, std::vector<std::string>& problems) {
  for (const std::string& name : plan.alarms) {
    if (std::none_of(facts.alarms.begin(), facts.alarms.end(),
                     [&](const Alarm& alarm) { return alarm.name == name; })) {
      problems.push_back(fmt::format("there is no alarm {}: `rr-deploy apply` makes it", name));
    }
  }
}

void look_at_image(const Plan& plan, const Facts& facts, std::vector<std::string>& problems) {
  const auto* lane = std::get_if<ImageLane>(&plan.lane);
  if (lane == nullptr) return;
  const Image* image = find_image(facts, lane->image);
  if (image == nullptr) {
    problems.push_back(fmt::format("there is no image {} in this account and region", lane->image));
    return;
  }
  if (image->state != "available") {
    problems.push_back(fmt::format("image {} is {}, not available", image->id, image->state));
  }
  if (plan.verification.commits_known && plan.commit.empty() && tagged_commit(plan, facts).first.empty()) {
    problems.push_back(
        fmt::format("image {} has no tag Commit, so nobody could tell whether it serves: --commit says it", image->id));
  }
  if (!facts.architectures.empty() && std::find(facts.architectures.begin(), facts.architectures.end(),
                                                image->architecture) == facts.architectures.end()) {
    const TemplateVersion* base = latest_version(facts);
    problems.push_back(fmt::format("image {} is for {}, and {} runs {}", image->id, image->architecture,
                                   base == nullptr ? "the instance type" : base->instance_type,
                                   fmt::join(facts.architectures, ", ")));
  }
}

void look_at_refresh(const Facts& facts, const Job* resumed, std::vector<std::string>& problems) {
  const Refresh* active = active_refresh(facts);
  if (active == nullptr) return;
  const bool ours = resumed != nullptr && (active->version == resumed->to.version || resumed->turned);
  if (ours) return;
  problems.push_back(
      fmt::format("instance refresh {} is {} ({} %), started by somebody else: wait for its end, or "
                  "`rr-deploy rollback` takes the group back",
                  active->id, to_string(active->status), active->percent));
}

/// The versions that could still be launched, newest first.
std::vector<std::string> remaining(const Facts& facts) {
  std::vector<long> numbers;
  for (const TemplateVersion& version : facts.versions) {
    const Image* image = find_image(facts, version.image);
    if (image != nullptr && image->state == "available") numbers.push_back(version.number);
  }
  std::sort(numbers.rbegin(), numbers.rend());
  std::vector<std::string> names;
  for (const long number : numbers) names.push_back(std::to_string(number));
  return names;
}

std::string remaining_text(const Facts& facts) {
  const auto names = remaining(facts);
  return names.empty() ? "none remains" : fmt::format("there remain {}", fmt::join(names, ", "));
}

Result<Released> existing(const Facts& facts, const std::string& number) {
  const TemplateVersion* version = find_version(facts, number);
  if (version == nullptr) {
    return Error{fmt::format("version {} of the launch template does not exist; {}", number, remaining_text(facts))};
  }
  const Image* image = find_image(facts, version->image);
  if (image == nullptr || image->state != "available") {
    return Error{
        fmt::format("version {} needs image {}, which is gone; {}", number, version->image, remaining_text(facts))};
  }
  return describe_version(facts, number);
}

std::string tag(const Image& image, const char* key) {
  const auto found = image.tags.find(key);
  return found == image.tags.end() ? "" : found->second;
}

}  // namespace

const Refresh* active_refresh(const Facts& facts) {
  for (const Refresh& refresh : facts.refreshes) {
    if (is_active(refresh.status)) return &refresh;
  }
  return nullptr;
}

const TemplateVersion* find_version(const Facts& facts, const std::string& number) {
  for (const TemplateVersion& version : facts.versions) {
    if (std::to_string(version.number) == number) return &version;
  }
  return nullptr;
}

const TemplateVersion* latest_version(const Facts& facts) {
  const auto found = std::max_element(facts.versions.begin(), facts.versions.end(),
                                      [](const auto& a, const auto& b) { return a.number < b.number; });
  return found == facts.versions.end() ? nullptr : &*found;
}

const Image* find_image(const Facts& facts, const std::string& id) {
  for (const Image& image : facts.images) {
    if (image.id == id) return &image;
  }
  return nullptr;
}

std::pair<std::string, std::string> tagged_commit(const Plan& plan, const Facts& facts) {
  const auto* lane = std::get_if<ImageLane>(&plan.lane);
  const Image* image = lane == nullptr ? nullptr : find_image(facts, lane->image);
  if (image == nullptr) return {};
  return {tag(*image, "Commit"), tag(*image, "Build")};
}

std::optional<std::string> account_problem(const std::string& wanted, const Identity& identity) {
  if (wanted.empty() || wanted == identity.account) return std::nullopt;
  return fmt::format("these credentials are of account {} ({}); the settings say {}", identity.account, identity.arn,
                     wanted);
}

bool is_numbered(const std::string& version) {
  return !version.empty() &&
         std::all_of(version.begin(), version.end(), [](char letter) { return letter >= '0' && letter <= '9'; });
}

// not a setting: how a commit is said to people
std::string short_commit(const std::string& commit) { return commit.substr(0, 12); }

std::string job_mark(const std::string& job) { return kJobWord + job + ")"; }

std::string description_of(const Job& job) {
  std::string text = job.to.commit.empty() ? kUnknownCommit : job.to.commit;
  if (!job.to.build.empty()) text += kBuildWord + job.to.build;
  return text + job_mark(job.id);
}

std::pair<std::string, std::string> described_commit(const std::string& description) {
  const std::size_t mark = description.find(kJobWord);
  if (mark == std::string::npos || description.rfind(kUnknownCommit, 0) == 0) return {};
  const std::string text = description.substr(0, mark);
  const std::size_t build = text.find(kBuildWord);
  if (build == std::string::npos) return {text, ""};
  return {text.substr(0, build), text.substr(build + std::string(kBuildWord).size())};
}

Released describe_version(const Facts& facts, const std::string& number) {
  if (facts.record) {
    for (const Released* known : {&facts.record->current, facts.record->previous ? &*facts.record->previous : nullptr,
                                  facts.record->left ? &*facts.record->left : nullptr}) {
      if (known != nullptr && known->version == number) return *known;
    }
  }
  Released released;
  released.version = number;
  const TemplateVersion* version = find_version(facts, number);
  if (version == nullptr) return released;
  released.image = version->image;
  released.artifact = version->artifact;
  released.at = version->created;
  if (const Image* image = find_image(facts, version->image); image != nullptr && version->artifact.empty()) {
    released.commit = tag(*image, "Commit");
    released.build = tag(*image, "Build");
  }
  if (released.commit.empty()) std::tie(released.commit, released.build) = described_commit(version->description);
  return released;
}

std::vector<std::string> release_problems(const Plan& plan, const Facts& facts, const std::string& silence) {
  std::vector<std::string> problems;
  look_at_identity(plan, facts, problems);
  if (!facts.group) {
    problems.push_back(fmt::format(
        "there is no Auto Scaling group {} in this account and region: `rr-deploy apply` makes it", plan.group));
    return problems;
  }
  const Job* resumed = facts.lock.job ? &*facts.lock.job : nullptr;
  // What a resumed job has begun may well look unhealthy; that is why it is being finished.
  const bool begun = resumed != nullptr && !resumed->to.version.empty();
  look_at_group(plan, *facts.group, begun, problems);
  look_at_refresh(facts, resumed, problems);
  look_at_image(plan, facts, problems);
  look_at_alarms(plan, facts, problems);
  if (!begun) look_at_health(plan, facts, silence, problems);
  return problems;
}

std::vector<std::string> rollback_problems(const Plan& plan, const Facts& facts) {
  std::vector<std::string> problems;
  look_at_identity(plan, facts, problems);
  if (!facts.group) {
    problems.push_back(fmt::format("there is no Auto Scaling group {} in this account and region", plan.group));
    return problems;
  }
  if (const auto goal = rollback_goal(plan, facts); !goal) problems.push_back(goal.error().message);
  return problems;
}

Result<Released> rollback_goal(const Plan& plan, const Facts& facts) {
  const std::string& now = facts.group->version;
  if (plan.to) return existing(facts, *plan.to);
  const auto& job = facts.lock.job;
  if (job && job->kind == JobKind::kRollback) return existing(facts, job->to.version);  // it is finished
  const bool moves =
      job && !job->from.version.empty() && !job->to.version.empty() && job->from.version != job->to.version;
  if (moves) return existing(facts, job->from.version);
  // An active refresh brings its version only with its success: until then the group's own version is the way back.
  if (active_refresh(facts) != nullptr) return existing(facts, now);
  const bool recorded = facts.record && facts.record->current.version == now;
  if (recorded && facts.record->left) return Released{};
  if (recorded && facts.record->previous) return existing(facts, facts.record->previous->version);
  for (const std::string& number : remaining(facts)) {
    if (is_numbered(now) && std::stol(number) < std::stol(now)) return existing(facts, number);
  }
  return Error{fmt::format("there is no version before {} to go back to; {}", now, remaining_text(facts))};
}

}  // namespace rr::deploy
