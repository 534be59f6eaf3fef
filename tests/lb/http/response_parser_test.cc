// Each row is what a target sends and everything the parser may say about it, however it is cut.
#include "lb/http/response_parser.h"

#include <gtest/gtest.h>

#include "tests/lb/http/transcript.h"

namespace rr {
namespace {

struct Case {
  const char* name;
  std::string_view bytes;
  std::string expected;
  bool to_head = false;
};

std::ostream& operator<<(std::ostream& out, const Case& row) { return out << row.name; }

class ResponseStreams : public testing::TestWithParam<Case> {};

TEST_P(ResponseStreams, ReadTheSameHoweverTheyAreCut) {
  const Case& row = GetParam();
  ASSERT_EQ(read_response({row.bytes}, row.to_head), row.expected);
  expect_same_for_every_split(row.bytes, row.expected, [&](const std::vector<std::string_view>& pieces) {
    return read_response(pieces, row.to_head);
  });
}

using namespace std::string_view_literals;

const Case kCases[] = {
    {"ContentLength", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
     "head 200 (OK) 1.1 {Content-Length=2} length 2 keep-alive | body hi | end"},
    {"ExtraBytesAreLeft", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n",
     "head 200 (OK) 1.1 {Content-Length=2} length 2 keep-alive | body hi | end | left HTTP/1.1 200 OK\r\n"},
    {"Chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
     "head 200 (OK) 1.1 {Transfer-Encoding=chunked} chunked keep-alive | body hi | end"},
    {"ChunkedWithTrailersAndExtraBytes",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n\r\nextra",
     "head 200 (OK) 1.1 {Transfer-Encoding=chunked} chunked keep-alive | body hi | end {A=b} | left extra"},
    {"UntilClose", "HTTP/1.1 200 OK\r\n\r\nhi", "head 200 (OK) 1.1 {} until-close close | body hi | waiting"},
    {"ConnectionClose", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
     "head 200 (OK) 1.1 {Connection=close, Content-Length=0} length 0 close | end"},
    {"Http10", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
     "head 200 (OK) 1.0 {Content-Length=0} length 0 close | end"},
    {"Http10KeepAlive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
     "head 200 (OK) 1.0 {Connection=keep-alive, Content-Length=0} length 0 keep-alive | end"},
    {"ToHead", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
     "head 200 (OK) 1.1 {Content-Length=5} no-body keep-alive | end", true},
    {"ToHeadChunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
     "head 200 (OK) 1.1 {Transfer-Encoding=chunked} no-body keep-alive | end", true},
    {"ToHeadWithABodyAllTheSame", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
     "head 200 (OK) 1.1 {Content-Length=5} no-body keep-alive | end | left hello", true},
    {"NoContent", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
     "head 204 (No Content) 1.1 {Content-Length=5} no-body keep-alive | end | left hello"},
    {"NotModified", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
     "head 304 (Not Modified) 1.1 {Content-Length=5} no-body keep-alive | end"},
    {"ResetContentHasItsLength", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
     "head 205 (Reset Content) 1.1 {Content-Length=0} length 0 keep-alive | end"},
    {"Interim",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
     "2\r\n\r\nhi",
     "head 100 (Continue) 1.1 {} no-body keep-alive interim | head 103 (Early Hints) 1.1 {Link=x} no-body keep-alive "
     "interim | head 200 (OK) 1.1 {Content-Length=2} length 2 keep-alive | body hi | end"},
    {"InterimToHead", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
     "head 100 (Continue) 1.1 {} no-body keep-alive interim | head 200 (OK) 1.1 {Content-Length=2} no-body keep-alive"
     " | end",
     true},
    {"InterimAlone", "HTTP/1.1 100 Continue\r\n\r\n",
     "head 100 (Continue) 1.1 {} no-body keep-alive interim | waiting"},
    {"SwitchingProtocols",
     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x02hi",
     "head 101 (Switching Protocols) 1.1 {Upgrade=websocket, Connection=Upgrade} no-body keep-alive | end"
     " | left \x81\x02hi"},
    {"NoReason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
     "head 200 () 1.1 {Content-Length=0} length 0 keep-alive | end"},
    {"NoReasonAndNoSpace", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
     "head 200 () 1.1 {Content-Length=0} length 0 keep-alive | end"},
    {"ReasonWithAnything", "HTTP/1.1 599 a\tb:  \xC3\xA9\r\nContent-Length: 0\r\n\r\n",
     "head 599 (a\tb:  \xC3\xA9) 1.1 {Content-Length=0} length 0 keep-alive | end"},
    {"Nothing", "", "idle"},
    {"HalfAHead", "HTTP/1.1 200 OK\r\nConte", "waiting"},

    {"TwoLengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi", "error bad framing"},
    {"RepeatedLength", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", "error bad framing"},
    {"BothLengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", "error bad framing"},
    {"BothLengthsToHead", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
     "error bad framing", true},
    {"BadLength", "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nhi", "error bad framing"},
    {"ChunkedInHttp10", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "error bad framing"},
    {"UnknownCoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "error unknown transfer coding"},
    {"UnknownCodingBeforeChunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
     "error unknown transfer coding"},
    {"BadChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
     "head 200 (OK) 1.1 {Transfer-Encoding=chunked} chunked keep-alive | error bad chunk"},
    {"BadChunkEnd", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi0\r\n\r\n",
     "head 200 (OK) 1.1 {Transfer-Encoding=chunked} chunked keep-alive | body hi | error bad chunk"},
    {"NotHttp", "SSH-2.0-OpenSSH_9.2\r\n", "error bad syntax"},
    {"NotHttpButH", "HELLO there, friend\r\n", "error bad syntax"},
    {"Http2", "HTTP/2.0 200 OK\r\n\r\n", "error bad version"},
    {"Http12", "HTTP/1.2 200 OK\r\n\r\n", "error bad version"},
    {"EmptyLineBefore", "\r\nHTTP/1.1 200 OK\r\n\r\n", "error bad syntax"},
    {"TwoDigitStatus", "HTTP/1.1 20 OK\r\n\r\n", "error bad syntax"},
    {"FourDigitStatus", "HTTP/1.1 2000 OK\r\n\r\n", "error bad syntax"},
    {"StatusBelowAHundred", "HTTP/1.1 099 No\r\n\r\n", "error bad syntax"},
    {"SignedStatus", "HTTP/1.1 +20 OK\r\n\r\n", "error bad syntax"},
    {"TwoSpacesBeforeStatus", "HTTP/1.1  200 OK\r\n\r\n", "error bad syntax"},
    {"NulInReason", "HTTP/1.1 200 O\0K\r\n\r\n"sv, "error bad syntax"},
    {"BareCrInReason", "HTTP/1.1 200 O\rK\r\n\r\n", "error bad syntax"},
    {"BareLf", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "error bad syntax"},
    {"Folded", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "error bad syntax"},
    {"SpaceBeforeColon", "HTTP/1.1 200 OK\r\nX : a\r\n\r\n", "error bad syntax"},
    {"NulInValue", "HTTP/1.1 200 OK\r\nX: \0\r\n\r\n"sv, "error bad syntax"},
};
INSTANTIATE_TEST_SUITE_P(Table, ResponseStreams, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& row) { return std::string(row.param.name); });

/// Whether finish() calls it a proper end after these bytes.
bool ends_properly(std::string_view bytes, bool to_head = false) {
  ResponseParser parser;
  parser.expect(to_head);
  while (true) {
    const ParseStep step = parser.next(bytes);
    bytes.remove_prefix(step.consumed);
    const bool body_read = step.kind == ParseStep::Kind::kBody && bytes.empty();
    if (step.kind == ParseStep::Kind::kNeedMore || step.kind == ParseStep::Kind::kError || body_read) break;
  }
  return parser.finish();
}

TEST(ResponseFinish, IsProperOnlyWhereCloseIsTheEnd) {
  const std::pair<std::string_view, bool> table[] = {
      {"", false},
      {"HTTP/1.1 200 OK\r\n", false},
      {"HTTP/1.1 200 OK\r\n\r\n", true},
      {"HTTP/1.1 200 OK\r\n\r\nhello", true},
      {"HTTP/1.0 200 OK\r\n\r\nhello", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", false},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", false},
      {"HTTP/1.1 100 Continue\r\n\r\n", false},
      {"bad", false},
  };
  for (const auto& [bytes, proper] : table) EXPECT_EQ(ends_properly(bytes), proper) << bytes;
}

TEST(ResponseFinish, OfTheNextResponseIsNotTheLastOnesEnd) {
  ResponseParser parser;
  std::string_view bytes = "HTTP/1.1 204 No Content\r\n\r\n";
  ASSERT_EQ(parser.next(bytes).kind, ParseStep::Kind::kHead);
  ASSERT_EQ(parser.next("").kind, ParseStep::Kind::kMessageEnd);
  EXPECT_TRUE(parser.idle());
  EXPECT_FALSE(parser.finish());
}

TEST(ResponseParser, ForgetsTheHeadRequestWithItsResponse) {
  const std::string bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
  ResponseParser parser;
  parser.expect(true);
  ASSERT_EQ(parser.next(bytes).kind, ParseStep::Kind::kHead);
  EXPECT_EQ(parser.head().framing, Framing::kNone);
  ASSERT_EQ(parser.next("").kind, ParseStep::Kind::kMessageEnd);
  ASSERT_EQ(parser.next(bytes).kind, ParseStep::Kind::kHead);
  EXPECT_EQ(parser.head().framing, Framing::kContentLength);
}

TEST(ResponseParser, IsIdleOnlyBetweenMessages) {
  ResponseParser parser;
  EXPECT_TRUE(parser.idle());
  ASSERT_EQ(parser.next("HTTP/1.1 100 Continue\r\n\r\n").kind, ParseStep::Kind::kHead);
  EXPECT_FALSE(parser.idle());
  ASSERT_EQ(parser.next("").kind, ParseStep::Kind::kNeedMore);
  EXPECT_FALSE(parser.idle());
}

}  // namespace
}  // namespace rr
