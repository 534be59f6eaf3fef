// What goes out, byte for byte. Rows name the rule that they show.
#include "lb/http/head_writer.h"

#include <gtest/gtest.h>

#include <chrono>

#include "lb/http/framing.h"
#include "lb/http/request_parser.h"

namespace rr {
namespace {

ForwardContext context_with(std::string_view port) {
  return {.client_ip = "203.0.113.9",
          .scheme = "http",
          .port = port,
          .trace_root = "Root=1-67891233-abcdef012345678912345678",
          .trace_self = "Self=1-67891234-12456789abcdef012345678a",
          .default_host = "lb.example"};
}

std::string forward(std::string_view bytes, const ForwardContext& context) {
  RequestParser parser;
  if (parser.next(bytes).kind != ParseStep::Kind::kHead) return "no head";
  std::string out;
  append_forwarded_request(out, parser.head(), context);
  return out;
}

TEST(ForwardedRequest, IsThisByteForByte) {
  EXPECT_EQ(forward("GET /a?b HTTP/1.1\r\nHost: Example.COM\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n",
                    context_with("80")),
            "GET /a?b HTTP/1.1\r\n"
            "X-Forwarded-For: 203.0.113.9\r\n"
            "X-Forwarded-Proto: http\r\n"
            "X-Forwarded-Port: 80\r\n"
            "Host: example.com\r\n"
            "X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678\r\n"
            "User-Agent: curl/7.88.1\r\n"
            "Accept: */*\r\n"
            "\r\n");
}

struct LineCase {
  const char* rule;
  std::string head;      // between the start line and the empty line
  std::string name;      // whose lines are looked at
  std::string expected;  // all of them, one after the other
  std::string port = "8080";
  std::string start = "GET / HTTP/1.1";
};

/// All lines of that name (and the start line for ":"), joined by '\n'.
std::string lines_named(const std::string& head, const std::string& name) {
  if (name == ":") return head.substr(0, head.find("\r\n"));
  std::string found;
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t end = head.find("\r\n", at);
    const std::string line = head.substr(at, end - at);
    if (line.size() > name.size() && equals_ignoring_case(line.substr(0, name.size() + 1), name + ":")) {
      found += (found.empty() ? "" : "\n") + line;
    }
    at = end + 2;
  }
  return found;
}

TEST(ForwardedRequest, FollowsTheRules) {
  const std::string host = "Host: a:8080\r\n";
  const std::string self = "X-Amzn-Trace-Id: Self=1-67891234-12456789abcdef012345678a";
  const LineCase table[] = {
      // Host, alb.md 5.2
      {"lower case, port appended", "Host: Example.COM\r\n", "Host", "Host: example.com:8080"},
      {"port kept", "Host: a:9\r\n", "Host", "Host: a:9"},
      {"empty port filled", "Host: a:\r\n", "Host", "Host: a:8080"},
      {"port removed behind 80", "Host: a:9\r\n", "Host", "Host: a", "80"},
      {"port removed behind 443", "Host: a:443\r\n", "Host", "Host: a", "443"},
      {"IPv6, port appended", "Host: [2001:DB8::1]\r\n", "Host", "Host: [2001:db8::1]:8080"},
      {"IPv6, port removed", "Host: [::1]:80\r\n", "Host", "Host: [::1]", "80"},
      {"absolute-form overrides", "Host: other\r\n", "Host", "Host: dns.name", "80", "GET http://DNS.name/x HTTP/1.1"},
      {"HTTP/1.0 without Host", "", "Host", "Host: lb.example:8080", "8080", "GET / HTTP/1.0"},
      {"empty Host", "Host:\r\n", "Host", "Host: lb.example", "80"},
      // the target
      {"absolute-form becomes origin-form", "Host: a\r\n", ":", "GET /x?y HTTP/1.1", "80", "GET http://b/x?y HTTP/1.1"},
      {"absolute-form without a path", "Host: a\r\n", ":", "GET / HTTP/1.1", "80", "GET http://b HTTP/1.1"},
      {"absolute-form with a query only", "Host: a\r\n", ":", "GET /?y HTTP/1.1", "80", "GET http://b?y HTTP/1.1"},
      {"absolute-form of OPTIONS *", "Host: a\r\n", ":", "OPTIONS * HTTP/1.1", "80", "OPTIONS http://b HTTP/1.1"},
      {"OPTIONS *", "Host: a\r\n", ":", "OPTIONS * HTTP/1.1", "80", "OPTIONS * HTTP/1.1"},
      {"HTTP/1.0 becomes 1.1", "", ":", "GET / HTTP/1.1", "80", "GET / HTTP/1.0"},
      {"the target is not normalised", "Host: a\r\n", ":", "GET //a/../%2e;b? HTTP/1.1", "80",
       "GET //a/../%2e;b? HTTP/1.1"},
      // X-Forwarded-*, alb.md 5.1
      {"appended", host + "x-forwarded-for: 10.0.0.1\r\n", "X-Forwarded-For", "X-Forwarded-For: 10.0.0.1, 203.0.113.9"},
      {"several become one", host + "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2, 3.3.3.3\r\n",
       "X-Forwarded-For", "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 203.0.113.9"},
      {"empty", host + "X-Forwarded-For:\r\n", "X-Forwarded-For", "X-Forwarded-For: 203.0.113.9"},
      {"not to be removed by Connection", host + "Connection: X-Forwarded-For\r\nX-Forwarded-For: 1.1.1.1\r\n",
       "X-Forwarded-For", "X-Forwarded-For: 1.1.1.1, 203.0.113.9"},
      {"Proto replaced", host + "X-Forwarded-Proto: https\r\n", "X-Forwarded-Proto", "X-Forwarded-Proto: http"},
      {"Port replaced", host + "x-forwarded-port: 1\r\n", "X-Forwarded-Port", "X-Forwarded-Port: 8080"},
      // X-Amzn-Trace-Id, alb.md 5.1
      {"new root", host, "X-Amzn-Trace-Id", "X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678"},
      {"self before root", host + "X-Amzn-Trace-Id: Root=1-a-b;CalledFrom=app\r\n", "X-Amzn-Trace-Id",
       self + ";Root=1-a-b;CalledFrom=app"},
      {"self replaced", host + "x-amzn-trace-id: Self=1-old-old;Root=1-a-b\r\n", "X-Amzn-Trace-Id",
       self + ";Root=1-a-b"},
      {"self replaced wherever it stands", host + "X-Amzn-Trace-Id: Root=1-a-b;Self=1-old-old;X=y\r\n",
       "X-Amzn-Trace-Id", self + ";Root=1-a-b;X=y"},
      {"root added to others", host + "X-Amzn-Trace-Id: CalledFrom=app\r\n", "X-Amzn-Trace-Id",
       "X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678;CalledFrom=app"},
      {"empty", host + "X-Amzn-Trace-Id:\r\n", "X-Amzn-Trace-Id",
       "X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678"},
      // framing
      {"Content-Length is written anew", host + "Content-Length: 007\r\n", "Content-Length", "Content-Length: 7"},
      {"no length, no header", host, "Content-Length", ""},
      {"chunked", host + "TRANSFER-encoding: Chunked\r\n", "Transfer-Encoding", "Transfer-Encoding: chunked"},
      {"not to be removed by Connection", host + "Connection: Content-Length\r\nContent-Length: 5\r\n",
       "Content-Length", "Content-Length: 5"},
      // hop by hop, RFC 9110 7.6.1
      {"Connection", host + "Connection: close\r\n", "Connection", ""},
      {"Keep-Alive", host + "Keep-Alive: timeout=5\r\n", "Keep-Alive", ""},
      {"Proxy-Connection", host + "Proxy-Connection: keep-alive\r\n", "Proxy-Connection", ""},
      {"TE", host + "TE: trailers\r\n", "TE", ""},
      {"Trailer", host + "Trailer: Digest\r\n", "Trailer", ""},
      {"Upgrade", host + "Connection: upgrade\r\nUpgrade: websocket\r\n", "Upgrade", ""},
      {"named by Connection", host + "X-Hop: 1\r\nConnection: keep-alive, x-hop\r\nX-End: 2\r\n", "X-Hop", ""},
      {"not named by Connection", host + "X-Hop: 1\r\nConnection: keep-alive, x-hop\r\nX-End: 2\r\n", "X-End",
       "X-End: 2"},
      {"named by the second Connection", host + "X-Hop: 1\r\nConnection: close\r\nConnection: x-hop\r\n", "X-Hop", ""},
      {"Host is not removed by Connection", host + "Connection: host\r\n", "Host", "Host: a:8080"},
      {"Expect stays here", host + "Expect: 100-continue\r\n", "Expect", ""},
      // the rest
      {"values keep their bytes", host + "X:  a  b\t\r\n", "X", "X: a  b"},
      {"repeated headers stay apart", host + "Cookie: a\r\nCookie: b\r\n", "Cookie", "Cookie: a\nCookie: b"},
      {"no Via", host, "Via", ""},
  };
  for (const LineCase& row : table) {
    const std::string out = forward(row.start + "\r\n" + row.head + "\r\n", context_with(row.port));
    EXPECT_EQ(lines_named(out, row.name), row.expected) << row.rule << "\n" << out;
  }
}

TEST(ForwardedRequest, ForwardedForByItsMode) {
  const std::string none = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string two = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n\r\n";
  const struct {
    const char* story;
    ForwardedFor mode;
    std::string_view ip, port;
    const std::string& request;
    const char* expected;
  } kTable[] = {
      {"append to nothing", ForwardedFor::kAppend, "203.0.113.9", "", none, "X-Forwarded-For: 203.0.113.9\n"},
      {"append", ForwardedFor::kAppend, "203.0.113.9", "", two, "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 203.0.113.9\n"},
      {"with a port", ForwardedFor::kAppend, "203.0.113.9", "41522", none, "X-Forwarded-For: 203.0.113.9:41522\n"},
      {"IPv6 without a port has no brackets", ForwardedFor::kAppend, "2001:db8::1", "", none,
       "X-Forwarded-For: 2001:db8::1\n"},
      {"IPv6 with a port has", ForwardedFor::kAppend, "2001:db8::1", "7", none, "X-Forwarded-For: [2001:db8::1]:7\n"},
      {"preserve what came", ForwardedFor::kPreserve, "203.0.113.9", "7", two, "X-Forwarded-For: 1.1.1.1, 2.2.2.2\n"},
      {"preserve nothing", ForwardedFor::kPreserve, "203.0.113.9", "7", none, ""},
      {"remove", ForwardedFor::kRemove, "203.0.113.9", "7", two, ""},
  };
  for (const auto& row : kTable) {
    ForwardContext context = context_with("80");
    context.client_ip = row.ip;
    context.client_port = row.port;
    context.forwarded_for = row.mode;
    const std::string head = forward(row.request, context);
    const std::string lines = lines_named(head, "X-Forwarded-For");
    EXPECT_EQ(lines.empty() || lines.back() == '\n' ? lines : lines + "\n", row.expected) << row.story;
  }
}

TEST(ForwardedRequest, KeepsProtoAndPortWhereTheyAreNotReplaced) {
  ForwardContext context = context_with("8080");
  context.replace_proto = false;
  const std::string host = "GET / HTTP/1.1\r\nHost: a\r\n";
  const std::string kept = forward(host + "X-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\n\r\n", context);
  EXPECT_EQ(lines_named(kept, "X-Forwarded-Proto"), "X-Forwarded-Proto: https");
  EXPECT_EQ(lines_named(kept, "X-Forwarded-Port"), "X-Forwarded-Port: 443");
  // Nothing came, or nothing that could be passed on: our own word.
  const std::string own = forward(host + "X-Forwarded-Proto:\r\n\r\n", context);
  EXPECT_EQ(lines_named(own, "X-Forwarded-Proto"), "X-Forwarded-Proto: http");
  EXPECT_EQ(lines_named(own, "X-Forwarded-Port"), "X-Forwarded-Port: 8080");
}

TEST(ForwardedRequest, PreservesTheHostWhereAsked) {
  ForwardContext context = context_with("8080");
  context.preserve_host = true;
  const std::string sent = forward("GET / HTTP/1.1\r\nHost: Shop.Example.COM\r\n\r\n", context);
  EXPECT_NE(sent.find("\r\nHost: Shop.Example.COM\r\n"), std::string::npos) << sent;
  // Where there is none to preserve it is made as ever.
  const std::string old = forward("GET / HTTP/1.0\r\n\r\n", context);
  EXPECT_NE(old.find("\r\nHost: lb.example:8080\r\n"), std::string::npos) << old;
}

TEST(ForwardedRequest, GivesUpOnATraceIdAboveSevenKilobytesOfHeader) {
  // Host (4 + 1 + 4), trace id (15 + 10 + 4) and "X" (1 + n + 4) come to 7 * 1024 for n = 7168 - 9 - 29 - 5.
  const std::size_t fitting = 7168 - 9 - 29 - 5;
  const auto trace_of = [](std::size_t size) {
    const std::string head = "Host: a\r\nX-Amzn-Trace-Id: Root=1-a-b\r\nX: " + std::string(size, 'x') + "\r\n";
    return lines_named(forward("GET / HTTP/1.1\r\n" + head + "\r\n", context_with("80")), "X-Amzn-Trace-Id");
  };
  EXPECT_EQ(trace_of(fitting), "X-Amzn-Trace-Id: Self=1-67891234-12456789abcdef012345678a;Root=1-a-b");
  EXPECT_EQ(trace_of(fitting + 1), "X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678");
}

TEST(ForwardedRequest, PassesAnUpgradeOnlyWhenATunnelMayFollow) {
  const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  ForwardContext context = context_with("80");
  context.upgrade = true;
  EXPECT_EQ(lines_named(forward(bytes, context), "Upgrade"), "Upgrade: websocket");
  EXPECT_EQ(lines_named(forward(bytes, context), "Connection"), "Connection: upgrade");
  EXPECT_EQ(lines_named(forward(bytes, context_with("80")), "Connection"), "");
  const std::string list =
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c, websocket,HTTP/2.0, a/1\r\n\r\n";
  EXPECT_EQ(lines_named(forward(list, context), "Upgrade"), "Upgrade: websocket\nUpgrade: a/1");
}

TEST(Tunnel, IsOpenedToExactlyOneProtocolThatIsNotHttp) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"Upgrade: websocket\r\n", "websocket"},
      {"upgrade: irc/6.9\r\n", "irc/6.9"},
      {"", "none"},
      {"Upgrade:\r\n", "none"},
      {"Upgrade: h2c\r\n", "none"},
      {"Upgrade: H2C\r\n", "none"},
      {"Upgrade: h2\r\n", "none"},
      {"Upgrade: HTTP/2.0\r\n", "none"},
      {"Upgrade: two words\r\n", "none"},
      {"Upgrade: websocket, irc/6.9\r\n", "none"},
      {"Upgrade: websocket\r\nUpgrade: irc/6.9\r\n", "none"},
  };
  for (const auto& [fields, expected] : table) {
    ResponseParser parser;
    parser.expect(false);
    const std::string response = "HTTP/1.1 101 Switching Protocols\r\n" + fields + "\r\n";
    ASSERT_EQ(parser.next(response).kind, ParseStep::Kind::kHead) << fields;
    EXPECT_EQ(tunnel_protocol(parser.head()).value_or("none"), expected) << fields;
  }
}

// The most important property: what is forwarded is one message for whoever reads it, this parser included.
TEST(ForwardedRequest, IsReadBackWithTheSameFraming) {
  for (std::string_view fields :
       {"", "Content-Length: 5\r\n", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n",
        "Connection: content-length, transfer-encoding\r\nContent-Length: 5\r\n"}) {
    RequestParser first;
    const std::string bytes = "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
    ASSERT_EQ(first.next(bytes).kind, ParseStep::Kind::kHead);
    const std::string out = forward(bytes, context_with("80"));
    RequestParser second;
    ASSERT_EQ(second.next(out).kind, ParseStep::Kind::kHead);
    EXPECT_EQ(second.head().framing, first.head().framing);
    EXPECT_EQ(second.head().content_length, first.head().content_length);
  }
}

struct ResponseCase {
  const char* rule;
  std::string bytes;
  std::string expected;
  bool keep_alive = true;
  int client_minor = 1;
  bool to_head = false;
};

TEST(ForwardedResponse, FollowsTheRules) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const ResponseCase table[] = {
      {"length", ok + "Server: s\r\nContent-Length: 5\r\n\r\n",
       ok + "Server: s\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"},
      {"close", ok + "Content-Length: 5\r\n\r\n", ok + "Content-Length: 5\r\nConnection: close\r\n\r\n", false},
      {"the target's close is not the client's", ok + "Connection: close\r\nContent-Length: 5\r\n\r\n",
       ok + "Content-Length: 5\r\nConnection: keep-alive\r\n\r\n"},
      {"chunked", ok + "Transfer-Encoding: chunked\r\n\r\n",
       ok + "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"},
      {"chunked for HTTP/1.0", ok + "Transfer-Encoding: chunked\r\n\r\n", ok + "Connection: close\r\n\r\n", true, 0},
      {"length for HTTP/1.0", ok + "Content-Length: 5\r\n\r\n",
       ok + "Content-Length: 5\r\nConnection: keep-alive\r\n\r\n", true, 0},
      {"until close", ok + "\r\n", ok + "Connection: close\r\n\r\n"},
      {"HEAD keeps its length", ok + "Content-Length: 5\r\n\r\n",
       ok + "Content-Length: 5\r\nConnection: keep-alive\r\n\r\n", true, 1, true},
      {"HEAD without length", ok + "\r\n", ok + "Connection: keep-alive\r\n\r\n", true, 1, true},
      {"304 keeps its length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
       "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"},
      {"204 has none", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
       "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n"},
      {"interim", "HTTP/1.1 103 Early Hints\r\nLink: x\r\nConnection: close\r\n\r\n",
       "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"},
      {"101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec: x\r\n\r\n",
       "HTTP/1.1 101 Switching Protocols\r\nSec: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"},
      {"hop by hop", ok + "Keep-Alive: timeout=5\r\nX: 1\r\nConnection: x\r\nTrailer: y\r\nContent-Length: 0\r\n\r\n",
       ok + "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n"},
      {"what only looks like framing",
       ok + "Transfer_Encoding: chunked\r\nContent.Length: 9\r\nContent-Length: 0\r\n\r\n",
       ok + "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n"},
      {"the reason is kept", "HTTP/1.1 200 Fine\r\nContent-Length: 0\r\n\r\n",
       "HTTP/1.1 200 Fine\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"},
      {"a missing reason is filled in", "HTTP/1.0 404\r\nContent-Length: 0\r\n\r\n",
       "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"},
      {"an unknown status has none", "HTTP/1.1 599\r\nContent-Length: 0\r\n\r\n",
       "HTTP/1.1 599 \r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"},
  };
  for (const ResponseCase& row : table) {
    ResponseParser parser;
    parser.expect(row.to_head);
    ASSERT_EQ(parser.next(row.bytes).kind, ParseStep::Kind::kHead) << row.rule;
    std::string out;
    append_forwarded_response(out, parser.head(), row.keep_alive, row.client_minor);
    EXPECT_EQ(out, row.expected) << row.rule;
  }
}

// 2026-04-25 16:45:16 UTC is 20568 days, 16 h, 45 min and 16 s after the epoch.
constexpr Time kSaturday{std::chrono::hours(24 * 20568 + 16) + std::chrono::minutes(45) + std::chrono::seconds(16)};

TEST(ErrorResponse, IsTheOneThatTheAlbSends) {
  std::string out;
  append_error_response(out, 503, kSaturday, true, false);
  EXPECT_EQ(out,
            "HTTP/1.1 503 Service Temporarily Unavailable\r\n"
            "Server: awselb/2.0\r\n"
            "Date: Sat, 25 Apr 2026 16:45:16 GMT\r\n"
            "Content-Type: text/html\r\n"
            "Content-Length: 162\r\n"
            "Connection: keep-alive\r\n"
            "\r\n"
            "<html>\r\n"
            "<head><title>503 Service Temporarily Unavailable</title></head>\r\n"
            "<body>\r\n"
            "<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n"
            "</body>\r\n"
            "</html>\r\n");
  EXPECT_EQ(out.size(), 337U);  // the sent_bytes that the ALB logged for one
}

TEST(ForwardedResponse, CarriesTheListenersHeadersInsteadOfTheTargets) {
  const std::vector<HeaderView> fields{{"x-frame-options", "ALLOWALL"}, {"X-Other", "1"}};
  ResponseHead head;
  head.view = {.status = 200, .headers = fields};
  const ResponseChanges changes{true, "X-Frame-Options: DENY\r\n", {"X-Frame-Options"}};
  std::string out;
  append_forwarded_response(out, head, true, 1, changes);
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nX-Other: 1\r\nX-Frame-Options: DENY\r\nConnection: keep-alive\r\n\r\n");
  head.interim = true;
  head.view.status = 103;
  out.clear();
  append_forwarded_response(out, head, true, 1, changes);
  EXPECT_EQ(out, "HTTP/1.1 103 Early Hints\r\nx-frame-options: ALLOWALL\r\nX-Other: 1\r\n\r\n");
}

TEST(ErrorResponse, FollowsTheListenersAttributes) {
  std::string out;
  append_error_response(out, 503, Time(), true, true, {false, "X-Frame-Options: DENY\r\n", {"X-Frame-Options"}});
  EXPECT_EQ(out.find("Server:"), std::string::npos) << out;
  EXPECT_TRUE(out.ends_with("Connection: keep-alive\r\nX-Frame-Options: DENY\r\n\r\n")) << out;
}

TEST(ErrorResponse, HasTheSizesThatTheAlbLogs) {
  struct Row {
    int status;
    bool keep_alive;
    std::size_t page;   // Content-Length
    std::size_t whole;  // sent_bytes in the ALB's log, 0 where none is known
  };
  const Row table[] = {
      {502, true, 122, 277}, {502, false, 122, 272}, {503, true, 162, 337}, {504, true, 132, 0},
      {403, true, 118, 0},   {400, false, 122, 272}, {301, true, 134, 0},
  };
  for (const Row& row : table) {
    std::string out;
    append_error_response(out, row.status, kSaturday, row.keep_alive, false);
    const std::size_t page = out.size() - out.find("\r\n\r\n") - 4;
    EXPECT_EQ(page, row.page) << row.status;
    EXPECT_NE(out.find("\r\nContent-Length: " + std::to_string(row.page) + "\r\n"), std::string::npos) << row.status;
    if (row.whole > 0) {
      EXPECT_EQ(out.size(), row.whole) << row.status;
    }
    std::string head;
    append_error_response(head, row.status, kSaturday, row.keep_alive, true);
    EXPECT_EQ(head, out.substr(0, out.size() - page)) << row.status;
  }
}

TEST(ErrorResponse, ToHeadIs155BytesFor502) {
  std::string out;
  append_error_response(out, 502, kSaturday, true, true);
  EXPECT_EQ(out.size(), 155U);
}

TEST(ErrorResponse, UsesTheTextsOfTheAlb) {
  const std::pair<int, std::string_view> table[] = {
      {400, "400 Bad Request"},
      {401, "401 Authorization Required"},
      {405, "405 Not Allowed"},
      {408, "408 Request Time-out"},
      {413, "413 Request Entity Too Large"},
      {414, "414 Request-URI Too Large"},
      {500, "500 Internal Server Error"},
      {501, "501 Not Implemented"},
      {502, "502 Bad Gateway"},
      {504, "504 Gateway Time-out"},
      {505, "505 HTTP Version Not Supported"},
      {507, "507 Insufficient Storage"},
  };
  for (const auto& [status, title] : table) {
    std::string out;
    append_error_response(out, status, kSaturday, false, false);
    EXPECT_TRUE(out.starts_with("HTTP/1.1 " + std::string(title) + "\r\n")) << out;
    EXPECT_NE(out.find("<h1>" + std::string(title) + "</h1>"), std::string::npos) << out;
  }
}

TEST(ErrorResponse, IsReadBack) {
  for (int status = 300; status < 600; ++status) {
    std::string out;
    append_error_response(out, status, kSaturday, true, false);
    ResponseParser parser;
    EXPECT_EQ(parser.next(out).kind, ParseStep::Kind::kHead) << out;
    EXPECT_EQ(parser.head().view.status, status);
  }
}

// Fields that came as they are to go are copied together, others are written anew: nobody must see which.
TEST(ForwardedHeads, AreTheSameWhetherFieldsAreCopiedTogetherOrOneByOne) {
  const std::string_view fields =
      "First: 1\r\nAccept: a\r\nNoBlank:b\r\nTwo:  c\r\nTab:\td\r\nBehind: e \r\nEmpty:\r\nBlank: \r\nBehindTab: "
      "f\t\r\n"
      "Connection: x-hop\r\nKept: g\r\nX-Hop: h\r\nContent-Length: 0\r\nTransfer_Encoding: i\r\nX_Kept: j\r\n"
      "Inner: k  l\tm\r\nLast: \xc3\xa4\r\n\r\n";
  const std::string request_bytes = "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields);
  RequestParser requests;
  ASSERT_EQ(requests.next(request_bytes).kind, ParseStep::Kind::kHead);
  RequestHead request = requests.head();
  ASSERT_FALSE(request.view.lines.empty());
  const auto forwarded = [&request] {
    std::string out;
    append_forwarded_request(out, request, context_with("80"));
    return out;
  };
  const std::string together = forwarded();
  request.view.lines = {};
  EXPECT_EQ(together, forwarded());
  EXPECT_TRUE(
      together.ends_with("First: 1\r\nAccept: a\r\nNoBlank: b\r\nTwo: c\r\nTab: d\r\nBehind: e\r\nEmpty: \r\n"
                         "Blank: \r\nBehindTab: f\r\nKept: g\r\nX_Kept: j\r\nInner: k  l\tm\r\nLast: \xc3\xa4\r\n\r\n"))
      << together;

  const std::string response_bytes = "HTTP/1.1 200 OK\r\n" + std::string(fields);
  ResponseParser responses;
  ASSERT_EQ(responses.next(response_bytes).kind, ParseStep::Kind::kHead);
  ResponseHead response = responses.head();
  std::string copied, written;
  append_forwarded_response(copied, response, true, 1);
  response.view.lines = {};
  append_forwarded_response(written, response, true, 1);
  EXPECT_EQ(copied, written);
}

// A known name is looked for only where a head says that it occurs; one made by hand says nothing.
TEST(ForwardedHeads, AreTheSameWhetherTheirNamesAreKnownOrNot) {
  for (const std::string_view field :
       {"X-Forwarded-For: 10.0.0.1", "X-Amzn-Trace-Id: Root=1-2-3", "X-Forwarded-Proto: https", "Connection: x-hop",
        "A: b", "Te: trailers", "Content-Length: 0", "Content_Length: 1", "Upgrade: websocket",
        "Expect: 100-continue"}) {
    const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\nX-Hop: 1\r\n" + std::string(field) + "\r\n\r\n";
    RequestParser parser;
    ASSERT_EQ(parser.next(bytes).kind, ParseStep::Kind::kHead);
    RequestHead head = parser.head();
    for (const ForwardedFor mode : {ForwardedFor::kAppend, ForwardedFor::kPreserve, ForwardedFor::kRemove}) {
      ForwardContext context = context_with("80");
      context.forwarded_for = mode;
      context.replace_proto = false;
      head.view.names = parser.head().view.names;
      EXPECT_NE(head.view.names, FieldNames::all());
      std::string known, unknown;
      append_forwarded_request(known, head, context);
      head.view.names = FieldNames::all();
      append_forwarded_request(unknown, head, context);
      EXPECT_EQ(known, unknown);
    }
  }
}

TEST(SmallPieces, AreAsSpelled) {
  std::string out;
  append_status_line(out, 200);
  append_status_line(out, 503);
  append_header(out, "A", "b");
  append_chunk_header(out, 5);
  append_chunk_header(out, 0x1A2B);
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nHTTP/1.1 503 Service Unavailable\r\nA: b\r\n5\r\n1a2b\r\n");
}

}  // namespace
}  // namespace rr
