// Alarms, scaling policies and recurrences as pure decisions, by tables.
#include <gtest/gtest.h>

#include "sim/cloud/alarm.h"
#include "sim/cloud/cron.h"
#include "sim/cloud/scaling_policy.h"

namespace rr::sim {
namespace {

using namespace std::chrono_literals;

// Alarms --------------------------------------------------------------------------------------------------------------

/// Over 10. X breaching, o good, - missing; what the alarm is in after each of them: I, O or A.
std::string states(int periods, int datapoints, TreatMissingData missing, const std::string& values) {
  Alarm alarm;
  alarm.settings.name = "a";
  alarm.settings.threshold = 10;
  alarm.settings.evaluation_periods = periods;
  alarm.settings.datapoints_to_alarm = datapoints;
  alarm.settings.treat_missing_data = missing;
  std::string out;
  for (const char c : values) {
    const AlarmStateValue before = alarm.state;
    const bool changed = take_datapoint(alarm, c == '-' ? std::nullopt : std::optional(c == 'X' ? 12.0 : 8.0), Time{});
    EXPECT_EQ(changed, before != alarm.state);
    out += alarm.state == AlarmStateValue::kAlarm ? 'A' : alarm.state == AlarmStateValue::kOk ? 'O' : 'I';
  }
  return out;
}

TEST(Alarms, AreEvaluatedByTheirTable) {
  using T = TreatMissingData;
  struct Case {
    int periods, datapoints;
    T missing;
    std::string values, states;
  };
  for (const Case& c : {
           Case{1, 1, T::kMissing, "oXo", "OAO"}, Case{3, 3, T::kMissing, "XXXo", "OOAO"},
           Case{3, 2, T::kMissing, "XoXoo", "OOAOO"},  // X o X: two of three; o X o: one
           Case{3, 2, T::kMissing, "X-X", "OOA"}, Case{2, 2, T::kMissing, "o--o", "OOIO"},  // nothing in any of them
           Case{2, 2, T::kNotBreaching, "X-XX", "OOOA"}, Case{2, 2, T::kBreaching, "o--o", "OOAO"},
           Case{1, 1, T::kBreaching, "-o", "AO"},
           Case{2, 2, T::kIgnore, "XX--oo", "IAAAOO"},  // kept while it cannot be told; one good of two tells
       }) {
    EXPECT_EQ(states(c.periods, c.datapoints, c.missing, c.values), c.states)
        << c.datapoints << " of " << c.periods << " " << to_string(c.missing) << " " << c.values;
  }
}

TEST(Alarms, CompareAsTheirOperatorSays) {
  struct Case {
    ComparisonOperator how;
    bool below, equal, above;
  };
  using C = ComparisonOperator;
  for (const Case& c :
       {Case{C::kGreaterThanThreshold, false, false, true}, Case{C::kGreaterThanOrEqualToThreshold, false, true, true},
        Case{C::kLessThanThreshold, true, false, false}, Case{C::kLessThanOrEqualToThreshold, true, true, false}}) {
    AlarmSettings settings;
    settings.comparison = c.how;
    settings.threshold = 10;
    EXPECT_EQ(breaches(settings, 9), c.below) << to_string(c.how);
    EXPECT_EQ(breaches(settings, 10), c.equal) << to_string(c.how);
    EXPECT_EQ(breaches(settings, 11), c.above) << to_string(c.how);
    EXPECT_EQ(parse_comparison_operator(to_string(c.how)), c.how);
  }
  EXPECT_EQ(parse_metric("ALBRequestCountPerTarget"), Metric::kRequestCountPerTarget);
  EXPECT_EQ(parse_metric("Temperature"), std::nullopt);
  EXPECT_EQ(parse_alarm_state("ALARM"), AlarmStateValue::kAlarm);
  EXPECT_EQ(parse_treat_missing_data("notBreaching"), TreatMissingData::kNotBreaching);
}

TEST(Alarms, FieldsOutOfRangeAreNamed) {
  AlarmSettings settings;
  EXPECT_TRUE(wrong_alarm(settings).has_value()) << "no name";
  settings.name = std::string(255, 'a');
  EXPECT_EQ(wrong_alarm(settings), std::nullopt);
  settings.name += "a";
  EXPECT_TRUE(wrong_alarm(settings).has_value());
  settings.name = "a";
  for (const int periods : {0, 1'441}) {
    settings.evaluation_periods = periods;
    EXPECT_TRUE(wrong_alarm(settings)->starts_with("EvaluationPeriods")) << periods;
  }
  settings.evaluation_periods = 3;
  for (const int datapoints : {0, 4}) {
    settings.datapoints_to_alarm = datapoints;
    EXPECT_TRUE(wrong_alarm(settings)->starts_with("DatapointsToAlarm")) << datapoints;
  }
}

// Policies ------------------------------------------------------------------------------------------------------------

TEST(TargetTracking, ScalesOutInProportionAndInGradually) {
  ScalingPolicy policy;
  policy.target_value = 100;
  struct Case {
    int desired, ready;
    double value;
    bool low;
    std::optional<int> expected;
  };
  for (const Case& c : {
           Case{2, 2, 160, false, 4},             // 2 x 160 / 100 = 3.2
           Case{2, 2, 101, false, 3},             // 2.02
           Case{4, 2, 160, false, std::nullopt},  // the two that are not ready yet will do
           Case{4, 2, 260, false, 6},             // 5.2
           Case{2, 2, 900, false, 10},            // 18, but at most 10
           Case{8, 8, 50, true, 7},               // 4, but one at a time
           Case{4, 4, 80, true, std::nullopt},    // 3.2: four are needed
           Case{4, 3, 10, true, std::nullopt},    // not while one warms up
           Case{1, 1, 0, true, std::nullopt},     // the minimum
       }) {
    const ScalingView view{c.desired, c.ready, 1, 10, c.value, 0, c.low};
    EXPECT_EQ(next_capacity(policy, view), c.expected) << c.desired << " " << c.ready << " " << c.value;
  }
  policy.disable_scale_in = true;
  EXPECT_EQ(next_capacity(policy, {8, 8, 1, 10, 50, 0, true}), std::nullopt);
  policy.group = "web";
  policy.name = "track";
  EXPECT_EQ(high_alarm(policy, "uuid").name, "TargetTracking-web-AlarmHigh-uuid");
  EXPECT_EQ(high_alarm(policy, "uuid").evaluation_periods, 3);
  EXPECT_EQ(low_alarm(policy, "uuid").evaluation_periods, 15);
  EXPECT_EQ(low_alarm(policy, "uuid").threshold, 90);
}

TEST(StepScaling, TakesTheBandOfTheMetric) {
  ScalingPolicy policy;
  policy.type = PolicyType::kStepScaling;
  policy.step_adjustments = {{-10, 0, -1}, {std::nullopt, -10, -2}, {0, 10, 1}, {10, std::nullopt, 3}};
  struct Case {
    double value;
    int expected;
  };
  // Threshold 50, 5 instances. Above it the lower bound belongs to a band, below it the upper one.
  for (const Case& c :
       {Case{50, 6}, Case{59.9, 6}, Case{60, 8}, Case{500, 8}, Case{49, 4}, Case{40.1, 4}, Case{40, 3}, Case{0, 3}}) {
    EXPECT_EQ(next_capacity(policy, {5, 5, 1, 10, c.value, 50, false}), c.expected) << c.value;
  }
  // Two of five warm up: 3 + 1 is no more than there are, 3 + 3 is; and nothing is taken away.
  EXPECT_EQ(next_capacity(policy, {5, 3, 1, 10, 55, 50, false}), std::nullopt);
  EXPECT_EQ(next_capacity(policy, {5, 3, 1, 10, 65, 50, false}), 6);
  EXPECT_EQ(next_capacity(policy, {5, 3, 1, 10, 0, 50, false}), std::nullopt);
}

TEST(SimpleScaling, AdjustsByItsType) {
  ScalingPolicy policy;
  policy.type = PolicyType::kSimpleScaling;
  struct Case {
    AdjustmentType type;
    int adjustment, least, desired;
    std::optional<int> expected;
  };
  using A = AdjustmentType;
  for (const Case& c : {
           Case{A::kChangeInCapacity, 2, 0, 5, 7}, Case{A::kChangeInCapacity, -9, 0, 5, 1},
           Case{A::kExactCapacity, 3, 0, 5, 3}, Case{A::kExactCapacity, 5, 0, 5, std::nullopt},
           Case{A::kPercentChangeInCapacity, 50, 0, 5, 7},    // 2.5: towards 0
           Case{A::kPercentChangeInCapacity, 10, 0, 5, 6},    // 0.5: one
           Case{A::kPercentChangeInCapacity, -10, 0, 5, 4},   // -0.5: one
           Case{A::kPercentChangeInCapacity, -50, 0, 5, 3},   // -2.5
           Case{A::kPercentChangeInCapacity, 10, 2, 5, 7},    // at least two
           Case{A::kPercentChangeInCapacity, 100, 0, 9, 12},  // the maximum
       }) {
    policy.adjustment_type = c.type;
    policy.scaling_adjustment = c.adjustment;
    policy.min_adjustment_magnitude = c.least > 0 ? std::optional(c.least) : std::nullopt;
    EXPECT_EQ(next_capacity(policy, {c.desired, c.desired, 1, 12, 0, 0, false}), c.expected)
        << to_string(c.type) << " " << c.adjustment << " of " << c.desired;
    EXPECT_EQ(parse_adjustment_type(to_string(c.type)), c.type);
  }
}

TEST(ScalingPolicies, FieldsOutOfRangeAreNamed) {
  ScalingPolicy policy;
  policy.name = "p";
  EXPECT_TRUE(wrong_policy(policy)->starts_with("TargetValue"));
  policy.target_value = 1;
  EXPECT_EQ(wrong_policy(policy), std::nullopt);
  policy.metric = Metric::kRequestCount;
  EXPECT_TRUE(wrong_policy(policy)->starts_with("PredefinedMetricType"));
  policy.type = PolicyType::kStepScaling;
  EXPECT_TRUE(wrong_policy(policy)->starts_with("StepAdjustments: 0"));
  policy.step_adjustments = {{0, 10, 1}, {9, 20, 2}};
  EXPECT_TRUE(wrong_policy(policy)->find("overlap") != std::string::npos);
  policy.step_adjustments = {{10, 0, 1}};
  EXPECT_TRUE(wrong_policy(policy)->find("lower bound") != std::string::npos);
  policy.step_adjustments = {{0, 10, 1}, {10, std::nullopt, 2}};
  EXPECT_EQ(wrong_policy(policy), std::nullopt);
  policy.min_adjustment_magnitude = 2;
  EXPECT_TRUE(wrong_policy(policy)->starts_with("MinAdjustmentMagnitude"));
}

// Recurrences ---------------------------------------------------------------------------------------------------------

TEST(Crons, SayWhenTheyAreNextDue) {
  struct Case {
    std::string cron, after, next;
  };
  // 2026-11-22 is a Sunday.
  for (const Case& c : {
           Case{"* * * * *", "2026-11-22T20:45:42Z", "2026-11-22T20:46:00Z"},
           Case{"* * * * *", "2026-11-22T20:45:00Z", "2026-11-22T20:46:00Z"},  // after, not at
           Case{"0 9 * * *", "2026-11-22T09:00:00Z", "2026-11-23T09:00:00Z"},
           Case{"0 9 * * 1-5", "2026-11-20T10:00:00Z", "2026-11-23T09:00:00Z"},  // Friday, then Monday
           Case{"0 9 * * 7", "2026-11-20T10:00:00Z", "2026-11-22T09:00:00Z"},    // Sunday is 7 too
           Case{"*/20 8-9 * * *", "2026-11-22T08:41:00Z", "2026-11-22T09:00:00Z"},
           Case{"30 6 1,15 * *", "2026-11-22T00:00:00Z", "2026-12-01T06:30:00Z"},
           Case{"0 0 29 2 *", "2026-11-22T00:00:00Z", "2028-02-29T00:00:00Z"},
           Case{"0 0 1 * 1", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"},  // either is enough
       }) {
    const auto cron = parse_cron(c.cron);
    ASSERT_TRUE(cron.ok()) << cron.error().message;
    const auto next = next_after(*cron, parse_iso8601(c.after).value());
    ASSERT_TRUE(next.has_value()) << c.cron;
    EXPECT_EQ(format_iso8601(*next, 0), c.next) << c.cron << " after " << c.after;
  }
  EXPECT_EQ(next_after(parse_cron("0 0 30 2 *").value(), Time{}), std::nullopt) << "there is no such day";
}

TEST(Crons, NameTheFieldThatIsWrong) {
  for (const auto& [text, says] : std::vector<std::pair<std::string, std::string>>{{"* * * *", "five fields"},
                                                                                   {"* * * * * *", "five fields"},
                                                                                   {"", "five fields"},
                                                                                   {"60 * * * *", "minute"},
                                                                                   {"* 24 * * *", "hour"},
                                                                                   {"* * 0 * *", "day:"},
                                                                                   {"* * * 13 *", "month"},
                                                                                   {"* * * * 8", "day of the week"},
                                                                                   {"*/0 * * * *", "minute"},
                                                                                   {"5-1 * * * *", "minute"},
                                                                                   {"x * * * *", "minute"},
                                                                                   {"1, * * * *", "minute"}}) {
    const auto cron = parse_cron(text);
    ASSERT_FALSE(cron.ok()) << text;
    EXPECT_NE(cron.error().message.find(says), std::string::npos) << cron.error().message;
  }
}

}  // namespace
}  // namespace rr::sim
