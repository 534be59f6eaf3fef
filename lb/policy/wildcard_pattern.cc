#include "lb/policy/wildcard_pattern.h"

#include <algorithm>

#include "lb/base/check.h"
#include "lb/base/request_view.h"

namespace rr {
namespace {

struct Element {
  enum class Kind : std::uint8_t { kCharacter, kOne, kAny };
  Kind kind;
  char character;
};

char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

std::vector<Element> read_elements(std::string_view pattern, bool escapes) {
  std::vector<Element> elements;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool escaped =
        escapes && pattern[i] == '\\' && i + 1 < pattern.size() && (pattern[i + 1] == '*' || pattern[i + 1] == '?');
    if (escaped) ++i;
    Element::Kind kind = Element::Kind::kCharacter;
    if (!escaped && pattern[i] == '*') kind = Element::Kind::kAny;
    if (!escaped && pattern[i] == '?') kind = Element::Kind::kOne;
    elements.push_back({kind, pattern[i]});
  }
  return elements;
}

}  // namespace

WildcardPattern::WildcardPattern(std::string_view pattern, Options options) : ignore_case_(options.ignore_case) {
  RR_CHECK(pattern.size() <= kMaximumLength, "a pattern is longer than its automaton");
  const std::vector<Element> elements = read_elements(pattern, options.escapes);
  for (const Element& element : elements) {
    literal_ = literal_ && element.kind == Element::Kind::kCharacter;
    text_ += element.character;
  }
  if (literal_) return;
  text_.clear();
  accepts_.emplace_back();  // class 0: the characters that the pattern does not name
  for (const Element& element : elements) {
    if (element.kind == Element::Kind::kCharacter) class_for(element.character);
  }
  for (const Element& element : elements) {
    if (element.kind == Element::Kind::kAny) {
      set(stars_, last_);
      continue;
    }
    if (element.kind == Element::Kind::kOne) {
      for (States& accepts : accepts_) set(accepts, last_);
    } else {
      set(accepts_[class_for(element.character)], last_);
    }
    ++last_;
  }
  words_ = last_ / 64 + 1;
}

std::uint8_t WildcardPattern::class_for(char named) {
  const char other_case = !ignore_case_ ? named : ascii_lower(named) == named ? ascii_upper(named) : ascii_lower(named);
  std::uint8_t& known = class_of_[static_cast<unsigned char>(named)];
  if (known == 0) {
    known = static_cast<std::uint8_t>(accepts_.size());
    class_of_[static_cast<unsigned char>(other_case)] = known;
    accepts_.emplace_back();
  }
  return known;
}

bool WildcardPattern::equals(std::string_view text) const {
  return ignore_case_ ? text.size() == text_.size() && equals_ignoring_case(text, text_) : text == text_;
}

bool WildcardPattern::matches(std::string_view text) const {
  if (literal_) return equals(text);
  States reached{1};
  for (const char c : text) {
    const States& accepts = accepts_[class_of_[static_cast<unsigned char>(c)]];
    std::uint64_t carry = 0, any = 0;
    for (std::size_t w = 0; w < words_; ++w) {
      const std::uint64_t steps = reached[w] & accepts[w];
      reached[w] = (steps << 1) | carry | (reached[w] & stars_[w]);
      carry = steps >> 63;
      any |= reached[w];
    }
    if (any == 0) return false;
  }
  return is_set(reached, last_);
}

std::size_t WildcardPattern::wildcards(std::string_view pattern, bool escapes) {
  const std::vector<Element> elements = read_elements(pattern, escapes);
  return static_cast<std::size_t>(std::count_if(elements.begin(), elements.end(), [](const Element& element) {
    return element.kind != Element::Kind::kCharacter;
  }));
}

}  // namespace rr
