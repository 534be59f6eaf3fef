// The relay's rules as tables, and the relay itself between a real client and a real server.
#include "sim/relay/relay.h"

#include <gtest/gtest.h>

#include <map>

#include "lb/net/http_client.h"
#include "lb/net/http_server.h"
#include "sim/relay/held_pieces.h"
#include "sim/relay/links_document.h"
#include "tests/sim/world/real_loop.h"

namespace rr::sim {
namespace {

using namespace std::chrono_literals;

constexpr Time kNow{1h};

TEST(WireFaults, DelaysAddUpAndSharesAreIndependent) {
  const WireFaults both =
      combined({.latency = 10ms, .loss_percent = 50}, {.latency = 5ms, .loss_percent = 50, .refuse = true});
  EXPECT_EQ(both, (WireFaults{.latency = 15ms, .loss_percent = 75, .refuse = true}));
  EXPECT_EQ(combined({}, {}), WireFaults{});
  EXPECT_FALSE(WireFaults{}.any());
  EXPECT_EQ(port_mode({.refuse = true, .blackhole = true}), PortMode::kSilent);
  EXPECT_EQ(port_mode({.refuse = true}), PortMode::kRefuses);
  EXPECT_EQ(port_mode({.latency = 1ms}), PortMode::kAccepts);
}

TEST(WireFaults, LatencyAndJitterAreOfTheWayBack) {
  Rng rng(1);
  const WireFaults faults{.latency = 100ms, .jitter = 20ms};
  EXPECT_EQ(delay_of_piece(faults, LinkDirection::kToTarget, rng), Duration{});
  Duration least = 1h, most{};
  for (int i = 0; i < 1'000; ++i) {
    const Duration delay = delay_of_piece(faults, LinkDirection::kToNode, rng);
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  EXPECT_GE(least, 100ms);
  EXPECT_LE(most, 120ms);
  EXPECT_GT(most - least, 15ms) << "of 1,000 draws from 20 ms";
}

TEST(WireFaults, ALostPieceIsSentAgainAfterTwiceTheTime) {
  Rng rng(1);
  std::map<Duration, int> seen;
  for (int i = 0; i < 10'000; ++i) ++seen[delay_of_piece({.loss_percent = 20}, LinkDirection::kToTarget, rng)];
  // 80 % at once, 16 % lost once, 3.2 % twice, each by 10,000 draws within four standard deviations (40, 37, 18).
  EXPECT_NEAR(seen[0ms], 8'000, 160);
  EXPECT_NEAR(seen[200ms], 1'600, 147);
  EXPECT_NEAR(seen[600ms], 320, 71);
  // 200 + 400 + ... + 6,400 ms: then it counts as arrived.
  EXPECT_EQ(delay_of_piece({.loss_percent = 100}, LinkDirection::kToTarget, rng), 12'600ms);
}

TEST(HeldPieces, ArriveInOrderAndNeverMoreThanTheBound) {
  HeldPieces held;
  held.add(kNow + 10ms, "a");
  held.add(kNow, "b");  // was to arrive earlier: it waits for the one in front of it, and comes with it
  held.add_end(kNow, PieceEnd::kClosed);
  EXPECT_EQ(held.next_due(), kNow + 10ms);
  EXPECT_FALSE(held.take(kNow + 9ms).has_value());
  EXPECT_EQ(held.take(kNow + 10ms)->bytes, "ab");
  EXPECT_EQ(held.take(kNow + 10ms)->end, PieceEnd::kClosed);
  EXPECT_TRUE(held.empty());
  held.add(kNow, std::string(HeldPieces::kMostBytes - 1, 'x'));
  EXPECT_FALSE(held.full());
  held.add(kNow, "x");
  EXPECT_TRUE(held.full());
  EXPECT_EQ(held.take(kNow)->bytes.size(), HeldPieces::kMostBytes);
  for (std::size_t i = 0; i + 1 < HeldPieces::kMostPieces; ++i) held.add(kNow + Duration(i), "x");
  EXPECT_FALSE(held.full());
  held.add(kNow + 1s, "x");
  EXPECT_TRUE(held.full());
}

TEST(LinksDocument, IsReadBackAsItWas) {
  const std::vector<LinkSpec> links{
      {"lb-a/i-1", Address::v4(127, 0, 0, 1, 80), {.latency = 1ms, .jitter = 2ns, .loss_percent = 3.5}},
      {"lb-a/i-2",
       Address::v4(127, 0, 0, 1, 81),
       {.reset_percent = 1, .gray_percent = 2, .refuse = true, .blackhole = true}}};
  const auto again = read_links(write_links(links));
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*again, links);
  for (const char* broken : {"", "[]", "{}", R"({"links": 1})", R"({"links": [1]})", R"({"links": [{"name": "a"}]})"}) {
    EXPECT_FALSE(read_links(broken).ok()) << broken;
    EXPECT_FALSE(read_ports(broken).has_value()) << broken;
  }
  const std::map<std::string, Address> ports{{"lb-a/i-1", Address::v4(127, 0, 0, 1, 1234)}};
  EXPECT_EQ(read_ports(write_ports(ports, 3)), ports);
}

class RelayTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = HttpServer::start(loop, Endpoint(Address::v4(127, 0, 0, 1, 0)), {},
                                     [this](const HttpRequest&, const HttpServer::Responder& responder) {
                                       ++served;
                                       responder({.status = 200, .body = std::string(body_size, 'x')});
                                     });
    ASSERT_TRUE(started.ok()) << started.error().message;
    server.emplace(*std::move(started));
  }

  void link(const WireFaults& faults) {
    const Status made = relay.set_links({{"link", std::get<Address>(server->endpoint()), faults}});
    ASSERT_TRUE(made.ok()) << made.error().message;
  }

  /// Status, or the negative kind of the failure: -1 connect failed, -2 timed out, -3 closed, -4 reset.
  int ask(HttpClient& client) {
    int outcome = 0;
    client.send({}, [&](const Result<ClientResponse, ClientFailure>& answer) {
      outcome = answer ? answer->status : -1 - static_cast<int>(answer.error().kind);
      EXPECT_TRUE(!answer || answer->body.size() == body_size);
      if (!answer) failure = answer.error();
    });
    EXPECT_TRUE(run_until(loop, [&] { return outcome != 0; }));
    return outcome;
  }
  int ask_once(Duration timeout = 5s) {
    HttpClient client(loop, Endpoint(relay.ports().at("link")), {.timeout = timeout});
    return ask(client);
  }

  Loop loop;
  std::optional<HttpServer> server;
  Relay relay{loop, Address::v4(127, 0, 0, 1, 0), 7};
  std::size_t body_size = 10;
  int served = 0;
  ClientFailure failure;
};

TEST_F(RelayTest, WithoutFaultsEverythingGetsThroughAndNothingIsLeft) {
  body_size = 3'000'000;  // many times what is held at once
  link({});
  EXPECT_EQ(ask_once(), 200);
  link({.latency = 5ms});
  EXPECT_EQ(ask_once(), 200);
  EXPECT_TRUE(run_until(loop, [&] { return relay.connections() == 0; }));
}

TEST_F(RelayTest, LatencyIsAddedOnceAnAnswer) {
  link({.latency = 120ms});
  HttpClient client(loop, Endpoint(relay.ports().at("link")), {});
  for (int i = 0; i < 2; ++i) {
    const Time began = loop.precise_now();
    EXPECT_EQ(ask(client), 200);
    EXPECT_GE(loop.precise_now() - began, 120ms);
  }
  link({});  // the connection that is there goes on, as fast as ever
  EXPECT_EQ(ask(client), 200);
}

TEST_F(RelayTest, ResetsMeetConnectionsAndGrayRequests) {
  link({.reset_percent = 100});
  EXPECT_EQ(ask_once(), -4);
  link({.gray_percent = 100});
  EXPECT_EQ(ask_once(), -4);
  EXPECT_EQ(served, 0) << "no request got through";
  link({.gray_percent = 50});
  HttpClient client(loop, Endpoint(relay.ports().at("link")), {});
  int failed = 0;
  for (int i = 0; i < 200; ++i) failed += ask(client) == 200 ? 0 : 1;
  EXPECT_NEAR(failed, 100, 36) << "within five standard deviations of 200 draws, on connections that are kept";
}

TEST_F(RelayTest, RefusedAtOnceOrNotAnsweredAtAll) {
  link({.refuse = true});
  EXPECT_EQ(ask_once(), -1);
  EXPECT_EQ(failure.connect, ConnectFailure::kRefused);
  link({.blackhole = true});
  EXPECT_EQ(ask_once(300ms), -2);
  EXPECT_EQ(ask_once(300ms), -2);
  EXPECT_EQ(relay.connections(), 0U);
  link({});
  EXPECT_EQ(ask_once(), 200);
}

TEST_F(RelayTest, ABlackholeSilencesWhatIsConnectedUntilItEnds) {
  link({});
  HttpClient client(loop, Endpoint(relay.ports().at("link")), {});
  EXPECT_EQ(ask(client), 200);
  link({.blackhole = true});
  int outcome = 0;
  client.send({}, [&](const Result<ClientResponse, ClientFailure>& answer) { outcome = answer ? answer->status : -1; });
  run_for(loop, 100ms);
  EXPECT_EQ(outcome, 0);
  EXPECT_EQ(served, 1);
  link({});
  EXPECT_TRUE(run_until(loop, [&] { return outcome == 200; })) << "it was sent again, as TCP does";
}

TEST_F(RelayTest, ATargetThatIsNotThereIsAReset) {
  const Address nobody = std::get<Address>(server->endpoint());
  link({});
  server.reset();
  ASSERT_TRUE(relay.set_links({{"link", nobody, {.latency = 1ms}}}).ok());
  EXPECT_EQ(ask_once(), -4);
  EXPECT_TRUE(run_until(loop, [&] { return relay.connections() == 0; }));
}

TEST_F(RelayTest, ALinkThatIsNoMoreListensNoMore) {
  link({.latency = 1ms});
  HttpClient client(loop, Endpoint(relay.ports().at("link")), {});
  EXPECT_EQ(ask(client), 200);
  ASSERT_TRUE(relay.set_links({}).ok());
  EXPECT_TRUE(relay.ports().empty());
  EXPECT_EQ(ask(client), 200) << "what is connected goes on";
  EXPECT_FALSE(relay.set_links(std::vector<LinkSpec>(Relay::kMostLinks + 1)).ok());
}

}  // namespace
}  // namespace rr::sim
