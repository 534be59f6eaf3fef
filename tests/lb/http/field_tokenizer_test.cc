// A head that comes in one piece is split by whoever found its lines, any other by llhttp: nobody may see a difference.
#include "lb/http/field_tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "lb/base/rng.h"
#include "lb/http/framing.h"
#include "lb/http/head_reader.h"

namespace rr {
namespace {

constexpr std::string_view kRequestLine = "GET / HTTP/1.1\r\n";

std::string text_of(const std::vector<HeaderView>& fields) {
  std::string text;
  for (const HeaderView& field : fields) text.append(field.name).append("|").append(field.value).append("\n");
  return text;
}

/// llhttp is asked about these, as it refuses some of their values and combinations.
bool is_confirmed(std::string_view name) {
  const FieldName known = field_name(name);
  return known == FieldName::kContentLength || known == FieldName::kTransferEncoding || known == FieldName::kUpgrade;
}

/// Compares the two when `block` is one that the reader has split.
bool compare(const std::string& block) {
  const std::string head = std::string(kRequestLine) + block;
  std::vector<HeaderView> noted;
  HeadReader reader(kAlbRequestLimits, noted);
  reader.begin(HeadReader::Kind::kRequest);
  const HeadReader::Progress progress = reader.read(head);
  if (progress.outcome != HeadReader::Outcome::kComplete || !reader.fields_noted()) return false;
  EXPECT_TRUE(reader.plain_names());
  EXPECT_EQ(kRequestLine.size() + reader.fields().size(), progress.consumed);
  std::vector<HeaderView> tokenized;
  const bool agreed = tokenize_fields(reader.fields(), tokenized);
  const bool asked =
      std::any_of(noted.begin(), noted.end(), [](const auto& field) { return is_confirmed(field.name); });
  EXPECT_TRUE(agreed || asked) << block;
  EXPECT_EQ(agreed ? text_of(noted) : "", agreed ? text_of(tokenized) : "");
  EXPECT_EQ(confirm_fields(reader.fields(), noted.size()), agreed) << block;
  EXPECT_FALSE(confirm_fields(reader.fields(), noted.size() + 1)) << block;
  return true;
}

TEST(NotedFields, AreThoseOfLlhttp) {
  for (const char* block : {"\r\n", "Host: a\r\n\r\n", "A:b\r\n\r\n", "A: \t b \r\n\r\n", "A:\r\n\r\n",
                            "A:  \r\nB: c\r\n\r\n", "A: b:c\r\n\r\n", "Content-Length: 5\r\n\r\n",
                            "Transfer-Encoding: chunked\r\n\r\n", "Connection: upgrade\r\nUpgrade: x\r\n\r\n",
                            "A: \xc3\xa4\r\n\r\n", "A: b\tc  d\r\n\r\n", "0: 1\r\n\r\n", "-: -\r\n\r\n"}) {
    EXPECT_TRUE(compare(block)) << block;
  }
}

TEST(NotedFields, AreNoneWhereALineWantsASecondLook) {
  for (const char* block :
       {"A_b: c\r\n\r\n", "A : b\r\n\r\n", ": b\r\n\r\n", "A\r\n\r\n", " A: b\r\n\r\n", "A: b\n\r\n", "A: b\rc\r\n\r\n",
        "A: b\x01\r\n\r\n", "A: b\r\n c\r\n\r\n", "A: b\t\r\n\r\n", "A:\t\r\n\r\n"}) {
    EXPECT_FALSE(compare(block)) << block;
  }
  EXPECT_FALSE(compare(std::string("A: \0\r\n\r\n", 8)));
}

TEST(NotedFields, AreNoneOfAHeadInPieces) {
  std::vector<HeaderView> fields;
  HeadReader reader(kAlbRequestLimits, fields);
  reader.begin(HeadReader::Kind::kRequest);
  EXPECT_EQ(reader.read("GET / HTTP/1.1\r\nHost: a\r\nB").outcome, HeadReader::Outcome::kNeedMore);
  EXPECT_EQ(reader.read(": c\r\n\r\n").outcome, HeadReader::Outcome::kComplete);
  EXPECT_FALSE(reader.fields_noted());
  reader.begin(HeadReader::Kind::kRequest);
  EXPECT_EQ(reader.read("GET / HTTP/1.1\r\nHost: a\r\n\r\n").outcome, HeadReader::Outcome::kComplete);
  EXPECT_TRUE(reader.fields_noted());
  ASSERT_EQ(fields.size(), 1U);
}

TEST(NotedFields, AreThoseOfLlhttpInWhateverIsTaken) {
  constexpr std::array<std::string_view, 20> kParts{"A",
                                                    "Host",
                                                    "Content-Length",
                                                    "Transfer-Encoding",
                                                    "Connection",
                                                    ":",
                                                    ": ",
                                                    ":\t",
                                                    " ",
                                                    "\t",
                                                    "\r",
                                                    "\n",
                                                    "\r\n",
                                                    "0",
                                                    "chunked",
                                                    "_x",
                                                    "\x7f",
                                                    "upgrade",
                                                    "\xff\x80",
                                                    "Upgrade"};
  Rng random(6);
  int taken = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::string block;
    for (std::uint64_t lines = random.below(4); lines > 0; --lines) {
      if (random.below(4) > 0) block.append(kParts[random.below(5)]).append(kParts[5 + random.below(3)]);
      for (std::uint64_t parts = random.below(4); parts > 0; --parts) block += kParts[random.below(kParts.size())];
      block += "\r\n";
    }
    taken += compare(block + "\r\n") ? 1 : 0;
  }
  // Rounds without a line and rounds with clean lines are many.
  EXPECT_GT(taken, 30'000);
}

/// A response whose end depends on one Content-Length of digits alone goes on without asking llhttp. The one difference
/// is an HTAB behind the digits: RFC 9110 section 5.6.3 has it for white space, and llhttp refuses it.
TEST(NotedFields, OfAResponseWithALengthAreNotRefusedByLlhttp) {
  constexpr std::array<std::string_view, 14> kValues{"0",
                                                     "5",
                                                     "007",
                                                     "9223372036854775807",
                                                     "9223372036854775808",
                                                     "",
                                                     "+5",
                                                     "5 ",
                                                     "5,5",
                                                     "18446744073709551616",
                                                     "5x",
                                                     "-1",
                                                     "1e3",
                                                     "5\t"};
  constexpr std::array<std::string_view, 5> kNames{"Content-Length", "content-LENGTH", "A", "Connection", "Server"};
  Rng random(7);
  int taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string block;
    for (std::uint64_t lines = 1 + random.below(3); lines > 0; --lines) {
      block.append(kNames[random.below(kNames.size())]).append(random.below(2) == 0 ? ": " : ":");
      block.append(kValues[random.below(kValues.size())]).append("\r\n");
    }
    block += "\r\n";
    std::vector<HeaderView> noted, tokenized;
    HeadReader reader(kAlbRequestLimits, noted);
    reader.begin(HeadReader::Kind::kTrailers);
    ASSERT_EQ(reader.read(block).outcome, HeadReader::Outcome::kComplete);
    if (!reader.fields_noted()) continue;
    ResponseHead head;
    head.view.status = 200;
    head.view.minor = 1;
    head.view.headers = noted;
    if (decide_framing(head, false) || !head.view.names.has(FieldName::kContentLength)) continue;
    ++taken;
    ASSERT_TRUE(tokenize_fields(reader.fields(), tokenized)) << block;
    ASSERT_EQ(text_of(noted), text_of(tokenized)) << block;
  }
  EXPECT_GT(taken, 2'000);
}

}  // namespace
}  // namespace rr
