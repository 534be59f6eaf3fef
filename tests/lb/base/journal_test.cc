#include "lb/base/journal.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rr {
namespace {

constexpr Time at(int second) { return Time{std::chrono::seconds(second)}; }

/// FNV-1a as its authors define it, over the fields each followed by the byte 0xff.
std::uint64_t reference_digest(const std::vector<std::string>& fields) {
  std::uint64_t digest = 14695981039346656037ULL;
  for (std::string field : fields) {
    field.push_back('\xff');
    for (const char c : field) {
      digest ^= static_cast<unsigned char>(c);
      digest *= 1099511628211ULL;
    }
  }
  return digest;
}

TEST(Journal, DigestIsFnv1aOverEveryField) {
  Journal journal;
  EXPECT_EQ(journal.digest(), reference_digest({}));
  journal.write(at(1), "i-1", "healthy -> unhealthy");
  EXPECT_EQ(journal.digest(), reference_digest({"1000000000", "i-1", "healthy -> unhealthy"}));
}

TEST(Journal, DigestTellsOrderAndFieldsApart) {
  const auto digest = [](const std::vector<JournalLine>& lines) {
    Journal journal;
    for (const JournalLine& line : lines) journal.write(line.time, line.entity, line.event);
    return journal.digest();
  };
  const JournalLine a{at(1), "a", "x"}, b{at(1), "b", "x"};
  EXPECT_EQ(digest({a, b}), digest({a, b}));
  EXPECT_NE(digest({a, b}), digest({b, a}));
  EXPECT_NE(digest({{at(1), "ab", "c"}}), digest({{at(1), "a", "bc"}}));
  EXPECT_NE(digest({{at(1), "a", "b"}}), digest({{at(2), "a", "b"}}));
}

TEST(Journal, KeepsTheLastLinesAndTheDigestOfAll) {
  Journal all, few(2), none(0);
  std::vector<std::string> told;
  none.set_sink([&](const JournalLine& line) { told.push_back(line.entity + " " + line.event); });
  for (int i = 0; i < 5; ++i) {
    for (Journal* journal : {&all, &few, &none}) journal->write(at(i), "tier", std::to_string(i));
  }
  EXPECT_EQ(all.lines().size(), 5U);
  ASSERT_EQ(few.lines().size(), 2U);
  EXPECT_EQ(few.lines().front(), (JournalLine{at(3), "tier", "3"}));
  EXPECT_TRUE(none.lines().empty());
  EXPECT_EQ(told, (std::vector<std::string>{"tier 0", "tier 1", "tier 2", "tier 3", "tier 4"}));
  EXPECT_EQ(few.digest(), all.digest());
  EXPECT_EQ(none.digest(), all.digest());
  EXPECT_EQ(none.written(), 5U);
}

}  // namespace
}  // namespace rr
