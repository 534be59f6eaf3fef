#include "lb/policy/rule_regex.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "lb/base/check.h"

namespace rr {
namespace {

constexpr int kMaximumGroup = 9;

/// RE2 knows classes of Unicode characters (\p{Greek}, \pN), AWS's expressions do not.
bool names_unicode_class(std::string_view expression) {
  bool quoted = false;  // between \Q and \E a \p is text
  for (std::size_t i = 0; i + 1 < expression.size(); ++i) {
    if (expression[i] != '\\') continue;
    const char next = expression[++i];
    if (!quoted && (next == 'p' || next == 'P')) return true;
    if (next == 'Q') quoted = true;
    if (next == 'E') quoted = false;
    if (quoted && next == '\\') --i;  // in quotes a backslash does not take the next one with it
  }
  return false;
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

/// Calls `on_text` for runs of text and `on_group` for $0 ... $9.
template <class OnText, class OnGroup>
void walk_replacement(std::string_view replacement, OnText on_text, OnGroup on_group) {
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    const char next = i + 1 < replacement.size() ? replacement[i + 1] : '\0';
    if (replacement[i] == '$' && next >= '0' && next <= '9') {
      on_group(next - '0');
      ++i;
      continue;
    }
    if (replacement[i] == '$' && next == '$') ++i;
    on_text(replacement[i]);
  }
}

}  // namespace

struct RuleRegex::Compiled {
  Compiled(std::string_view expression, const re2::RE2::Options& options) : re(piece(expression), options) {}
  re2::RE2 re;
};

RuleRegex::RuleRegex(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
RuleRegex::~RuleRegex() = default;
RuleRegex::RuleRegex(RuleRegex&&) noexcept = default;
RuleRegex& RuleRegex::operator=(RuleRegex&&) noexcept = default;

Result<RuleRegex> RuleRegex::compile(std::string_view expression, bool ignore_case) {
  if (names_unicode_class(expression)) return Error{"\\p and \\P, classes of Unicode characters, are not supported"};
  re2::RE2::Options options(re2::RE2::Latin1);
  options.set_log_errors(false);
  options.set_case_sensitive(!ignore_case);
  options.set_max_mem(kMaximumMemory);
  auto compiled = std::make_unique<Compiled>(expression, options);
  if (!compiled->re.ok()) return Error{compiled->re.error()};
  return RuleRegex(std::move(compiled));
}

bool RuleRegex::matches(std::string_view text) const {
  return compiled_->re.Match(piece(text), 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

int RuleRegex::groups() const { return compiled_->re.NumberOfCapturingGroups(); }

std::optional<std::string> RuleRegex::replace(std::string_view text, std::string_view replacement) const {
  std::array<re2::StringPiece, kMaximumGroup + 1> found;
  const int wanted = std::min(groups(), kMaximumGroup) + 1;
  if (!compiled_->re.Match(piece(text), 0, text.size(), re2::RE2::UNANCHORED, found.data(), wanted)) {
    return std::nullopt;
  }
  const auto begin = static_cast<std::size_t>(found[0].data() - text.data());
  std::string result(text.substr(0, begin));
  walk_replacement(
      replacement, [&](char c) { result += c; },
      [&](int group) {
        if (group < wanted)
          result.append(found[static_cast<std::size_t>(group)].data(), found[static_cast<std::size_t>(group)].size());
      });
  result += text.substr(begin + found[0].size());
  return result;
}

int highest_group(std::string_view replacement) {
  int highest = 0;
  walk_replacement(
      replacement, [](char) {}, [&](int group) { highest = std::max(highest, group); });
  return highest;
}

}  // namespace rr
