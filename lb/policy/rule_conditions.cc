#include "lb/policy/rule_conditions.h"

#include <algorithm>

#include "lb/base/check.h"

namespace rr {

bool RuleConditions::Patterns::match(std::string_view text) const {
  return std::any_of(wildcards.begin(), wildcards.end(),
                     [&](const WildcardPattern& one) { return one.matches(text); }) ||
         std::any_of(expressions.begin(), expressions.end(), [&](const RuleRegex& one) { return one.matches(text); });
}

/// Names are compared without the port. An expression may ask for the port too: wildcards cannot hold a colon, and
/// users are told to write ^example\.com:8443$ as an expression instead.
bool RuleConditions::Host::holds(const RuleSubject& subject) const {
  if (patterns.match(subject.parts.host)) return true;
  if (patterns.expressions.empty() || subject.parts.host.size() == subject.parts.authority.size()) return false;
  return patterns.match(subject.parts.authority);
}

bool RuleConditions::Path::holds(const RuleSubject& subject) const { return patterns.match(subject.path); }

/// Any occurrence of a header that comes several times.
bool RuleConditions::Header::holds(const RuleSubject& subject) const {
  return std::any_of(subject.request.headers.begin(), subject.request.headers.end(), [&](const HeaderView& header) {
    return header.name.size() == name.size() && equals_ignoring_case(header.name, name) && patterns.match(header.value);
  });
}

bool RuleConditions::Method::holds(const RuleSubject& subject) const {
  return std::find(methods.begin(), methods.end(), subject.request.method) != methods.end();
}

/// Parameters are separated by &, a key from its value by the first =. Nothing is decoded.
bool RuleConditions::Query::holds(const RuleSubject& subject) const {
  std::string_view rest = subject.parts.query;
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    const std::string_view parameter = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const std::size_t equals = parameter.find('=');
    const std::string_view key = parameter.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : parameter.substr(equals + 1);
    for (const QueryPair& pair : pairs) {
      if ((pair.key.empty() || pair.key.front().matches(key)) && pair.value.matches(value)) return true;
    }
  }
  return false;
}

bool RuleConditions::Source::holds(const RuleSubject& subject) const {
  return std::any_of(blocks.begin(), blocks.end(),
                     [&](const CidrBlock& block) { return block.contains(subject.client); });
}

RuleConditions::Patterns RuleConditions::compile(const std::vector<std::string>& values,
                                                 const std::vector<std::string>& expressions, bool ignore_case) {
  Patterns patterns;
  for (const std::string& value : values) patterns.wildcards.emplace_back(value, WildcardPattern::Options{ignore_case});
  for (const std::string& expression : expressions) {
    auto compiled = RuleRegex::compile(expression, ignore_case);
    RR_CHECK(compiled.ok(), "an expression of a rule was not validated");
    patterns.expressions.push_back(std::move(*compiled));
  }
  return patterns;
}

/// What is compared without regard to case: host names, header values, query strings. Paths and methods are not.
struct RuleConditions::Compile {
  Condition operator()(const HostHeaderCondition& host) const {
    return Host{compile(host.values, host.regex_values, true)};
  }
  Condition operator()(const PathPatternCondition& path) const {
    return Path{compile(path.values, path.regex_values, false)};
  }
  Condition operator()(const HttpHeaderCondition& header) const {
    return Header{header.name, compile(header.values, header.regex_values, true)};
  }
  Condition operator()(const HttpRequestMethodCondition& method) const { return Method{method.values}; }
  Condition operator()(const QueryStringCondition& query) const {
    const WildcardPattern::Options options{.ignore_case = true, .escapes = true};
    Query compiled;
    for (const QueryStringValue& value : query.values) {
      QueryPair pair{{}, WildcardPattern(value.value, options)};
      if (value.key) pair.key.emplace_back(*value.key, options);
      compiled.pairs.push_back(std::move(pair));
    }
    return compiled;
  }
  Condition operator()(const SourceIpCondition& source) const {
    Source compiled;
    for (const std::string& value : source.values) {
      const auto block = parse_cidr(value);
      RR_CHECK(block.ok(), "an address block of a rule was not validated");
      compiled.blocks.push_back(*block);
    }
    return compiled;
  }
};

RuleConditions::RuleConditions(const std::vector<RuleCondition>& conditions) {
  for (const RuleCondition& condition : conditions) conditions_.push_back(std::visit(Compile{}, condition));
  std::stable_sort(conditions_.begin(), conditions_.end(),
                   [](const Condition& a, const Condition& b) { return a.index() < b.index(); });
}

bool RuleConditions::hold(const RuleSubject& subject) const {
  return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& condition) {
    return std::visit([&](const auto& one) { return one.holds(subject); }, condition);
  });
}

}  // namespace rr
