#include "sim/cloud/alarm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace rr::sim {
namespace {

constexpr std::size_t kMostName = 255;
constexpr int kMostPeriods = 1'440;  // a day of them

template <class Enum, std::size_t N>
std::optional<Enum> parse(const std::array<Enum, N>& all, std::string_view text) {
  for (const Enum value : all) {
    if (text == to_string(value)) return value;
  }
  return std::nullopt;
}

int datapoints_to_alarm(const AlarmSettings& settings) {
  return settings.datapoints_to_alarm.value_or(settings.evaluation_periods);
}

}  // namespace

std::string_view to_string(Metric metric) {
  switch (metric) {
    case Metric::kRequestCountPerTarget:
      return "ALBRequestCountPerTarget";
    case Metric::kRequestCount:
      return "RequestCount";
    case Metric::kElb5xxCount:
      return "HTTPCode_ELB_5XX_Count";
    case Metric::kHealthyHostCount:
      return "HealthyHostCount";
    case Metric::kUnHealthyHostCount:
      return "UnHealthyHostCount";
  }
  return "";
}

std::optional<Metric> parse_metric(std::string_view text) {
  return parse(std::array{Metric::kRequestCountPerTarget, Metric::kRequestCount, Metric::kElb5xxCount,
                          Metric::kHealthyHostCount, Metric::kUnHealthyHostCount},
               text);
}

std::string_view to_string(ComparisonOperator comparison) {
  switch (comparison) {
    case ComparisonOperator::kGreaterThanOrEqualToThreshold:
      return "GreaterThanOrEqualToThreshold";
    case ComparisonOperator::kGreaterThanThreshold:
      return "GreaterThanThreshold";
    case ComparisonOperator::kLessThanThreshold:
      return "LessThanThreshold";
    case ComparisonOperator::kLessThanOrEqualToThreshold:
      return "LessThanOrEqualToThreshold";
  }
  return "";
}

std::optional<ComparisonOperator> parse_comparison_operator(std::string_view text) {
  using C = ComparisonOperator;
  return parse(std::array{C::kGreaterThanOrEqualToThreshold, C::kGreaterThanThreshold, C::kLessThanThreshold,
                          C::kLessThanOrEqualToThreshold},
               text);
}

std::string_view to_string(TreatMissingData treatment) {
  switch (treatment) {
    case TreatMissingData::kMissing:
      return "missing";
    case TreatMissingData::kNotBreaching:
      return "notBreaching";
    case TreatMissingData::kBreaching:
      return "breaching";
    case TreatMissingData::kIgnore:
      return "ignore";
  }
  return "";
}

std::optional<TreatMissingData> parse_treat_missing_data(std::string_view text) {
  using T = TreatMissingData;
  return parse(std::array{T::kMissing, T::kNotBreaching, T::kBreaching, T::kIgnore}, text);
}

std::string_view to_string(AlarmStateValue state) {
  switch (state) {
    case AlarmStateValue::kInsufficientData:
      return "INSUFFICIENT_DATA";
    case AlarmStateValue::kOk:
      return "OK";
    case AlarmStateValue::kAlarm:
      return "ALARM";
  }
  return "";
}

std::optional<AlarmStateValue> parse_alarm_state(std::string_view text) {
  using S = AlarmStateValue;
  return parse(std::array{S::kInsufficientData, S::kOk, S::kAlarm}, text);
}

std::optional<std::string> wrong_alarm(const AlarmSettings& settings) {
  if (settings.name.empty() || settings.name.size() > kMostName) {
    return fmt::format("AlarmName '{}': 1 to {} characters are right", settings.name, kMostName);
  }
  if (settings.evaluation_periods < 1 || settings.evaluation_periods > kMostPeriods) {
    return fmt::format("EvaluationPeriods {}: 1 to {} is right", settings.evaluation_periods, kMostPeriods);
  }
  const int datapoints = datapoints_to_alarm(settings);
  if (datapoints < 1 || datapoints > settings.evaluation_periods) {
    return fmt::format("DatapointsToAlarm {}: 1 to EvaluationPeriods ({}) is right", datapoints,
                       settings.evaluation_periods);
  }
  return std::nullopt;
}

bool breaches(const AlarmSettings& settings, double value) {
  switch (settings.comparison) {
    case ComparisonOperator::kGreaterThanOrEqualToThreshold:
      return value >= settings.threshold;
    case ComparisonOperator::kGreaterThanThreshold:
      return value > settings.threshold;
    case ComparisonOperator::kLessThanThreshold:
      return value < settings.threshold;
    case ComparisonOperator::kLessThanOrEqualToThreshold:
      return value <= settings.threshold;
  }
  return false;
}

AlarmStateValue evaluate(const Alarm& alarm) {
  const AlarmSettings& settings = alarm.settings;
  int breaching = 0;
  int good = 0;
  for (const std::optional<double>& value : alarm.datapoints) {
    if (value) ++(breaches(settings, *value) ? breaching : good);
  }
  const int missing = settings.evaluation_periods - breaching - good;
  const int needed = datapoints_to_alarm(settings);
  // So many good ones that the others cannot make an alarm any more.
  const bool surely_ok = good > settings.evaluation_periods - needed;
  if (breaching >= needed) return AlarmStateValue::kAlarm;
  switch (settings.treat_missing_data) {
    case TreatMissingData::kBreaching:
      return breaching + missing >= needed ? AlarmStateValue::kAlarm : AlarmStateValue::kOk;
    case TreatMissingData::kNotBreaching:
      return AlarmStateValue::kOk;
    case TreatMissingData::kMissing:
      return good + breaching == 0 ? AlarmStateValue::kInsufficientData : AlarmStateValue::kOk;
    case TreatMissingData::kIgnore:
      return surely_ok ? AlarmStateValue::kOk : alarm.state;
  }
  return alarm.state;
}

bool take_datapoint(Alarm& alarm, std::optional<double> value, Time now) {
  alarm.datapoints.push_back(value);
  if (alarm.datapoints.size() > static_cast<std::size_t>(alarm.settings.evaluation_periods)) {
    alarm.datapoints.pop_front();
  }
  const AlarmStateValue next = evaluate(alarm);
  if (next == alarm.state) return false;
  int breaching = 0;
  for (const std::optional<double>& one : alarm.datapoints) breaching += one && breaches(alarm.settings, *one) ? 1 : 0;
  alarm.state = next;
  alarm.state_since = now;
  alarm.state_reason =
      fmt::format("Threshold Crossed: {} out of the last {} datapoints were {} ({})", breaching,
                  alarm.datapoints.size(), to_string(alarm.settings.comparison), alarm.settings.threshold);
  return true;
}

}  // namespace rr::sim
