// A listener with rules of any text, and a request of any bytes: the rules are refused, or they choose, transform and
// redirect in bounded time (libFuzzer's own limit), the same each time and also after they were written and read again;
// what comes out may stand in a request line, a Host header or a Location.
//
// The input: a byte of choices, the listener as JSON up to a NUL, the request.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/check.h"
#include "lb/document/settings_document.h"
#include "lb/http/request_parser.h"
#include "lb/policy/listener_rules.h"
#include "lb/policy/redirect.h"

namespace {

constexpr std::size_t kGroups = 3;

rr::LoadBalancerSettings balancer_with(const rr::ListenerSettings& listener) {
  rr::LoadBalancerSettings settings;
  settings.listeners = {listener};
  for (const char* name : {"a", "b", "c"}) {
    rr::TargetGroupSettings group;
    group.name = name;
    settings.target_groups.push_back(group);
  }
  return settings;
}

std::optional<rr::ListenerSettings> read_listener(std::string_view json) {
  const auto document = rr::parse_json_document(json);
  if (!document) return std::nullopt;
  rr::ListenerSettings listener;
  rr::ConfigErrors errors;
  {
    rr::MapReader map(*document, "", "", errors);
    rr::read_fields(map, listener);
  }
  if (!errors.empty() || !rr::validate(balancer_with(listener)).empty()) return std::nullopt;
  return listener;
}

rr::ListenerSettings read_again(const rr::ListenerSettings& listener) {
  const auto again =
      read_listener(rr::to_json(listener).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  RR_CHECK(again.has_value(), "what was written can be read");
  RR_CHECK(*again == listener, "and says the same");
  return *again;
}

bool visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

void check_transforms(const rr::RuleTransforms& transforms, const rr::RequestParts& parts) {
  const rr::Transformed out = transforms.apply(parts), again = transforms.apply(parts);
  RR_CHECK(out.status == again.status && out.host == again.host && out.target == again.target, "the same each time");
  if (failed(out.status)) return;
  RR_CHECK(!out.host || rr::is_host(*out.host), "a host");
  RR_CHECK(!out.target || rr::is_origin_target(*out.target), "a target");
}

void check_redirect(const rr::RedirectAction& action, const rr::RequestParts& parts) {
  const auto location = rr::redirect_location(action, {"http", parts.host, "80", parts.path, parts.query});
  if (!location) return;
  RR_CHECK(location->size() <= rr::kMaximumRedirectUrl, "8 K at most");
  RR_CHECK(visible(*location), "nothing that could end the header");
  RR_CHECK(location->find("://") != std::string::npos, "an absolute URL");
}

void check_choice(const rr::ListenerRules& rules, const rr::ListenerSettings& listener, const rr::RuleInput& input) {
  const rr::RuleChoice choice = rules.match(input), again = rules.match(input);
  RR_CHECK(choice.rule == again.rule && choice.action == again.action && choice.evaluated == again.evaluated,
           "the same each time");
  RR_CHECK(choice.action != nullptr && choice.evaluated <= listener.rules.size(), "each rule is asked once at most");
  const bool of_a_rule = std::any_of(listener.rules.begin(), listener.rules.end(),
                                     [&](const rr::RuleSettings& one) { return one.priority == choice.priority; });
  RR_CHECK(choice.priority == 0 || of_a_rule, "the priority of a rule, or the default action's");
  rr::Rng one(7), other(7);
  const auto group = rules.draw(choice, one);
  RR_CHECK(group == rules.draw(choice, other), "chance is an argument");
  RR_CHECK(group.has_value() == std::holds_alternative<rr::ForwardAction>(*choice.action), "to forward is to a group");
  RR_CHECK(!group || *group < kGroups, "one of the groups");
  const rr::RequestParts parts = rr::split_request(input.request);
  if (choice.transforms != nullptr) check_transforms(*choice.transforms, parts);
  if (const auto* redirect = std::get_if<rr::RedirectAction>(choice.action)) check_redirect(*redirect, parts);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t end = std::min(text.find('\0'), text.size());
  const auto listener = read_listener(text.substr(0, end));
  if (!listener) return 0;
  const rr::LoadBalancerSettings settings = balancer_with(*listener);
  const rr::ListenerRules rules(*listener, settings.target_groups);
  const rr::ListenerRules same(read_again(*listener), settings.target_groups);

  rr::RequestParser parser(rr::kAlbRequestLimits, rr::Reading::kTolerant);
  const std::string_view request = text.substr(std::min(end + 1, text.size()));
  if (parser.next(request).kind != rr::ParseStep::Kind::kHead || parser.head().unsafe) return 0;
  const rr::Address v6 = *rr::parse_address("[2001:db8::7]:41522"), v4 = rr::Address::v4(203, 0, 113, data[0], 41522);
  const rr::RuleInput input{parser.head().view, (data[0] & 1) != 0 ? v6 : v4};
  check_choice(rules, *listener, input);
  RR_CHECK(same.match(input).rule == rules.match(input).rule, "the same rules choose the same");
  return 0;
}
