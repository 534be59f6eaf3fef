#include "lb/base/base64.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace rr {
namespace {

std::span<const unsigned char> bytes_of(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

TEST(Base64, TheExamplesOfTheStandard) {
  // RFC 4648 section 10, and one with the two last characters of the alphabet.
  const struct {
    std::string_view plain, coded;
  } kTable[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
                {"\xfb\xef\xbe\xff\xff\xff", "++++////"}};
  for (const auto& row : kTable) {
    std::string coded;
    append_base64(coded, bytes_of(row.plain));
    EXPECT_EQ(coded, row.coded);
    EXPECT_EQ(coded.size(), base64_size(row.plain.size()));
    std::array<unsigned char, 6> out{};
    const auto size = read_base64(row.coded, out);
    ASSERT_TRUE(size.has_value()) << row.coded;
    EXPECT_EQ(std::string(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(*size)), row.plain);
  }
}

TEST(Base64, OneTextForOneValue) {
  std::array<unsigned char, 6> out{};
  for (const std::string_view wrong : {"Zg", "Zg=", "Zg===", "=Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm9v\n", "Zm 9",
                                       "Zm9-", "Zm9_", "Zm9%", "Zg%3D%3D", "\"Zm9v\"", "Zm9\x80", "Zg==Zg=="}) {
    EXPECT_EQ(read_base64(wrong, out), std::nullopt) << wrong;
  }
  EXPECT_EQ(read_base64("Zm9vYmFy", out), 6U);
  EXPECT_EQ(read_base64("Zm9vYmFyZg==", out), std::nullopt) << "seven bytes do not fit";
}

}  // namespace
}  // namespace rr
