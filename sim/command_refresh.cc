// The commands about instance refreshes, and a release that is one.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "sim/asking.h"
#include "sim/commands.h"
#include "sim/console/screen.h"
#include "sim/console/status_view.h"
#include "sim/store/region_text.h"

namespace rr::sim {
namespace {
using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto kLook = 100ms;

/// Reads the flags one after the other; keeps the first thing that is wrong.
class Preferences {
 public:
  explicit Preferences(const Arguments& arguments) : arguments_(arguments) {
    percentage("--min-healthy", 0, 100, asked_.min_healthy_percentage);
    percentage("--max-healthy", 100, 200, asked_.max_healthy_percentage);
    span("--warmup", asked_.instance_warmup);
    span("--checkpoint-delay", asked_.checkpoint_delay);
    std::optional<Duration> bake;
    span("--bake-time", bake);
    asked_.bake_time = bake.value_or(Duration::zero());
    checkpoints();
    asked_.skip_matching = arguments.has("--skip-matching");
    asked_.auto_rollback = arguments.has("--auto-rollback");
    asked_.alarms = arguments.values("--alarm");
    choice("--protected", {"Refresh", "Ignore", "Wait"}, asked_.scale_in_protected_instances);
    choice("--standby", {"Terminate", "Ignore", "Wait"}, asked_.standby_instances);
  }
  Result<RefreshPreferences> result() const {
    if (wrong_) return *wrong_;
    return asked_;
  }

 private:
  void refuse(const std::string& flag, const std::string& value, const std::string& right) {
    if (!wrong_) wrong_ = Error{fmt::format("{} {}: {} is right", flag, value, right)};
  }
  static std::optional<int> whole(std::string_view text, int least, int most) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool fine = error == std::errc() && end == text.data() + text.size() && value >= least && value <= most;
    return fine ? std::optional(value) : std::nullopt;
  }
  void percentage(const std::string& flag, int least, int most, std::optional<int>& out) {
    if (!arguments_.has(flag)) return;
    out = whole(arguments_.value(flag), least, most);
    if (!out) refuse(flag, arguments_.value(flag), fmt::format("a percentage from {} to {}", least, most));
  }
  void span(const std::string& flag, std::optional<Duration>& out) {
    if (!arguments_.has(flag)) return;
    const Result<Duration> read = parse_duration(arguments_.value(flag));
    if (!read) return refuse(flag, arguments_.value(flag), "a time such as 30s or 5m");
    out = *read;
  }
  void checkpoints() {
    std::string rest = arguments_.value("--checkpoints");
    while (!rest.empty()) {
      const std::string part = rest.substr(0, rest.find(','));
      rest.erase(0, part.size() + 1);
      const auto read = whole(part, 1, 100);
      if (!read)
        return refuse("--checkpoints", arguments_.value("--checkpoints"), "ascending percentages such as 50,100");
      asked_.checkpoint_percentages.push_back(*read);
    }
  }
  template <class Choice>
  void choice(const std::string& flag, const std::vector<std::string>& names, Choice& out) {
    if (!arguments_.has(flag)) return;
    for (std::size_t i = 0; i < names.size(); ++i) {
      std::string lower = names[i];
      lower[0] = static_cast<char>(lower[0] - 'A' + 'a');
      if (arguments_.value(flag) != names[i] && arguments_.value(flag) != lower) continue;
      out = static_cast<Choice>(i);
      return;
    }
    refuse(flag, arguments_.value(flag), fmt::format("{}, {} or {}", names[0], names[1], names[2]));
  }

  const Arguments& arguments_;
  RefreshPreferences asked_;
  std::optional<Error> wrong_;
};

const json* newest_refresh(const json& status) {
  const json& all = status["refreshes"];
  return all.empty() ? nullptr : &all.front();
}

std::string progress(const json& refresh) {
  std::string line = fmt::format("{:<18} {:>3} %  {} to update", refresh["status"].get<std::string>(),
                                 refresh["percentage_complete"].get<int>(), refresh["instances_to_update"].get<int>());
  const std::string reason = refresh["status_reason"].get<std::string>();
  return reason.empty() ? line : line + "  " + reason;
}

int exit_of(const json& refresh) {
  const std::string status = refresh["status"].get<std::string>();
  if (status == "Successful") return 0;
  return status == "RollbackSuccessful" ? kExitRolledBack : kExitRefused;
}

/// Prints each change until the refresh has ended.
int follow(const CommandSpec& command, const StateLayout& layout) {
  std::string last;
  for (;;) {
    int exit = 0;
    const auto status = ask_status(command, layout, exit);
    if (!status) return kExitRefused;
    const json* refresh = newest_refresh(*status);
    if (refresh == nullptr) return fail(command, kExitRefused, "the tier knows of no instance refresh any more");
    const std::string now = progress(*refresh);
    if (now != last) {
      std::puts(now.c_str());
      std::fflush(stdout);
    }
    last = now;
    if ((*refresh)["ended"].is_string()) {
      std::puts(fmt::format("took {}", duration_view((*refresh)["took"])).c_str());
      return exit_of(*refresh);
    }
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

std::vector<FlagSpec> refresh_flags() {
  return {
      {"--min-healthy", 0, "PERCENT", "least healthy capacity meanwhile (default 90);\n100 launches before it ends",
       ""},
      {"--max-healthy", 0, "PERCENT", "most capacity meanwhile (default 100)", ""},
      {"--warmup", 0, "TIME", "from in service until a new instance counts\n(default: the group's)", ""},
      {"--skip-matching", 0, "", "leave instances that run this version already", ""},
      {"--auto-rollback", 0, "", "go back by itself when it fails", ""},
      {"--checkpoints", 0, "LIST", "stop at these percentages, such as 50,100", ""},
      {"--checkpoint-delay", 0, "TIME", "for so long (default 1h)", ""},
      {"--bake-time", 0, "TIME", "wait before it counts as successful", ""},
      {"--alarm", 0, "NAME", "fail when this alarm is in ALARM; may be repeated", ""},
      {"--protected", 0, "WHAT", "instances protected from scale-in: refresh, ignore\nor wait (default)", ""},
      {"--standby", 0, "WHAT", "instances in standby: terminate, ignore or wait\n(default)", ""},
  };
}

int run_refresh_release(const CommandSpec& command, const Arguments& arguments) {
  const StateLayout layout = layout_of(arguments);
  const auto preferences = Preferences(arguments).result();
  if (!preferences) return fail(command, kExitUsage, preferences.error().message);
  const Command start = StartInstanceRefresh{"", std::nullopt, *preferences};
  const int exit = tell(
      command, layout, "/release",
      {{"image", arguments.value("--image")}, {"strategy", "refresh"}, {"start", json::parse(write_command(start))}});
  if (exit != 0) return exit;
  std::fflush(stdout);
  return follow(command, layout);
}

int run_refresh_status(const CommandSpec& command, const Arguments& arguments) {
  int exit = 0;
  const auto status = ask_status(command, layout_of(arguments), exit);
  if (!status) return exit;
  if (arguments.has("--json")) {
    std::puts((*status)["refreshes"].dump(2).c_str());
    return 0;
  }
  const Palette palette = Palette::for_descriptor(STDOUT_FILENO);
  for (const json& refresh : (*status)["refreshes"]) {
    std::puts(palette.paint(Ink::kBold, refresh["id"].get<std::string>()).c_str());
    std::puts(wrapped(progress(refresh), kColumns, "  ").c_str());
    const std::string took = refresh["took"].is_object() ? ", took " + duration_view(refresh["took"]) : "";
    std::puts(fmt::format("  {} to {} % healthy, started {}{}", refresh["min_healthy_percentage"].get<int>(),
                          refresh["max_healthy_percentage"].get<int>(), refresh["started"].get<std::string>(), took)
                  .c_str());
  }
  if ((*status)["refreshes"].empty()) std::puts("no instance refresh yet");
  return 0;
}

int run_refresh_cancel(const CommandSpec& command, const Arguments& arguments) {
  const StateLayout layout = layout_of(arguments);
  int exit = 0;
  const std::optional<std::string> group = ask_group(command, layout, exit);
  if (!group) return exit;
  const auto reply = ask_api(command, layout, CancelInstanceRefresh{*group, !arguments.has("--at-once")}, exit);
  if (!reply) return exit;
  std::puts(fmt::format("{} is being cancelled; nothing is undone", reply->id).c_str());
  return 0;
}

int run_refresh_rollback(const CommandSpec& command, const Arguments& arguments) {
  const StateLayout layout = layout_of(arguments);
  int exit = 0;
  const std::optional<std::string> group = ask_group(command, layout, exit);
  if (!group) return exit;
  const auto reply = ask_api(command, layout, RollbackInstanceRefresh{*group}, exit);
  if (!reply) return exit;
  std::puts(fmt::format("{} is being rolled back", reply->id).c_str());
  std::fflush(stdout);
  return follow(command, layout);
}

}  // namespace rr::sim
