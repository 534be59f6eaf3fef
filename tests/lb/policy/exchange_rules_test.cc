// One exchange as a machine. The first test has a table of its own, so that every cell of the machine's table is said
// twice, once as the code and once as what the ALB does.
#include "lb/policy/exchange_rules.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace rr {
namespace {

using Kind = ExchangeEventKind;
using Act = ExchangeAct;
using State = ExchangeState;

constexpr std::array kStates{State::kNew,      State::kConnecting, State::kUploading, State::kAwaiting,
                             State::kBothWays, State::kRelaying,   State::kTunnel,    State::kEnded};

Time at(double seconds) { return Time(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds))); }

ExchangeEvent event(Kind kind, double seconds = 0) {
  ExchangeEvent made;
  made.kind = kind;
  made.at = at(seconds);
  made.status = 200;
  made.reusable = true;
  return made;
}

bool has_body(State state) { return state == State::kUploading || state == State::kBothWays; }

/// A machine brought into that state by legal moves.
ExchangeRules in_state(State state, bool keep_alive = true) {
  ExchangeRules rules(at(0), keep_alive, has_body(state));
  switch (state) {
    case State::kNew:
      break;
    case State::kConnecting:
      rules.on(event(Kind::kAssignedFresh));
      break;
    case State::kUploading:
    case State::kAwaiting:
      rules.on(event(Kind::kAssignedReused));
      break;
    case State::kBothWays:
    case State::kRelaying:
      rules.on(event(Kind::kAssignedReused));
      rules.on(event(Kind::kResponseHead));
      break;
    case State::kTunnel:
      rules.on(event(Kind::kAssignedReused));
      rules.on(event(Kind::kSwitched));
      break;
    case State::kEnded:
      rules.on(event(Kind::kNoTarget));
      break;
  }
  EXPECT_EQ(to_string(rules.state()), to_string(state));
  return rules;
}

/// "." impossible, a number: that answer, a word: that act.
std::string shown(const ExchangeStep& step) {
  switch (step.act) {
    case Act::kNothing:
      return "on";
    case Act::kConnect:
      return "connect";
    case Act::kSend:
      return "send";
    case Act::kRelayInterim:
      return "interim";
    case Act::kSkipInterim:
      return "skip";
    case Act::kRelayHead:
      return "head";
    case Act::kAnswer:
      return std::to_string(step.status);
    case Act::kTruncate:
      return "cut";
    case Act::kAbandon:
      return "leave";
    case Act::kFinish:
      return "finish";
  }
  return "";
}

struct Row {
  Kind kind;
  std::array<std::string_view, kExchangeStates> cells;
};

TEST(ExchangeRules, EveryCellOfTheTable) {
  // clang-format off: columns
  const std::vector<Row> table{
      //                          new        connecting uploading  awaiting   both_ways  relaying  tunnel  ended
      {Kind::kRefused, {"200", ".", ".", ".", ".", ".", ".", "."}},
      {Kind::kFixedResponse, {"200", ".", ".", ".", ".", ".", ".", "."}},
      {Kind::kNoTarget, {"503", ".", ".", ".", ".", ".", ".", "."}},
      {Kind::kAssignedFresh, {"connect", ".", ".", ".", ".", ".", ".", "."}},
      {Kind::kAssignedReused, {"send", ".", ".", ".", ".", ".", ".", "."}},
      {Kind::kConnected, {".", "send", ".", ".", ".", ".", ".", "."}},
      {Kind::kConnectFailed, {".", "502", ".", ".", ".", ".", ".", "."}},
      {Kind::kConnectTimedOut, {".", "504", ".", ".", ".", ".", ".", "."}},
      {Kind::kConnectLimit, {".", "500", ".", ".", ".", ".", ".", "."}},
      {Kind::kRequestComplete, {".", "on", "on", ".", "on", ".", ".", "."}},
      {Kind::kRequestMalformed, {".", "400", "400", ".", "cut", ".", ".", "."}},
      {Kind::kClientClosed, {"leave", "leave", "leave", "leave", "leave", "leave", "finish", "."}},
      {Kind::kClientReset, {"leave", "leave", "leave", "leave", "leave", "leave", "leave", "."}},
      {Kind::kClientSilent, {".", ".", "408", ".", "cut", "cut", ".", "."}},
      {Kind::kInterimHead, {".", ".", "interim", "interim", ".", ".", ".", "."}},
      {Kind::kResponseHead, {".", ".", "head", "head", ".", ".", ".", "."}},
      {Kind::kResponseComplete, {".", ".", ".", ".", "finish", "finish", ".", "."}},
      {Kind::kTargetClosed, {".", ".", "502", "502", "cut", "cut", "finish", "."}},
      {Kind::kTargetReset, {".", ".", "502", "502", "cut", "cut", "cut", "."}},
      {Kind::kTargetSilent, {".", ".", "504", "504", "cut", "cut", ".", "."}},
      {Kind::kResponseMalformed, {".", ".", "502", "502", "cut", "cut", ".", "."}},
      {Kind::kDrainEnded, {".", "502", "502", "502", "cut", "cut", "finish", "."}},
      {Kind::kStopped, {"503", "503", "503", "503", "cut", "cut", "finish", "."}},
      {Kind::kSwitched, {".", ".", ".", "head", ".", ".", ".", "."}},
      {Kind::kTunnelSilent, {".", ".", ".", ".", ".", ".", "finish", "."}},
  };
  // clang-format on
  ASSERT_EQ(table.size(), kExchangeEventKinds);
  for (const Row& row : table) {
    for (const State state : kStates) {
      SCOPED_TRACE(std::string(to_string(row.kind)) + " while " + std::string(to_string(state)));
      const std::string_view expected = row.cells[static_cast<std::size_t>(state)];
      ASSERT_EQ(ExchangeRules::legal(state, row.kind), expected != ".");
      if (expected == ".") continue;
      ExchangeRules rules = in_state(state);
      const ExchangeStep step = rules.on(event(row.kind));
      EXPECT_EQ(shown(step), expected);
      EXPECT_EQ(rules.state() == State::kEnded, ends(step.act));
    }
  }
}

TEST(ExchangeRulesDeathTest, AnEventThatCannotHappenEndsTheProcess) {
  for (const State state : kStates) {
    ExchangeRules rules = in_state(state);
    if (state == State::kConnecting) continue;
    EXPECT_DEATH(rules.on(event(Kind::kConnected)), "its state does not know");
  }
}

TEST(ExchangeRules, ATunnelKeepsNeitherConnectionAndEndsAsCompleted) {
  for (const Kind kind : {Kind::kClientClosed, Kind::kTargetClosed, Kind::kTunnelSilent}) {
    ExchangeRules rules(at(10), true, false);
    rules.on(event(Kind::kAssignedReused, 10.001));
    ExchangeEvent switched = event(Kind::kSwitched, 10.002);
    switched.status = 101;
    EXPECT_EQ(rules.on(switched), (ExchangeStep{Act::kRelayHead, 0, false, false}));
    EXPECT_TRUE(rules.response_begun());
    EXPECT_EQ(rules.on(event(kind, 12)), (ExchangeStep{Act::kFinish, 0, false, false}));
    EXPECT_EQ(rules.record().cause, ExchangeCause::kCompleted);
    EXPECT_EQ(rules.record().status, 101);
    EXPECT_EQ(rules.record().target_status, 101);
    EXPECT_EQ(rules.record().ended, at(12));
  }
}

TEST(ExchangeRules, AnExchangeThatGoesWellKeepsBothConnections) {
  ExchangeRules rules(at(10), true, false);
  ExchangeEvent assigned = event(Kind::kAssignedReused, 10.001);
  assigned.target = 7;
  assigned.idle = 5 * kSecond;
  EXPECT_EQ(rules.on(assigned), (ExchangeStep{Act::kSend}));
  ExchangeEvent head = event(Kind::kResponseHead, 10.015);
  head.status = 404;
  EXPECT_EQ(rules.on(head), (ExchangeStep{Act::kRelayHead, 0, true, false}));
  EXPECT_EQ(rules.on(event(Kind::kResponseComplete, 10.020)), (ExchangeStep{Act::kFinish, 0, true, true}));
  const ExchangeRecord& record = rules.record();
  EXPECT_EQ(record.target, 7U);
  EXPECT_TRUE(record.reused);
  EXPECT_EQ(record.idle_before, 5 * kSecond);
  EXPECT_EQ(record.status, 404);
  EXPECT_EQ(record.target_status, 404);
  EXPECT_EQ(record.cause, ExchangeCause::kCompleted);
  EXPECT_EQ(record.times().request, 1 * kMillisecond);
  EXPECT_EQ(record.times().target, 14 * kMillisecond);
  EXPECT_EQ(record.times().response, Duration::zero());
}

// What decides about the connections at the end of a good exchange, all combinations.
TEST(ExchangeRules, WhichConnectionsAreKept) {
  for (const bool client_wants : {false, true}) {
    for (const bool delimited : {false, true}) {
      for (const bool reusable : {false, true}) {
        for (const bool request_late : {false, true}) {
          ExchangeRules rules(at(0), client_wants, true);
          rules.on(event(Kind::kAssignedReused));
          if (!request_late) rules.on(event(Kind::kRequestComplete));
          ExchangeEvent head = event(Kind::kResponseHead);
          head.delimited = delimited;
          const bool announced = client_wants && delimited && !request_late;
          EXPECT_EQ(rules.on(head).keep_front, announced);
          if (request_late) rules.on(event(Kind::kRequestComplete));
          ExchangeEvent complete = event(Kind::kResponseComplete);
          complete.reusable = reusable;
          EXPECT_EQ(rules.on(complete), (ExchangeStep{Act::kFinish, 0, announced, reusable}));
        }
      }
    }
  }
}

TEST(ExchangeRules, AConnectionWithAHalfSentRequestIsNeverReused) {
  ExchangeRules rules = in_state(State::kBothWays);
  EXPECT_EQ(rules.on(event(Kind::kResponseComplete)), (ExchangeStep{Act::kFinish, 0, false, false}));
}

TEST(ExchangeRules, OwnAnswersKeepTheClientWhereNothingOfItsRequestIsLeft) {
  struct Case {
    State state;
    Kind kind;
    bool kept;
  };
  const std::vector<Case> cases{{State::kNew, Kind::kNoTarget, true},
                                {State::kConnecting, Kind::kConnectFailed, true},
                                {State::kConnecting, Kind::kConnectTimedOut, true},
                                {State::kAwaiting, Kind::kTargetClosed, true},
                                {State::kAwaiting, Kind::kTargetSilent, true},
                                {State::kAwaiting, Kind::kDrainEnded, true},
                                {State::kUploading, Kind::kTargetClosed, false},
                                {State::kUploading, Kind::kClientSilent, false},
                                {State::kUploading, Kind::kRequestMalformed, false},
                                {State::kAwaiting, Kind::kStopped, false}};
  for (const Case& one : cases) {
    SCOPED_TRACE(std::string(to_string(one.kind)) + " while " + std::string(to_string(one.state)));
    EXPECT_EQ(in_state(one.state).on(event(one.kind)).keep_front, one.kept);
    EXPECT_FALSE(in_state(one.state, false).on(event(one.kind)).keep_front);
    EXPECT_FALSE(in_state(one.state).on(event(one.kind)).keep_back);
  }
}

TEST(ExchangeRules, ClosingTheFrontTakesEffectUntilTheHeadIsSent) {
  ExchangeRules early = in_state(State::kAwaiting);
  early.close_front();
  EXPECT_FALSE(early.on(event(Kind::kResponseHead)).keep_front);
  ExchangeRules late = in_state(State::kRelaying);
  late.close_front();
  EXPECT_TRUE(late.on(event(Kind::kResponseComplete)).keep_front) << "it was announced";
}

TEST(ExchangeRules, AClientThatLeavesIsLoggedByHowFarItCame) {
  ExchangeRules waiting = in_state(State::kAwaiting);
  waiting.on(event(Kind::kClientClosed));
  EXPECT_EQ(waiting.record().status, 460);
  ExchangeRules uploading = in_state(State::kUploading);
  uploading.on(event(Kind::kClientClosed));
  EXPECT_EQ(uploading.record().status, 400);
  ExchangeRules relaying = in_state(State::kRelaying);
  relaying.on(event(Kind::kClientReset));
  EXPECT_EQ(relaying.record().status, 200);
}

TEST(ExchangeRules, ABrokenResponseOfWhichNothingHasLeftIs502) {
  for (const State state : {State::kRelaying, State::kBothWays}) {
    ExchangeRules rules = in_state(state);
    ExchangeEvent malformed = event(Kind::kResponseMalformed);
    malformed.taken_back = true;
    const ExchangeStep step = rules.on(malformed);
    EXPECT_EQ(step.act, Act::kAnswer);
    EXPECT_EQ(step.status, 502);
    EXPECT_EQ(step.keep_front, state == State::kRelaying) << "the rest of the request is still to come";
    EXPECT_FALSE(step.keep_back);
    EXPECT_EQ(rules.record().status, 502);
    EXPECT_EQ(rules.record().target_status, 0) << "the log has no status of a response that nobody got";
    EXPECT_TRUE(rules.record().times().target.has_value());
    EXPECT_FALSE(rules.record().times().response.has_value());
  }
}

TEST(ExchangeRules, InterimResponsesPassUntilTheyAreTooMany) {
  ExchangeRules rules = in_state(State::kAwaiting);
  for (int i = 0; i < kMaximumInterimResponses; ++i) {
    ExchangeEvent interim = event(Kind::kInterimHead);
    interim.status = i % 2 == 0 ? 100 : 103;
    EXPECT_EQ(rules.on(interim).act, i % 2 == 0 ? Act::kSkipInterim : Act::kRelayInterim);
  }
  const ExchangeStep one_more = rules.on(event(Kind::kInterimHead));
  EXPECT_EQ(one_more.act, Act::kAnswer);
  EXPECT_EQ(one_more.status, 502);
  EXPECT_EQ(rules.record().cause, ExchangeCause::kTooManyInterim);
}

// The three spans of the access log by outcome, as the published lines have them.
TEST(ExchangeRules, ProcessingTimesByOutcome) {
  const auto times_after = [](std::vector<ExchangeEvent> events) {
    ExchangeRules rules(at(0), true, false);
    for (const ExchangeEvent& one : events) rules.on(one);
    return rules.record().times();
  };
  const ExchangeEvent fresh = event(Kind::kAssignedFresh, 0), connected = event(Kind::kConnected, 0.001);
  const ProcessingTimes refused = times_after({fresh, event(Kind::kConnectFailed, 0.001)});
  EXPECT_FALSE(refused.request || refused.target || refused.response);
  const ProcessingTimes silent = times_after({fresh, connected, event(Kind::kTargetSilent, 60)});
  EXPECT_EQ(silent.request, kMillisecond);
  EXPECT_FALSE(silent.target || silent.response);
  const ProcessingTimes died = times_after({fresh, connected, event(Kind::kTargetClosed, 4.206)});
  EXPECT_EQ(died.request, kMillisecond);
  EXPECT_EQ(died.target, std::chrono::milliseconds(4205));
  EXPECT_FALSE(died.response);
  const ProcessingTimes left = times_after({fresh, connected, event(Kind::kClientClosed, 1)});
  EXPECT_FALSE(left.request || left.target || left.response);
}

}  // namespace
}  // namespace rr
