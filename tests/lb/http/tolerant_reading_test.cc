// Heads that a strict reader refuses: which of them have one safe reading, and the one form in which it is written.
#include <gtest/gtest.h>

#include "lb/http/head_writer.h"
#include "lb/http/request_parser.h"
#include "tests/lb/http/transcript.h"

namespace rr {
namespace {

using namespace std::string_view_literals;

/// What goes to the target for the first request in these pieces, without the fields that are always there; or "unsafe"
/// with the reason; or "refused".
std::string forwarded(const std::vector<std::string_view>& pieces) {
  RequestParser parser(kAlbRequestLimits, Reading::kTolerant);
  std::string text = "waiting", body;
  for (std::string_view piece : pieces) {
    const std::string copy(piece);
    std::string_view bytes = copy;
    while (true) {
      const ParseStep step = parser.next(bytes);
      bytes.remove_prefix(step.consumed);
      if (step.kind == ParseStep::Kind::kNeedMore) break;
      if (step.kind == ParseStep::Kind::kError) return "refused: " + std::string(to_string(parser.error()));
      if (step.kind == ParseStep::Kind::kMessageEnd) return text + "|" + body;
      if (step.kind == ParseStep::Kind::kBody) body += step.body;
      if (step.kind != ParseStep::Kind::kHead) continue;
      const RequestHead& head = parser.head();
      if (head.unsafe) return "unsafe: " + std::string(to_string(*head.unsafe));
      ForwardContext context;
      context.port = "80";
      context.forwarded_for = ForwardedFor::kRemove;
      context.trace_root = "R";
      text.clear();
      append_forwarded_request(text, head, context);
      const std::string_view constant =
          "X-Forwarded-Proto: \r\nX-Forwarded-Port: 80\r\nHost: a\r\nX-Amzn-Trace-Id: R\r\n";
      const std::size_t at = text.find(constant);
      if (at != std::string::npos) text.erase(at, constant.size());
    }
  }
  return text;
}

struct Case {
  const char* name;
  std::string_view bytes;
  std::string expected;
};
std::ostream& operator<<(std::ostream& out, const Case& row) { return out << row.name; }

#define HEAD "POST / HTTP/1.1\r\nHost: a\r\n"
#define SENT "POST / HTTP/1.1\r\n"
#define CHUNKS "3\r\nabc\r\n0\r\n\r\n"

const Case kCases[] = {
    {"Clean", HEAD "X: 1\r\n\r\n", SENT "X: 1\r\n\r\n|"},
    // One reading.
    {"ChunkedWinsOverALength", HEAD "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" CHUNKS,
     SENT "Transfer-Encoding: chunked\r\n\r\n|abc"},
    {"ChunkedInHttp10", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" CHUNKS,
     SENT "Transfer-Encoding: chunked\r\n\r\n|abc"},
    {"EqualLengthsAreOne", HEAD "Content-Length: 3\r\nContent-Length: 03\r\n\r\nabcd",
     SENT "Content-Length: 3\r\n\r\n|abc"},
    {"IdentityIsNoCoding", HEAD "Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc",
     SENT "Content-Length: 3\r\n\r\n|abc"},
    {"LookalikesAreLeftOut", HEAD "Transfer_Encoding: chunked\r\nContent-Length : 9\r\nContent-Length: 3\r\n\r\nabc",
     SENT "Content-Length: 3\r\n\r\n|abc"},
    {"NamesThatAreNoTokenAreLeftOut", HEAD "X Y: 1\r\nX\t: 2\r\nX\xC3\xA9: 3\r\n: 4\r\nZ_z: 5\r\n\r\n",
     SENT "Z_z: 5\r\n\r\n|"},
    {"ValuesWithControlBytesAreLeftOut", HEAD "A: \x1B\r\nB: \0\r\nC: 1\r\n\r\n"sv, SENT "C: 1\r\n\r\n|"},
    {"AContinuationThatIsATokenIsAName", HEAD "X: 1\r\n  more\r\n\r\n", SENT "X: 1\r\nmore: \r\n\r\n|"},
    {"OtherContinuationsAreLeftOut", HEAD "X: 1\r\n two words\r\n\tb: c\r\n\r\n", SENT "X: 1\r\n\r\n|"},
    {"AContinuationCannotBecomeFraming", HEAD "X: 1\r\n Content-Length\r\n\t Host\r\n\r\n", SENT "X: 1\r\n\r\n|"},
    {"SpacesInTheTarget", "POST /a b  c HTTP/1.1\r\nHost: a\r\n\r\n", "POST /a%20b%20%20c HTTP/1.1\r\n\r\n|"},
    {"AVersionInTheTarget", "POST / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n", "POST /%20HTTP/1.1 HTTP/1.1\r\n\r\n|"},
    {"MoreSpaces", "POST   /  HTTP/1.1 \r\nHost: a\r\n\r\n", SENT "\r\n|"},
    {"ControlAndNonAsciiInTheTarget", "POST /\t\x7F\xC3\xA9 HTTP/1.1\r\nHost: a\r\n\r\n",
     "POST /%09%7F%C3%A9 HTTP/1.1\r\n\r\n|"},
    {"LaterMinorVersions", "POST / HTTP/1.9\r\nHost: a\r\n\r\n", SENT "\r\n|"},
    // None.
    {"DifferentLengths", HEAD "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", "unsafe: bad framing"},
    {"LengthThatIsNone", HEAD "Content-Length: +3\r\n\r\n", "unsafe: bad framing"},
    {"BadLengthBesideChunked", HEAD "Content-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n", "unsafe: bad framing"},
    {"ChunkedTwice", HEAD "Transfer-Encoding: chunked, chunked\r\n\r\n", "unsafe: bad framing"},
    {"ChunkedNotLast", HEAD "Transfer-Encoding: chunked, identity\r\n\r\n", "unsafe: bad framing"},
    {"UnknownCoding", HEAD "Transfer-Encoding: gzip\r\n\r\n", "unsafe: unknown transfer coding"},
    {"IdentityThenChunked", HEAD "Transfer-Encoding: identity, chunked\r\n\r\n", "unsafe: unknown transfer coding"},
    {"ControlInACoding", HEAD "Transfer-Encoding: \vchunked\r\n\r\n", "unsafe: bad syntax"},
    {"FoldedFraming", HEAD "Transfer-Encoding:\r\n chunked\r\n\r\n", "unsafe: bad syntax"},
    {"FoldedLength", HEAD "Content-Length: 1\r\n 0\r\n\r\n", "unsafe: bad syntax"},
    {"FoldedTwiceIsStillTheLength", HEAD "Content-Length: 1\r\n a\r\n b\r\n\r\n", "unsafe: bad syntax"},
    {"FoldedFirstLine", "POST / HTTP/1.1\r\n Host: a\r\n\r\n", "unsafe: bad syntax"},
    {"BareReturnInAValue", HEAD "X: 1\rContent-Length: 3\r\n\r\n", "unsafe: bad syntax"},
    {"BareReturnInAName", HEAD "X\rY: 1\r\n\r\n", "unsafe: bad syntax"},
    {"TwoHosts", HEAD "Host: a\r\nX Y: 1\r\n\r\n", "unsafe: missing host"},
    {"NoHost", "POST / HTTP/1.1\r\nX Y: 1\r\n\r\n", "unsafe: missing host"},
    {"ReturnInTheTarget", "POST /\r HTTP/1.1\r\nHost: a\r\n\r\n", "unsafe: bad syntax"},
    {"NulInTheTarget", "POST /\0 HTTP/1.1\r\nHost: a\r\n\r\n"sv, "unsafe: bad syntax"},
    {"FragmentInTheTarget", "POST /#a HTTP/1.1\r\nHost: a\r\n\r\n", "unsafe: bad syntax"},
    {"SpaceInTheAuthority", "POST http://a b/ HTTP/1.1\r\nHost: a\r\n\r\n", "unsafe: bad syntax"},
    {"NoPathAtAll", "POST a b HTTP/1.1\r\nHost: a\r\n\r\n", "unsafe: bad syntax"},
    {"BadMethod", "P(ST / HTTP/1.1\r\nHost: a\r\n\r\n", "unsafe: bad syntax"},
    {"Connect", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "unsafe: bad syntax"},
    {"Http2", "PRI * HTTP/2.0\r\n\r\n", "unsafe: bad version"},
    {"NoVersionBehindASpace", "POST /a b\r\nHost: a\r\n\r\n", "unsafe: bad syntax"},
    // Not even to be looked at.
    {"Http09", "GET /\r\n\r\n", "refused: bad syntax"},
    {"NoColon", HEAD "X\r\n\r\n", "refused: bad syntax"},
    {"BareLineFeed", HEAD "X: 1\nY: 2\r\n\r\n", "refused: bad syntax"},
    {"FoldedTrailer", HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\nA: 1\r\n b\r\n\r\n", "refused: bad chunk"},
};

class TolerantReading : public testing::TestWithParam<Case> {};

TEST_P(TolerantReading, IsOneOrNoneHoweverTheBytesAreCut) {
  const Case& row = GetParam();
  ASSERT_EQ(forwarded({row.bytes}), row.expected);
  expect_same_for_every_split(row.bytes, row.expected, forwarded);
}
INSTANTIATE_TEST_SUITE_P(Heads, TolerantReading, testing::ValuesIn(kCases),
                         [](const auto& row) { return std::string(row.param.name); });

// Whatever comes in, what goes out is taken by the strict reader and means the same.
TEST(TolerantReading, OnlyWritesWhatStrictReadingTakes) {
  for (const Case& row : kCases) {
    RequestParser parser(kAlbRequestLimits, Reading::kTolerant);
    if (parser.next(row.bytes).kind != ParseStep::Kind::kHead || parser.head().unsafe) continue;
    std::string written;
    ForwardContext context;
    context.client_ip = "10.0.0.1";
    context.scheme = "http";
    context.port = "80";
    context.trace_root = "Root=1";
    append_forwarded_request(written, parser.head(), context);
    RequestParser strict;
    ASSERT_EQ(strict.next(written).kind, ParseStep::Kind::kHead) << row.name << ": " << written;
    EXPECT_EQ(strict.head().framing, parser.head().framing) << row.name;
    EXPECT_EQ(strict.head().content_length, parser.head().content_length) << row.name;
  }
}

TEST(TolerantReading, ReadsOnAfterAHeadThatWasNotClean) {
  RequestParser parser(kAlbRequestLimits, Reading::kTolerant);
  std::string_view bytes = "GET / HTTP/1.1\r\nHost: a\r\nX Y: 1\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\n";
  ParseStep step = parser.next(bytes);
  ASSERT_EQ(step.kind, ParseStep::Kind::kHead);
  EXPECT_FALSE(parser.head().clean);
  bytes.remove_prefix(step.consumed);
  ASSERT_EQ(parser.next(bytes).kind, ParseStep::Kind::kMessageEnd);
  ASSERT_EQ(parser.next(bytes).kind, ParseStep::Kind::kHead);
  EXPECT_TRUE(parser.head().clean);
  EXPECT_EQ(parser.head().view.target, "/2");
}

TEST(TolerantReading, ReadsNothingBehindAnUnsafeHead) {
  RequestParser parser(kAlbRequestLimits, Reading::kTolerant);
  std::string_view bytes = HEAD "Content-Length: x\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const ParseStep step = parser.next(bytes);
  ASSERT_EQ(step.kind, ParseStep::Kind::kHead);
  ASSERT_TRUE(parser.head().unsafe);
  bytes.remove_prefix(step.consumed);
  EXPECT_EQ(parser.next(bytes).kind, ParseStep::Kind::kError);
}

}  // namespace
}  // namespace rr
