// Lines of the access log, against the reference's composed example and its table of outcomes.
#include "lb/proxy/access_log.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
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

class AccessLogFile : public ::testing::Test {
 protected:
  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("rr-log-" + std::to_string(::getpid()));
  void SetUp() override { std::filesystem::create_directory(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  static std::string content(const std::filesystem::path& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
};

TEST_F(AccessLogFile, LinesArriveAtAFlushAndGoToTheNewFileAfterARotation) {
  const auto path = folder_ / "access.log";
  auto log = AccessLog::open(path.string());
  ASSERT_TRUE(log.ok());
  ExchangeRecord record;
  log->write(example(record));
  EXPECT_EQ(content(path), "");
  log->flush();
  EXPECT_EQ(content(path), line_of(example(record)) + "\n");
  std::filesystem::rename(path, folder_ / "old.log");
  log->write(example(record));
  ASSERT_TRUE(log->reopen().ok());
  log->write(example(record));
  log->flush();
  EXPECT_EQ(content(path), line_of(example(record)) + "\n");
  EXPECT_EQ(content(folder_ / "old.log").size(), 2 * (line_of(example(record)).size() + 1));
}

TEST_F(AccessLogFile, AFileThatCannotBeOpenedIsNamed) {
  const auto log = AccessLog::open((folder_ / "no" / "access.log").string());
  ASSERT_FALSE(log.ok());
  EXPECT_NE(log.error().message.find("No such file or directory"), std::string::npos);
}

TEST(AccessLog, AReaderThatDoesNotReadHoldsNobodyUpAndGetsWholeLines) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  auto log = AccessLog::open("/dev/fd/" + std::to_string(ends[1]));
  ASSERT_TRUE(log.ok());
  ::close(ends[1]);
  ExchangeRecord record;
  const std::string line = line_of(example(record)) + "\n";
  // A pipe holds 64 KiB and the log 1 MiB; twice that is written, and nobody reads.
  const std::uint64_t lines = (2U << 20) / line.size();
  for (std::uint64_t i = 0; i < lines; ++i) log->write(example(record));
  log->flush();
  EXPECT_GT(log->lost(), lines / 3);
  const std::uint64_t kept = lines - log->lost();
  std::string got;
  char piece[4096];
  while (got.size() < kept * line.size()) {
    log->flush();
    const ssize_t size = ::read(ends[0], piece, sizeof piece);
    ASSERT_GT(size, 0);
    got.append(piece, static_cast<std::size_t>(size));
  }
  EXPECT_EQ(got.size(), kept * line.size());
  for (std::size_t at = 0; at < got.size(); at += line.size()) ASSERT_EQ(got.substr(at, line.size()), line);
  ::close(ends[0]);
}

TEST(AccessLog, LinesThatCannotBeWrittenAreCounted) {
  auto log = AccessLog::open("/dev/full");
  ASSERT_TRUE(log.ok());
  ExchangeRecord record;
  log->write(example(record));
  log->write(example(record));
  log->flush();
  EXPECT_EQ(log->lost(), 2U);
}

}  // namespace
}  // namespace rr
