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
