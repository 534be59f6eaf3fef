// Each failed request of a zone's death is put into one of three excused classes by evidence, or into none.
#include "sim/scenario/attribution.h"

#include <gtest/gtest.h>

namespace rr::sim {
namespace {

Time at(int milliseconds) { return Time(std::chrono::milliseconds(1'000'000 + milliseconds)); }

LoadSample sample(RequestCause cause, int scheduled, int ended) {
  LoadSample out;
  out.cause = cause;
  out.scheduled = at(scheduled);
  out.ended = at(ended);
  return out;
}

// The command at 0, all processes gone at 20, targets ejected at 2000, the node out of DNS at 1500.
ZoneFailure failure(bool hang) {
  ZoneFailure out;
  out.hang = hang;
  out.began = at(0);
  out.done = at(20);
  out.targets_ejected = at(2000);
  out.node_removed = at(1500);
  return out;
}

NodeRecord record(bool dead_target, int status = 502) {
  return {"lb-eu-west-1a", dead_target ? "172.31.32.10:8080" : "172.31.16.10:8080", status, dead_target};
}

TEST(Attribution, Table) {
  const struct {
    const char* what;
    bool hang;
    LoadSample sample;
    std::optional<NodeRecord> record;
    FailureClass expected;
  } kTable[] = {
      {"reset while the zone died",
       false,
       sample(RequestCause::kReset, -5, 3),
       {},
       FailureClass::kInFlightThroughDeadNode},
      {"closed, sent within the dying",
       false,
       sample(RequestCause::kClosed, 15, 22),
       {},
       FailureClass::kInFlightThroughDeadNode},
      {"sent after the node was gone", false, sample(RequestCause::kReset, 25, 30), {}, FailureClass::kUnexplained},
      {"failed before anything happened",
       false,
       sample(RequestCause::kReset, -50, -40),
       {},
       FailureClass::kUnexplained},
      {"refused: nobody in DNS refuses", false, sample(RequestCause::kRefused, 5, 6), {}, FailureClass::kUnexplained},
      {"a 502 that no live node logged",
       false,
       sample(RequestCause::kBadGateway, 5, 6),
       {},
       FailureClass::kUnexplained},
      {"502 for a dead target", false, sample(RequestCause::kBadGateway, 500, 510), record(true),
       FailureClass::kGivenToDeadTarget},
      {"504 for a frozen target, answered after the ejection", true,
       sample(RequestCause::kGatewayTimeout, 1990, 12'000), record(true, 504), FailureClass::kGivenToDeadTarget},
      {"502 for a dead target after its ejection", false, sample(RequestCause::kBadGateway, 2001, 2010), record(true),
       FailureClass::kUnexplained},
      {"502 for a living target", false, sample(RequestCause::kBadGateway, 500, 510), record(false),
       FailureClass::kUnexplained},
      {"503 for nobody", false, sample(RequestCause::kUnavailable, 500, 510),
       NodeRecord{"lb-eu-west-1a", "", 503, false}, FailureClass::kUnexplained},
      {"taken by the frozen node",
       true,
       sample(RequestCause::kTimedOut, 700, 10'700),
       {},
       FailureClass::kTakenByNodeBeforeRemoval},
      {"taken after its removal", true, sample(RequestCause::kTimedOut, 1600, 11'600), {}, FailureClass::kUnexplained},
      {"no such class with power", false, sample(RequestCause::kTimedOut, 700, 10'700), {}, FailureClass::kUnexplained},
  };
  for (const auto& row : kTable) {
    const Verdict verdict = attribute(row.sample, failure(row.hang), row.record);
    EXPECT_EQ(to_string(verdict.kind), to_string(row.expected)) << row.what << ": " << verdict.evidence;
    EXPECT_FALSE(verdict.evidence.empty());
  }
}

TEST(Attribution, ReadsTheAlbsAccessLog) {
  const std::string line =
      "http 2026-11-23T02:00:00.000000Z app/app/0123 127.0.0.1:5000 172.31.32.10:8080 -1 -1 -1 502 - 100 200 "
      "\"GET http://127.0.0.1:8080/ HTTP/1.1\" \"rr-sim-load \" - - arn:x \"Root=1-67891233-abcdef012345678912345678\" "
      "\"-\" \"-\" 0";
  const auto entry = read_access_log_line(line);
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->trace_root, "1-67891233-abcdef012345678912345678");
  EXPECT_EQ(entry->target, "172.31.32.10:8080");
  EXPECT_EQ(entry->elb_status, 502);

  std::string with_self = line;
  with_self.replace(with_self.find("Root="), 5, "Self=1-1-2;Root=");
  EXPECT_EQ(read_access_log_line(with_self)->trace_root, entry->trace_root);
  EXPECT_FALSE(read_access_log_line("").has_value());
  EXPECT_FALSE(read_access_log_line("rr-lb listening on 127.0.0.1:8080").has_value());
  EXPECT_FALSE(read_access_log_line(line.substr(0, line.find("\"Root"))).has_value());
}

}  // namespace
}  // namespace rr::sim
