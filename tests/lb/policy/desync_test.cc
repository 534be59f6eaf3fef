// One row for each reason of the ALB's table, then which tier and reason win, then what each mode makes of a class.
#include "lb/policy/desync.h"

#include <gtest/gtest.h>

#include <vector>

namespace rr {
namespace {

using namespace std::string_view_literals;
using enum DesyncTier;
using Reason = DesyncReason;

struct Row {
  const char* name;
  RequestView request;
  std::vector<HeaderView> headers;
  DesyncClass expected;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

RequestView request(std::string_view method, std::string_view target = "/", std::string_view version = "HTTP/1.1",
                    int minor = 1) {
  RequestView view;
  view.method = method;
  view.target = target;
  view.version = version;
  view.minor = minor;
  return view;
}
const RequestView kGet = request("GET");
const RequestView kPost = request("POST");
const RequestView kOldPost = request("POST", "/", "HTTP/1.0", 0);

const Row kRows[] = {
    {"Plain", kGet, {{"Host", "a"}, {"X-A", "b\tc\x80"}}, {}},
    {"PostWithALength", kPost, {{"Content-Length", "5"}}, {}},
    {"PostInChunks", kPost, {{"Transfer-Encoding", "chunked"}}, {}},
    {"LengthInHttp10", kOldPost, {{"Content-Length", "5"}}, {}},
    {"UnderscoreIsAToken", kGet, {{"X_Y", "1"}}, {}},
    {"NulInAValue", kGet, {{"X", "a\0b"sv}}, {kSevere, Reason::kBadHeader}},
    {"ReturnInAName", kGet, {{"X\r", "a"}}, {kSevere, Reason::kBadHeader}},
    {"SpaceInAName", kGet, {{"X Y", "1"}}, {kAcceptable, Reason::kNonCompliantHeader}},
    {"NonAsciiName", kGet, {{"X\xC3\xA9", "1"}}, {kAcceptable, Reason::kNonCompliantHeader}},
    {"ControlInAValue", kGet, {{"X", "\x1B[31m"}}, {kAcceptable, Reason::kNonCompliantHeader}},
    {"DeleteInAValue", kGet, {{"X", "\x7F"}}, {kAcceptable, Reason::kNonCompliantHeader}},
    {"NoName", kGet, {{"", "1"}}, {kAmbiguous, Reason::kEmptyHeader}},
    {"BlankName", kGet, {{" \t", "1"}}, {kAmbiguous, Reason::kEmptyHeader}},
    {"NameOfAColon", kGet, {{":x", "1"}}, {kAmbiguous, Reason::kEmptyHeader}},
    {"Underscore", kPost, {{"Transfer_Encoding", "chunked"}}, {kAmbiguous, Reason::kSuspiciousHeader}},
    {"NoHyphen", kPost, {{"contentlength", "5"}}, {kAmbiguous, Reason::kSuspiciousHeader}},
    {"TrailingSpace", kPost, {{"Content-Length ", "5"}}, {kAmbiguous, Reason::kSuspiciousHeader}},
    {"LeadingSpace", kPost, {{" Transfer-Encoding", "chunked"}}, {kAmbiguous, Reason::kSuspiciousHeader}},
    {"LongS",
     kPost,
     {{"Tran\xC5\xBF"
       "fer-Encoding",
       "chunked"}},
     {kAmbiguous, Reason::kSuspiciousHeader}},
    {"DotlessI", kPost, {{"Transfer-Encod\xC4\xB1ng", "chunked"}}, {kAmbiguous, Reason::kSuspiciousHeader}},
    {"ADigitMore", kPost, {{"Content-Length2", "5"}}, {}},
    {"CodingInHttp10",
     kOldPost,
     {{"Transfer-Encoding", "chunked"}},
     {kAmbiguous, Reason::kUndefinedTransferEncodingSemantics}},
    {"NothingMoreIsAskedOfHttp10",
     kOldPost,
     {{"Transfer-Encoding", "x"}, {"Content-Length", "x"}},
     {kAmbiguous, Reason::kUndefinedTransferEncodingSemantics}},
    {"UnknownCoding", kPost, {{"Transfer-Encoding", "xchunked"}}, {kSevere, Reason::kBadTransferEncoding}},
    {"EmptyCoding", kPost, {{"Transfer-Encoding", ""}}, {kSevere, Reason::kBadTransferEncoding}},
    {"KnownCodings", kPost, {{"Transfer-Encoding", "gzip, deflate;q=1,compress , identity"}}, {}},
    {"ChunkedTwice",
     kPost,
     {{"Transfer-Encoding", "chunked, chunked"}},
     {kSevere, Reason::kMultipleTransferEncodingChunked}},
    {"ChunkedTwiceInTwoFields",
     kPost,
     {{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "Chunked"}},
     {kSevere, Reason::kMultipleTransferEncodingChunked}},
    {"SignedLength", kPost, {{"Content-Length", "+5"}}, {kSevere, Reason::kBadContentLength}},
    {"EmptyLength", kPost, {{"Content-Length", ""}}, {kSevere, Reason::kBadContentLength}},
    {"ListOfLengths", kPost, {{"Content-Length", "5, 5"}}, {kSevere, Reason::kBadContentLength}},
    // 2^64 - 1 is the last one, and one more is beyond 64 bits.
    {"LengthOf64Bits", kPost, {{"Content-Length", "18446744073709551615"}}, {}},
    {"LengthBeyond64Bits", kPost, {{"Content-Length", "18446744073709551616"}}, {kSevere, Reason::kBadContentLength}},
    {"DifferentLengths",
     kPost,
     {{"Content-Length", "5"}, {"Content-Length", "6"}},
     {kSevere, Reason::kMultipleContentLength}},
    {"ALookalikeCountsAsALength",
     kPost,
     {{"Content-Length", "5"}, {"Content_Length", "6"}},
     {kSevere, Reason::kMultipleContentLength}},
    {"EqualLengths",
     kPost,
     {{"Content-Length", "5"}, {"Content-Length", "05"}},
     {kAmbiguous, Reason::kDuplicateContentLength}},
    {"GetInChunks",
     kGet,
     {{"Transfer-Encoding", "chunked"}},
     {kAmbiguous, Reason::kUndefinedTransferEncodingSemantics}},
    {"GetWithALength", kGet, {{"Content-Length", "1"}}, {kAmbiguous, Reason::kUndefinedContentLengthSemantics}},
    {"HeadWithALength",
     request("HEAD"),
     {{"Content-Length", "1"}},
     {kAmbiguous, Reason::kUndefinedContentLengthSemantics}},
    {"GetWithLengthZero", kGet, {{"Content-Length", "0"}}, {kAcceptable, Reason::kGetHeadZeroContentLength}},
    {"DeleteWithALength", request("DELETE"), {{"Content-Length", "1"}}, {}},
    {"BothLengths",
     kPost,
     {{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}},
     {kAmbiguous, Reason::kBothTeClPresent}},
    {"BadMethod", request("G(T"), {}, {kSevere, Reason::kBadMethod}},
    {"NoVersion", request("GET", "/", ""), {}, {kAcceptable, Reason::kNonCompliantVersion}},
    {"Version09", request("GET", "/", "HTTP/0.9"), {}, {kAcceptable, Reason::kNonCompliantVersion}},
    {"Version12", request("GET", "/", "HTTP/1.2"), {}, {kAcceptable, Reason::kNonCompliantVersion}},
    {"Version19", request("GET", "/", "HTTP/1.9"), {}, {kAcceptable, Reason::kNonCompliantVersion}},
    {"MoreSpaces", request("GET", "/", " HTTP/1.1"), {}, {kAcceptable, Reason::kNonCompliantVersion}},
    {"Version2", request("GET", "/", "HTTP/2.0"), {}, {kSevere, Reason::kBadVersion}},
    {"VersionOfTwoDigits", request("GET", "/", "HTTP/1.10"), {}, {kSevere, Reason::kBadVersion}},
    {"NulInTheUri", request("GET", "/\0"sv), {}, {kSevere, Reason::kBadUri}},
    {"ReturnInTheUri", request("GET", "/\r"), {}, {kSevere, Reason::kBadUri}},
    {"SpaceInTheUri", request("GET", "/a b"), {}, {kAcceptable, Reason::kSpaceInUri}},
    {"TabInTheUri", request("GET", "/a\tb"), {}, {kAmbiguous, Reason::kAmbiguousUri}},
    {"DeleteInTheUri", request("GET", "/\x7F"), {}, {kAmbiguous, Reason::kAmbiguousUri}},
    {"NonAsciiUri", request("GET", "/\xC3\xA9"), {}, {}},
    // The highest tier wins; within it the first reason.
    {"SevereOverAmbiguous", kPost, {{"", "1"}, {"X", "\0"sv}}, {kSevere, Reason::kBadHeader}},
    {"AmbiguousOverAcceptable", request("POST", "/a b"), {{"X Y", "1"}, {"", "1"}}, {kAmbiguous, Reason::kEmptyHeader}},
    {"FirstOfTwoSevere", request("POST", "/\r"), {{"Content-Length", "x"}}, {kSevere, Reason::kBadContentLength}},
    {"FirstOfTwoAcceptable", request("POST", "/a b"), {{"X Y", "1"}}, {kAcceptable, Reason::kNonCompliantHeader}},
};

class Classes : public testing::TestWithParam<Row> {};

TEST_P(Classes, AreThoseOfTheAlb) {
  RequestView view = GetParam().request;
  view.headers = GetParam().headers;
  const DesyncClass found = classify(view, false);
  EXPECT_EQ(to_string(found.tier), to_string(GetParam().expected.tier));
  EXPECT_EQ(to_string(found.reason), to_string(GetParam().expected.reason));
}
INSTANTIATE_TEST_SUITE_P(Rows, Classes, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Classes, OfCleanHeadsAreTheSameWithLessWork) {
  for (const Row& row : kRows) {
    const bool about_lengths =
        row.expected.reason == Reason::kNone || (row.expected.reason >= Reason::kUndefinedTransferEncodingSemantics &&
                                                 row.expected.reason <= Reason::kBothTeClPresent);
    const bool clean = row.request.version == "HTTP/1.1" || row.request.version == "HTTP/1.0";
    if (!about_lengths || !clean || row.request.target != "/") continue;
    RequestView view = row.request;
    view.headers = row.headers;
    EXPECT_EQ(classify(view, true), row.expected) << row.name;
  }
}

TEST(Verdicts, AreThoseOfTheTableAndStricterInMonitor) {
  using enum DesyncVerdict;
  struct {
    DesyncClass found;
    DesyncVerdict monitor, defensive, strictest;
  } const rows[] = {
      {{}, kPass, kPass, kPass},
      {{kAcceptable, Reason::kSpaceInUri}, kPass, kPass, kBlock},
      {{kAmbiguous, Reason::kUndefinedContentLengthSemantics}, kPass, kPassAndClose, kBlock},
      {{kAmbiguous, Reason::kAmbiguousUri}, kPass, kPassAndClose, kBlock},
      {{kAmbiguous, Reason::kBothTeClPresent}, kPassAndClose, kPassAndClose, kBlock},
      {{kAmbiguous, Reason::kDuplicateContentLength}, kPassAndClose, kPassAndClose, kBlock},
      {{kAmbiguous, Reason::kSuspiciousHeader}, kPassAndClose, kPassAndClose, kBlock},
      {{kAmbiguous, Reason::kEmptyHeader}, kPassAndClose, kPassAndClose, kBlock},
      {{kAmbiguous, Reason::kUndefinedTransferEncodingSemantics}, kPassAndClose, kPassAndClose, kBlock},
      {{kSevere, Reason::kBadHeader}, kPassAndClose, kBlock, kBlock},
      {{kSevere, Reason::kBadContentLength}, kBlock, kBlock, kBlock},
      {{kSevere, Reason::kMultipleContentLength}, kBlock, kBlock, kBlock},
      {{kSevere, Reason::kBadTransferEncoding}, kBlock, kBlock, kBlock},
      {{kSevere, Reason::kBadUri}, kBlock, kBlock, kBlock},
  };
  for (const auto& row : rows) {
    const std::string_view what = to_string(row.found.reason);
    EXPECT_EQ(desync_verdict(DesyncMode::kMonitor, row.found), row.monitor) << what;
    EXPECT_EQ(desync_verdict(DesyncMode::kDefensive, row.found), row.defensive) << what;
    EXPECT_EQ(desync_verdict(DesyncMode::kStrictest, row.found), row.strictest) << what;
  }
}

}  // namespace
}  // namespace rr
