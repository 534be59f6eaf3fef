#pragma once
// An alarm on one of the tier's metrics, as CloudWatch evaluates it: M breaching datapoints out of the last N periods.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "lb/base/time.h"

namespace rr::sim {

/// How long a period is; AWS's own length, divided by the speed like all that the control plane waits for.
constexpr Duration kMetricPeriod = std::chrono::seconds(60);

/// What a tier measures about itself, one value a period.
enum class Metric : std::uint8_t {
  kRequestCountPerTarget,  // ALBRequestCountPerTarget: requests of a period / targets in service
  kRequestCount,           // requests that were given to targets
  kElb5xxCount,            // HTTPCode_ELB_5XX_Count: the load balancer's own 5xx answers
  kHealthyHostCount,
  kUnHealthyHostCount,
};
std::string_view to_string(Metric metric);
std::optional<Metric> parse_metric(std::string_view text);

enum class ComparisonOperator : std::uint8_t {
  kGreaterThanOrEqualToThreshold,
  kGreaterThanThreshold,
  kLessThanThreshold,
  kLessThanOrEqualToThreshold,
};
std::string_view to_string(ComparisonOperator comparison);
std::optional<ComparisonOperator> parse_comparison_operator(std::string_view text);

enum class TreatMissingData : std::uint8_t { kMissing, kNotBreaching, kBreaching, kIgnore };
std::string_view to_string(TreatMissingData treatment);
std::optional<TreatMissingData> parse_treat_missing_data(std::string_view text);

enum class AlarmStateValue : std::uint8_t { kInsufficientData, kOk, kAlarm };
std::string_view to_string(AlarmStateValue state);  // "INSUFFICIENT_DATA"
std::optional<AlarmStateValue> parse_alarm_state(std::string_view text);

struct AlarmSettings {
  std::string name;
  std::string group;  // whose metric it is
  Metric metric = Metric::kRequestCountPerTarget;
  ComparisonOperator comparison = ComparisonOperator::kGreaterThanThreshold;
  double threshold = 0;
  int evaluation_periods = 1;
  std::optional<int> datapoints_to_alarm = {};  // else as many as evaluation_periods
  TreatMissingData treat_missing_data = TreatMissingData::kMissing;
  bool operator==(const AlarmSettings&) const = default;
};

/// What is out of range, in one line with what would be right; none when all is well.
std::optional<std::string> wrong_alarm(const AlarmSettings& settings);

struct Alarm {
  AlarmSettings settings;
  AlarmStateValue state = AlarmStateValue::kInsufficientData;
  std::string state_reason = "Unchecked: Initial alarm creation";
  Time state_since;
  std::deque<std::optional<double>> datapoints;  // the newest last; as many as evaluation_periods; none: missing
  bool operator==(const Alarm&) const = default;
};

bool breaches(const AlarmSettings& settings, double value);

/// The state after a period with that value (none: no data in it). Worked, 2 of 3, over 10: the values 12, missing, 14
/// are in ALARM, whatever missing data counts as; 12, missing, 9 are OK unless missing data is breaching.
AlarmStateValue evaluate(const Alarm& alarm);

/// Takes a period's value; returns whether the state changed.
bool take_datapoint(Alarm& alarm, std::optional<double> value, Time now);

}  // namespace rr::sim
