// The commands about alarms, scaling policies and scheduled actions.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "sim/asking.h"
#include "sim/commands.h"

namespace rr::sim {
namespace {
using nlohmann::json;

std::optional<double> read_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int> read_whole(const std::string& text) {
  int value = 0;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A flag's value read by `read`; keeps the first thing that is wrong in `wrong`.
template <class Read>
auto flag_value(const Arguments& arguments, const std::string& flag, const std::string& right, std::string& wrong,
                Read read) -> decltype(read(std::string())) {
  if (!arguments.has(flag)) return std::nullopt;
  auto value = read(arguments.value(flag));
  if (!value && wrong.empty()) wrong = fmt::format("{} {}: {} is right", flag, arguments.value(flag), right);
  return value;
}

int do_with_group(const CommandSpec& command, const StateLayout& layout, const std::string& said,
                  const std::function<Command(const std::string&)>& what) {
  int exit = 0;
  const auto group = ask_group(command, layout, exit);
  if (!group || !ask_api(command, layout, what(*group), exit)) return exit;
  std::puts(said.c_str());
  return 0;
}

int do_plainly(const CommandSpec& command, const Arguments& arguments, const std::string& said, const Command& what) {
  int exit = 0;
  if (!ask_api(command, layout_of(arguments), what, exit)) return exit;
  std::puts(said.c_str());
  return 0;
}

int list(const CommandSpec& command, const Arguments& arguments, const char* key,
         const std::function<std::string(const json&)>& line) {
  int exit = 0;
  const auto status = ask_status(command, layout_of(arguments), exit);
  if (!status) return exit;
  const json& all = (*status)[key];
  if (arguments.has("--json")) {
    std::puts(all.dump(2).c_str());
    return 0;
  }
  for (const json& one : all) std::puts(line(one).c_str());
  return 0;
}

/// "0:10=1,10:=2": bands of the metric above the threshold, and what each changes.
std::optional<std::vector<StepAdjustment>> read_steps(const std::string& text) {
  std::vector<StepAdjustment> steps;
  for (std::string rest = text; !rest.empty();) {
    const std::string part = rest.substr(0, rest.find(','));
    rest.erase(0, part.size() + 1);
    const auto colon = part.find(':');
    const auto equals = part.find('=');
    if (colon == std::string::npos || equals == std::string::npos || equals < colon) return std::nullopt;
    const std::string lower = part.substr(0, colon);
    const std::string upper = part.substr(colon + 1, equals - colon - 1);
    const auto adjustment = read_whole(part.substr(equals + 1));
    StepAdjustment step;
    step.lower = lower.empty() ? std::nullopt : read_number(lower);
    step.upper = upper.empty() ? std::nullopt : read_number(upper);
    const bool fine = adjustment && (lower.empty() || step.lower) && (upper.empty() || step.upper);
    if (!fine) return std::nullopt;
    step.scaling_adjustment = *adjustment;
    steps.push_back(step);
  }
  return steps;
}

}  // namespace

// ---- alarms

int run_alarm_put(const CommandSpec& command, const Arguments& arguments) {
  AlarmSettings alarm;
  alarm.name = arguments.positional()[0];
  const std::string text = arguments.positional()[1];
  const auto metric = parse_metric(text);
  if (!metric) {
    return fail(command, kExitUsage,
                fmt::format("METRIC: {}: ALBRequestCountPerTarget, RequestCount, HTTPCode_ELB_5XX_Count, "
                            "HealthyHostCount or UnHealthyHostCount is right",
                            text));
  }
  alarm.metric = *metric;
  const auto threshold = read_number(arguments.positional()[2]);
  if (!threshold) {
    return fail(command, kExitUsage, fmt::format("THRESHOLD: {}: a number is right", arguments.positional()[2]));
  }
  alarm.threshold = *threshold;
  std::string wrong;
  alarm.comparison =
      flag_value(arguments, "--comparison",
                 "GreaterThanThreshold, GreaterThanOrEqualToThreshold, LessThanThreshold or LessThanOrEqualToThreshold",
                 wrong, [](const std::string& one) { return parse_comparison_operator(one); })
          .value_or(ComparisonOperator::kGreaterThanThreshold);
  alarm.evaluation_periods = flag_value(arguments, "--periods", "a whole number", wrong, read_whole).value_or(1);
  alarm.datapoints_to_alarm = flag_value(arguments, "--datapoints", "a whole number", wrong, read_whole);
  alarm.treat_missing_data = flag_value(arguments, "--missing", "missing, notBreaching, breaching or ignore", wrong,
                                        [](const std::string& one) { return parse_treat_missing_data(one); })
                                 .value_or(TreatMissingData::kMissing);
  if (!wrong.empty()) return fail(command, kExitUsage, wrong);
  return do_with_group(command, layout_of(arguments), "alarm " + alarm.name, [&](const std::string& group) {
    alarm.group = group;
    return PutMetricAlarm{alarm};
  });
}

int run_alarm_list(const CommandSpec& command, const Arguments& arguments) {
  return list(command, arguments, "alarms", [](const json& one) {
    return fmt::format("{:<17} {}  {} {} {}, {} of {} periods; {}", one["state"].get<std::string>(),
                       one["name"].get<std::string>(), one["metric"].get<std::string>(),
                       one["comparison"].get<std::string>(), one["threshold"].get<double>(),
                       one["datapoints_to_alarm"].get<int>(), one["evaluation_periods"].get<int>(),
                       one["state_reason"].get<std::string>());
  });
}

int run_alarm_set(const CommandSpec& command, const Arguments& arguments) {
  const auto state = parse_alarm_state(arguments.positional()[1]);
  if (!state) {
    return fail(command, kExitUsage,
                fmt::format("STATE: {}: OK, ALARM or INSUFFICIENT_DATA is right", arguments.positional()[1]));
  }
  const std::string& name = arguments.positional()[0];
  return do_plainly(command, arguments, fmt::format("alarm {} is in {} until its next period", name, to_string(*state)),
                    SetAlarmState{name, *state, arguments.value("--reason", "set by hand")});
}

int run_alarm_delete(const CommandSpec& command, const Arguments& arguments) {
  const std::string& name = arguments.positional()[0];
  return do_plainly(command, arguments, "alarm " + name + " is deleted", DeleteAlarm{name});
}

// ---- policies

int run_policy_put(const CommandSpec& command, const Arguments& arguments) {
  ScalingPolicy policy;
  policy.name = arguments.positional()[0];
  std::string wrong;
  const auto target =
      flag_value(arguments, "--target", "requests per target and minute, such as 1000,", wrong, read_number);
  const auto by = flag_value(arguments, "--by", "a whole number", wrong, read_whole);
  const auto steps = flag_value(arguments, "--steps", "LOWER:UPPER=N,..., such as 0:10=1,10:=2,", wrong, read_steps);
  policy.adjustment_type =
      flag_value(arguments, "--adjustment", "ChangeInCapacity, ExactCapacity or PercentChangeInCapacity", wrong,
                 [](const std::string& one) { return parse_adjustment_type(one); })
          .value_or(AdjustmentType::kChangeInCapacity);
  policy.min_adjustment_magnitude = flag_value(arguments, "--min-magnitude", "a whole number", wrong, read_whole);
  policy.cooldown = flag_value(arguments, "--cooldown", "a time such as 5m", wrong,
                               [](const std::string& one) -> std::optional<Duration> {
                                 const Result<Duration> read = parse_duration(one);
                                 return read ? std::optional(*read) : std::nullopt;
                               });
  if (!wrong.empty()) return fail(command, kExitUsage, wrong);
  if ((target ? 1 : 0) + (by ? 1 : 0) + (steps ? 1 : 0) != 1) {
    return fail(command, kExitUsage, "one of --target (tracking), --steps (step) and --by (simple) is right");
  }
  policy.type = target  ? PolicyType::kTargetTrackingScaling
                : steps ? PolicyType::kStepScaling
                        : PolicyType::kSimpleScaling;
  policy.target_value = target.value_or(0);
  policy.scaling_adjustment = by.value_or(0);
  policy.step_adjustments = steps.value_or(std::vector<StepAdjustment>{});
  policy.alarm = arguments.value("--alarm");
  policy.disable_scale_in = arguments.has("--no-scale-in");
  return do_with_group(command, layout_of(arguments), "policy " + policy.name, [&](const std::string& group) {
    policy.group = group;
    return PutScalingPolicy{policy};
  });
}

int run_policy_list(const CommandSpec& command, const Arguments& arguments) {
  return list(command, arguments, "policies", [](const json& one) {
    const std::string alarm = one["alarm"].get<std::string>();
    return fmt::format("{:<22} {}{}", one["type"].get<std::string>(), one["name"].get<std::string>(),
                       alarm.empty() ? "" : "  at the alarm " + alarm);
  });
}

int run_policy_delete(const CommandSpec& command, const Arguments& arguments) {
  const std::string& name = arguments.positional()[0];
  return do_plainly(command, arguments, "policy " + name + " is deleted", DeletePolicy{name});
}

int run_policy_execute(const CommandSpec& command, const Arguments& arguments) {
  std::string wrong;
  ExecutePolicy execute;
  execute.policy = arguments.positional()[0];
  execute.honor_cooldown = arguments.has("--honor-cooldown");
  execute.metric_value = flag_value(arguments, "--metric-value", "a number", wrong, read_number);
  execute.breach_threshold = flag_value(arguments, "--breach-threshold", "a number", wrong, read_number);
  if (!wrong.empty()) return fail(command, kExitUsage, wrong);
  int exit = 0;
  const auto reply = ask_api(command, layout_of(arguments), execute, exit);
  if (!reply) return exit;
  std::puts(fmt::format("policy {}: desired capacity is {} now", reply->id, reply->number).c_str());
  return 0;
}

// ---- scheduled actions

int run_schedule_put(const CommandSpec& command, const Arguments& arguments) {
  const auto read_time = [](const std::string& one) -> std::optional<Time> {
    const Result<Time> read = parse_iso8601(one);
    return read ? std::optional(*read) : std::nullopt;
  };
  std::string wrong;
  ScheduledAction action;
  action.name = arguments.positional()[0];
  action.start_time = flag_value(arguments, "--at", "a time such as 2026-11-22T20:45:00Z", wrong, read_time);
  action.end_time = flag_value(arguments, "--until", "a time such as 2026-11-22T20:45:00Z", wrong, read_time);
  action.recurrence = arguments.value("--cron");
  action.min_size = flag_value(arguments, "--min", "a whole number", wrong, read_whole);
  action.max_size = flag_value(arguments, "--max", "a whole number", wrong, read_whole);
  action.desired_capacity = flag_value(arguments, "--desired", "a whole number", wrong, read_whole);
  if (!wrong.empty()) return fail(command, kExitUsage, wrong);
  return do_with_group(command, layout_of(arguments), "scheduled action " + action.name, [&](const std::string& group) {
    action.group = group;
    return PutScheduledUpdateGroupAction{action};
  });
}

int run_schedule_list(const CommandSpec& command, const Arguments& arguments) {
  return list(command, arguments, "scheduled_actions", [](const json& one) {
    const std::string next = one["next"].is_string() ? one["next"].get<std::string>() : std::string("never");
    return fmt::format("{}  next {}{}", one["name"].get<std::string>(), next,
                       one["recurrence"].get<std::string>().empty() ? "" : "  " + one["recurrence"].get<std::string>());
  });
}

int run_schedule_delete(const CommandSpec& command, const Arguments& arguments) {
  const std::string& name = arguments.positional()[0];
  return do_plainly(command, arguments, "scheduled action " + name + " is deleted", DeleteScheduledAction{name});
}

}  // namespace rr::sim
