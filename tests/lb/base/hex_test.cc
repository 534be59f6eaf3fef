#include "lb/base/hex.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "lb/base/rng.h"

namespace rr {
namespace {

std::string hex(std::uint32_t value) {
  std::string text(8, '?');
  write_hex(text.data(), value);
  return text;
}

TEST(Hex, WritesEachDigitInEachPlace) {
  for (std::uint32_t digit = 0; digit < 16; ++digit) {
    for (unsigned place = 0; place < 8; ++place) {
      const std::uint32_t value = digit << (4 * place);
      EXPECT_EQ(hex(value), fmt::format("{:08x}", value));
    }
  }
}

TEST(Hex, WritesWhatFormatWrites) {
  EXPECT_EQ(hex(0x12345678), "12345678");
  EXPECT_EQ(hex(0xFEDCBA98), "fedcba98");
  Rng random(1);
  for (int round = 0; round < 10'000; ++round) {
    const auto value = static_cast<std::uint32_t>(random.next());
    ASSERT_EQ(hex(value), fmt::format("{:08x}", value));
  }
}

}  // namespace
}  // namespace rr
