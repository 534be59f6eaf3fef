// Lines of an ALB's access log, one a row of the table of outcomes, and what they are taken for.
#include "lb/policy/logged_outcome.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

namespace rr {
namespace {

struct Line {
  std::string target = "10.0.1.20:8080";
  std::string times = "-1 -1 -1";
  std::string status = "502 -";
  std::string actions = "forward";
  std::string error_reason = "-";
};

std::string text_of(const Line& line) {
  return fmt::format(
      "https 2026-11-22T20:45:42.318744Z app/sim-alb/50dc6c495c0c9188 203.0.113.7:41522 {} {} {} 88 277 \"GET "
      "https://shop.example.com:443/cart?q=\\x22a b\\x22 HTTP/1.1\" \"curl/8.5.0\" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 "
      "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/sim-tg/73e2d6bc24d8a067 "
      "\"Root=1-6b035476-36d228ad5d99923122bbe354\" \"shop.example.com\" \"-\" 0 2026-11-22T20:45:42.303000Z \"{}\" "
      "\"-\" \"{}\" \"{}\" \"-\" \"-\" \"-\" TID_3180a73013c8ca4bac2f731159d4b0fe \"-\" \"-\" \"-\" 10.0.0.11 \"-\" "
      "\"-\"",
      line.target, line.times, line.status, line.actions, line.error_reason, line.target);
}

TEST(LoggedRequest, TheFieldsThatTell) {
  const std::string text = text_of({"10.0.1.20:8080", "0.001 4.205 -1", "502 200", "waf,forward", "LambdaUnhandled"});
  const auto read = read_access_log_line(text);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->time, "2026-11-22T20:45:42.318744Z");
  EXPECT_EQ(read->target, "10.0.1.20:8080");
  EXPECT_EQ(read->request_time, kMillisecond);
  EXPECT_EQ(read->target_time, 4205 * kMillisecond);
  EXPECT_EQ(read->response_time, std::nullopt);
  EXPECT_EQ(read->status, 502);
  EXPECT_EQ(read->target_status, 200);
  EXPECT_EQ(read->request, "GET https://shop.example.com:443/cart?q=\\x22a b\\x22 HTTP/1.1");
  EXPECT_EQ(read->actions, "waf,forward");
  EXPECT_EQ(read->error_reason, "LambdaUnhandled");
}

TEST(LoggedRequest, FieldsBehindTheErrorReasonMayBeAbsent) {
  std::string text = text_of({});
  // The line ends behind error_reason, which the second "-" "-" after the actions is.
  const std::string behind = "\"forward\" \"-\" \"-\"";
  text.resize(text.find(behind) + behind.size());
  EXPECT_TRUE(read_access_log_line(text).ok());
  // One field less, 24: it is none.
  text.resize(text.size() - std::string(" \"-\"").size());
  const auto read = read_access_log_line(text);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().message, "24 fields: a line of an ALB's access log has at least 25");
}

TEST(LoggedRequest, WhatIsNoSuchLineIsNamed) {
  const auto complaint = [](const std::string& text) {
    const auto read = read_access_log_line(text);
    return read ? std::string() : read.error().message;
  };
  EXPECT_EQ(complaint(""), "0 fields: a line of an ALB's access log has at least 25");
  EXPECT_EQ(complaint("http \"never closed"), "1 fields: a line of an ALB's access log has at least 25");
  EXPECT_EQ(complaint("tcp" + text_of({}).substr(5)), "type: 'tcp' is not http, https, h2, grpcs, ws or wss");
  for (const char* number : {"-2", "nan", "inf", "1e9", "0.1s", "x", "-"}) {
    EXPECT_EQ(complaint(text_of({"-", fmt::format("0.1 {} -1", number)})),
              fmt::format("target_processing_time: '{}' is not a number of seconds or -1", number));
  }
  for (const char* status : {"99", "1000", "5o2"}) {
    EXPECT_EQ(complaint(text_of({"-", "-1 -1 -1", fmt::format("{} -", status)})),
              fmt::format("elb_status_code: '{}' is not a status code or -", status));
  }
  EXPECT_EQ(complaint(text_of({"-", "-1 -1 -1", "460 -"})), "");
}

TEST(LoggedOutcome, ARowOfTheTableEach) {
  const std::string target = "10.0.1.20:8080";
  struct Case {
    Line line;
    LoggedOutcome outcome;
    std::string says;
  };
  const Case cases[] = {
      {{"-", "-1 -1 -1", "503 -"}, LoggedOutcome::kNoTargets, "no registered target"},
      {{target, "-1 -1 -1", "502 -"}, LoggedOutcome::kConnectFailed, "10.0.1.20:8080 could not be connected to"},
      {{target, "-1 -1 -1", "504 -"}, LoggedOutcome::kConnectTimedOut, "did not accept a connection"},
      {{target, "0.001 -1 -1", "504 -"}, LoggedOutcome::kNoAnswer, "no response within the idle timeout"},
      {{target, "0.001 60.001 -1", "504 -"}, LoggedOutcome::kNoAnswer, "no response within the idle timeout"},
      {{target, "0.001 4.205 -1", "502 -"}, LoggedOutcome::kTargetClosed, "4.2 s after the request was sent"},
      {{target, "0.001 -1 -1", "502 -"}, LoggedOutcome::kTargetClosed, "passed on: it crashed"},
      {{target, "0.003 0.000 -1", "502 -"}, LoggedOutcome::kKeepAliveRace, "raise the target's keep-alive"},
      // kLongestRace is 10 ms.
      {{target, "0.003 0.010 -1", "502 -"}, LoggedOutcome::kKeepAliveRace, "10 ms after the request"},
      {{target, "0.003 0.011 -1", "502 -"}, LoggedOutcome::kTargetClosed, "11 ms after the request"},
      {{target, "0.000 0.004 0.000", "503 503"}, LoggedOutcome::kFromTarget, "answered 503 itself"},
      {{target, "0.000 0.004 -1", "502 200"}, LoggedOutcome::kBadResponse, "answered 200, and"},
      {{"-", "-1 -1 -1", "503 -", "fixed-response"}, LoggedOutcome::kFixedResponse, "nothing failed"},
      {{"-", "-1 -1 -1", "503 -", "waf,fixed-response"}, LoggedOutcome::kFixedResponse, "nothing failed"},
      {{"-", "-1 -1 -1", "502 -", "forward", "LambdaUnhandled"}, LoggedOutcome::kNamedByAws, "LambdaUnhandled"},
      {{"-", "-1 -1 -1", "500 -", "-"}, LoggedOutcome::kByStatus, "rewrite"},
      {{"-", "-1 -1 -1", "501 -", "-"}, LoggedOutcome::kByStatus, "Transfer-Encoding"},
      {{"-", "-1 -1 -1", "505 -", "-"}, LoggedOutcome::kByStatus, "HTTP version"},
      {{"-", "-1 -1 -1", "507 -", "redirect"}, LoggedOutcome::kByStatus, "Location"},
      {{"-", "-1 -1 -1", "561 -", "authenticate"}, LoggedOutcome::kByStatus, "identity provider"},
      {{"-", "-1 -1 -1", "502 -"}, LoggedOutcome::kUnknown, "no known outcome"},
      {{"-", "-1 -1 -1", "504 -"}, LoggedOutcome::kUnknown, "no known outcome"},
      {{target, "0.001 0.001 0.001", "502 -"}, LoggedOutcome::kUnknown, "no known outcome"},
      {{target, "0.001 -1 -1", "503 -"}, LoggedOutcome::kUnknown, "no known outcome"},
      {{"-", "-1 -1 -1", "599 -"}, LoggedOutcome::kUnknown, "no known outcome"},
  };
  std::set<LoggedOutcome> seen;
  for (const Case& one : cases) {
    const std::string text = text_of(one.line);
    const auto read = read_access_log_line(text);
    ASSERT_TRUE(read.ok()) << text;
    ASSERT_TRUE(is_5xx(*read)) << text;
    const LoggedOutcome outcome = classify(*read);
    EXPECT_EQ(to_string(outcome), to_string(one.outcome)) << text;
    EXPECT_NE(explain(*read, outcome).find(one.says), std::string::npos) << explain(*read, outcome);
    seen.insert(outcome);
  }
  EXPECT_EQ(seen.size(), kLoggedOutcomes) << "every outcome has its row";
}

TEST(LoggedOutcome, OnlyA5xxIsOne) {
  for (const auto& [status, is] : {std::pair{"499 -", false}, {"500 -", true}, {"599 -", true}, {"600 -", false}}) {
    const std::string text = text_of({"-", "-1 -1 -1", status});
    EXPECT_EQ(is_5xx(*read_access_log_line(text)), is) << status;
  }
}

}  // namespace
}  // namespace rr
