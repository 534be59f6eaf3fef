#include "lb/http/appender.h"

#include <gtest/gtest.h>

namespace rr {
namespace {

TEST(Appender, WritesWhatAStringWould) {
  std::string out = "before ", expected = out;
  {
    Appender appender(out);
    for (int i = 0; i < 2000; ++i) {
      const std::string piece(static_cast<std::size_t>(i % 37), static_cast<char>('a' + i % 26));
      appender += piece;
      appender += '.';
      expected += piece;
      expected += '.';
      ASSERT_EQ(appender.size(), expected.size());
    }
    appender += std::string(10'000, 'z');
    appender += "";
    expected += std::string(10'000, 'z');
  }
  EXPECT_EQ(out, expected);
}

TEST(Appender, WritesNumbers) {
  std::string out, expected;
  {
    Appender appender(out);
    // So many that room has to be made in the middle of them, the largest last.
    for (std::uint64_t number = 1; number < 1'000'000'000'000; number = number * 7 + 3) {
      for (int i = 0; i < 10; ++i) {
        appender.append_number(number);
        expected += std::to_string(number);
      }
    }
    for (const std::uint64_t number : {std::uint64_t{0}, UINT64_MAX}) {
      appender.append_number(number);
      expected += std::to_string(number);
    }
  }
  EXPECT_EQ(out, expected);
}

TEST(Appender, LowersLettersAtAnyPlaceAndNothingElse) {
  for (std::size_t size = 1; size <= 17; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string piece(size, 'Q'), expected(size, 'q'), out = "BEFORE";
        piece[at] = static_cast<char>(byte);
        expected[at] = ascii_lower(static_cast<char>(byte));
        {
          Appender appender(out);
          appender.append_lower(piece);
        }
        ASSERT_EQ(out, "BEFORE" + expected) << byte;
      }
    }
  }
}

TEST(Appender, TakesBack) {
  std::string out = "kept";
  {
    Appender appender(out);
    const std::size_t begin = appender.size();
    appender += ", not kept";
    appender.cut(begin);
    appender += "!";
  }
  EXPECT_EQ(out, "kept!");
}

TEST(Appender, LeavesAStringThatNothingIsWrittenToAsItWas) {
  std::string out;
  { const Appender appender(out); }
  EXPECT_EQ(out, "");
}

}  // namespace
}  // namespace rr
