#include "lb/http/characters.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>

namespace rr {
namespace {

// Sixteen bytes are looked at in one step and the rest one by one, so each byte stands at each place of lines that take
// none, one and two steps. The text is a copy of its own: what reads behind its end is found by the address sanitizer.
template <class Check>
void at_each_place(Check check) {
  for (std::size_t size = 1; size <= 35; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'a');
        text.shrink_to_fit();
        text[at] = static_cast<char>(byte);
        check(text, at, static_cast<char>(byte));
      }
    }
  }
}

TEST(Characters, FindsTheFirstControlByteAtAnyPlace) {
  at_each_place([](const std::string& text, std::size_t at, char byte) {
    const char* const end = text.data() + text.size();
    const char* const expected = is_control(byte) ? text.data() + at : end;
    ASSERT_EQ(find_control(text.data(), end) - text.data(), expected - text.data())
        << static_cast<int>(byte) << " at " << at;
    ASSERT_EQ(has_control(text), is_control(byte));
  });
  EXPECT_FALSE(has_control(""));
}

TEST(Characters, FindsTheFirstOfSeveralControlBytes) {
  const std::string text = "0123456789\tabc\rdefghijklmnop\nq";
  EXPECT_EQ(find_control(text.data(), text.data() + text.size()) - text.data(), 14);
  EXPECT_EQ(find_control(text.data() + 15, text.data() + text.size()) - text.data(), 28);
}

TEST(Characters, KnowsPlainNamesAtAnyPlace) {
  at_each_place([](const std::string& text, std::size_t at, char byte) {
    const char* const end = text.data() + text.size();
    const char* const expected = is_plain_char(byte) ? end : text.data() + at;
    ASSERT_EQ(find_not_plain(text.data(), end) - text.data(), expected - text.data())
        << static_cast<int>(byte) << " at " << at;
    ASSERT_EQ(is_plain_name(text), is_plain_char(byte));
  });
  EXPECT_FALSE(is_plain_name(""));
}

TEST(Characters, FindsWhatIsEscapedInQuotesAtAnyPlace) {
  at_each_place([](const std::string& text, std::size_t at, char byte) {
    const auto value = static_cast<unsigned char>(byte);
    const bool escaped = value < 0x20 || value == 0x7F || byte == '"' || byte == '\\';
    ASSERT_EQ(is_escaped_in_quotes(byte), escaped);
    const char* const end = text.data() + text.size();
    ASSERT_EQ(find_escaped_in_quotes(text.data(), end) - text.data(),
              escaped ? static_cast<std::ptrdiff_t>(at) : static_cast<std::ptrdiff_t>(text.size()))
        << static_cast<int>(byte) << " at " << at;
  });
  EXPECT_EQ(find_escaped_in_quotes(nullptr, nullptr), nullptr);
}

TEST(Characters, FindsTheFirstOfTwoWhereTheStepsOverlap) {
  for (std::size_t size = 1; size <= 35; ++size) {
    for (std::size_t first = 0; first < size; ++first) {
      for (std::size_t second = first; second < size; ++second) {
        std::string text(size, 'a');
        text.shrink_to_fit();
        text[first] = text[second] = '\r';
        ASSERT_EQ(find_control(text.data(), text.data() + size), text.data() + first) << size << " " << second;
      }
    }
  }
}

TEST(Characters, PlainOnesAreLettersDigitsAndTheHyphen) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool plain = (byte < 128 && std::isalnum(byte) != 0) || c == '-';
    EXPECT_EQ(is_plain_char(c), plain) << byte;
    EXPECT_TRUE(!plain || is_token_char(c)) << byte;
  }
}

}  // namespace
}  // namespace rr
