#pragma once
// How the commands of rr-sim ask a running tier: one question, its answer, or one line that says why there is none.
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "sim/cloud/region.h"
#include "sim/command_line.h"
#include "sim/scenario/state_folder.h"

namespace rr::sim {

/// The tier's answer; none when it has been said why there is none, `exit` being the command's status then.
std::optional<nlohmann::json> ask(const CommandSpec& command, const StateLayout& layout, const std::string& method,
                                  const std::string& target, const std::string& body, int& exit);
/// The document of `rr-sim status --json`.
std::optional<nlohmann::json> ask_status(const CommandSpec& command, const StateLayout& layout, int& exit);

/// For a command whose answer is sentences: prints them. Returns the exit status.
int tell(const CommandSpec& command, const StateLayout& layout, const std::string& target, const nlohmann::json& body);

/// A command of the control plane's API, done by the running tier.
std::optional<Reply> ask_api(const CommandSpec& command, const StateLayout& layout, const Command& what, int& exit);

/// The whole id of an instance that is named by the beginning of its id, its host name or its address.
std::optional<InstanceId> ask_instance(const CommandSpec& command, const StateLayout& layout, const std::string& text,
                                       int& exit);

/// The name of the tier's Auto Scaling group.
std::optional<std::string> ask_group(const CommandSpec& command, const StateLayout& layout, int& exit);

/// That no tier runs in the folder, and how to start one.
std::string none_runs(const StateLayout& layout);

}  // namespace rr::sim
