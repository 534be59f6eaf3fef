// What a health check asks, and what its end means for the target.
#include "lb/proxy/prober.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rr {
namespace {

std::string host_of(const ClientRequest& request) {
  for (const auto& [name, value] : request.headers) {
    if (name == "Host") return value;
  }
  return "";
}

TEST(Prober, AsksForThePathAsTheAlbDoes) {
  Address asked = Address::v4(172, 31, 16, 10, 8080);
  HealthCheck check;
  check.path = "/healthz?deep=1";
  const ClientRequest request = probe_request(asked, check);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/healthz?deep=1");
  EXPECT_EQ(host_of(request), "172.31.16.10:8080");
  asked.port = 80;
  EXPECT_EQ(host_of(probe_request(asked, check)), "172.31.16.10") << "the default port is left out";
  asked = *parse_address("[::1]:80");
  EXPECT_EQ(host_of(probe_request(asked, check)), "[::1]:80");
}

TEST(Prober, EveryEndOfAnAttemptHasItsMeaning) {
  using Kind = ClientFailure::Kind;
  using Outcome = ProbeOutcome::Kind;
  const auto failed = [](Kind kind, ConnectFailure connect = ConnectFailure::kOther) {
    return outcome_of(ClientFailure{kind, connect}).kind;
  };
  ClientResponse response;
  response.status = 503;
  EXPECT_EQ(outcome_of(response), (ProbeOutcome{Outcome::kAnswered, 503}));
  EXPECT_EQ(failed(Kind::kTimedOut), Outcome::kTimedOut);
  EXPECT_EQ(failed(Kind::kConnectFailed, ConnectFailure::kTimedOut), Outcome::kTimedOut);
  EXPECT_EQ(failed(Kind::kConnectFailed, ConnectFailure::kRefused), Outcome::kConnectFailed);
  EXPECT_EQ(failed(Kind::kReset), Outcome::kConnectFailed);
  EXPECT_EQ(failed(Kind::kClosed), Outcome::kMalformed);
  EXPECT_EQ(failed(Kind::kMalformed), Outcome::kMalformed);
}

}  // namespace
}  // namespace rr
