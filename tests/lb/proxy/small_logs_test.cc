// Lines of the connection log and of the health-check log, against AWS's forms.
#include <gtest/gtest.h>

#include <string>

#include "lb/proxy/connection_log.h"
#include "lb/proxy/health_check_log.h"

namespace rr {
namespace {

// 2025-10-31T12:44:58.901409Z
constexpr Time kWhen{std::chrono::microseconds(1'761'914'698'901'409)};

TEST(ConnectionLog, WithoutTlsItsFieldsAreDashes) {
  ConnectionLogEntry entry;
  entry.accepted = kWhen;
  entry.client_ip = "203.0.113.7";
  entry.client_port = 41522;
  entry.listener_port = 80;
  entry.connection_high = 0x3180a73013c8ca4b;
  entry.connection_low = 0xac2f731159d4b0fe;
  entry.load_balancer = "app/sim-alb/50dc6c495c0c9188";
  entry.node_ip = "10.0.0.11";
  std::string line;
  append_connection_log_line(line, entry);
  EXPECT_EQ(line,
            "2025-10-31T12:44:58.901409Z 203.0.113.7 41522 80 - - - \"-\" - - - TID_3180a73013c8ca4bac2f731159d4b0fe - "
            "app/sim-alb/50dc6c495c0c9188 10.0.0.11");
}

HealthCheckRecord record(int status, ProbeReason reason) {
  HealthCheckRecord made;
  made.started = kWhen;
  made.latency = Duration(1'121'980'746);
  made.target = Address::v4(172, 31, 31, 9, 80);
  made.node = Address::v4(172, 31, 16, 5, 40000);
  made.load_balancer = "app/sim-alb/50dc6c495c0c9188";
  made.target_group = "mytg";
  made.status = status;
  made.reason = reason;
  return made;
}

TEST(HealthCheckLog, ALineForEachOutcome) {
  const std::string begin = "http 2025-10-31T12:44:58.901409Z 1.121980746 172.31.31.9:80 mytg ";
  const std::string end = " app/sim-alb/50dc6c495c0c9188 172.31.16.5";
  struct Case {
    int status;
    ProbeReason reason;
    std::string text;
  };
  for (const Case& one :
       {Case{200, ProbeReason::kPassed, "PASS 200 -"}, Case{502, ProbeReason::kTargetError, "FAIL 502 TargetError"},
        Case{404, ProbeReason::kResponseCodeMismatch, "FAIL 404 ResponseCodeMismatch"},
        Case{0, ProbeReason::kTimedOut, "FAIL - TimedOut"},
        Case{0, ProbeReason::kConnectionReset, "FAIL - ConnectionReset"}}) {
    std::string line;
    append_health_check_log_line(line, record(one.status, one.reason));
    EXPECT_EQ(line, begin + one.text + end);
  }
}

TEST(HealthCheckLog, ACheckThatWasNotMadeLeftFromNowhere) {
  HealthCheckRecord none = record(0, ProbeReason::kInternalError);
  none.node = {};
  none.latency = Duration(5);
  std::string line;
  append_health_check_log_line(line, none);
  EXPECT_EQ(line,
            "http 2025-10-31T12:44:58.901409Z 0.000000005 172.31.31.9:80 mytg FAIL - InternalError "
            "app/sim-alb/50dc6c495c0c9188 -");
}

}  // namespace
}  // namespace rr
