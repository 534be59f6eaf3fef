#include "tests/deploy/rollout/pretend_aws.h"

#include <fmt/format.h>

#include <algorithm>

namespace rr::deploy {
namespace {

Failure refused(const char* code) { return {Failure::Kind::kRefused, code, fmt::format("{}: as AWS says it", code)}; }

}  // namespace

PretendAws::PretendAws(Time now) : refresh_began_(now), started_(now), now_(now) {
  images = {{"ami-old", {"commit-old"}}, {"ami-new", {"commit-new"}}, {"ami-ancient", {"commit-ancient"}}};
  add_version(5, "ami-ancient");
  add_version(6, "ami-old");
  group.name = "web";
  group.min_size = 2;
  group.max_size = 4;
  group.desired = 2;
  group.template_id = "lt-1";
  group.version = "6";
  group.target_groups = {"tg-1"};
  alarms = {{"web-5xx", "OK"}};
  launch_instance("6", now - std::chrono::hours(1));
  launch_instance("6", now - std::chrono::hours(1));
}

void PretendAws::add_version(long number, const std::string& image, const std::string& description) {
  TemplateVersion version;
  version.number = number;
  version.image = image;
  version.description = description;
  version.instance_type = "t3.micro";
  version.is_default = number == 5;
  versions.push_back(version);
}

std::string PretendAws::image_of(const std::string& version) const {
  for (const TemplateVersion& one : versions) {
    if (std::to_string(one.number) == version) return one.image;
  }
  return "";
}

std::set<std::string> PretendAws::versions_in_service() const {
  std::set<std::string> found;
  for (const Instance& instance : group.instances) found.insert(born_.at(instance.id).version);
  return found;
}

/// Where AWS launches next.
std::string PretendAws::emptiest_zone() const {
  std::string best;
  std::ptrdiff_t fewest = 0;
  for (const char* zone : {"eu-west-1a", "eu-west-1b"}) {
    const auto there = std::count_if(group.instances.begin(), group.instances.end(),
                                     [&](const Instance& instance) { return instance.zone == zone; });
    if (zone == full_zone || (!best.empty() && there >= fewest)) continue;
    best = zone;
    fewest = there;
  }
  return best;
}

Instance& PretendAws::launch_instance(const std::string& version, Time now) {
  Instance instance;
  instance.id = fmt::format("i-{}", next_instance_++);
  instance.zone = emptiest_zone();
  instance.lifecycle = "InService";
  instance.health = "Healthy";
  instance.version = version;
  born_[instance.id] = {now, version};
  group.instances.push_back(instance);
  return group.instances.back();
}

void PretendAws::end_instance(const std::string& id) {
  group.instances.erase(std::remove_if(group.instances.begin(), group.instances.end(),
                                       [&](const Instance& instance) { return instance.id == id; }),
                        group.instances.end());
}

bool PretendAws::healthy(const Instance& instance) const {
  const Born& born = born_.at(instance.id);
  const auto image = images.find(image_of(born.version));
  const bool works = image != images.end() && !image->second.crashes;
  return works && now_ - born.at >= launch;
}

/// New ones beside the old ones (100/200); when all are healthy, the old ones go.
void PretendAws::replace(const std::string& version, Time now) {
  std::vector<std::string> old;
  int good = 0, fresh = 0;
  for (const Instance& instance : group.instances) {
    if (born_.at(instance.id).version != version) {
      old.push_back(instance.id);
    } else {
      ++fresh;
      good += healthy(instance) ? 1 : 0;
    }
  }
  for (; fresh < group.desired; ++fresh) launch_instance(version, now);
  if (good < group.desired) return;
  for (const std::string& id : old) end_instance(id);
}

void PretendAws::pass_refresh(Time now) {
  if (!refresh_active()) return;
  Refresh& refresh = refreshes.front();
  const bool back = refresh.status == RefreshStatus::kRollbackInProgress;
  if (cancels_at && now >= *cancels_at && !back) {
    refresh.status = RefreshStatus::kCancelled;
    cancels_at.reset();
    return;
  }
  const std::string version = back ? group.version : refresh.version;
  replace(version, now);
  const bool through = versions_in_service() == std::set<std::string>{version};
  const auto fail = [&](const char* reason) {
    refresh.reason = reason;
    refresh.status = preferences_.auto_rollback ? RefreshStatus::kRollbackInProgress : RefreshStatus::kFailed;
    refresh_began_ = now;
  };
  if (back) {
    if (through) refresh.status = RefreshStatus::kRollbackSuccessful;
    return;
  }
  for (const Alarm& alarm : alarms) {
    const bool watched =
        std::find(preferences_.alarms.begin(), preferences_.alarms.end(), alarm.name) != preferences_.alarms.end();
    if (watched && alarm.state == "ALARM") return fail("an alarm is in ALARM");
  }
  if (!through) {
    if (now - refresh_began_ > gives_up) fail("no instance became healthy");
    return;
  }
  refresh.percent = 100;
  if (!baking_since_) baking_since_ = now;
  if (alarm_in_bake && now - *baking_since_ >= *alarm_in_bake) alarms.front().state = "ALARM";
  const bool baked = now - *baking_since_ >= std::chrono::seconds(preferences_.bake);
  refresh.status = baked ? RefreshStatus::kSuccessful : RefreshStatus::kBaking;
  if (baked) group.version = refresh.version;
}

void PretendAws::pass_capacity(Time now) {
  if (refresh_active()) return;
  while (static_cast<int>(group.instances.size()) < group.desired) launch_instance(group.version, now);
  while (static_cast<int>(group.instances.size()) > group.desired) {
    // The oldest version goes first, as the policy of the group says; or the other way round.
    auto victim = std::min_element(group.instances.begin(), group.instances.end(), [&](const auto& a, const auto& b) {
      return (born_.at(a.id).at < born_.at(b.id).at) != wrong_victims;
    });
    end_instance(victim->id);
  }
}

void PretendAws::pass(Time now) {
  now_ = now;
  pass_refresh(now);
  pass_capacity(now);
}

Answer PretendAws::ask() {
  std::vector<const Instance*> there;
  for (const Instance& instance : group.instances) {
    if (healthy(instance)) there.push_back(&instance);
  }
  if (there.empty()) return {503, "", "", "", "", "", kMillisecond};
  const Instance& one = *there[turn_++ % there.size()];
  const ImageBehaviour& image = images.at(image_of(born_.at(one.id).version));
  if (image.slow) return {0, "slower than 2s", "", "", "", "", 2 * kSecond};
  Answer answer;
  answer.status = image.status;
  answer.commit = image.commit;
  answer.instance = one.id;
  answer.took = kMillisecond;
  return answer;
}

Event PretendAws::start(const StartRefresh& start, Time now) {
  if (!refreshes_known) return Failure{Failure::Kind::kTransient, "", "HTTP 500"};
  if (refresh_active()) return refused("InstanceRefreshInProgress");
  preferences_ = start;
  baking_since_.reset();
  refresh_began_ = started_ = now;
  Refresh refresh;
  refresh.id = fmt::format("refresh-{}", next_refresh_++);
  refresh.status = RefreshStatus::kInProgress;
  refresh.version = start.version;
  refreshes.insert(refreshes.begin(), refresh);
  return Reply{Started{refresh.id}};
}

Event PretendAws::change(const Command& command, Time now) {
  calls.emplace_back(action_of(command));
  if (const auto* taken = std::get_if<WriteLock>(&command)) {
    if (lock && !taken->overwrite) return refused("ParameterAlreadyExists");
    lock = taken->job;
    lock_written = now;
  } else if (std::holds_alternative<DeleteLock>(command)) {
    lock.reset();
  } else if (const auto* written = std::get_if<WriteRecord>(&command)) {
    record = written->record;
  } else if (const auto* create = std::get_if<CreateVersion>(&command)) {
    long number = 0;
    for (const TemplateVersion& version : versions) number = std::max(number, version.number);
    add_version(number + 1, std::get<ImageLane>(create->lane).image, create->description);
    return Reply{Created{std::to_string(number + 1)}};
  } else if (const auto* remove = std::get_if<DeleteVersions>(&command)) {
    for (const std::string& doomed : remove->versions) {
      versions.erase(std::remove_if(versions.begin(), versions.end(),
                                    [&](const auto& version) { return std::to_string(version.number) == doomed; }),
                     versions.end());
    }
  } else if (const auto* begin = std::get_if<StartRefresh>(&command)) {
    return start(*begin, now);
  } else if (std::holds_alternative<RollbackRefresh>(command)) {
    if (!refresh_active()) return refused("ActiveInstanceRefreshNotFound");
    refreshes.front().status = RefreshStatus::kRollbackInProgress;
  } else if (std::holds_alternative<CancelRefresh>(command)) {
    if (!refresh_active()) return refused("ActiveInstanceRefreshNotFound");
    refreshes.front().status = RefreshStatus::kCancelled;
  } else if (const auto* update = std::get_if<UpdateGroup>(&command)) {
    group.version = update->version;
    if (versions_jump) {
      for (Instance& instance : group.instances) instance.version = update->version;
    }
  } else if (const auto* size = std::get_if<SetDesired>(&command)) {
    if (size->desired > group.max_size) return refused("ValidationError");
    group.desired = size->desired;
  } else if (const auto* terminate = std::get_if<TerminateInstance>(&command)) {
    end_instance(terminate->instance);
    if (terminate->decrement) --group.desired;
  } else if (const auto* suspend = std::get_if<SuspendProcesses>(&command)) {
    group.suspended.insert(group.suspended.end(), suspend->processes.begin(), suspend->processes.end());
  } else if (const auto* resume = std::get_if<ResumeProcesses>(&command)) {
    for (const std::string& process : resume->processes) {
      group.suspended.erase(std::remove(group.suspended.begin(), group.suspended.end(), process),
                            group.suspended.end());
    }
  }
  return Reply{Done{}};
}

Event PretendAws::perform(const Command& command, Time now) {
  pass(now);
  ++count;
  if (interfere) {
    if (auto instead = interfere(command, count)) return *instead;
  }
  return carry_out(command);
}

Event PretendAws::carry_out(const Command& command) {
  const Time now = now_;
  if (std::holds_alternative<GetCallerIdentity>(command))
    return Reply{Identity{"123456789012", "arn:aws:iam::1:user/me"}};
  if (std::holds_alternative<DescribeGroup>(command)) return Reply{GroupFound{group}};
  if (std::holds_alternative<DescribeRefreshes>(command)) {
    if (!refreshes_known) return Failure{Failure::Kind::kTransient, "", "HTTP 500"};
    if (refresh_active()) refreshes.front().age = now - started_;
    return Reply{refreshes};
  }
  if (std::holds_alternative<DescribeVersions>(command)) return Reply{versions};
  if (const auto* c = std::get_if<DescribeImages>(&command)) {
    std::vector<Image> found;
    for (const std::string& id : c->images) {
      const auto image = images.find(id);
      if (image != images.end()) found.push_back({id, "available", "x86_64", {{"Commit", image->second.commit}}});
    }
    return Reply{found};
  }
  if (std::holds_alternative<DescribeInstanceType>(command)) return Reply{Architectures{{"x86_64"}}};
  if (std::holds_alternative<DescribeTargetHealth>(command)) {
    std::vector<Target> targets;
    for (const Instance& instance : group.instances) {
      const bool good = healthy(instance) && static_cast<int>(targets.size()) >= unhealthy;
      targets.push_back({instance.id, good ? "healthy" : "unhealthy", good ? "" : "Target.FailedHealthChecks"});
    }
    return Reply{targets};
  }
  if (std::holds_alternative<DescribeAlarms>(command)) return Reply{alarms};
  if (std::holds_alternative<DescribeActivities>(command)) return Reply{std::vector<Activity>{}};
  if (std::holds_alternative<ReadRecord>(command)) return Reply{RecordFound{record}};
  if (std::holds_alternative<ReadLock>(command)) return Reply{Lock{lock, now - lock_written, holder_gone}};
  return change(command, now);
}

}  // namespace rr::deploy
