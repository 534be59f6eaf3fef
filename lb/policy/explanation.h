#pragma once
// Why an answer is the load balancer's own, in one sentence for a person: which target, which connection, how long
// idle, who closed, what the settings were, and what to change. Text is made only when somebody asks.
#include <string>
#include <string_view>

#include "lb/base/address.h"
#include "lb/base/time.h"
#include "lb/policy/exchange_rules.h"
#include "lb/policy/settings.h"

namespace rr {

/// A target that ends a kept connection this soon after a request was sent on it has most likely ended it for its own
/// keep-alive; one that takes longer was at work on the request.
constexpr Duration kKeepAliveRace = kSecond;

/// The settings that a failure may follow from.
struct ExplainedSettings {
  Duration idle_timeout = std::chrono::seconds(60);
  Duration connect_timeout = std::chrono::seconds(10);
  bool operator==(const ExplainedSettings&) const = default;
};

/// Printable ASCII, no line end: it may stand in a header. `target` is its logical address, "" when none was chosen.
/// Empty when nothing is to be explained: a response was relayed to its end, or a rule answered.
std::string explain(const ExchangeRecord& record, std::string_view target, const ExplainedSettings& settings);

/// Whether this client is told in X-RR-Explain. `peer` is the TCP peer; a Unix socket's is no loopback address.
bool may_be_told(ExplainTo who, const Address& peer);

/// A span as a sentence says it: "5.0 s", "250 ms", "0.4 ms", "60 s". Precise enough to compare with a setting, and
/// never in minutes.
std::string span_text(Duration span);

}  // namespace rr
