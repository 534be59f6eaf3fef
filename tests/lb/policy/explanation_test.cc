// What a person is told about each way in which an exchange can end.
#include "lb/policy/explanation.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace rr {
namespace {

using Kind = ExchangeEventKind;

Time at(double seconds) { return Time(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds))); }

ExchangeEvent event(Kind kind, double seconds = 0, const char* detail = "") {
  ExchangeEvent made;
  made.kind = kind;
  made.at = at(seconds);
  made.detail = detail;
  return made;
}

ExchangeEvent reused(Duration idle, std::optional<Duration> closed_before = std::nullopt) {
  ExchangeEvent made = event(Kind::kAssignedReused);
  made.idle = idle;
  made.closed_before = closed_before;
  return made;
}

std::string explained(const std::vector<ExchangeEvent>& events, bool has_body = false) {
  ExchangeRules rules(at(0), true, has_body);
  for (const ExchangeEvent& one : events) rules.on(one);
  return explain(rules.record(), "127.31.0.10:3000", {});
}

TEST(Explanation, TheKeepAliveRaceAsTheNetworkShowsIt) {
  // Idle for 5 s when the target closed, 2 ms before the request was sent.
  const std::string text =
      explained({reused(std::chrono::milliseconds(5002), 2 * kMillisecond), event(Kind::kTargetClosed, 0.001)});
  EXPECT_EQ(text,
            "target 127.31.0.10:3000 closed an idle connection 2 ms before this request was sent on it; it had been "
            "idle for 5.0 s; the load balancer's idle timeout is 60 s: raise the target's keep-alive above it");
}

TEST(Explanation, EachWayATargetCanEndAConnection) {
  const ExchangeEvent fresh = event(Kind::kAssignedFresh), connected = event(Kind::kConnected);
  ExchangeEvent head = event(Kind::kResponseHead, 0.5);
  head.status = 200;
  struct Case {
    std::vector<ExchangeEvent> events;
    std::string text;
  };
  const Case cases[] = {
      {{reused(5 * kSecond), event(Kind::kTargetReset, 0.0004)},
       "reset the connection without a response, 0.4 ms after this request was sent on it; the connection had been "
       "idle for 5.0 s; the load balancer's idle timeout is 60 s: raise the target's keep-alive above it"},
      // The race is one until kKeepAliveRace, 1 s, and no longer then.
      {{reused(5 * kSecond), event(Kind::kTargetClosed, 0.999)},
       "closed the connection without a response, 999 ms after this request was sent on it; the connection had been "
       "idle for 5.0 s; the load balancer's idle timeout is 60 s: raise the target's keep-alive above it"},
      {{reused(5 * kSecond), event(Kind::kTargetClosed, 1)},
       "closed the connection without a response, 1.0 s after this request was sent on it; the connection had been "
       "idle for 5.0 s: the target gave the request up (it crashed, was stopped, or has a time limit of its own)"},
      {{fresh, connected, event(Kind::kTargetClosed, 0.01)},
       "closed the connection without a response, 10 ms after this request was sent on it; the connection was new: "
       "the target gave the request up (it crashed, was stopped, or has a time limit of its own)"},
      {{fresh, connected, head, event(Kind::kTargetReset, 1.5)},
       "reset the connection in the middle of its response, 1.5 s after the request was sent"},
  };
  for (const Case& one : cases) EXPECT_EQ(explained(one.events), "target 127.31.0.10:3000 " + one.text);
}

TEST(Explanation, EachOtherCauseNamesWhatToLookAt) {
  const ExchangeEvent fresh = event(Kind::kAssignedFresh), connected = event(Kind::kConnected);
  struct Case {
    std::vector<ExchangeEvent> events;
    std::string part;
  };
  const Case cases[] = {
      {{event(Kind::kRefused, 0, "TRACE is not allowed")}, "the request was refused: TRACE is not allowed"},
      {{event(Kind::kNoTarget)}, "no registered target that may be used"},
      {{fresh, event(Kind::kConnectFailed, 0, "connection refused")}, "could not be connected to: connection refused"},
      {{fresh, event(Kind::kConnectTimedOut, 10)}, "did not accept a connection within 10 s"},
      {{fresh, event(Kind::kConnectLimit)}, "no descriptor or port left"},
      {{fresh, connected, event(Kind::kClientClosed)}, "the client closed its connection before the response"},
      {{fresh, connected, event(Kind::kClientReset)}, "the client reset its connection before the response"},
      {{fresh, connected, event(Kind::kTargetSilent, 60)},
       "was silent for the idle timeout of 60 s; the connection was new"},
      {{fresh, connected, event(Kind::kResponseMalformed, 0, "bad framing")}, "no acceptable response: bad framing"},
      {{fresh, connected, event(Kind::kDrainEnded)}, "the deregistration delay of target 127.31.0.10:3000 ended"},
      {{fresh, connected, event(Kind::kStopped)}, "the load balancer was stopped"},
  };
  for (const Case& one : cases)
    EXPECT_NE(explained(one.events).find(one.part), std::string::npos) << explained(one.events);
  EXPECT_EQ(explained({fresh, event(Kind::kRequestMalformed, 0, "bad chunk")}, true),
            "the request's body is malformed: bad chunk");
  EXPECT_NE(explained({fresh, connected, event(Kind::kClientSilent)}, true).find("neither sent nor took"),
            std::string::npos);
  EXPECT_NE(explained({fresh, connected, event(Kind::kClientClosed)}, true).find("before the request was complete"),
            std::string::npos);
}

TEST(Explanation, WhatIsNoErrorOfItsOwnHasNone) {
  EXPECT_EQ(explained({event(Kind::kFixedResponse)}), "");
  EXPECT_EQ(explained({reused(kSecond), event(Kind::kResponseHead), event(Kind::kResponseComplete)}), "");
}

// It stands in a header: an unknown byte in it would break the response.
TEST(Explanation, EveryExplanationIsPrintableAscii) {
  for (std::size_t i = 0; i < 19; ++i) {
    ExchangeRecord record;
    record.cause = static_cast<ExchangeCause>(i);
    const std::string text = explain(record, "127.0.0.1:1", {});
    for (const char c : text) EXPECT_TRUE(c >= ' ' && c <= '~') << text;
    EXPECT_EQ(text.empty(), !is_error_of_our_own(record.cause)) << to_string(record.cause);
  }
}

TEST(Explanation, WhoIsTold) {
  const Address loopback = Address::v4(127, 31, 0, 10, 1), stranger = Address::v4(192, 0, 2, 1, 1);
  Address v6;
  v6.family = Address::Family::kV6;
  EXPECT_FALSE(may_be_told(ExplainTo::kNobody, loopback));
  EXPECT_TRUE(may_be_told(ExplainTo::kLoopback, loopback));
  EXPECT_FALSE(may_be_told(ExplainTo::kLoopback, stranger));
  EXPECT_FALSE(may_be_told(ExplainTo::kLoopback, v6)) << "::, as a Unix socket's";
  EXPECT_FALSE(may_be_told(ExplainTo::kLoopback, Address{})) << "0.0.0.0, likewise";
  v6.ip[15] = 1;
  EXPECT_TRUE(may_be_told(ExplainTo::kLoopback, v6)) << "::1";
  EXPECT_TRUE(may_be_told(ExplainTo::kEveryone, stranger));
}

TEST(Explanation, Spans) {
  EXPECT_EQ(span_text(Duration::zero()), "0 ms");
  EXPECT_EQ(span_text(std::chrono::microseconds(440)), "0.4 ms");
  EXPECT_EQ(span_text(2 * kMillisecond), "2 ms");
  EXPECT_EQ(span_text(250 * kMillisecond), "250 ms");
  EXPECT_EQ(span_text(5 * kSecond), "5.0 s");
  EXPECT_EQ(span_text(10500 * kMillisecond), "10.5 s");
  EXPECT_EQ(span_text(60 * kSecond), "60 s");
}

}  // namespace
}  // namespace rr
