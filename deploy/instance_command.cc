// logs and session: looking at what runs.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "deploy/commands.h"
#include "deploy/context.h"
#include "deploy/rollout/rollout.h"
#include "deploy/tool.h"

namespace rr::deploy {
namespace {

using Json = nlohmann::json;

/// Empty when it is not there or no text: some endpoints write null for what they do not have.
std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::int64_t milliseconds_of(const Json& event) {
  const auto found = event.find("timestamp");
  return found != event.end() && found->is_number() ? found->get<std::int64_t>() : 0;
}

std::string line_of(const Json& event) {
  std::string message = text_of(event, "message");
  while (!message.empty() && message.back() == '\n') message.pop_back();
  const Time at(std::chrono::milliseconds(milliseconds_of(event)));
  return fmt::format("{}  {:<20}  {}", format_iso8601(at, 3), text_of(event, "logStreamName"), message);
}

/// All lines since `since` that were not shown before; `since` moves to the last of them.
Status show_new(Context& context, const std::string& stream, Time& since, std::set<std::string>& shown) {
  std::string page;
  do {
    Json body = {
        {"logGroupName", context.names.log_group},
        {"startTime", std::chrono::duration_cast<std::chrono::milliseconds>(since.time_since_epoch()).count()}};
    if (!stream.empty()) body["logStreamNames"] = Json::array({stream});
    if (!page.empty()) body["nextToken"] = page;
    const auto response = context.client->call(json_call("logs", "FilterLogEvents", body.dump()));
    if (!response) return Error{response.error().message};
    const auto document = Json::parse(response->body, nullptr, false);
    if (!document.is_object() || !document.contains("events"))
      return Error{"FilterLogEvents: the answer is not what AWS would say"};
    for (const Json& event : document["events"]) {
      if (!shown.insert(text_of(event, "eventId")).second) continue;
      since = std::max(since, Time(std::chrono::milliseconds(milliseconds_of(event))));
      if (context.json) {
        fmt::print("{}\n", event.dump());
      } else {
        fmt::print("{}\n", line_of(event));
      }
    }
    page = text_of(document, "nextToken");
  } while (!page.empty());
  std::fflush(stdout);
  return Ok{};
}

int run_logs(const CommandSpec& command, const Arguments& arguments) {
  const auto age = parse_duration(arguments.value("--since", "10m"));
  if (!age) return fail(command, kUsage, "--since: " + age.error().message);
  auto opened = open_context(arguments, SettingsFirst::kStored);
  if (!opened) return fail(command, kRefused, opened.error().message);
  Context& context = **opened;
  const std::string stream = arguments.words().size() > 1 ? arguments.words()[1] : "";
  count_interrupts();
  Time since = now() - *age;
  std::set<std::string> shown;
  do {
    if (const Status done = show_new(context, stream, since, shown); !done)
      return fail(command, kRefused, done.error().message);
    // not a setting: how often this client looks
  } while (arguments.has("--follow") && sleep_until_interrupt(2 * kSecond, 0));
  return 0;
}

int run_session(const CommandSpec& command, const Arguments& arguments) {
  for (const char* tool : {"aws", "session-manager-plugin"}) {
    if (const Status there = need_tool(tool); !there) return fail(command, kRefused, there.error().message);
  }
  auto opened = open_context(arguments, SettingsFirst::kStored);
  if (!opened) return fail(command, kRefused, opened.error().message);
  Context& context = **opened;
  auto tier = find_tier(context, "");
  if (!tier) return fail(command, kRefused, tier.error().message);
  const std::string& wanted = arguments.words()[1];
  std::vector<std::string> fitting;
  if (tier->group) {
    for (const Instance& instance : tier->group->instances) {
      if (instance.id.rfind(wanted, 0) == 0) fitting.push_back(instance.id);
    }
  }
  if (fitting.size() != 1) {
    return fail(command, kRefused,
                fmt::format("{}: {} of the group's instances begin so; `rr-deploy status` lists them", wanted,
                            fitting.empty() ? "none" : "several"));
  }
  return run_attached({"aws", "ssm", "start-session", "--target", fitting.front()}, "", context.child_variables());
}

}  // namespace

std::vector<CommandSpec> instance_commands() {
  CommandSpec logs;
  logs.name = "logs";
  logs.arguments = {"ENVIRONMENT", "[INSTANCE]"};
  logs.summary = "What the application wrote, from CloudWatch Logs.";
  logs.flags = with_common_flags(
      {{"--follow", "", "go on as it writes", 'f'}, {"--since", "TIME", "how far back (default 10m)"}});
  logs.examples = {{"rr-deploy logs production -f", "all instances, as they write"},
                   {"rr-deploy logs production i-0a1b2c3d4e5f60718", "one"}};
  logs.run = run_logs;
  CommandSpec session;
  session.name = "session";
  session.arguments = {"ENVIRONMENT", "INSTANCE"};
  session.summary = "A shell on an instance by Session Manager: no key, no open port.";
  session.flags = with_common_flags({});
  session.examples = {{"rr-deploy session production i-0a1b", "the beginning of an id will do"}};
  session.run = run_session;
  return {logs, session};
}

}  // namespace rr::deploy
