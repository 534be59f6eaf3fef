// The commands about the Auto Scaling group's members, hooks and processes: each is one call of the API.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>

#include "sim/asking.h"
#include "sim/commands.h"
#include "sim/console/screen.h"
#include "sim/console/status_view.h"

namespace rr::sim {
namespace {
using nlohmann::json;

/// Finds the instance that the command names, does what `what` makes of it, and says `said` of its id.
int do_to_instance(const CommandSpec& command, const Arguments& arguments, const std::string& said,
                   const std::function<Command(const InstanceId&)>& what) {
  const StateLayout layout = layout_of(arguments);
  int exit = 0;
  const auto id = ask_instance(command, layout, arguments.positional()[0], exit);
  if (!id || !ask_api(command, layout, what(*id), exit)) return exit;
  std::puts(fmt::format("{}: {}", id->value, said).c_str());
  return 0;
}

/// The same with the tier's group.
int do_to_group(const CommandSpec& command, const Arguments& arguments, const std::string& said,
                const std::function<Command(const std::string&)>& what) {
  const StateLayout layout = layout_of(arguments);
  int exit = 0;
  const auto group = ask_group(command, layout, exit);
  if (!group || !ask_api(command, layout, what(*group), exit)) return exit;
  std::puts(fmt::format("group {}: {}", *group, said).c_str());
  return 0;
}

Result<std::set<ScalingProcess>> processes_of(const Arguments& arguments) {
  std::set<ScalingProcess> processes;
  std::string rest = arguments.positional().empty() ? "" : arguments.positional()[0];
  while (!rest.empty()) {
    const std::string name = rest.substr(0, rest.find(','));
    rest.erase(0, name.size() + 1);
    const auto process = parse_scaling_process(name);
    if (!process) {
      return Error{fmt::format(
          "{}: is no process; Launch, Terminate, AddToLoadBalancer, AlarmNotification, AZRebalance, HealthCheck, "
          "InstanceRefresh, ReplaceUnhealthy or ScheduledActions is right",
          name)};
    }
    processes.insert(*process);
  }
  return processes;
}

std::string named(const Arguments& arguments) {
  return arguments.positional().empty() ? "every process" : arguments.positional()[0];
}

Result<LifecycleActionResult> result_of(const Arguments& arguments, const std::string& flag,
                                        const std::string& otherwise) {
  const std::string text = arguments.value(flag, otherwise);
  if (text == "continue" || text == "CONTINUE") return LifecycleActionResult::kContinue;
  if (text == "abandon" || text == "ABANDON") return LifecycleActionResult::kAbandon;
  return Error{fmt::format("{} {}: continue or abandon is right", flag, text)};
}

}  // namespace

// ---- instances

int run_instance_terminate(const CommandSpec& command, const Arguments& arguments) {
  const bool decrement = arguments.has("--decrement");
  return do_to_instance(command, arguments, decrement ? "is ended, and not replaced" : "is ended, and replaced",
                        [&](const InstanceId& id) {
                          return TerminateInstanceInAutoScalingGroup{id, decrement};
                        });
}

int run_instance_health(const CommandSpec& command, const Arguments& arguments) {
  const std::string& health = arguments.positional()[1];
  if (health != "healthy" && health != "unhealthy") {
    return fail(command, kExitUsage, fmt::format("HEALTH: {}: healthy or unhealthy is right", health));
  }
  const bool respect = arguments.has("--respect-grace-period");
  return do_to_instance(command, arguments, "is called " + health, [&](const InstanceId& id) {
    return SetInstanceHealth{id, health == "healthy", respect};
  });
}

int run_instance_protect(const CommandSpec& command, const Arguments& arguments) {
  const bool off = arguments.has("--off");
  return do_to_instance(command, arguments, off ? "is not protected from scale-in" : "is protected from scale-in",
                        [&](const InstanceId& id) {
                          return SetInstanceProtection{{id}, !off};
                        });
}

int run_instance_standby(const CommandSpec& command, const Arguments& arguments) {
  const bool replace = arguments.has("--replace");
  return do_to_instance(command, arguments, "drains, and is then in standby", [&](const InstanceId& id) {
    return EnterStandby{{id}, !replace};
  });
}

int run_instance_return(const CommandSpec& command, const Arguments& arguments) {
  return do_to_instance(command, arguments, "is in service again",
                        [&](const InstanceId& id) { return ExitStandby{{id}}; });
}

int run_instance_detach(const CommandSpec& command, const Arguments& arguments) {
  const bool replace = arguments.has("--replace");
  return do_to_instance(command, arguments, "drains, and then runs on outside the group", [&](const InstanceId& id) {
    return DetachInstances{{id}, !replace};
  });
}

int run_instance_attach(const CommandSpec& command, const Arguments& arguments) {
  const StateLayout layout = layout_of(arguments);
  int exit = 0;
  const auto group = ask_group(command, layout, exit);
  if (!group) return exit;
  return do_to_instance(command, arguments, "is in the group again", [&](const InstanceId& id) {
    return AttachInstances{*group, {id}};
  });
}

// ---- processes

int run_group_update(const CommandSpec& command, const Arguments& arguments) {
  json changes = json::object();
  for (const std::string& text : arguments.values("--set")) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return fail(command, kExitUsage, fmt::format("--set {}: KEY=VALUE is right", text));
    }
    changes[text.substr(0, equals)] = text.substr(equals + 1);
  }
  if (changes.empty()) return fail(command, kExitUsage, "--set KEY=VALUE is missing: what is to be changed");
  return tell(command, layout_of(arguments), "/group", changes);
}

int run_group_suspend(const CommandSpec& command, const Arguments& arguments) {
  const auto processes = processes_of(arguments);
  if (!processes) return fail(command, kExitUsage, processes.error().message);
  return do_to_group(command, arguments, named(arguments) + " is suspended", [&](const std::string& group) {
    return SuspendProcesses{group, *processes};
  });
}

int run_group_resume(const CommandSpec& command, const Arguments& arguments) {
  const auto processes = processes_of(arguments);
  if (!processes) return fail(command, kExitUsage, processes.error().message);
  return do_to_group(command, arguments, named(arguments) + " is resumed", [&](const std::string& group) {
    return ResumeProcesses{group, *processes};
  });
}

int run_group_activities(const CommandSpec& command, const Arguments& arguments) {
  int exit = 0;
  const auto status = ask_status(command, layout_of(arguments), exit);
  if (!status) return exit;
  const json& all = (*status)["activities"];
  if (arguments.has("--json")) {
    std::puts(all.dump(2).c_str());
    return 0;
  }
  const Palette palette = Palette::for_descriptor(STDOUT_FILENO);
  for (auto one = all.rbegin(); one != all.rend(); ++one) {
    const std::string took = (*one)["took"].is_object() ? ", took " + duration_view((*one)["took"]) : "";
    std::puts(palette.paint(Ink::kBold, (*one)["description"].get<std::string>()).c_str());
    std::puts(fmt::format("  {} {} %, started {}{}", (*one)["status"].get<std::string>(), (*one)["progress"].get<int>(),
                          (*one)["started"].get<std::string>(), took)
                  .c_str());
    for (const char* key : {"status_message", "cause"}) {
      const std::string text = (*one)[key].get<std::string>();
      if (!text.empty()) std::puts(wrapped(text, kColumns, "  ").c_str());
    }
  }
  return 0;
}

// ---- hooks

int run_hook_put(const CommandSpec& command, const Arguments& arguments) {
  const std::string on = arguments.positional()[1];
  if (on != "launching" && on != "terminating") {
    return fail(command, kExitUsage, fmt::format("TRANSITION: {}: launching or terminating is right", on));
  }
  const Result<Duration> heartbeat = parse_duration(arguments.value("--heartbeat", "1h"));
  if (!heartbeat) {
    return fail(command, kExitUsage,
                fmt::format("--heartbeat {}: a time such as 5m is right", arguments.value("--heartbeat")));
  }
  const auto otherwise = result_of(arguments, "--default", "abandon");
  if (!otherwise) return fail(command, kExitUsage, otherwise.error().message);
  const LifecycleHook hook{
      .name = arguments.positional()[0],
      .transition = on == "launching" ? LifecycleTransition::kLaunching : LifecycleTransition::kTerminating,
      .heartbeat_timeout = *heartbeat,
      .default_result = *otherwise};
  return do_to_group(command, arguments, fmt::format("instances wait for {} when {}", hook.name, on),
                     [&](const std::string& group) {
                       return PutLifecycleHook{group, hook};
                     });
}

int run_hook_delete(const CommandSpec& command, const Arguments& arguments) {
  const std::string& hook = arguments.positional()[0];
  return do_to_group(command, arguments, fmt::format("the hook {} is deleted", hook), [&](const std::string& group) {
    return DeleteLifecycleHook{group, hook};
  });
}

namespace {

/// Of the commands that take HOOK ID.
int do_to_waiting(const CommandSpec& command, const Arguments& arguments, const std::string& said,
                  const std::function<Command(const std::string&, const InstanceId&)>& what) {
  const StateLayout layout = layout_of(arguments);
  int exit = 0;
  const auto id = ask_instance(command, layout, arguments.positional()[1], exit);
  if (!id) return exit;
  return do_to_group(command, arguments, fmt::format("{}: {}", id->value, said),
                     [&](const std::string& group) { return what(group, *id); });
}

}  // namespace

int run_hook_complete(const CommandSpec& command, const Arguments& arguments) {
  const auto result = result_of(arguments, "--result", "continue");
  if (!result) return fail(command, kExitUsage, result.error().message);
  const std::string& hook = arguments.positional()[0];
  return do_to_waiting(command, arguments, fmt::format("{} of {}", to_string(*result), hook),
                       [&](const std::string& group, const InstanceId& id) {
                         return CompleteLifecycleAction{group, hook, *result, id, ""};
                       });
}

int run_hook_heartbeat(const CommandSpec& command, const Arguments& arguments) {
  const std::string& hook = arguments.positional()[0];
  return do_to_waiting(command, arguments, fmt::format("may take longer for {}", hook),
                       [&](const std::string& group, const InstanceId& id) {
                         return RecordLifecycleActionHeartbeat{group, hook, id, ""};
                       });
}

}  // namespace rr::sim
