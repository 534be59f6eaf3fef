// The commands that do faults to a running tier and end them, and the remedy that AWS has for a bad zone.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sim/asking.h"
#include "sim/commands.h"
#include "sim/scenario/fis_template.h"
#include "sim/world/fault.h"

namespace rr::sim {
namespace {
using nlohmann::json;

std::string remaining(const json& one) {
  if (!one["remaining_seconds"].is_number()) return "until healed";
  const auto left = std::chrono::seconds(static_cast<long>(one["remaining_seconds"].get<double>() + 0.999));
  return format_duration(left) + " left";
}

/// The columns of a link between AWS's longest usual names still fit a terminal of 80.
constexpr const char* kColumns = "{:<16} {:<7} {:<33} {:<8} {}";

void print_fault(const json& one) {
  const std::string since = one["since"].get<std::string>();  // 2026-11-26T13:10:28.171Z
  std::puts(fmt::format(fmt::runtime(kColumns), one["kind"].get<std::string>(), one["amount"].get<std::string>(),
                        one["target"].get<std::string>(), since.substr(since.find('T') + 1, 8), remaining(one))
                .c_str());
}

}  // namespace

int run_fault(const CommandSpec& command, const Arguments& arguments) {
  const std::string& kind = arguments.positional()[0];
  const FaultKindRow* row = find_fault_kind(kind);
  if (row == nullptr) {
    std::vector<std::string> names;
    for (const FaultKindRow& one : fault_kinds()) names.emplace_back(one.name);
    const auto meant = nearest(kind, names);
    return fail(command, kExitUsage,
                fmt::format("KIND: {}: there is no such fault; {}`rr-sim fault --help` lists them", kind,
                            meant ? "is " + *meant + " meant? " : ""));
  }
  if (const auto amount = parse_amount(*row, arguments.value("--amount")); !amount) {
    return fail(command, kExitUsage, fmt::format("--amount {}", amount.error().message));
  }
  return tell(command, layout_of(arguments), "/fault",
              {{"kind", kind},
               {"target", arguments.positional()[1]},
               {"amount", arguments.value("--amount")},
               {"for", arguments.value("--for")}});
}

int run_faults(const CommandSpec& command, const Arguments& arguments) {
  int exit = 0;
  const auto answer = ask(command, layout_of(arguments), "GET", "/faults", "", exit);
  if (!answer) return exit;
  if (arguments.has("--json")) {
    std::puts(answer->dump(2).c_str());
    return 0;
  }
  const json& shift = (*answer)["zonal_shift"];
  if ((*answer)["faults"].empty()) {
    std::puts("no fault is in force");
  } else {
    std::puts(fmt::format(fmt::runtime(kColumns), "FAULT", "AMOUNT", "TARGET", "SINCE", "ENDS").c_str());
  }
  for (const json& one : (*answer)["faults"]) print_fault(one);
  if (shift.is_object()) {
    std::puts(
        fmt::format("zonal shift away from {}, {}", shift["away_from"].get<std::string>(), remaining(shift)).c_str());
  }
  return 0;
}

int run_heal(const CommandSpec& command, const Arguments& arguments) {
  const bool all = arguments.has("--all");
  if (all == !arguments.positional().empty()) {
    return fail(command, kExitUsage, "either TARGET or --all is right: rr-sim faults lists what there is to heal");
  }
  if (all) return tell(command, layout_of(arguments), "/heal", {{"all", true}});
  return tell(command, layout_of(arguments), "/heal", {{"target", arguments.positional()[0]}});
}

int run_export_fis(const CommandSpec& command, const Arguments& arguments) {
  const std::string& file = arguments.positional()[0];
  std::ifstream stream(file);
  if (!stream) return fail(command, kExitUsage, fmt::format("FILE: {}: cannot be read", file));
  std::stringstream text;
  text << stream.rdbuf();
  const auto steps = read_fault_list(text.str(), file);
  if (!steps) return fail(command, kExitUsage, steps.error().message);
  FisSettings settings;
  settings.role_arn = arguments.value("--role");
  const std::string tag = arguments.value("--tag", settings.tag_key + "=" + settings.tag_value);
  const std::size_t equals = tag.find('=');
  if (equals == 0 || equals == std::string::npos) {
    return fail(command, kExitUsage, fmt::format("--tag {}: KEY=VALUE is right", tag));
  }
  settings.tag_key = tag.substr(0, equals);
  settings.tag_value = tag.substr(equals + 1);
  const FisTemplate made = fis_template(*steps, settings);
  for (const std::string& warning : made.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  if (made.actions == 0) return fail(command, kExitRefused, "nothing is left that FIS could do");
  std::fputs(made.json.c_str(), stdout);
  return 0;
}

int run_zonal_shift(const CommandSpec& command, const Arguments& arguments) {
  const StateLayout layout = layout_of(arguments);
  const bool cancel = arguments.has("--cancel");
  if (cancel == !arguments.positional().empty()) return fail(command, kExitUsage, "either ZONE or --cancel is right");
  int exit = 0;
  if (cancel) {
    if (const auto reply = ask_api(command, layout, CancelZonalShift{}, exit)) {
      std::puts(fmt::format("traffic goes to {} again", reply->id).c_str());
    }
    return exit;
  }
  const std::string text = arguments.value("--for", "1h");
  const auto span = parse_duration(text);
  if (!span) return fail(command, kExitUsage, fmt::format("--for {}: a time such as 1h is right", text));
  const std::string& zone = arguments.positional()[0];
  if (!ask_api(command, layout, StartZonalShift{ZoneName(zone), *span}, exit)) return exit;
  std::puts(fmt::format("traffic is shifted away from {} for {}: its node leaves DNS, and no request goes to its "
                        "instances; connections that there are stay",
                        zone, format_duration(*span))
                .c_str());
  std::puts(fmt::format("end it with: rr-sim zonal-shift --cancel{}", state_flag(layout)).c_str());
  return 0;
}

}  // namespace rr::sim
