#pragma once
// The conditions of one rule, compiled: whether they hold for a request.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lb/base/address.h"
#include "lb/base/request_view.h"
#include "lb/policy/cidr_block.h"
#include "lb/policy/listener_settings.h"
#include "lb/policy/request_parts.h"
#include "lb/policy/rule_regex.h"
#include "lb/policy/wildcard_pattern.h"

namespace rr {

/// What conditions are asked about: a request, its parts found once for all rules.
struct RuleSubject {
  const RequestView& request;
  const RequestParts& parts;
  std::string_view path;  // normalised
  Address client;         // the TCP peer
};

class RuleConditions {
 public:
  /// Of settings that have passed validate().
  explicit RuleConditions(const std::vector<RuleCondition>& conditions);

  /// All of them hold; of each condition one value is enough. Cheap kinds are asked first. Never allocates.
  bool hold(const RuleSubject& subject) const;

 private:
  /// Wildcards or expressions: one that matches is enough.
  struct Patterns {
    std::vector<WildcardPattern> wildcards;
    std::vector<RuleRegex> expressions;
    bool match(std::string_view text) const;
  };
  struct Host {
    Patterns patterns;
    bool holds(const RuleSubject& subject) const;
  };
  struct Path {
    Patterns patterns;
    bool holds(const RuleSubject& subject) const;
  };
  struct Header {
    std::string name;
    Patterns patterns;
    bool holds(const RuleSubject& subject) const;
  };
  struct Method {
    std::vector<std::string> methods;
    bool holds(const RuleSubject& subject) const;
  };
  struct QueryPair {
    std::vector<WildcardPattern> key;  // one, or none: any key
    WildcardPattern value;
  };
  struct Query {
    std::vector<QueryPair> pairs;
    bool holds(const RuleSubject& subject) const;
  };
  struct Source {
    std::vector<CidrBlock> blocks;
    bool holds(const RuleSubject& subject) const;
  };
  using Condition = std::variant<Method, Source, Host, Path, Query, Header>;  // the cheap ones first

  static Patterns compile(const std::vector<std::string>& values, const std::vector<std::string>& expressions,
                          bool ignore_case);
  struct Compile;

  std::vector<Condition> conditions_;
};

}  // namespace rr
