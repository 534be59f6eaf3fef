// The small HTTP client against our own server and against listeners that answer with whatever the test says.
#include "lb/net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "lb/net/http_server.h"
#include "tests/lb/net/loop_runner.h"

namespace rr {
namespace {

using testing::HasSubstr;
using testing::Not;
using Answer = Result<ClientResponse, ClientFailure>;
using Kind = ClientFailure::Kind;

/// Accepts, waits for the end of a request head, and then does what its script says.
struct ScriptedServer {
  struct Client final : StreamEvents {
    ScriptedServer& server;
    Stream stream;
    std::string received;
    Client(ScriptedServer& owner, Stream accepted) : server(owner), stream(std::move(accepted)) {
      stream.set_events(this);
      stream.start_reading();
    }
    void on_read(std::string_view bytes) override {
      received += bytes;
      while (stream.open() && received.find("\r\n\r\n") != std::string::npos) {
        const std::size_t end = received.find("\r\n\r\n") + 4;
        server.requests.push_back(received.substr(0, end));
        received.erase(0, end);
        server.script(stream);
      }
    }
    void on_end(StreamEnd) override { stream.close(); }
    void on_drained() override {}
  };
  std::function<void(Stream&)> script;
  std::deque<Client> clients;
  std::vector<std::string> requests;
  StreamListener listener;
  ScriptedServer(Loop& loop, std::function<void(Stream&)> what)
      : script(std::move(what)), listener(StreamListener::listen(loop, any_port()).value()) {
    listener.start([this](Stream stream) { clients.emplace_back(*this, std::move(stream)); });
  }
  Endpoint endpoint() const { return listener.endpoint(); }
};

struct HttpClientTest : testing::Test {
  Loop loop;
  Answer ask(HttpClient& client, ClientRequest request = {}) {
    std::optional<Answer> answer;
    client.send(std::move(request), [&](Answer got) { answer.emplace(std::move(got)); });
    EXPECT_TRUE(client.busy());
    EXPECT_TRUE(run_until(loop, [&] { return answer.has_value(); }));
    return *answer;
  }
  Answer ask_scripted(std::string bytes, bool then_close, HttpClient::Settings settings = {},
                      ClientRequest request = {}) {
    ScriptedServer server(loop, [&](Stream& stream) {
      stream.write(bytes);
      if (then_close) stream.close();
    });
    HttpClient client(loop, server.endpoint(), settings);
    return ask(client, std::move(request));
  }
};

TEST_F(HttpClientTest, SendsAWholeRequestAndReadsAWholeResponse) {
  ScriptedServer server(loop, [](Stream& stream) {
    stream.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nX-A: b\r\nContent-Length: 4\r\n\r\nbo");
    stream.write("dy");
  });
  HttpClient client(loop, server.endpoint(), {});
  const Answer answer = ask(client, {.method = "PUT", .target = "/x", .headers = {{"X-B", "c"}}, .body = "{}"});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->header("x-a"), "b");
  EXPECT_EQ(answer->body, "body");
  const std::string host = format_endpoint(server.endpoint());
  EXPECT_EQ(server.requests[0], "PUT /x HTTP/1.1\r\nHost: " + host + "\r\nX-B: c\r\nContent-Length: 2\r\n\r\n");
  EXPECT_FALSE(client.busy());
  ASSERT_TRUE(client.local().has_value());
  EXPECT_EQ(client.local(), server.clients[0].stream.peer());
}

TEST_F(HttpClientTest, KeepsItsConnectionOrMakesAFreshOneEachTime) {
  for (const bool keep_alive : {true, false}) {
    ScriptedServer server(loop, [](Stream& stream) { stream.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); });
    HttpClient client(loop, server.endpoint(), {.keep_alive = keep_alive});
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(ask(client).ok());
    EXPECT_EQ(server.clients.size(), keep_alive ? 1U : 3U);
    EXPECT_EQ(server.requests[0].find("Connection: close") == std::string::npos, keep_alive);
  }
}

TEST_F(HttpClientTest, AConnectionThatWasClosedWhileIdleIsReplaced) {
  ScriptedServer server(loop, [](Stream& stream) { stream.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); });
  HttpClient client(loop, server.endpoint(), {});
  EXPECT_TRUE(ask(client).ok());
  server.clients[0].stream.close();
  bool passed = false;
  loop.post([&] { loop.post([&] { loop.post([&] { passed = true; }); }); });
  RUN_UNTIL(loop, passed);
  EXPECT_TRUE(ask(client).ok());
  EXPECT_EQ(server.clients.size(), 2U);
}

TEST_F(HttpClientTest, AReusedConnectionThatDiesIsReportedAndNotRetried) {
  int asked = 0;
  ScriptedServer server(loop, [&](Stream& stream) {
    if (++asked == 2) return stream.close();
    stream.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  HttpClient client(loop, server.endpoint(), {});
  EXPECT_TRUE(ask(client).ok());
  EXPECT_EQ(ask(client).error().kind, Kind::kClosed);
  EXPECT_EQ(asked, 2);
  EXPECT_TRUE(ask(client).ok());
}

TEST_F(HttpClientTest, ReadsEachKindOfBody) {
  EXPECT_EQ(ask_scripted("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", false)->body, "abc");
  EXPECT_EQ(ask_scripted("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", false)->body,
            "abc");
  EXPECT_EQ(ask_scripted("HTTP/1.1 200 OK\r\n\r\nabc", true)->body, "abc");
  EXPECT_EQ(ask_scripted("HTTP/1.0 200 OK\r\n\r\n", true)->body, "");
  EXPECT_EQ(ask_scripted("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", false, {}, {.method = "HEAD"})->status, 200);
  EXPECT_EQ(ask_scripted("HTTP/1.1 204 No Content\r\n\r\n", false)->status, 204);
}

TEST_F(HttpClientTest, EachFailureHasItsKind) {
  EXPECT_EQ(ask_scripted("", true).error().kind, Kind::kClosed);
  EXPECT_EQ(ask_scripted("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", true).error().kind, Kind::kClosed);
  EXPECT_EQ(ask_scripted("SSH-2.0-OpenSSH_9.2\r\n", false).error().kind, Kind::kMalformed);
  EXPECT_EQ(ask_scripted("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", false, {.max_body = 2}).error().kind,
            Kind::kMalformed);
  const auto dropped =
      ask_scripted("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", false, {.max_body = 2, .keep_body = false});
  EXPECT_EQ(dropped->status, 200);
  EXPECT_EQ(dropped->body, "");
  EXPECT_EQ(ask_scripted("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", false, {.timeout = 50 * kMillisecond})
                .error()
                .kind,
            Kind::kTimedOut);
  std::string interim;
  for (int i = 0; i < 21; ++i) interim += "HTTP/1.1 102 Processing\r\n\r\n";  // one more than is taken
  EXPECT_EQ(ask_scripted(interim, false).error().kind, Kind::kMalformed);

  ScriptedServer resetting(loop, [](Stream& stream) { stream.reset(); });
  HttpClient reset_client(loop, resetting.endpoint(), {});
  EXPECT_EQ(ask(reset_client).error().kind, Kind::kReset);

  const Endpoint nobody = UnixPath{testing::TempDir() + "rr-net-nobody"};
  HttpClient refused(loop, nobody, {});
  const ClientFailure failure = ask(refused).error();
  EXPECT_EQ(failure, (ClientFailure{Kind::kConnectFailed, ConnectFailure::kRefused}));
  EXPECT_EQ(describe(failure), "connection refused");
  EXPECT_EQ(describe({Kind::kTimedOut}), "request timed out");
}

TEST_F(HttpClientTest, BytesThatNobodyAskedForEndTheConnection) {
  ScriptedServer server(loop, [](Stream& stream) {
    stream.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
  });
  HttpClient client(loop, server.endpoint(), {});
  EXPECT_EQ(ask(client)->body, "");
  EXPECT_EQ(ask(client)->body, "");
  EXPECT_EQ(server.clients.size(), 2U);
}

TEST_F(HttpClientTest, TheCallbackMayStartTheNextOrDestroyTheClient) {
  ScriptedServer server(loop, [](Stream& stream) { stream.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); });
  std::optional<HttpClient> client(std::in_place, loop, server.endpoint(), HttpClient::Settings{});
  int answers = 0;
  const std::string text = "longer than what a string keeps within itself";
  std::string seen;
  client->send({}, [&, text](Answer) {
    ++answers;
    client->send({}, [&, text](Answer answer) {
      EXPECT_TRUE(answer.ok());
      ++answers;
      client.reset();
      seen = text;
    });
  });
  RUN_UNTIL(loop, answers == 2);
  EXPECT_EQ(seen, text);

  client.emplace(loop, UnixPath{"/nonexistent/x"}, HttpClient::Settings{});
  client->send({}, [&](Answer answer) {
    EXPECT_FALSE(answer.ok());
    client.reset();
    ++answers;
  });
  RUN_UNTIL(loop, answers == 3);

  client.emplace(loop, server.endpoint(), HttpClient::Settings{});
  client->send({}, [](Answer) { ADD_FAILURE() << "called after its client had gone"; });
  client.reset();
  RUN_UNTIL(loop, server.clients.size() >= 1);
}

TEST_F(HttpClientTest, StreamsABodyAsItComesAndMayBeDestroyedInTheMiddle) {
  Stream* open = nullptr;
  ScriptedServer server(loop, [&](Stream& stream) {
    open = &stream;
    stream.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
  });
  std::optional<HttpClient> client(std::in_place, loop, server.endpoint(),
                                   HttpClient::Settings{.timeout = 100 * kMillisecond});
  std::string got;
  std::optional<Answer> done;
  client->stream(
      {}, [&](std::string_view piece) { got += piece; }, [&](Answer answer) { done.emplace(std::move(answer)); });
  RUN_UNTIL(loop, got == "one");
  const Time later = loop.now() + 150 * kMillisecond;
  RUN_UNTIL(loop, loop.now() > later);  // longer than the time-out: it measures silence before the head only
  EXPECT_FALSE(done.has_value());
  open->write("3\r\ntwo\r\n0\r\n\r\n");
  RUN_UNTIL(loop, done.has_value());
  EXPECT_EQ(got, "onetwo");
  EXPECT_EQ((*done)->status, 200);
  EXPECT_EQ((*done)->body, "");

  client->stream(
      {}, [&](std::string_view) { client.reset(); },
      [](Answer) { ADD_FAILURE() << "called after its client had gone"; });
  RUN_UNTIL(loop, !client.has_value());
}

TEST_F(HttpClientTest, MeetsOurOwnServerOverAUnixSocketWithABigBodyBothWays) {
  const UnixPath path{testing::TempDir() + "rr-net-client-" + std::to_string(getpid())};
  auto server = HttpServer::start(loop, path, {.max_body = 16 << 20}, [](const HttpRequest& request, auto respond) {
    respond({.headers = {{"X-Method", request.method}}, .body = request.body});
  });
  ASSERT_TRUE(server.ok());
  HttpClient client(loop, path, {});
  const std::string big(12 << 20, 'q');
  for (int i = 0; i < 3; ++i) {
    const Answer answer = ask(client, {.method = "POST", .body = big});
    ASSERT_TRUE(answer.ok()) << describe(answer.error());
    EXPECT_EQ(answer->body, big);
    EXPECT_EQ(answer->header("X-Method"), "POST");
  }
  EXPECT_EQ(server->connections(), 1U);
}

TEST_F(HttpClientTest, AnAnswerBeforeTheWholeRequestWasSentIsReported) {
  auto server =
      HttpServer::start(loop, any_port(), {.max_body = 10}, [](const HttpRequest&, auto respond) { respond({}); });
  ASSERT_TRUE(server.ok());
  HttpClient client(loop, server->endpoint(), {});
  const Answer answer = ask(client, {.method = "POST", .body = std::string(8 << 20, 'x')});
  ASSERT_TRUE(answer.ok()) << describe(answer.error());
  EXPECT_EQ(answer->status, 413);
}

}  // namespace
}  // namespace rr
