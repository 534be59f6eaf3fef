#pragma once
// Regular expressions of rules and transforms. AWS documents what they cannot do (look around, refer back, atomic
// groups, possessive quantifiers, subroutines, recursion, \p{...}), which is what RE2 cannot do or is refused here; the
// time is linear in the text and the memory bounded, whoever wrote the expression.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lb/base/result.h"

namespace rr {

/// A compiled expression. Part of immutable rules; matching it from one thread needs no lock.
class RuleRegex {
 public:
  /// Memory of one expression, program and cached states together. The rules of a load balancer hold 500 at most.
  static constexpr std::int64_t kMaximumMemory = 256 * 1024;

  /// The error says what is wrong with the expression, without the expression itself. Upper and lower case differ
  /// unless `ignore_case`. Bytes, not UTF-8: AWS compares visible ASCII only.
  static Result<RuleRegex> compile(std::string_view expression, bool ignore_case);
  ~RuleRegex();
  RuleRegex(RuleRegex&&) noexcept;
  RuleRegex& operator=(RuleRegex&&) noexcept;

  /// Whether it matches anywhere in the text; ^ and $ hold it to the ends. (AWS does not say; its examples have both.)
  bool matches(std::string_view text) const;
  /// Capturing groups.
  int groups() const;

  /// The text with what matched first replaced; $0 is all that matched, $1 ... $9 the groups (empty when one took no
  /// part), $$ a dollar. Nothing when the expression does not match. The result may have any length.
  std::optional<std::string> replace(std::string_view text, std::string_view replacement) const;

 private:
  struct Compiled;
  explicit RuleRegex(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

/// The highest group that a replacement names, 0 when it names none.
int highest_group(std::string_view replacement);

}  // namespace rr
