#include "lb/policy/condition_validation.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "lb/base/request_view.h"
#include "lb/policy/cidr_block.h"
#include "lb/policy/rule_regex.h"
#include "lb/policy/setting_errors.h"
#include "lb/policy/wildcard_pattern.h"

namespace rr {
namespace {

constexpr std::string_view kNamePunctuation = "-.*?";
constexpr std::string_view kPathPunctuation = "_-.$/~\"'@:+&*?";
constexpr std::string_view kTokenPunctuation = "!#$%&'+-.^_`|~";  // RFC 9110 section 5.6.2 without the wildcard

// In the order of RuleCondition.
constexpr std::array<std::string_view, 6> kFields{"host-header",         "path-pattern", "http-header",
                                                  "http-request-method", "query-string", "source-ip"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_alphanumeric(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }
bool is_printable(char c) { return c >= ' ' && c <= '~'; }
bool is_one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }
bool all_of(std::string_view text, auto predicate) { return std::all_of(text.begin(), text.end(), predicate); }

/// The conditions of one rule, and what counts for the rule as a whole.
class ConditionChecker {
 public:
  std::vector<SettingError> check(std::span<const RuleCondition> conditions) {
    if (conditions.empty()) errors_.add("conditions", "a rule needs a condition: 1 or more (ValidationError)");
    std::array<bool, kFields.size()> seen{};
    for (std::size_t i = 0; i < conditions.size(); ++i) {
      at_ = fmt::format("conditions[{}]", i);
      const std::size_t kind = conditions[i].index();
      const bool several = std::holds_alternative<HttpHeaderCondition>(conditions[i]) ||
                           std::holds_alternative<QueryStringCondition>(conditions[i]);
      if (seen[kind] && !several) {
        errors_.add(at_ + ".field",
                    fmt::format("'{}' comes twice: a rule can have one (ValidationError)", kFields[kind]));
      }
      seen[kind] = true;
      std::visit([this](const auto& condition) { look_at(condition); }, conditions[i]);
    }
    if (values_ > kMaximumConditionValues) {
      errors_.add("conditions", fmt::format("A rule can only have '{}' condition values (ValidationError), this one "
                                            "has {}",
                                            kMaximumConditionValues, values_));
    }
    if (wildcards_ > kMaximumWildcards) {
      errors_.add("conditions", fmt::format("A rule can only have '{}' wildcards (TooManyWildcards), this one has {}",
                                            kMaximumWildcards, wildcards_));
    }
    return errors_.take();
  }

 private:
  void look_at(const HostHeaderCondition& condition) {
    look_at_patterns(condition.values, condition.regex_values, [this](const std::string& field, std::string_view host) {
      const auto good = [](char c) { return is_alphanumeric(c) || is_one_of(c, kNamePunctuation); };
      if (!characters(field, host, good, "letters, digits, - . * and ?")) return;
      const std::size_t dot = host.rfind('.');
      if (dot == std::string_view::npos) {
        errors_.add(field, fmt::format("{} has no dot: a host name has at least one (ValidationError)", shown(host)));
      } else if (dot + 1 == host.size() || !all_of(host.substr(dot + 1), is_letter)) {
        errors_.add(field, fmt::format("{}: only letters may follow the last dot (ValidationError)", shown(host)));
      }
    });
  }
  void look_at(const PathPatternCondition& condition) {
    look_at_patterns(condition.values, condition.regex_values, [this](const std::string& field, std::string_view path) {
      const auto good = [](char c) { return is_alphanumeric(c) || is_one_of(c, kPathPunctuation); };
      characters(field, path, good, "letters, digits and _ - . $ / ~ \" ' @ : + & * ?");
    });
  }
  void look_at(const HttpHeaderCondition& condition) {
    const std::string field = at_ + ".name";
    const auto good = [](char c) { return is_alphanumeric(c) || is_one_of(c, kTokenPunctuation); };
    if (length(field, condition.name, kMaximumHeaderName) &&
        characters(field, condition.name, good, "those of a header's name, no wildcards") &&
        equals_ignoring_case(condition.name, "host")) {
      errors_.add(field, fmt::format("{} has a condition of its own: field: host-header (ValidationError)",
                                     shown(condition.name)));
    }
    look_at_patterns(condition.values, condition.regex_values,
                     [this](const std::string& value_field, std::string_view value) {
                       characters(value_field, value, is_printable, "visible ASCII and the space");
                     });
  }
  void look_at(const HttpRequestMethodCondition& condition) {
    count(condition.values.size());
    for (std::size_t i = 0; i < condition.values.size(); ++i) {
      const std::string field = fmt::format("{}.values[{}]", at_, i);
      if (!length(field, condition.values[i], kMaximumMethod)) continue;
      characters(
          field, condition.values[i], [](char c) { return is_upper(c) || c == '-' || c == '_'; },
          "upper-case letters, - and _; wildcards are not supported");
    }
  }
  void look_at(const QueryStringCondition& condition) {
    count(condition.values.size());
    for (std::size_t i = 0; i < condition.values.size(); ++i) {
      const std::string field = fmt::format("{}.values[{}]", at_, i);
      const QueryStringValue& pair = condition.values[i];
      if (pair.key) look_at_query(field + ".key", *pair.key);
      look_at_query(field + ".value", pair.value);
    }
  }
  void look_at_query(const std::string& field, const std::string& text) {
    wildcards_ += WildcardPattern::wildcards(text, true);
    if (length(field, text, kMaximumConditionValue)) characters(field, text, is_printable, "visible ASCII");
  }
  void look_at(const SourceIpCondition& condition) {
    count(condition.values.size());
    for (std::size_t i = 0; i < condition.values.size(); ++i) {
      const std::string field = fmt::format("{}.values[{}]", at_, i);
      const std::string& value = condition.values[i];
      if (const auto block = parse_cidr(value); !block) {
        errors_.add(field, fmt::format("{} {} (ValidationError)", shown(value), block.error().message));
      } else if (value == "255.255.255.255/32") {
        errors_.add(field,
                    fmt::format("{} is the broadcast address, which no client has (ValidationError)", shown(value)));
      }
    }
  }

  /// Either list; `look` is called for each value with wildcards.
  template <class Look>
  void look_at_patterns(const std::vector<std::string>& values, const std::vector<std::string>& expressions,
                        Look look) {
    count(values.size() + expressions.size());
    if (!values.empty() && !expressions.empty()) {
      errors_.add(at_, "has both values and regex_values: write one of them (ValidationError)");
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string field = fmt::format("{}.values[{}]", at_, i);
      wildcards_ += WildcardPattern::wildcards(values[i], false);
      if (length(field, values[i], kMaximumConditionValue)) look(field, values[i]);
    }
    for (std::size_t i = 0; i < expressions.size(); ++i) {
      const std::string field = fmt::format("{}.regex_values[{}]", at_, i);
      if (!length(field, expressions[i], kMaximumConditionValue)) continue;
      if (const auto compiled = RuleRegex::compile(expressions[i], false); !compiled) {
        errors_.add(field, fmt::format("{} is not an expression that is supported: {} (ValidationError)",
                                       shown(expressions[i]), one_line(compiled.error().message)));
      }
    }
  }

  void count(std::size_t values) {
    values_ += values;
    if (values == 0) errors_.add(at_ + ".values", "has no value: 1 or more (ValidationError)");
  }

  bool length(const std::string& field, std::string_view text, std::size_t limit) {
    if (!text.empty() && text.size() <= limit) return true;
    errors_.add(field, fmt::format("{} has {} characters: 1 to {} (ValidationError)", shown(text), text.size(), limit));
    return false;
  }

  template <class Good>
  bool characters(const std::string& field, std::string_view text, Good good, std::string_view right) {
    if (all_of(text, good)) return true;
    errors_.add(field, fmt::format("Condition value {} contains a character that is not valid (ValidationError): {}",
                                   shown(text), right));
    return false;
  }

  SettingErrors errors_;
  std::string at_;
  std::size_t values_ = 0;
  std::size_t wildcards_ = 0;
};

}  // namespace

std::vector<SettingError> validate_conditions(std::span<const RuleCondition> conditions) {
  return ConditionChecker().check(conditions);
}

}  // namespace rr
