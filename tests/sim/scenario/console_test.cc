// What a person sees: widths, numbers, and nothing that a terminal would take for a command.
#include <gtest/gtest.h>

#include "sim/console/log_view.h"
#include "sim/console/palette.h"
#include "sim/console/screen.h"
#include "sim/console/status_view.h"

namespace rr::sim {
namespace {

TEST(Palette, PaintsOnlyWhereThereAreColours) {
  EXPECT_EQ(Palette(false).paint(Ink::kRed, "x"), "x");
  EXPECT_EQ(Palette(true).paint(Ink::kRed, "x"), "\x1b[31mx\x1b[0m");
}

TEST(Printable, LeavesNoControlCharacter) {
  EXPECT_EQ(printable("a\x1b[2Jb\tc\rd"), "a?[2Jb  c?d");
  EXPECT_EQ(printable("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
}

TEST(Clipped, NeverSplitsACharacter) {
  EXPECT_EQ(clipped("abc", 3), "abc");
  EXPECT_EQ(clipped("abcd", 3), "ab…");
  EXPECT_EQ(clipped("äöüß", 3), "äö…");
}

TEST(Wrapped, BreaksAtSpacesAndIndents) {
  EXPECT_EQ(wrapped("aa bb cc", 7, "  "), "  aa bb\n  cc");
  EXPECT_EQ(wrapped("", 7, "  "), "  ");
  EXPECT_EQ(wrapped("averylongword x", 5, ""), "averylongword\nx");
}

TEST(SecondsView, ReadsAsAPersonWouldSayIt) {
  EXPECT_EQ(seconds_view(0.0042), "4.2 ms");
  EXPECT_EQ(seconds_view(0.85), "850 ms");
  EXPECT_EQ(seconds_view(4.2), "4.2 s");
  EXPECT_EQ(seconds_view(42), "42 s");
  EXPECT_EQ(seconds_view(125), "2 min 5 s");
}

TEST(ShortName, CutsInstanceIdsOnly) {
  EXPECT_EQ(short_name("i-0123456789abcdef0"), "i-01234567");
  EXPECT_EQ(short_name("lb-eu-west-1a"), "lb-eu-west-1a");
}

}  // namespace
}  // namespace rr::sim
