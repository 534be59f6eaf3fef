// The small HTTP server, met by a raw client: whatever way the bytes come, answers come in order and once, bad input is
// refused with the right status and can be read, and slow clients cost a bounded amount.
#include "lb/net/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <deque>

#include "tests/lb/net/loop_runner.h"

namespace rr {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::size_t count_of(const std::string& text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

struct HttpServerTest : testing::Test {
  Loop loop;
  std::optional<HttpServer> server;
  std::deque<HttpServer::Responder> waiting;  // of requests to /later
  std::vector<HttpExchange> exchanges;
  std::vector<HttpRequest> requests;

  void start(HttpServerSettings settings = {}, Endpoint where = any_port()) {
    auto started = HttpServer::start(loop, where, settings, [this](const HttpRequest& request, auto respond) {
      requests.push_back(request);
      if (request.path() == "/later") {
        waiting.push_back(std::move(respond));
      } else if (request.path() != "/forgotten") {
        respond({.status = 200, .headers = {}, .body = "answer to " + request.target + request.body});
      }
    });
    ASSERT_TRUE(started.ok()) << started.error().message;
    server.emplace(*std::move(started));
    server->on_exchange([this](const HttpExchange& exchange) { exchanges.push_back(exchange); });
  }
  bool until(RawClient& client, const std::function<bool()>& condition) {
    return run_until(loop, [&] {
      client.receive();
      return condition();
    });
  }
  std::string ask(std::string_view bytes) {
    RawClient client(server->endpoint());
    client.send(bytes);
    EXPECT_TRUE(until(client, [&] { return client.ended; })) << client.received;
    return client.received;
  }
  void pass() {
    bool passed = false;
    loop.post([&] { loop.post([&] { passed = true; }); });
    EXPECT_TRUE(run_until(loop, [&] { return passed; }));
  }
};

TEST_F(HttpServerTest, AnswersAGetAndKeepsTheConnection) {
  start({.keep_alive = std::chrono::seconds(75)});
  RawClient client(server->endpoint());
  client.send("GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Thing:  1 \r\n\r\n");
  ASSERT_TRUE(until(client, [&] { return client.received.ends_with("answer to /a?b=c"); }));
  EXPECT_THAT(client.received, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
  EXPECT_THAT(client.received, HasSubstr("\r\nContent-Length: 16\r\n"));  // "answer to /a?b=c"
  EXPECT_THAT(client.received, HasSubstr("\r\nKeep-Alive: timeout=75\r\n"));
  EXPECT_FALSE(client.ended);
  EXPECT_EQ(requests[0].path(), "/a");
  EXPECT_EQ(requests[0].query(), "b=c");
  EXPECT_EQ(requests[0].header("x-thing"), "1");
  EXPECT_EQ(requests[0].header("y-thing"), std::nullopt);
  ASSERT_EQ(exchanges.size(), 1U);
  EXPECT_EQ(exchanges[0].status, 200);
  EXPECT_EQ(exchanges[0].target, "/a?b=c");
  EXPECT_EQ(exchanges[0].bytes_in, 21U + 9 + 14 + 2);  // the lines of the request above
  EXPECT_EQ(exchanges[0].bytes_out, client.received.size());
  client.send("GET /again HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(until(client, [&] { return client.ended; }));
  EXPECT_THAT(client.received, EndsWith("\r\nConnection: close\r\n\r\nanswer to /again"));
  client.reset();
  RUN_UNTIL(loop, server->connections() == 0);
}

TEST_F(HttpServerTest, PipelinedRequestsSplitAtEveryByteAreAnsweredInOrder) {
  start();
  const std::string bytes =
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
      "POST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n"
      "GET /4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  for (std::size_t split = 0; split <= bytes.size(); ++split) {
    RawClient client(server->endpoint());
    client.send(bytes.substr(0, split));
    // The server reads the first part in a pass of its own, before the second is sent.
    if (split > 0) {
      ASSERT_TRUE(run_until(loop, [&] { return server->connections() == 1; }));
      pass();
    }
    client.send(bytes.substr(split));
    ASSERT_TRUE(until(client, [&] { return client.ended; }));
    std::string bodies;
    for (std::size_t at = client.received.find("answer"); at != std::string::npos;
         at = client.received.find("answer", at + 1)) {
      bodies += client.received.substr(at, client.received.find("HTTP/1.1", at) - at) + ";";
    }
    ASSERT_EQ(bodies, "answer to /1;answer to /2abc;answer to /3def;answer to /4;") << "split at " << split;
    client.reset();
    RUN_UNTIL(loop, server->connections() == 0);
  }
}

TEST_F(HttpServerTest, WhatIsPipelinedWaitsForAnAnswerThatComesLater) {
  start();
  RawClient client(server->endpoint());
  client.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  client.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  RUN_UNTIL(loop, waiting.size() == 1);
  pass();
  EXPECT_EQ(requests.size(), 1U);
  EXPECT_EQ(server->in_progress(), 1U);
  waiting[0]({.body = "first"});
  EXPECT_EQ(requests.size(), 1U);  // the handler is not called from within its own answer
  RUN_UNTIL(loop, waiting.size() == 2);
  waiting[0]({.body = "twice"});  // does nothing
  waiting[1]({.body = "third"});
  ASSERT_TRUE(until(client, [&] { return client.received.ends_with("third"); }));
  EXPECT_LT(client.received.find("first"), client.received.find("answer to /2"));
  EXPECT_THAT(client.received, Not(HasSubstr("twice")));
  EXPECT_EQ(server->in_progress(), 0U);
}

TEST_F(HttpServerTest, AClientThatSentItsFinStillGetsItsAnswers) {
  start();
  RawClient client(server->endpoint());
  client.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  client.finish_sending();
  RUN_UNTIL(loop, waiting.size() == 1);
  pass();
  EXPECT_FALSE(waiting[0].client_gone());
  waiting[0]({.body = "first"});
  ASSERT_TRUE(until(client, [&] { return client.ended; }));
  EXPECT_THAT(client.received, HasSubstr("first"));
  EXPECT_THAT(client.received, HasSubstr("answer to /2"));
  RUN_UNTIL(loop, server->connections() == 0);
}

TEST_F(HttpServerTest, HeadHasTheLengthAndNoBody) {
  start();
  const std::string answer = ask("HEAD /abc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 14\r\n"));  // "answer to /abc"
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, Http10IsClosedUnlessItAsksToBeKept) {
  start();
  EXPECT_THAT(ask("GET / HTTP/1.0\r\n\r\n"), HasSubstr("Connection: close\r\n"));
  RawClient kept(server->endpoint());
  kept.send("GET /k HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_TRUE(until(kept, [&] { return kept.received.ends_with("/k"); }));
  EXPECT_THAT(kept.received, HasSubstr("Connection: keep-alive\r\n"));
  EXPECT_FALSE(kept.ended);
}

TEST_F(HttpServerTest, ExpectContinueIsAnsweredAndTheBodyTaken) {
  start();
  RawClient client(server->endpoint());
  client.send("POST /p HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  ASSERT_TRUE(until(client, [&] { return client.received == "HTTP/1.1 100 Continue\r\n\r\n"; }));
  client.send("ok");
  ASSERT_TRUE(until(client, [&] { return client.received.ends_with("answer to /pok"); }));
}

struct Refusal {
  const char* bytes;
  int status;
};
class HttpServerRefusalTest : public HttpServerTest, public testing::WithParamInterface<Refusal> {};
TEST_P(HttpServerRefusalTest, HasItsStatusAndEndsTheConnection) {
  start({.limits = {.start_line = 64, .header_line = 64, .head = 256, .headers = 4}, .max_body = 8});
  const std::string answer = ask(GetParam().bytes);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::to_string(GetParam().status) + " "));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(requests.empty());
  ASSERT_EQ(exchanges.size(), 1U);
  EXPECT_EQ(exchanges[0].status, GetParam().status);
}
INSTANTIATE_TEST_SUITE_P(
    Each, HttpServerRefusalTest,
    testing::Values(
        Refusal{"nonsense\r\n\r\n", 400}, Refusal{"GET / HTTP/1.1\r\n\r\n", 400},
        Refusal{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        Refusal{"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        Refusal{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", 413},
        Refusal{"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n", 413},
        Refusal{"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n0\r\n\r\n", 413},
        Refusal{"GET /0123456789012345678901234567890123456789012345678901234567890123456789 HTTP/1.1\r\n\r\n", 414},
        Refusal{"GET / HTTP/1.1\r\nHost: 0123456789012345678901234567890123456789012345678901234567890\r\n\r\n", 431},
        Refusal{"GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n", 431},
        Refusal{"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
        Refusal{"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505}));

TEST_F(HttpServerTest, ABodyAtTheLimitIsTaken) {
  start({.max_body = 8});
  EXPECT_THAT(ask("POST /p HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 8\r\n\r\n12345678"),
              EndsWith("answer to /p12345678"));
}

TEST_F(HttpServerTest, AClientInTheMiddleOfABigUploadCanReadItsRefusal) {
  start({.max_body = 8});
  RawClient client(server->endpoint());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n");
  const std::string piece(100'000, 'x');
  bool sending = true;
  int pieces = 0;
  RUN_UNTIL(loop, (client.receive(),
                   sending = ::send(client.fd(), piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0 ||
                             errno == EAGAIN,
                   ++pieces > 50 || !sending));
  EXPECT_TRUE(sending);
  client.finish_sending();
  ASSERT_TRUE(until(client, [&] { return client.ended; }));
  EXPECT_THAT(client.received, StartsWith("HTTP/1.1 413 "));
  RUN_UNTIL(loop, server->connections() == 0);
}

TEST_F(HttpServerTest, ALingeringCloseIsBoundedInAmount) {
  start({.max_body = 8});
  RawClient client(server->endpoint());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000\r\n\r\n");
  const std::string piece(1'000'000, 'x');
  std::size_t taken = 0;
  RUN_UNTIL(loop, [&] {
    const ssize_t count = ::send(client.fd(), piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) taken += static_cast<std::size_t>(count);
    return count < 0 && errno != EAGAIN;
  }());
  // 16 MiB are dropped; what lies in the kernel's buffers at the end comes on top, far less than as much again.
  EXPECT_LT(taken, 32U << 20);
}

TEST_F(HttpServerTest, ASlowRequestGets408) {
  start({.request_timeout = 50 * kMillisecond});
  for (const std::string_view part :
       {"G", "GET / HTTP/1.1\r\nHost: x\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab"}) {
    EXPECT_THAT(ask(part), StartsWith("HTTP/1.1 408 ")) << part;
    EXPECT_EQ(exchanges.back().status, 408);
  }
}

TEST_F(HttpServerTest, AnIdleConnectionIsClosedWithoutAWord) {
  start({.keep_alive = 50 * kMillisecond});
  EXPECT_EQ(ask(""), "");
  RawClient client(server->endpoint());
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(until(client, [&] { return client.ended; }));
  EXPECT_THAT(client.received, EndsWith("answer to /"));
  EXPECT_THAT(client.received, Not(HasSubstr("Keep-Alive:")));  // 50 ms is no whole number of seconds
}

TEST_F(HttpServerTest, ConnectionsBeyondTheLimitAreClosedAtOnce) {
  start({.max_connections = 2});
  RawClient first(server->endpoint());
  RawClient second(server->endpoint());
  RUN_UNTIL(loop, server->connections() == 2);
  EXPECT_EQ(ask(""), "");
  EXPECT_EQ(server->connections(), 2U);
}

TEST_F(HttpServerTest, ABigAnswerToASlowReaderHoldsTheNextRequestBack) {
  std::string big(24 * 1024 * 1024, 'b');
  auto started = HttpServer::start(loop, any_port(), {}, [&](const HttpRequest& request, auto respond) {
    requests.push_back(request);
    respond({.body = big});
  });
  ASSERT_TRUE(started.ok());
  server.emplace(*std::move(started));
  RawClient client(server->endpoint());
  client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  RUN_UNTIL(loop, requests.size() == 1);
  pass();
  EXPECT_EQ(requests.size(), 1U);
  EXPECT_EQ(server->in_progress(), 1U);
  ASSERT_TRUE(until(client, [&] { return client.ended; }));
  EXPECT_EQ(count_of(client.received, "Content-Length: 25165824\r\n"), 2U);  // 24 MiB each
  EXPECT_GT(client.received.size(), 2 * big.size());
}

TEST_F(HttpServerTest, AReaderThatStopsIsCutOff) {
  bool asked = false;
  auto started = HttpServer::start(loop, any_port(), {.request_timeout = 60 * kMillisecond},
                                   [&](const HttpRequest&, auto respond) {
                                     asked = true;
                                     respond({.body = std::string(24 << 20, 'b')});
                                   });
  ASSERT_TRUE(started.ok());
  server.emplace(*std::move(started));
  RawClient client(server->endpoint());
  client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
  RUN_UNTIL(loop, asked);
  RUN_UNTIL(loop, server->connections() == 0);
  client.receive();
  EXPECT_LT(client.received.size(), 24U << 20);
}

TEST_F(HttpServerTest, StreamsInChunksAndUntilCloseForHttp10) {
  start();
  RawClient client(server->endpoint());
  client.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  RUN_UNTIL(loop, waiting.size() == 1);
  waiting[0].begin({.headers = {{"Content-Type", "text/plain"}}});
  EXPECT_TRUE(waiting[0].chunk("hello"));
  EXPECT_TRUE(waiting[0].chunk(""));
  EXPECT_TRUE(waiting[0].chunk(std::string(26, 'z')));
  ASSERT_TRUE(until(client, [&] { return client.received.ends_with("zz\r\n"); }));
  EXPECT_THAT(client.received, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(client.received, HasSubstr("\r\n\r\n5\r\nhello\r\n1a\r\nzzz"));  // 26 is 1a
  EXPECT_EQ(server->in_progress(), 1U);
  waiting[0].end();
  EXPECT_FALSE(waiting[0].chunk("late"));
  EXPECT_TRUE(waiting[0].client_gone());
  ASSERT_TRUE(until(client, [&] { return client.received.ends_with("answer to /2"); }));
  EXPECT_THAT(client.received, HasSubstr("0\r\n\r\nHTTP/1.1 200 OK\r\n"));

  RawClient old(server->endpoint());
  old.send("GET /later HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  RUN_UNTIL(loop, waiting.size() == 2);
  waiting[1].begin({});
  waiting[1].chunk("one ");
  waiting[1].chunk("two");
  waiting[1].end();
  ASSERT_TRUE(until(old, [&] { return old.ended; }));
  EXPECT_THAT(old.received, EndsWith("Connection: close\r\n\r\none two"));
}

TEST_F(HttpServerTest, AStreamsReaderThatIsTooSlowIsCutOff) {
  start();
  RawClient client(server->endpoint());
  client.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  RUN_UNTIL(loop, waiting.size() == 1);
  waiting[0].begin({});
  const std::string piece(64 * 1024, 'x');
  std::size_t sent = 0;
  while (waiting[0].chunk(piece)) {
    sent += piece.size();
    ASSERT_LT(sent, 64U << 20) << "a client that reads nothing must not be queued for without end";
  }
  EXPECT_TRUE(waiting[0].client_gone());
  RUN_UNTIL(loop, server->connections() == 0);
}

TEST_F(HttpServerTest, AnAbortAndAClientsResetAreNoticed) {
  start();
  RawClient aborted(server->endpoint());
  aborted.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  RUN_UNTIL(loop, waiting.size() == 1);
  waiting[0].abort();
  ASSERT_TRUE(until(aborted, [&] { return aborted.ended; }));
  EXPECT_EQ(aborted.received, "");
  EXPECT_EQ(exchanges.back().status, 0);

  RawClient gone(server->endpoint());
  gone.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  RUN_UNTIL(loop, waiting.size() == 2);
  gone.reset();
  RUN_UNTIL(loop, waiting[1].client_gone());
  waiting[1]({.body = "to nobody"});
  EXPECT_FALSE(waiting[1].chunk("x"));
  EXPECT_EQ(exchanges.size(), 2U);
  RUN_UNTIL(loop, server->connections() == 0);
}

TEST_F(HttpServerTest, AHandlerThatForgetsToAnswerMakesA500) {
  start();
  EXPECT_THAT(ask("GET /forgotten HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 500 "));
}

TEST_F(HttpServerTest, AHandlerCannotBeMadeToWriteAHeaderOfTheClients) {
  auto started = HttpServer::start(loop, any_port(), {}, [&](const HttpRequest&, auto respond) {
    respond({.status = 204,
             .headers = {{"X-Echo", "a\r\nSet-Cookie: b"}, {"Content-Length", "7"}},
             .body = "dropped",
             .close = true});
  });
  ASSERT_TRUE(started.ok());
  server.emplace(*std::move(started));
  const std::string answer = ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("X-Echo: a  Set-Cookie: b\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("Content-Length")));  // a 204 has neither length nor body
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, AnnouncingTheCloseMarksEveryAnswerAndMayEndIdleConnections) {
  start();
  RawClient idle(server->endpoint());
  RawClient busy(server->endpoint());
  busy.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  RUN_UNTIL(loop, waiting.size() == 1 && server->connections() == 2);
  server->announce_close(false);
  pass();
  EXPECT_EQ(server->connections(), 2U);
  server->announce_close(true);
  ASSERT_TRUE(until(idle, [&] { return idle.ended; }));
  waiting[0]({.body = "x"});
  ASSERT_TRUE(until(busy, [&] { return busy.ended; }));
  EXPECT_THAT(busy.received, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(ask("GET /new HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr("Connection: close\r\n"));  // still accepted
}

TEST_F(HttpServerTest, DrainFinishesWhatIsInProgressAndThenCallsBack) {
  start();
  const Endpoint endpoint = server->endpoint();
  RawClient idle(endpoint);
  RawClient half(endpoint);
  RawClient busy(endpoint);
  half.send("GET /half HTTP/1.1\r\nHo");
  busy.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  RUN_UNTIL(loop, waiting.size() == 1 && server->connections() == 3);
  pass();
  bool drained = false;
  server->drain([&] {
    drained = true;
    server.reset();
  });
  EXPECT_FALSE(RawClient(endpoint).connected());
  ASSERT_TRUE(until(idle, [&] { return idle.ended; }));
  half.send("st: x\r\n\r\n");
  ASSERT_TRUE(until(half, [&] { return half.ended; }));
  EXPECT_THAT(half.received, EndsWith("Connection: close\r\n\r\nanswer to /half"));
  half.reset();
  idle.reset();
  EXPECT_FALSE(drained);
  waiting[0]({.body = "last"});
  ASSERT_TRUE(until(busy, [&] { return busy.ended; }));
  EXPECT_THAT(busy.received, EndsWith("last"));
  busy.reset();
  RUN_UNTIL(loop, drained);
}

TEST_F(HttpServerTest, DrainAnswersWhatTheKernelHasAlready) {
  start();
  RawClient kept(server->endpoint());
  kept.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(until(kept, [&] { return kept.received.ends_with("answer to /1"); }));
  // Neither the second request of a connection nor a new connection has been seen by the loop when the drain begins.
  kept.send("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  RawClient queued(server->endpoint());
  queued.send("GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
  bool drained = false;
  server->drain([&] { drained = true; });
  ASSERT_TRUE(until(kept, [&] { return kept.ended; }));
  ASSERT_TRUE(until(queued, [&] { return queued.ended; }));
  EXPECT_THAT(kept.received, EndsWith("Connection: close\r\n\r\nanswer to /2"));
  EXPECT_THAT(queued.received, EndsWith("Connection: close\r\n\r\nanswer to /3"));
  kept.reset();
  queued.reset();
  RUN_UNTIL(loop, drained);
}

TEST_F(HttpServerTest, ADrainWithNoConnectionCallsBackToo) {
  start();
  bool drained = false;
  server->drain([&] { drained = true; });
  EXPECT_FALSE(drained);  // later, never from within
  RUN_UNTIL(loop, drained);
}

TEST_F(HttpServerTest, MayBeDestroyedInItsHandlerItsObserverAndBeforeAnAnswer) {
  start();
  RawClient first(server->endpoint());
  first.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  RUN_UNTIL(loop, waiting.size() == 1);
  server.reset();
  EXPECT_TRUE(waiting[0].client_gone());
  waiting[0]({.body = "to nobody"});

  const std::string text = "longer than what a string keeps within itself";
  std::string seen;
  auto started = HttpServer::start(loop, any_port(), {}, [&, text](const HttpRequest& request, auto respond) {
    server.reset();
    seen = text + request.target;
    respond({});
  });
  server.emplace(*std::move(started));
  RawClient second(server->endpoint());
  second.send("GET /x HTTP/1.1\r\nHost: x\r\n\r\nGET /y HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(until(second, [&] { return second.ended; }));
  EXPECT_EQ(seen, text + "/x");

  for (const std::string_view bytes :
       {"GET /x HTTP/1.1\r\nHost: x\r\n\r\nGET /y HTTP/1.1\r\nHost: x\r\n\r\n", "bad\r\n\r\n", "G"}) {
    start({.request_timeout = 30 * kMillisecond});
    server->on_exchange([&, text](const HttpExchange&) {
      server.reset();
      seen = text;
    });
    RawClient third(server->endpoint());
    third.send(bytes);
    ASSERT_TRUE(until(third, [&] { return third.ended; }));
    EXPECT_FALSE(server.has_value());
  }
}

TEST_F(HttpServerTest, ListensOnAUnixSocketAndNamesWhatIsTaken) {
  const UnixPath path{testing::TempDir() + "rr-net-http-" + std::to_string(getpid())};
  start({}, path);
  EXPECT_THAT(ask("GET /u HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), EndsWith("answer to /u"));
  const auto second = HttpServer::start(loop, path, {}, [](const HttpRequest&, auto) {});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().message, format_endpoint(path) + " is in use by another program");
}

}  // namespace
}  // namespace rr
