// Lines of the access log, against the reference's composed example and its table of outcomes.
#include "lb/proxy/access_log.h"

#include <gtest/gtest.h>

#include <string>

namespace rr {
namespace {

Time at(double seconds_after) {
  // 2026-11-22T20:45:42.303Z
  return Time(std::chrono::milliseconds(1'795'380'342'303)) +
         std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds_after));
}

std::string line_of(const AccessLogEntry& entry) {
  std::string out;
  append_access_log_line(out, entry);
  return out;
}

AccessLogEntry example(const ExchangeRecord& record) {
  AccessLogEntry entry;
  entry.load_balancer = "app/sim-alb/50dc6c495c0c9188";
  entry.client_ip = "203.0.113.7";
  entry.client_port = 41522;
  entry.target = "10.0.1.20:8080";
  entry.record = &record;
  entry.received_bytes = 88;
  entry.sent_bytes = 342;
  entry.request_line_method = "GET";
  entry.request_target = "/cart?id=7";
  entry.host = "shop.example.com";
  entry.listener_port = 80;
  entry.user_agent = "curl/8.5.0";
  entry.target_group = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/sim-tg/73e2d6bc24d8a067";
  entry.trace_id = "Root=1-6b035476-36d228ad5d99923122bbe354";
  entry.actions = "forward";
  entry.rule_priority = 0;
  entry.connection_high = 0x3180a73013c8ca4b;
  entry.connection_low = 0xac2f731159d4b0fe;
  entry.node_ip = "10.0.0.11";
  return entry;
}

TEST(AccessLog, AGoodRequestPrintsAsTheComposedExample) {
  ExchangeRecord record;
  record.created = at(0);
  record.sent = at(0.001);
  record.head = at(0.015);
  record.ended = at(0.015) + std::chrono::microseconds(744);
  record.assigned = record.sent_to_target = true;
  record.status = record.target_status = 200;
  record.cause = ExchangeCause::kCompleted;
  EXPECT_EQ(
      line_of(example(record)),
      "http 2026-11-22T20:45:42.318744Z app/sim-alb/50dc6c495c0c9188 203.0.113.7:41522 10.0.1.20:8080 0.001 0.014 "
      "0.000 200 200 88 342 \"GET http://shop.example.com:80/cart?id=7 HTTP/1.1\" \"curl/8.5.0\" - - "
      "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/sim-tg/73e2d6bc24d8a067 "
      "\"Root=1-6b035476-36d228ad5d99923122bbe354\" \"-\" \"-\" 0 2026-11-22T20:45:42.303000Z \"forward\" \"-\" "
      "\"-\" \"10.0.1.20:8080\" \"200\" \"-\" \"-\" TID_3180a73013c8ca4bac2f731159d4b0fe \"-\" \"-\" \"-\" "
      "10.0.0.11");
}

TEST(AccessLog, LinesOfDifferentSecondsEachHaveTheirOwn) {
  const auto times_of = [](Time created, Time ended) {
    ExchangeRecord record;
    record.created = created;
    record.ended = ended;
    const std::string line = line_of(example(record));
    return std::pair(line.substr(5, 27), line.substr(line.find(" 0 2026-") + 3, 27));
  };
  const auto expect = [&](Time created, Time ended, const char* first, const char* second) {
    EXPECT_EQ(times_of(created, ended), std::pair(std::string(first), std::string(second)));
  };
  expect(at(0), at(0.5), "2026-11-22T20:45:42.803000Z", "2026-11-22T20:45:42.303000Z");
  expect(at(0.6999), at(0.7), "2026-11-22T20:45:43.003000Z", "2026-11-22T20:45:43.002000Z");
  expect(at(0.6), at(0.7), "2026-11-22T20:45:43.003000Z", "2026-11-22T20:45:42.903000Z");
  expect(at(-3600), at(0), "2026-11-22T20:45:42.303000Z", "2026-11-22T19:45:42.303000Z");
}

TEST(AccessLog, PrintsBothTimesInFullWhereTheSecondIsAnother) {
  ExchangeRecord record;
  record.ended = at(0.015);
  const auto created = [&](double seconds) {
    record.created = at(seconds);
    const std::string line = line_of(example(record));
    const std::size_t place = line.find("\"-\" \"-\" 0 ") + 10;
    return line.substr(place, line.find(' ', place) - place);
  };
  EXPECT_EQ(created(0.0149999), "2026-11-22T20:45:42.317000Z");
  EXPECT_EQ(created(-0.303), "2026-11-22T20:45:42.000000Z");
  EXPECT_EQ(created(-0.304), "2026-11-22T20:45:41.999000Z");
  EXPECT_EQ(created(-86400), "2026-11-21T20:45:42.303000Z");
  EXPECT_EQ(created(0.697), "2026-11-22T20:45:43.000000Z");  // a clock that went back
}

TEST(AccessLog, AMessageThatIsNoneHasDashes) {
  ExchangeRecord record;
  record.created = record.ended = at(0);
  record.status = 400;
  record.cause = ExchangeCause::kRefused;
  AccessLogEntry entry;
  entry.load_balancer = "app/a/1";
  entry.client_ip = "::1";
  entry.client_port = 5;
  entry.record = &record;
  entry.sent_bytes = 272;
  entry.host = "lb";
  entry.listener_port = 80;
  EXPECT_EQ(line_of(entry),
            "http 2026-11-22T20:45:42.303000Z app/a/1 [::1]:5 - -1 -1 -1 400 - 0 272 \"- http://lb:80- -\" \"-\" - - - "
            "\"-\" \"-\" \"-\" - 2026-11-22T20:45:42.303000Z \"-\" \"-\" \"-\" \"-\" \"-\" \"-\" \"-\" "
            "TID_00000000000000000000000000000000 \"-\" \"-\" \"-\" -");
}

TEST(AccessLog, QuotesAndControlsAreEscapedAndSpacesAreNot) {
  ExchangeRecord record;
  AccessLogEntry entry = example(record);
  entry.user_agent = "a\"b\\c\td e";
  EXPECT_NE(line_of(entry).find("\"a\\x22b\\x5cc\\x09d e\""), std::string::npos);
  const std::string long_agent(10'000, 'x');
  entry.user_agent = long_agent;
  EXPECT_NE(line_of(entry).find("\"" + std::string(8192, 'x') + "\""), std::string::npos);
}

TEST(AccessLog, AHostWithItsPortKeepsItAndOneWithoutGetsTheListeners) {
  ExchangeRecord record;
  AccessLogEntry entry = example(record);
  entry.host = "shop.example.com:8080";
  EXPECT_NE(line_of(entry).find("http://shop.example.com:8080/cart"), std::string::npos);
  entry.request_target = "http://other.example.com/x";
  EXPECT_NE(line_of(entry).find("\"GET http://other.example.com:80/x HTTP/1.1\""), std::string::npos)
      << "always a port";
  entry.request_target = "http://[::1]:81?q=a/b";
  EXPECT_NE(line_of(entry).find("\"GET http://[::1]:81?q=a/b HTTP/1.1\""), std::string::npos);
  entry.request_target = "/to?url=http://else.example.com/";
  entry.host = "[::1]";
  EXPECT_NE(line_of(entry).find("\"GET http://[::1]:80/to?url=http://else.example.com/ HTTP/1.1\""), std::string::npos);
}

TEST(AccessLog, EveryFieldThatMayBeFilledStandsInItsPlace) {
  ExchangeRecord record;
  AccessLogEntry entry = example(record);
  entry.type = "ws";
  entry.redirect_url = "https://shop.example.com:443/cart?id=7";
  entry.error_reason = "AWSALBTGCookieInvalid";
  entry.classification = "Ambiguous";
  entry.classification_reason = "DuplicateContentLength";
  entry.transformed_host = "inner.example.com";
  entry.transformed_uri = "/v2/cart";
  entry.transform_status = "TransformSuccess";
  const std::string line = line_of(entry);
  EXPECT_EQ(line.substr(0, 3), "ws ");
  EXPECT_NE(line.find(" \"forward\" \"https://shop.example.com:443/cart?id=7\" \"AWSALBTGCookieInvalid\" "
                      "\"10.0.1.20:8080\" \"-\" \"Ambiguous\" \"DuplicateContentLength\" TID_"),
            std::string::npos)
      << line;
  EXPECT_NE(line.find("ac2f731159d4b0fe \"inner.example.com\" \"/v2/cart\" \"TransformSuccess\" 10.0.0.11"),
            std::string::npos)
      << line;
}

}  // namespace
}  // namespace rr
