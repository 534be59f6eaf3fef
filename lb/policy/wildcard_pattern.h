#pragma once
// Patterns with * (any characters, also none) and ? (exactly one), as the conditions of listener rules have them.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rr {

/// Compiled once, matched in one pass over the text whatever the pattern: a client that chooses the text cannot make
/// it go back. The automaton has a state between any two characters of the pattern, a bit each:
///
///     pattern  /a*b?        states  0 '/' 1 'a' 2(*) 'b' 3 any 4
///     a step   reached = (reached & accepts[c]) << 1 | (reached & stars)
class WildcardPattern {
 public:
  /// Characters of a pattern, beyond which it may not be made (the conditions' own limit is lower).
  static constexpr std::size_t kMaximumLength = 191;

  struct Options {
    bool ignore_case = false;  // of ASCII letters
    bool escapes = false;      // \* and \? are the characters themselves
  };
  WildcardPattern(std::string_view pattern, Options options);

  /// The whole text. Never allocates.
  bool matches(std::string_view text) const;

  /// Wildcards in a pattern.
  static std::size_t wildcards(std::string_view pattern, bool escapes);

 private:
  static constexpr std::size_t kWords = 3;
  using States = std::array<std::uint64_t, kWords>;

  bool equals(std::string_view text) const;
  /// The class of a character that the pattern names; a new one the first time.
  std::uint8_t class_for(char named);
  static void set(States& states, std::size_t bit) { states[bit / 64] |= std::uint64_t{1} << (bit % 64); }
  static bool is_set(const States& states, std::size_t bit) { return (states[bit / 64] >> (bit % 64) & 1) != 0; }

  bool ignore_case_;
  bool literal_ = true;
  std::string text_;       // of a pattern without wildcards, and then all there is
  std::size_t last_ = 0;   // the state that accepts
  std::size_t words_ = 1;  // as many as the states need
  States stars_{};         // states that stay reached, whatever comes
  std::array<std::uint8_t, 256> class_of_{};
  std::vector<States> accepts_;  // by class: the states from which such a character leads on
};

}  // namespace rr
