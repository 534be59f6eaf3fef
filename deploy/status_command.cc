// status and history: what serves, what AWS holds, what was released before. They change nothing.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "deploy/aws/record_text.h"
#include "deploy/commands.h"
#include "deploy/context.h"
#include "deploy/rollout/preflight.h"
#include "deploy/rollout/rollout.h"

namespace rr::deploy {
namespace {

using Json = nlohmann::ordered_json;

// How far the rest of a long line is moved in on a terminal.
// not a setting: how text is laid out for people
constexpr std::size_t kUnder = 2;

/// Empty when it is not there or no text: some endpoints write null for what they do not have.
std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Json released_json(const Released& released) {
  return {{"version", released.version},   {"ami", released.image},
          {"artifact", released.artifact}, {"commit", released.commit},
          {"build", released.build},       {"at", released.at ? Json(format_iso8601(*released.at, 0)) : Json(nullptr)}};
}

std::string released_text(const Released& released) {
  std::string text = "version " + released.version;
  if (!released.commit.empty()) text += fmt::format(", commit {}", short_commit(released.commit));
  if (!released.build.empty()) text += fmt::format(", build {}", released.build);
  if (!released.image.empty()) text += fmt::format(", {}", released.image);
  return text;
}

struct Seen {
  Tier tier;
  std::vector<Target> targets;
  std::vector<Alarm> alarms;
  std::vector<Refresh> refreshes;
  std::optional<Record> record;
  Lock lock;
  std::vector<std::string> unreadable;
};

/// A part that cannot be read is named, and the rest is shown all the same.
template <class Kind, class Into>
void look(Context& context, const Command& command, Into into, Seen& seen) {
  auto found = ask<Kind>(context, command);
  if (found) {
    into(std::move(*found));
  } else {
    seen.unreadable.push_back(found.error().message);
  }
}

Result<Seen> look_at_all(Context& context, const std::string& url) {
  Seen seen;
  auto tier = find_tier(context, url);
  if (!tier) return tier.error();
  seen.tier = std::move(*tier);
  if (!seen.tier.group)
    return Error{fmt::format("there is no Auto Scaling group {} in {}: `rr-deploy apply {}` makes it",
                             context.names.tier, context.client->region(), context.settings.environment)};
  if (!seen.tier.target_group.empty()) {
    look<std::vector<Target>>(
        context, DescribeTargetHealth{seen.tier.target_group}, [&](auto found) { seen.targets = found; }, seen);
  }
  look<std::vector<Refresh>>(
      context, DescribeRefreshes{context.names.tier}, [&](auto found) { seen.refreshes = found; }, seen);
  look<RecordFound>(
      context, ReadRecord{}, [&](auto found) { seen.record = found.record; }, seen);
  look<Lock>(
      context, ReadLock{}, [&](auto found) { seen.lock = found; }, seen);
  return seen;
}

std::string state_of(const Seen& seen, const std::string& instance) {
  for (const Target& target : seen.targets) {
    if (target.id == instance) return target.reason.empty() ? target.state : target.state + " " + target.reason;
  }
  return "not registered";
}

Json status_json(const Context& context, const Seen& seen) {
  const Group& group = *seen.tier.group;
  Json document = {{"url", seen.tier.url},      {"environment", context.settings.environment},
                   {"group", group.name},       {"version", group.version},
                   {"desired", group.desired},  {"min", group.min_size},
                   {"max", group.max_size},     {"suspended", group.suspended},
                   {"instances", Json::array()}};
  for (const Instance& instance : group.instances) {
    document["instances"].push_back({{"id", instance.id},
                                     {"zone", instance.zone},
                                     {"lifecycle", instance.lifecycle},
                                     {"health", instance.health},
                                     {"version", instance.version},
                                     {"target", state_of(seen, instance.id)}});
  }
  document["released"] = seen.record ? released_json(seen.record->current) : Json(nullptr);
  document["outcome"] = seen.record ? Json(to_string(seen.record->outcome)) : Json(nullptr);
  document["refresh"] = seen.refreshes.empty() || !is_active(seen.refreshes.front().status)
                            ? Json(nullptr)
                            : Json{{"id", seen.refreshes.front().id},
                                   {"status", to_string(seen.refreshes.front().status)},
                                   {"percent", seen.refreshes.front().percent},
                                   {"version", seen.refreshes.front().version}};
  document["lock"] = seen.lock.job ? Json{{"owner", seen.lock.job->owner},
                                          {"kind", to_string(seen.lock.job->kind)},
                                          {"age_seconds", to_seconds(seen.lock.age)}}
                                   : Json(nullptr);
  document["unreadable"] = seen.unreadable;
  return document;
}

void print_status(Context& context, const Seen& seen) {
  Speaker& speaker = context.speaker;
  const Group& group = *seen.tier.group;
  speaker.line(seen.tier.url.empty() ? "no load balancer" : seen.tier.url, Colour::kBlue);
  speaker.long_line(fmt::format("{}: {} of {} instances (at least {}, at most {}), template version {}", group.name,
                                group.instances.size(), group.desired, group.min_size, group.max_size, group.version),
                    kUnder);
  for (const Instance& instance : group.instances) {
    const std::string state = state_of(seen, instance.id);
    speaker.long_line(fmt::format("  {:<20} {:<12} version {:<4} {:<12} {}", instance.id, instance.zone,
                                  instance.version, instance.lifecycle, state),
                      2 * kUnder, state == "healthy" ? Colour::kGreen : Colour::kYellow);
  }
  if (!group.suspended.empty())
    speaker.long_line(fmt::format("suspended: {}", fmt::join(group.suspended, ", ")), kUnder, Colour::kYellow);
  if (!seen.refreshes.empty() && is_active(seen.refreshes.front().status)) {
    const Refresh& refresh = seen.refreshes.front();
    speaker.long_line(fmt::format("refresh {} to version {}: {} {}", refresh.id, refresh.version,
                                  to_string(refresh.status), bar(refresh.percent)),
                      kUnder, Colour::kYellow);
  }
  if (seen.lock.job) {
    speaker.long_line(fmt::format("{} of {} is under way, renewed {:.0f} s ago", to_string(seen.lock.job->kind),
                                  seen.lock.job->owner, to_seconds(seen.lock.age)),
                      kUnder, Colour::kYellow);
  }
  if (seen.record) {
    const bool good = seen.record->outcome == Outcome::kReleased;
    speaker.long_line(fmt::format("{}: {}{}", to_string(seen.record->outcome), released_text(seen.record->current),
                                  seen.record->why.empty() ? "" : " (" + seen.record->why + ")"),
                      kUnder, good ? Colour::kGreen : Colour::kYellow);
    if (seen.record->previous) speaker.long_line("before: " + released_text(*seen.record->previous), kUnder);
  } else {
    speaker.line("no release yet");
  }
  for (const std::string& one : seen.unreadable) speaker.long_line("not readable: " + one, kUnder, Colour::kYellow);
}

int run_status(const CommandSpec& command, const Arguments& arguments) {
  auto context = open_context(arguments);
  if (!context) return fail(command, kRefused, context.error().message);
  auto seen = look_at_all(**context, arguments.value("--url"));
  if (!seen) return fail(command, kRefused, seen.error().message);
  if ((*context)->json) {
    fmt::print("{}\n", status_json(**context, *seen).dump(2));
  } else {
    print_status(**context, *seen);
  }
  return 0;
}

// -- history

/// Every state that the release record has had, oldest first: Parameter Store keeps the last hundred.
Result<std::vector<Record>> read_history(Context& context) {
  std::vector<Record> records;
  std::string page;
  do {
    Json body = {{"Name", context.names.release_parameter}, {"MaxResults", 50}};
    if (!page.empty()) body["NextToken"] = page;
    const auto response = context.client->call(json_call("ssm", "GetParameterHistory", body.dump()));
    if (!response) {
      if (response.error().code == "ParameterNotFound") return records;
      return Error{response.error().message};
    }
    const auto document = Json::parse(response->body, nullptr, false);
    if (!document.is_object() || !document.contains("Parameters"))
      return Error{"GetParameterHistory: the answer is not what AWS would say"};
    for (const Json& one : document["Parameters"]) {
      if (const auto record = parse_record(text_of(one, "Value"))) records.push_back(*record);
    }
    page = text_of(document, "NextToken");
  } while (!page.empty());
  return records;
}

std::string can_be_gone_to(const Facts& facts, const std::string& version) {
  const TemplateVersion* there = find_version(facts, version);
  if (there == nullptr) return "version deleted";
  const Image* image = find_image(facts, there->image);
  return image != nullptr && image->state == "available" ? "" : "image gone";
}

Result<Facts> versions_and_images(Context& context, const Tier& tier) {
  Facts facts;
  if (!tier.group || tier.group->template_id.empty()) return facts;
  auto versions = ask<std::vector<TemplateVersion>>(context, DescribeVersions{tier.group->template_id});
  if (!versions) return versions.error();
  facts.versions = std::move(*versions);
  std::vector<std::string> ids;
  for (const TemplateVersion& version : facts.versions) ids.push_back(version.image);
  auto images = ask<std::vector<Image>>(context, DescribeImages{ids});
  if (!images) return images.error();
  facts.images = std::move(*images);
  return facts;
}

int run_history(const CommandSpec& command, const Arguments& arguments) {
  auto opened = open_context(arguments, SettingsFirst::kStored);
  if (!opened) return fail(command, kRefused, opened.error().message);
  Context& context = **opened;
  auto records = read_history(context);
  if (!records) return fail(command, kRefused, records.error().message);
  auto tier = find_tier(context, "");
  if (!tier) return fail(command, kRefused, tier.error().message);
  const auto facts = versions_and_images(context, *tier);
  if (!facts) return fail(command, kRefused, facts.error().message);
  Json document = Json::array();
  std::reverse(records->begin(), records->end());
  for (const Record& record : *records) {
    const std::string gone = can_be_gone_to(*facts, record.current.version);
    if (context.json) {
      document.push_back({{"outcome", to_string(record.outcome)},
                          {"current", released_json(record.current)},
                          {"why", record.why},
                          {"by", record.by},
                          {"at", record.at ? Json(format_iso8601(*record.at, 0)) : Json(nullptr)},
                          {"available", gone.empty()}});
      continue;
    }
    const bool good = record.outcome == Outcome::kReleased;
    context.speaker.long_line(
        fmt::format("{}  {}: {}  by {}{}{}", record.at ? format_iso8601(*record.at, 0) : "unknown time        ",
                    to_string(record.outcome), released_text(record.current), record.by,
                    record.why.empty() ? "" : ": " + record.why, gone.empty() ? "" : "  [" + gone + "]"),
        2 * kUnder, good ? Colour::kPlain : Colour::kYellow);
  }
  if (context.json) fmt::print("{}\n", document.dump(2));
  if (!context.json && records->empty()) context.speaker.line("no release yet");
  return 0;
}

}  // namespace

std::vector<CommandSpec> status_commands() {
  CommandSpec status;
  status.name = "status";
  status.arguments = {"ENVIRONMENT"};
  status.summary = "The URL first, then what serves, what is under way and what was released.";
  status.flags =
      with_common_flags({{"--url", "URL", "where the tier answers, in place of the load balancer's own name"}});
  status.examples = {{"rr-deploy status production", ""},
                     {"curl \"$(rr-deploy status production --json | jq -r .url)\"", "for programs"}};
  status.run = run_status;
  CommandSpec history;
  history.name = "history";
  history.arguments = {"ENVIRONMENT"};
  history.summary = "The releases and rollbacks so far, newest first, and which of them can be gone back to.";
  history.flags = with_common_flags({});
  history.examples = {{"rr-deploy history production", "the versions that `rollback --to` takes"}};
  history.run = run_history;
  return {status, history};
}

}  // namespace rr::deploy
