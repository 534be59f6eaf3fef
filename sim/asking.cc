#include "sim/asking.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "sim/console/control_client.h"
#include "sim/store/region_text.h"

namespace rr::sim {
using nlohmann::json;

std::string none_runs(const StateLayout& layout) {
  const std::string flag = state_flag(layout);
  if (holds_killed_tier(layout)) {
    return fmt::format(
        "no tier runs in {}, but a killed one is left; go on with it: rr-sim up{}, or clean up: rr-sim down{}",
        layout.folder, flag, flag);
  }
  return fmt::format("no tier runs in {}; start one: rr-sim up -d{}", layout.folder, flag);
}

std::optional<json> ask(const CommandSpec& command, const StateLayout& layout, const std::string& method,
                        const std::string& target, const std::string& body, int& exit) {
  const auto refused = [&](int status, const std::string& why) {
    exit = fail(command, status, why);
    return std::nullopt;
  };
  exit = 0;
  if (!lock_holder(layout)) return refused(kExitNotStarted, none_runs(layout));
  const auto answer = ask_tier(layout.control_socket(), method, target, body);
  if (!answer) return refused(kExitNotStarted, answer.error().message);
  json document = json::parse(answer->body, nullptr, false);
  if (!document.is_object()) return refused(kExitRefused, answer->body);
  if (answer->status == 200) return document;
  return refused(document.value("exit", kExitRefused), document.value("error", "refused"));
}

std::optional<json> ask_status(const CommandSpec& command, const StateLayout& layout, int& exit) {
  return ask(command, layout, "GET", "/status", "", exit);
}

int tell(const CommandSpec& command, const StateLayout& layout, const std::string& target, const json& body) {
  int exit = 0;
  const auto answer = ask(command, layout, "POST", target, body.dump(), exit);
  if (!answer) return exit;
  for (const json& line : (*answer)["said"]) std::puts(line.get<std::string>().c_str());
  return 0;
}

std::optional<Reply> ask_api(const CommandSpec& command, const StateLayout& layout, const Command& what, int& exit) {
  const auto answer = ask(command, layout, "POST", "/command", write_command(what), exit);
  if (!answer) return std::nullopt;
  return Reply{answer->value("id", ""), answer->value("number", 0)};
}

std::optional<InstanceId> ask_instance(const CommandSpec& command, const StateLayout& layout, const std::string& text,
                                       int& exit) {
  const auto answer = ask(command, layout, "GET", "/instance?name=" + query_escaped(text), "", exit);
  if (!answer) return std::nullopt;
  return InstanceId(answer->value("id", ""));
}

std::optional<std::string> ask_group(const CommandSpec& command, const StateLayout& layout, int& exit) {
  const auto status = ask_status(command, layout, exit);
  if (!status) return std::nullopt;
  return (*status)["groups"].at(0).value("name", "");
}

}  // namespace rr::sim
