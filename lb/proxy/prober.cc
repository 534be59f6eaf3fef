#include "lb/proxy/prober.h"

#include <utility>

namespace rr {
namespace {
constexpr std::uint16_t kDefaultPort = 80;
}  // namespace

struct Prober::Running {
  ProbeDue due;
  Address logical;
  HttpClient client;
  Time started;
};

Prober::Prober(Loop& loop, ProbeListener& listener) : loop_(loop), listener_(listener) {}
Prober::~Prober() = default;

ProbeOutcome outcome_of(const Result<ClientResponse, ClientFailure>& result) {
  using Kind = ProbeOutcome::Kind;
  if (result) return {Kind::kAnswered, result->status};
  switch (result.error().kind) {
    case ClientFailure::Kind::kTimedOut:
      return {Kind::kTimedOut, 0};
    case ClientFailure::Kind::kConnectFailed:
      return {result.error().connect == ConnectFailure::kTimedOut ? Kind::kTimedOut : Kind::kConnectFailed, 0};
    case ClientFailure::Kind::kReset:
      return {Kind::kConnectFailed, 0};
    case ClientFailure::Kind::kClosed:
    case ClientFailure::Kind::kMalformed:
      return {Kind::kMalformed, 0};
  }
  return {Kind::kMalformed, 0};
}

ClientRequest probe_request(const Address& logical, const HealthCheck& check) {
  ClientRequest request;
  request.target = check.path;
  request.headers = {
      {"Host", logical.port == kDefaultPort && logical.family == Address::Family::kV4 ? format_ip(logical)
                                                                                      : format_address(logical)},
      {"User-Agent", "ELB-HealthChecker/2.0"},
      {"Accept-Encoding", "gzip, compressed"}};
  return request;
}

void Prober::probe(const ProbeDue& due, const ProbeAddresses& addresses, const HealthCheck& check) {
  HttpClient::Settings settings;
  settings.timeout = check.timeout;
  settings.keep_alive = false;
  settings.keep_body = false;
  running_.push_back(std::unique_ptr<Running>(
      new Running{due, addresses.logical, HttpClient(loop_, Endpoint(addresses.wire), settings), loop_.now()}));
  Running* running = running_.back().get();
  running->client.send(probe_request(addresses.logical, check),
                       [this, running](Result<ClientResponse, ClientFailure> result) { done(running, result); });
}

void Prober::done(Running* running, const Result<ClientResponse, ClientFailure>& result) {
  const ProbeDue due = running->due;
  const ProbeOutcome outcome = outcome_of(result);
  const ProbeCourse course{running->started, loop_.now() - running->started,
                           running->client.local().value_or(Address()), running->logical};
  const bool not_made = !result && result.error().kind == ClientFailure::Kind::kConnectFailed &&
                        result.error().connect == ConnectFailure::kLimit;
  std::erase_if(running_, [&](const auto& one) { return one.get() == running; });
  if (not_made) {
    listener_.on_probe_not_made(due, course);
  } else {
    listener_.on_probe(due, outcome, course);
  }
}

}  // namespace rr
