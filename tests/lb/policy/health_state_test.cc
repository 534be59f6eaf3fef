#include "lb/policy/health_state.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace rr {
namespace {

using Kind = ProbeOutcome::Kind;

/// o answered 200, 5 answered 503, 4 answered 404, t timed out, c connection failed, m malformed.
ProbeOutcome outcome(char letter) {
  switch (letter) {
    case 'o':
      return {Kind::kAnswered, 200};
    case '5':
      return {Kind::kAnswered, 503};
    case '4':
      return {Kind::kAnswered, 404};
    case 't':
      return {Kind::kTimedOut, 0};
    case 'c':
      return {Kind::kConnectFailed, 0};
    default:
      return {Kind::kMalformed, 0};
  }
}

char letter(const Health& health) {
  switch (health.reason) {
    case TargetReason::kNone:
      return 'H';
    case TargetReason::kInitialHealthChecking:
      return 'I';
    case TargetReason::kResponseCodeMismatch:
      return 'R';
    case TargetReason::kTimeout:
      return 'T';
    case TargetReason::kFailedHealthChecks:
      return 'F';
    default:
      return '?';
  }
}

/// The state after each outcome: I initial, H healthy, and unhealthy by reason: R code mismatch, T timeout, F failed.
/// Checks on the way that a transition is reported exactly when state or reason differ.
std::string states(HealthState& state, const HealthCheck& check, const std::string& outcomes) {
  std::string result;
  for (const char o : outcomes) {
    const Health before = state.health();
    const auto transition = state.observe(outcome(o), check);
    const Health& after = state.health();
    EXPECT_EQ(transition.has_value(), before.state != after.state || before.reason != after.reason) << outcomes;
    if (transition) {
      EXPECT_EQ(transition->from, before);
      EXPECT_EQ(transition->to, after);
    }
    EXPECT_EQ(after.state == TargetState::kHealthy, after.reason == TargetReason::kNone);
    EXPECT_EQ(describe(after).empty(), after.state == TargetState::kHealthy);
    result += letter(after);
  }
  return result;
}

TEST(HealthState, TransitionsAsATable) {
  const struct {
    const char* story;
    int healthy_threshold;
    int unhealthy_threshold;
    const char* outcomes;
    const char* states;
  } kTable[] = {
      {"one success brings a new target in, whatever the threshold", 10, 2, "o", "H"},
      {"also after failures that were not yet enough", 10, 3, "tto", "IIH"},
      {"a new target that only fails is initial until the threshold", 5, 2, "55", "IR"},
      {"... of ten", 5, 10, "tttttttttt", "IIIIIIIIIT"},
      {"and then has to earn it", 3, 2, "ttooo", "ITTTH"},
      {"failures must be consecutive", 5, 2, "otototot", "HHHHHHHH"},
      {"two in a row eject", 5, 2, "ott", "HHT"},
      {"three in a row eject", 5, 3, "ottottt", "HHHHHHT"},
      {"successes must be consecutive", 3, 2, "ottooxooo", "HHTTTFFFH"},
      {"after the return two failures are needed again", 2, 2, "ottootott", "HHTTHHHHT"},
      {"the reason is that of the failure that ejected", 5, 2, "ot5", "HHR"},
      {"... refused", 5, 2, "o5c", "HHF"},
      {"... malformed", 5, 2, "otm", "HHF"},
      {"the reason follows the last failure", 5, 2, "ott5cmt", "HHTRFFT"},
      {"refused and malformed are one reason", 5, 2, "cmcm", "IFFF"},
      {"another wrong code is the same reason", 5, 2, "5544", "IRRR"},
      {"a success leaves the reason of an unhealthy target", 3, 2, "55oot", "IRRRT"},
      // The worked sequence of health_state.h, after Envoy's: first success in at once, failures counted in a row,
      // the return earned.
      {"worked sequence", 3, 2, "oxxoooxoxx", "HHFFFHHHHF"},
  };
  for (const auto& row : kTable) {
    HealthState state;
    const HealthCheck check{.healthy_threshold = row.healthy_threshold, .unhealthy_threshold = row.unhealthy_threshold};
    EXPECT_EQ(states(state, check, row.outcomes), row.states) << row.story;
  }
}

TEST(HealthState, ANewTargetMayHaveAThresholdOfItsOwn) {
  const HealthCheck check{.healthy_threshold = 2, .unhealthy_threshold = 3, .initial_unhealthy_threshold = 1};
  HealthState state;
  // One failure is enough at first; once it was healthy three are needed.
  EXPECT_EQ(states(state, check, "tooottt"), "TTHHHHT");
}

TEST(HealthState, EveryThresholdIsExact) {
  for (int threshold = 2; threshold <= 10; ++threshold) {
    HealthState state;
    const HealthCheck check{.healthy_threshold = threshold, .unhealthy_threshold = threshold};
    const auto count = static_cast<std::size_t>(threshold);
    EXPECT_EQ(states(state, check, "o"), "H");
    EXPECT_EQ(states(state, check, std::string(count, 't')), std::string(count - 1, 'H') + "T");
    EXPECT_EQ(states(state, check, std::string(count, 'o')), std::string(count - 1, 'T') + "H");
  }
}

TEST(HealthState, CountsInARow) {
  HealthState state;
  const HealthCheck check;
  states(state, check, "ooo");
  EXPECT_EQ(state.consecutive_successes(), 3);
  EXPECT_EQ(state.consecutive_failures(), 0);
  states(state, check, "tt");
  EXPECT_EQ(state.consecutive_successes(), 0);
  EXPECT_EQ(state.consecutive_failures(), 2);
}

TEST(HealthState, KeepsItsCountsWhenTheThresholdChanges) {
  HealthState state;
  EXPECT_EQ(states(state, {.healthy_threshold = 5}, "ottooo"), "HHTTTT");
  EXPECT_EQ(states(state, {.healthy_threshold = 2}, "o"), "H");
}

TEST(HealthState, TheDescriptionNamesTheLastCode) {
  HealthState state;
  const HealthCheck check;
  states(state, check, "55");
  EXPECT_EQ(describe(state.health()), "Health checks failed with these codes: [503]");
  states(state, check, "4");
  EXPECT_EQ(describe(state.health()), "Health checks failed with these codes: [404]");
  states(state, check, "t");
  EXPECT_EQ(describe(state.health()), "Request timed out");
  states(state, check, "c");
  EXPECT_EQ(describe(state.health()), "Health checks failed");
  EXPECT_EQ(describe(Health{}), "Initial health checks in progress");
}

TEST(HealthState, TheMatcherDecidesWhatIsASuccess) {
  HealthState state;
  const HealthCheck check{.matcher = *Matcher::parse("404")};
  EXPECT_EQ(states(state, check, "4oo"), "HHR");
}

TEST(TargetStateAndReason, AreReadAndWrittenBack) {
  for (const char* name : {"initial", "healthy", "unhealthy", "unused", "draining", "unavailable"}) {
    ASSERT_TRUE(parse_target_state(name)) << name;
    EXPECT_EQ(to_string(*parse_target_state(name)), name);
  }
  EXPECT_EQ(parse_target_state("Healthy"), std::nullopt);
  const struct {
    TargetReason reason;
    const char* name;
  } kReasons[] = {{TargetReason::kNone, ""},
                  {TargetReason::kRegistrationInProgress, "Elb.RegistrationInProgress"},
                  {TargetReason::kInitialHealthChecking, "Elb.InitialHealthChecking"},
                  {TargetReason::kInternalError, "Elb.InternalError"},
                  {TargetReason::kResponseCodeMismatch, "Target.ResponseCodeMismatch"},
                  {TargetReason::kTimeout, "Target.Timeout"},
                  {TargetReason::kFailedHealthChecks, "Target.FailedHealthChecks"},
                  {TargetReason::kNotRegistered, "Target.NotRegistered"},
                  {TargetReason::kNotInUse, "Target.NotInUse"},
                  {TargetReason::kInvalidState, "Target.InvalidState"},
                  {TargetReason::kIpUnusable, "Target.IpUnusable"},
                  {TargetReason::kDeregistrationInProgress, "Target.DeregistrationInProgress"},
                  {TargetReason::kHealthCheckDisabled, "Target.HealthCheckDisabled"}};
  for (const auto& row : kReasons) {
    EXPECT_EQ(to_string(row.reason), row.name);
    EXPECT_EQ(parse_target_reason(row.name), row.reason);
    EXPECT_EQ(describe({TargetState::kUnhealthy, row.reason, 0}).empty(), row.reason == TargetReason::kNone);
  }
  EXPECT_EQ(parse_target_reason("Target.Unknown"), std::nullopt);
  EXPECT_EQ(to_string(TargetReason::kZoneNotEnabled), "Target.NotInUse");
}

TEST(Matcher, TakesCodesListsAndRanges) {
  EXPECT_EQ(Matcher(), *Matcher::parse("200"));
  const struct {
    const char* text;
    std::vector<int> in, out;
  } kTable[] = {
      {"200", {200}, {199, 201, 404}},
      {"200,202", {200, 202}, {201, 203}},
      {"200-299", {200, 250, 299}, {199, 300}},
      {"200-204,301,400-499", {200, 204, 301, 400, 499}, {205, 300, 302, 399, 500}},
      {"499-499", {499}, {498, 500}},
      {"200-499", {200, 499}, {0, 199, 500}},
  };
  for (const auto& row : kTable) {
    const auto matcher = Matcher::parse(row.text);
    ASSERT_TRUE(matcher.ok()) << matcher.error().message;
    EXPECT_EQ(matcher->text(), row.text);
    for (const int status : row.in) EXPECT_TRUE(matcher->matches(status)) << row.text << " " << status;
    for (const int status : row.out) EXPECT_FALSE(matcher->matches(status)) << row.text << " " << status;
  }
}

TEST(Matcher, WhatIsNoneIsRefusedByName) {
  for (const std::string text :
       {"",    ",",    "200,", ",200", "200,,202", "199",         "500",  "200-500", "199-200", "299-200",
        "2xx", "200 ", " 200", "200-", "-200",     "200-202-204", "0200", "20",      "+20",     "-99"}) {
    const auto matcher = Matcher::parse(text);
    ASSERT_FALSE(matcher.ok()) << text;
    EXPECT_NE(matcher.error().message.find("'" + text + "'"), std::string::npos) << matcher.error().message;
    EXPECT_NE(matcher.error().message.find("200 to 499"), std::string::npos);
  }
}

TEST(ProbeReason, IsWhatTheHealthCheckLogSays) {
  const Matcher matcher = *Matcher::parse("200-204");
  const struct {
    ProbeOutcome outcome;
    const char* text;
  } kTable[] = {
      {{Kind::kAnswered, 200}, "-"},
      {{Kind::kAnswered, 204}, "-"},
      {{Kind::kAnswered, 205}, "ResponseCodeMismatch"},
      {{Kind::kAnswered, 499}, "ResponseCodeMismatch"},
      {{Kind::kAnswered, 500}, "TargetError"},
      {{Kind::kAnswered, 599}, "TargetError"},
      {{Kind::kTimedOut, 0}, "TimedOut"},
      {{Kind::kConnectFailed, 0}, "ConnectionReset"},
      {{Kind::kMalformed, 0}, "ConnectionReset"},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(to_string(probe_reason(row.outcome, matcher)), row.text) << row.outcome.status;
  }
  EXPECT_EQ(to_string(ProbeReason::kInternalError), "InternalError");
}

}  // namespace
}  // namespace rr
