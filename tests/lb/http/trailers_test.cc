// Which fields behind a chunked body go on to the other side.
#include "lb/http/trailers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lb/http/head_writer.h"

namespace rr {
namespace {

std::string last_chunk(const std::vector<HeaderView>& trailers, const TrailerRules& rules = {}) {
  std::string out;
  append_last_chunk(out, trailers, rules);
  return out;
}

TEST(Trailers, ABodyWithoutTrailersEndsAsAlways) {
  EXPECT_EQ(last_chunk({}), kLastChunk);
  EXPECT_EQ(last_chunk({}), "0\r\n\r\n");
}

TEST(Trailers, WhatIsAboutTheContentGoesOnInItsOrder) {
  EXPECT_EQ(
      last_chunk({{"X-Checksum", "abc"}, {"Content-Digest", "sha-256=:x:"}, {"ETag", "\"1\""}, {"x-checksum", ""}}),
      "0\r\nX-Checksum: abc\r\nContent-Digest: sha-256=:x:\r\nETag: \"1\"\r\nx-checksum: \r\n\r\n");
}

TEST(Trailers, WhatFramesRoutesAuthenticatesOrDecidesStaysHere) {
  for (const char* name : {"Transfer-Encoding",
                           "content-length",
                           "Content_Length",
                           "TRANSFER-ENCODING",
                           "Transfer--Encoding",
                           "Connection",
                           "Keep-Alive",
                           "TE",
                           "Trailer",
                           "Upgrade",
                           "Host",
                           "Forwarded",
                           "Expect",
                           "Range",
                           "If-None-Match",
                           "Authorization",
                           "Cookie",
                           "Set-Cookie",
                           "Set_Cookie",
                           "Proxy-Authorization",
                           "WWW-Authenticate",
                           "Cache-Control",
                           "Location",
                           "Date",
                           "Vary",
                           "Content-Type",
                           "Content_Type",
                           "Content-Encoding",
                           "X-Forwarded-For",
                           "x_forwarded_host",
                           "X-Amzn-Trace-Id",
                           "Access-Control-Allow-Origin",
                           "X-Frame-Options",
                           "Strict-Transport-Security",
                           ""}) {
    EXPECT_FALSE(may_pass_as_trailer(name)) << name;
  }
  EXPECT_EQ(last_chunk({{"Host", "evil"}, {"X-Kept", "1"}}), "0\r\nX-Kept: 1\r\n\r\n");
  EXPECT_EQ(last_chunk({{"Host", "evil"}}), "0\r\n\r\n") << "filtered to nothing it is an ordinary end";
}

TEST(Trailers, NamesThatTheHeadGaveToTheConnectionStayOnTheirHop) {
  const std::vector<HeaderView> head{
      {"Host", "a"}, {"Connection", "close, X-Hop ,keep-alive"}, {"connection", "X-Two,TE"}};
  const std::string names = named_by_connection(head);
  EXPECT_EQ(names, "X-Hop,X-Two");
  TrailerRules rules;
  rules.hop_names = names;
  EXPECT_EQ(last_chunk({{"x-hop", "1"}, {"X-Two", "2"}, {"X-Three", "3"}}, rules), "0\r\nX-Three: 3\r\n\r\n");
  EXPECT_EQ(named_by_connection(std::vector<HeaderView>{{"Connection", "Keep-Alive, Upgrade"}}), "");
}

TEST(Trailers, WhatTheListenerWritesIsNotOverruledAndInvalidNamesAreDroppedOnRequest) {
  const std::vector<std::string_view> replaced{"X-Own"};
  TrailerRules rules;
  rules.replaced = replaced;
  EXPECT_EQ(last_chunk({{"x-own", "theirs"}, {"X_Odd", "1"}}, rules), "0\r\nX_Odd: 1\r\n\r\n");
  rules.drop_invalid = true;
  EXPECT_EQ(last_chunk({{"X_Odd", "1"}, {"X-Even", "2"}}, rules), "0\r\nX-Even: 2\r\n\r\n");
}

TEST(Trailers, TheAnnouncementNamesOnlyWhatMayPass) {
  const auto announced = [](const std::vector<HeaderView>& fields) {
    std::string out;
    append_trailer_names(out, fields);
    return out;
  };
  EXPECT_EQ(announced({{"Trailer", "X-A, Host"}, {"trailer", " ,X-B"}}), "Trailer: X-A, X-B\r\n");
  EXPECT_EQ(announced({{"Trailer", "Content-Length"}}), "");
  EXPECT_EQ(announced({{"X-Trailer", "X-A"}}), "");
}

TEST(Trailers, AreAnnouncedInHeadsOfChunkedMessagesOnly) {
  const std::vector<HeaderView> fields{{"Host", "a"}, {"Trailer", "X-Sum"}};
  for (const Framing framing : {Framing::kChunked, Framing::kContentLength, Framing::kNone}) {
    const bool expected = framing == Framing::kChunked;
    RequestHead request;
    request.view = {.method = "POST", .target = "/", .minor = 1, .headers = fields};
    request.framing = framing;
    std::string out;
    ForwardContext context;
    context.client_ip = "127.0.0.1";
    context.scheme = "http";
    context.port = "80";
    append_forwarded_request(out, request, context);
    EXPECT_EQ(out.find("\r\nTrailer: X-Sum\r\n") != std::string::npos, expected) << out;
    ResponseHead response;
    response.view.status = 200;
    response.view.headers = fields;
    response.framing = framing;
    for (const int minor : {0, 1}) {
      out.clear();
      append_forwarded_response(out, response, true, minor);
      EXPECT_EQ(out.find("\r\nTrailer: X-Sum\r\n") != std::string::npos, expected && minor == 1) << out;
    }
  }
}

}  // namespace
}  // namespace rr
