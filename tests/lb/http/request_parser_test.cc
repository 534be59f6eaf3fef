// Each row is a stream of bytes and everything the parser may say about it, and holds however the stream is cut.
#include "lb/http/request_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/lb/http/transcript.h"

namespace rr {
namespace {

struct Case {
  const char* name;
  std::string_view bytes;
  std::string expected;
};

std::ostream& operator<<(std::ostream& out, const Case& row) { return out << row.name; }

class RequestStreams : public testing::TestWithParam<Case> {};

TEST_P(RequestStreams, ReadTheSameHoweverTheyAreCut) {
  const Case& row = GetParam();
  ASSERT_EQ(read_requests({row.bytes}), row.expected);
  expect_same_for_every_split(row.bytes, row.expected,
                              [](const std::vector<std::string_view>& pieces) { return read_requests(pieces); });
}

std::string name_of(const testing::TestParamInfo<Case>& info) { return info.param.name; }

using namespace std::string_view_literals;

const Case kGood[] = {
    {"Get", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "head GET / 1.1 {Host=a} no-body keep-alive | end | idle"},
    {"HeaderCaseAndOrderAreKept",
     "GET /x?y=1&z HTTP/1.1\r\nhOST: a:80\r\nB:2\r\nb: 3\t \r\nEmpty:\r\nBlank: \t \r\n\r\n",
     "head GET /x?y=1&z 1.1 {hOST=a:80, B=2, b=3, Empty=, Blank=} no-body keep-alive | end | idle"},
    {"ObsTextInValue", "GET / HTTP/1.1\r\nHost: a\r\nX: caf\xC3\xA9 \x80\xFF\r\n\r\n",
     "head GET / 1.1 {Host=a, X=caf\xC3\xA9 \x80\xFF} no-body keep-alive | end | idle"},
    {"TabInsideValue", "GET / HTTP/1.1\r\nHost: a\r\nX: a\tb c\r\n\r\n",
     "head GET / 1.1 {Host=a, X=a\tb c} no-body keep-alive | end | idle"},
    {"ColonsInValue", "GET / HTTP/1.1\r\nHost: a\r\nX: :a:b:\r\n\r\n",
     "head GET / 1.1 {Host=a, X=:a:b:} no-body keep-alive | end | idle"},
    {"EveryTokenCharacterInAName", "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~09AZaz: v\r\n\r\n",
     "head GET / 1.1 {Host=a, !#$%&'*+-.^_`|~09AZaz=v} no-body keep-alive | end | idle"},
    {"EmptyHost", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "head GET / 1.1 {Host=} no-body keep-alive | end | idle"},
    {"Ipv6Host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
     "head GET / 1.1 {Host=[::1]:80} no-body keep-alive | end | idle"},
    {"ContentLength", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
     "head POST / 1.1 {Host=a, Content-Length=5} length 5 keep-alive | body hello | end | idle"},
    {"LeadingZerosAreANumber", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0005\r\n\r\nhello",
     "head POST / 1.1 {Host=a, Content-Length=0005} length 5 keep-alive | body hello | end | idle"},
    {"LengthZero", "POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 0\r\n\r\n",
     "head POST / 1.1 {Host=a, content-length=0} length 0 keep-alive | end | idle"},
    {"BodyStillToCome", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel",
     "head POST / 1.1 {Host=a, Content-Length=5} length 5 keep-alive | body hel | waiting"},
    {"GetWithABody", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
     "head GET / 1.1 {Host=a, Content-Length=2} length 2 keep-alive | body hi | end | idle"},
    {"BodyBytesAreNotLookedAt", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n\0\r\n\r\nGET"sv,
     std::string("head POST / 1.1 {Host=a, Content-Length=8} length 8 keep-alive | body \0\r\n\r\nGET | end | idle"sv)},
    {"Chunked",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00C\r\n, wide world\r\n0\r\n\r\n",
     "head POST / 1.1 {Host=a, Transfer-Encoding=chunked} chunked keep-alive | body hello, wide world | end | idle"},
    {"ChunkedEmpty", "POST / HTTP/1.1\r\nHost: a\r\nTRANSFER-ENCODING: Chunked\r\n\r\n0\r\n\r\n",
     "head POST / 1.1 {Host=a, TRANSFER-ENCODING=Chunked} chunked keep-alive | end | idle"},
    {"ChunkExtensionsAreIgnored",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b;c=\"d\"\r\nhi\r\n0;last\r\n\r\n",
     "head POST / 1.1 {Host=a, Transfer-Encoding=chunked} chunked keep-alive | body hi | end | idle"},
    {"Trailers",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nDigest: x y \r\nB:\r\n\r\n",
     "head POST / 1.1 {Host=a, Transfer-Encoding=chunked} chunked keep-alive | body hi | end {Digest=x y, B=} | idle"},
    {"TrailersAreForgottenByTheNextMessage",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: 1\r\n\r\nGET / HTTP/1.1\r\nHost: "
     "a\r\n\r\n",
     "head POST / 1.1 {Host=a, Transfer-Encoding=chunked} chunked keep-alive | end {A=1}"
     " | head GET / 1.1 {Host=a} no-body keep-alive | end | idle"},
    {"Pipelined",
     "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\noneGET /2 HTTP/1.1\r\nHost: b\r\n\r\nGET /3 "
     "HTTP/1.1\r\nHo",
     "head POST /1 1.1 {Host=a, Content-Length=3} length 3 keep-alive | body one | end"
     " | head GET /2 1.1 {Host=b} no-body keep-alive | end | waiting"},
    {"OneEmptyLineBeforeARequest", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n",
     "head GET / 1.1 {Host=a} no-body keep-alive | end | idle"},
    {"Http10", "GET / HTTP/1.0\r\n\r\n", "head GET / 1.0 {} no-body close | end | idle"},
    {"Http10KeepAlive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
     "head GET / 1.0 {Connection=Keep-Alive} no-body keep-alive | end | idle"},
    {"Http10ExpectsNothing", "GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n",
     "head GET / 1.0 {Expect=100-continue} no-body close | end | idle"},
    {"ConnectionClose", "GET / HTTP/1.1\r\nHost: a\r\nConnection: foo ,CLOSE\r\n\r\n",
     "head GET / 1.1 {Host=a, Connection=foo ,CLOSE} no-body close | end | idle"},
    {"CloseWinsOverKeepAlive", "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
     "head GET / 1.1 {Host=a, Connection=keep-alive, Connection=close} no-body close | end | idle"},
    {"ExpectContinue", "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n",
     "head PUT / 1.1 {Host=a, Expect=100-Continue, Content-Length=1} length 1 keep-alive expects-continue | waiting"},
    {"Upgrade", "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n",
     "head GET / 1.1 {Host=a, Connection=keep-alive, Upgrade, Upgrade=websocket} no-body keep-alive upgrade | end | "
     "idle"},
    {"UpgradeThatConnectionDoesNotName", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
     "head GET / 1.1 {Host=a, Upgrade=websocket} no-body keep-alive | end | idle"},
    {"UpgradeWithABody",
     "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi",
     "head POST / 1.1 {Host=a, Connection=upgrade, Upgrade=h2c, Content-Length=2} length 2 keep-alive upgrade"
     " | body hi | end | idle"},
    {"AnyTokenIsAMethod", "BREW-2+~ /pot HTTP/1.1\r\nHost: a\r\n\r\n",
     "head BREW-2+~ /pot 1.1 {Host=a} no-body keep-alive | end | idle"},
    {"MethodsKeepTheirCase", "get / HTTP/1.1\r\nHost: a\r\n\r\n",
     "head get / 1.1 {Host=a} no-body keep-alive | end | idle"},
    {"OptionsAsterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
     "head OPTIONS * 1.1 {Host=a} no-body keep-alive | end | idle"},
    {"AbsoluteForm", "GET HTTP://b:81/c?d HTTP/1.1\r\nHost: a\r\n\r\n",
     "head GET HTTP://b:81/c?d 1.1 {Host=a} no-body keep-alive | end | idle"},
    {"TargetCharactersThatBrowsersSend", "GET /a|b^c`{d}\"e'<f>\\?[g]=%zz;h HTTP/1.1\r\nHost: a\r\n\r\n",
     "head GET /a|b^c`{d}\"e'<f>\\?[g]=%zz;h 1.1 {Host=a} no-body keep-alive | end | idle"},
    {"Nothing", "", "idle"},
};

INSTANTIATE_TEST_SUITE_P(Good, RequestStreams, testing::ValuesIn(kGood), name_of);

#define HEAD "GET / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define CHUNKED_HEAD "head POST / 1.1 {Host=a, Transfer-Encoding=chunked} chunked keep-alive | "

const Case kStartLines[] = {
    {"Http09", "GET /\r\n\r\n", "error bad syntax"},
    {"NoTarget", "GET HTTP/1.1\r\n\r\n", "error bad syntax"},
    {"EmptyTarget", "GET  HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"TwoSpaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"TwoSpacesBeforeTheVersion", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"SpaceInTarget", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"SpaceAfterVersion", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "error bad syntax"},
    {"SpaceBeforeMethod", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"TabsForSpaces", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"TabInTarget", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"NulInTarget", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"sv, "error bad syntax"},
    {"DeleteInTarget", "GET /\x7F HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"NonAsciiTarget", "GET /\xC3\xA9 HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"FragmentInTarget", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"BareCrInTarget", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"MethodIsNoToken", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"LowerCaseVersion", "GET / http/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"ShortVersion", "GET / HTTP/1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"LongVersion", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"OtherProtocol", "GET / ICE/1.0\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "error bad version"},
    {"Http20", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "error bad version"},
    {"Http12", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "error bad version"},
    {"Http09Named", "GET / HTTP/0.9\r\n\r\n", "error bad version"},
    {"BadVersionIsToldBeforeTheHeadIsHere", "GET / HTTP/3.0\r\nHo", "error bad version"},
    {"StartLineIsJudgedBeforeTheHeaders", "GET / HTTP/3.0\r\nbad line\r\n\r\n", "error bad version"},
    {"Connect", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"ConnectWithAPath", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"AuthorityForm", "GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"RelativePath", "GET index.html HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"AsteriskForGet", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"AsteriskWithAPath", "OPTIONS */ HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"OtherScheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"AbsoluteFormWithoutAuthority", "GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"AbsoluteFormWithLettersForAPort", "GET http://b:x/ HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"AbsoluteFormWithAUser", "GET http://b@c/ HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"TlsHelloIsToldAtItsFirstByte", "\x16\x03\x01", "error bad syntax"},
    {"TwoEmptyLines", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"BareLfBefore", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"BareCrBefore", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", "error bad syntax"},
    {"BareLfAfterStartLine", "GET / HTTP/1.1\nHost: a\r\n\r\n", "error bad syntax"},
    {"TwoCrAfterStartLine", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", "error bad syntax"},
};
INSTANTIATE_TEST_SUITE_P(StartLines, RequestStreams, testing::ValuesIn(kStartLines), name_of);

const Case kHeaders[] = {
    {"BareLf", HEAD "X: 1\nY: 2\r\n\r\n", "error bad syntax"},
    {"BareLfAtTheEnd", HEAD "X: 1\r\n\n", "error bad syntax"},
    {"OnlyLf", "GET / HTTP/1.1\nHost: a\n\n", "error bad syntax"},
    {"BareCrInValue", HEAD "X: 1\rY: 2\r\n\r\n", "error bad syntax"},
    {"BareCrAtTheEnd", HEAD "X: 1\r\n\rGET", "waiting"},
    {"BareCrAtTheEndAndMore", HEAD "X: 1\r\n\rGET\r\n", "error bad syntax"},
    {"TwoCrAtTheEndOfALine", HEAD "X: 1\r\r\n\r\n", "error bad syntax"},
    {"FoldedBySpace", HEAD "X: 1\r\n 2\r\n\r\n", "error bad syntax"},
    {"FoldedByTab", HEAD "X: 1\r\n\t2\r\n\r\n", "error bad syntax"},
    {"FoldedFirstLine", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "error bad syntax"},
    {"BlankLineThatIsNotEmpty", HEAD " \r\n\r\n", "error bad syntax"},
    {"SpaceBeforeColon", HEAD "X : 1\r\n\r\n", "error bad syntax"},
    {"TabBeforeColon", HEAD "X\t: 1\r\n\r\n", "error bad syntax"},
    {"SpaceInName", HEAD "X Y: 1\r\n\r\n", "error bad syntax"},
    {"SpaceBeforeTheColonOfALength", HEAD "Content-Length : 5\r\n\r\nhello", "error bad syntax"},
    {"NoName", HEAD ": 1\r\n\r\n", "error bad syntax"},
    {"NoColon", HEAD "X\r\n\r\n", "error bad syntax"},
    {"NonAsciiName", HEAD "X\xC3\xA9: 1\r\n\r\n", "error bad syntax"},
    {"NulInName", HEAD "X\0: 1\r\n\r\n"sv, "error bad syntax"},
    {"NulInValue", HEAD "X: a\0b\r\n\r\n"sv, "error bad syntax"},
    {"NulInALongValue", HEAD "X: 0123456789abcdef0123456789abcdef\0b\r\n\r\n"sv, "error bad syntax"},
    {"TabAndControlInOneWord", HEAD "X: 01234567\t\x01\t3456789\r\n\r\n", "error bad syntax"},
    {"EscapeInValue", HEAD "X: \x1B[31m\r\n\r\n", "error bad syntax"},
    {"DeleteInValue", HEAD "X: 0123456789abc\x7F\r\n\r\n", "error bad syntax"},
    {"MissingHost", "GET / HTTP/1.1\r\nX: a\r\n\r\n", "error missing host"},
    {"NoHeadersAtAll", "GET / HTTP/1.1\r\n\r\n", "error missing host"},
    {"TwoHosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "error missing host"},
    {"TwoEqualHosts", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "error missing host"},
    {"TwoHostsInHttp10", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "error missing host"},
    {"MissingHostWithAbsoluteForm", "GET http://a/ HTTP/1.1\r\n\r\n", "error missing host"},
    {"TwoNamesInHost", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "error bad syntax"},
    {"SpaceInHost", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "error bad syntax"},
    {"UserInHost", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "error bad syntax"},
    {"PathInHost", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "error bad syntax"},
    {"LettersForAPort", "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n", "error bad syntax"},
    {"TwoPorts", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", "error bad syntax"},
    {"TextBehindAnAddress", "GET / HTTP/1.1\r\nHost: [::1]b:80\r\n\r\n", "error bad syntax"},
    {"AnAddressWithoutBrackets", "GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", "error bad syntax"},
    {"NoPortBehindTheColon", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n",
     "head GET / 1.1 {Host=a:} no-body keep-alive | end | idle"},
    {"AnAddressWithAPort", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
     "head GET / 1.1 {Host=[::1]:80} no-body keep-alive | end | idle"},
};
INSTANTIATE_TEST_SUITE_P(Headers, RequestStreams, testing::ValuesIn(kHeaders), name_of);

const Case kFraming[] = {
    {"BothLengths", HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "error bad framing"},
    {"BothLengthsOtherWayRound", HEAD "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
     "error bad framing"},
    {"DifferingLengths", HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "error bad framing"},
    {"RepeatedLength", HEAD "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "error bad framing"},
    {"ListedLength", HEAD "Content-Length: 5, 5\r\n\r\nhello", "error bad framing"},
    {"EmptyLength", HEAD "Content-Length:\r\n\r\nhello", "error bad framing"},
    {"PlusSign", HEAD "Content-Length: +5\r\n\r\nhello", "error bad framing"},
    {"MinusSign", HEAD "Content-Length: -5\r\n\r\nhello", "error bad framing"},
    {"SpaceInLength", HEAD "Content-Length: 5 5\r\n\r\nhello", "error bad framing"},
    {"JunkAfterLength", HEAD "Content-Length: 5a\r\n\r\nhello", "error bad framing"},
    {"HexLength", HEAD "Content-Length: 0x5\r\n\r\nhello", "error bad framing"},
    {"FractionalLength", HEAD "Content-Length: 5.0\r\n\r\nhello", "error bad framing"},
    {"LengthBeyond63Bits", HEAD "Content-Length: 9223372036854775808\r\n\r\n", "error bad framing"},
    {"LengthBeyond64Bits", HEAD "Content-Length: 18446744073709551621\r\n\r\nhello", "error bad framing"},
    {"ChunkedTwice", HEAD "Transfer-Encoding: chunked, chunked\r\n\r\n", "error bad framing"},
    {"ChunkedTwiceInTwoFields", HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     "error bad framing"},
    {"ChunkedNotLast", HEAD "Transfer-Encoding: chunked, gzip\r\n\r\n", "error bad framing"},
    {"ChunkedNotLastInTwoFields", HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
     "error bad framing"},
    {"EmptyCoding", HEAD "Transfer-Encoding:\r\n\r\n", "error bad framing"},
    {"EmptyCodingInAList", HEAD "Transfer-Encoding: ,chunked\r\n\r\n", "error bad framing"},
    {"CodingInHttp10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "error bad framing"},
    {"Gzip", HEAD "Transfer-Encoding: gzip\r\n\r\n", "error unknown transfer coding"},
    {"GzipThenChunked", HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n", "error unknown transfer coding"},
    {"GzipThenChunkedInTwoFields", HEAD "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
     "error unknown transfer coding"},
    {"Identity", HEAD "Transfer-Encoding: identity\r\n\r\n", "error unknown transfer coding"},
    {"NearlyChunked", HEAD "Transfer-Encoding: xchunked\r\n\r\n", "error unknown transfer coding"},
    {"ChunkedWithAParameter", HEAD "Transfer-Encoding: chunked;q=1\r\n\r\n", "error unknown transfer coding"},
    {"QuotedChunked", HEAD "Transfer-Encoding: \"chunked\"\r\n\r\n", "error unknown transfer coding"},
};
INSTANTIATE_TEST_SUITE_P(Framing, RequestStreams, testing::ValuesIn(kFraming), name_of);

const Case kChunks[] = {
    {"NoSize", CHUNKED "\r\nhello\r\n", CHUNKED_HEAD "error bad chunk"},
    {"OnlyAnExtension", CHUNKED ";a\r\n", CHUNKED_HEAD "error bad chunk"},
    {"HexPrefix", CHUNKED "0x5\r\nhello\r\n", CHUNKED_HEAD "error bad chunk"},
    {"SignedSize", CHUNKED "+5\r\nhello\r\n", CHUNKED_HEAD "error bad chunk"},
    {"NegativeSize", CHUNKED "-5\r\nhello\r\n", CHUNKED_HEAD "error bad chunk"},
    {"UnderscoredSize", CHUNKED "0_5\r\nhello\r\n", CHUNKED_HEAD "error bad chunk"},
    {"SpaceBeforeSize", CHUNKED " 5\r\nhello\r\n", CHUNKED_HEAD "error bad chunk"},
    {"SpaceAfterSize", CHUNKED "5 \r\nhello\r\n", CHUNKED_HEAD "error bad chunk"},
    {"SpaceBeforeExtension", CHUNKED "5 ;a\r\nhello\r\n", CHUNKED_HEAD "error bad chunk"},
    {"BareLfAfterSize", CHUNKED "5\nhello\r\n", CHUNKED_HEAD "error bad chunk"},
    {"BareCrAfterSize", CHUNKED "5\rhello\r\n", CHUNKED_HEAD "error bad chunk"},
    {"BareLfInExtension", CHUNKED "5;a\nhello\r\n0\r\n\r\n", CHUNKED_HEAD "error bad chunk"},
    {"BareCrInExtension", CHUNKED "5;a\rb\r\nhello\r\n0\r\n\r\n", CHUNKED_HEAD "error bad chunk"},
    {"NulInExtension", CHUNKED "5;a\0\r\nhello\r\n"sv, CHUNKED_HEAD "error bad chunk"},
    {"DataLongerThanSize", CHUNKED "5\r\nhello!\r\n0\r\n\r\n", CHUNKED_HEAD "body hello | error bad chunk"},
    {"OtherByteBeforeTheLfAfterData", CHUNKED "5\r\nhello!\n0\r\n\r\n", CHUNKED_HEAD "body hello | error bad chunk"},
    {"BareLfAfterData", CHUNKED "5\r\nhello\n0\r\n\r\n", CHUNKED_HEAD "body hello | error bad chunk"},
    {"BareCrAfterData", CHUNKED "5\r\nhello\r0\r\n\r\n", CHUNKED_HEAD "body hello | error bad chunk"},
    {"NoLineEndAfterData", CHUNKED "5\r\nhello0\r\n\r\n", CHUNKED_HEAD "body hello | error bad chunk"},
    {"SizeBeyond63Bits", CHUNKED "8000000000000000\r\n", CHUNKED_HEAD "error bad chunk"},
    {"SizeBeyond64Bits", CHUNKED "10000000000000005\r\nhello\r\n", CHUNKED_HEAD "error bad chunk"},
    {"BareLfAfterLastChunk", CHUNKED "0\n\r\n", CHUNKED_HEAD "error bad chunk"},
    {"BareLfAtTheEnd", CHUNKED "0\r\n\n", CHUNKED_HEAD "error bad chunk"},
    {"BareLfInTrailers", CHUNKED "0\r\nA: 1\n\r\n", CHUNKED_HEAD "error bad chunk"},
    {"TrailerWithoutColon", CHUNKED "0\r\nA\r\n\r\n", CHUNKED_HEAD "error bad chunk"},
    {"TrailerWithSpaceBeforeColon", CHUNKED "0\r\nA : 1\r\n\r\n", CHUNKED_HEAD "error bad chunk"},
    {"FoldedTrailer", CHUNKED "0\r\nA: 1\r\n 2\r\n\r\n", CHUNKED_HEAD "error bad chunk"},
    {"LengthInTrailers", CHUNKED "0\r\nContent-Length: 5\r\n\r\n", CHUNKED_HEAD "error bad framing"},
    {"NextRequestForATrailer", CHUNKED "0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", CHUNKED_HEAD "error bad chunk"},
    {"HugeSizeIsWaitedFor", CHUNKED "7fffffffffffff0\r\nab", CHUNKED_HEAD "body ab | waiting"},
};
INSTANTIATE_TEST_SUITE_P(Chunks, RequestStreams, testing::ValuesIn(kChunks), name_of);

// Which bytes may stand where, all 256 of them.
TEST(RequestBytes, InAValueAllButControls) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool control = (byte < 0x20 && byte != '\t') || byte == 0x7F;
    for (std::size_t place = 0; place < 20; ++place) {
      std::string value(20, 'v');
      value[place] = static_cast<char>(byte);
      const std::string said = read_requests({HEAD "X: v" + value + "v\r\n\r\n"});
      EXPECT_EQ(said.starts_with("head"), !control) << "byte " << byte << " at " << place;
    }
  }
}

TEST(RequestBytes, InANameOnlyTokenCharacters) {
  const std::string_view tokens = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool token = byte < 0x80 && tokens.find(c) != std::string_view::npos;
    if (c == ':') continue;  // ends the name
    EXPECT_EQ(read_requests({HEAD "X" + std::string(1, c) + "Y: 1\r\n\r\n"}).starts_with("head"), token) << byte;
    EXPECT_EQ(read_requests({"G" + std::string(1, c) + "T / HTTP/1.1\r\nHost: a\r\n\r\n"}).starts_with("head"), token)
        << byte;
  }
}

TEST(RequestBytes, InATargetAllVisibleAsciiButTheFragment) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool allowed = byte > 0x20 && byte < 0x7F && byte != '#';
    const std::string target = "/a" + std::string(1, static_cast<char>(byte)) + "b";
    EXPECT_EQ(read_requests({"GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"}).starts_with("head"), allowed) << byte;
  }
}

// The smuggling that hides a request in another's body must fail at the same place for every method and header case.
TEST(RequestSmuggling, LengthsAreRefusedForEveryMethod) {
  for (const char* method : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "X"}) {
    const std::string start = std::string(method) + " / HTTP/1.1\r\nHost: a\r\n";
    EXPECT_EQ(read_requests({start + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"}), "error bad framing");
    EXPECT_EQ(read_requests({start + "transfer-encoding: CHUNKED\r\ncontent-length: 0\r\n\r\n"}), "error bad framing");
  }
}

TEST(RequestParser, PointsIntoTheBytesOfTheCallerWhenTheHeadCameInOnePiece) {
  const std::string bytes = "GET /path HTTP/1.1\r\nHost: a\r\nX: value\r\n\r\n";
  const auto inside = [&](std::string_view text) {
    return text.data() >= bytes.data() && text.data() + text.size() <= bytes.data() + bytes.size();
  };
  RequestParser parser;
  ASSERT_EQ(parser.next(bytes).kind, ParseStep::Kind::kHead);
  EXPECT_TRUE(inside(parser.head().view.method));
  EXPECT_TRUE(inside(parser.head().view.target));
  for (const HeaderView& field : parser.head().view.headers) EXPECT_TRUE(inside(field.name) && inside(field.value));
}

TEST(RequestParser, KeepsTheHeadWhenTheBytesOfTheCallerAreGone) {
  std::string first = "GET /path HTTP/1.1\r\nHost: some-na";
  RequestParser parser;
  ASSERT_EQ(parser.next(first).kind, ParseStep::Kind::kNeedMore);
  std::fill(first.begin(), first.end(), '!');
  std::string second = "me\r\nX: y\r\n\r\n";
  ASSERT_EQ(parser.next(second).kind, ParseStep::Kind::kHead);
  std::fill(second.begin(), second.end(), '!');
  EXPECT_EQ(head_text(parser.head()), "head GET /path 1.1 {Host=some-name, X=y} no-body keep-alive");
}

TEST(RequestParser, EndsAMessageWithoutABodyWithNoFurtherByte) {
  const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  RequestParser parser;
  EXPECT_TRUE(parser.idle());
  EXPECT_EQ(parser.next(bytes).consumed, bytes.size());
  EXPECT_FALSE(parser.idle());
  EXPECT_EQ(parser.next("").kind, ParseStep::Kind::kMessageEnd);
  EXPECT_TRUE(parser.idle());
  EXPECT_EQ(parser.next("").kind, ParseStep::Kind::kNeedMore);
  EXPECT_TRUE(parser.idle());
}

TEST(RequestParser, LeavesThePipelinedRestUnconsumed) {
  const std::string bytes = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
  RequestParser parser;
  EXPECT_EQ(parser.next(bytes).consumed, bytes.size() / 2);
  EXPECT_EQ(parser.next(std::string_view(bytes).substr(bytes.size() / 2)).consumed, 0U);  // kMessageEnd
}

TEST(RequestParser, StaysFailedAfterAnError) {
  RequestParser parser;
  ASSERT_EQ(parser.next("BAD\r\n\r\n").kind, ParseStep::Kind::kError);
  EXPECT_EQ(parser.next("GET / HTTP/1.1\r\nHost: a\r\n\r\n").kind, ParseStep::Kind::kError);
  EXPECT_FALSE(parser.idle());
}

TEST(RequestParser, MovesWithAHeadHalfRead) {
  RequestParser first;
  ASSERT_EQ(first.next("GET / HTTP/1.1\r\nHo").kind, ParseStep::Kind::kNeedMore);
  RequestParser second = std::move(first);
  ASSERT_EQ(second.next("st: a\r\n\r\n").kind, ParseStep::Kind::kHead);
  EXPECT_EQ(second.head().view.header("host"), "a");
}

TEST(ParseErrors, HaveTheStatusOfTheirKind) {
  const std::pair<ParseError, int> table[] = {
      {ParseError::kBadSyntax, 400},      {ParseError::kBadVersion, 505},
      {ParseError::kBadFraming, 400},     {ParseError::kUnknownTransferCoding, 501},
      {ParseError::kBadChunk, 400},       {ParseError::kStartLineTooLong, 414},
      {ParseError::kHeaderTooLarge, 431}, {ParseError::kTooManyHeaders, 431},
      {ParseError::kMissingHost, 400},
  };
  for (const auto& [error, status] : table) EXPECT_EQ(suggested_status(error), status) << to_string(error);
}

}  // namespace
}  // namespace rr
