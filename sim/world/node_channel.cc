#include "sim/world/node_channel.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace rr::sim {

namespace {

constexpr Duration kAnswerTimeout = std::chrono::seconds(2);
constexpr Duration kFirstTry = std::chrono::milliseconds(10);
/// A node that has just been started opens its socket within milliseconds.
constexpr Duration kRetry = std::chrono::milliseconds(25);
constexpr Duration kDefaultInterval = std::chrono::milliseconds(500);

HttpClient::Settings client_settings() {
  HttpClient::Settings settings;
  settings.timeout = kAnswerTimeout;
  return settings;
}

}  // namespace

NodeChannel::NodeChannel(Loop& loop, std::string node, const UnixPath& admin, NodeChannelEvents& events)
    : node_(std::move(node)),
      events_(events),
      client_(loop, Endpoint(admin), client_settings()),
      timer_(loop, [this] { next(); }),
      interval_(kDefaultInterval) {
  timer_.arm(kFirstTry);
}

void NodeChannel::want(std::uint64_t generation, std::string document) {
  wanted_ = generation;
  document_ = std::move(document);
  if (!client_.busy()) timer_.arm(Duration{});
}

void NodeChannel::next() {
  if (client_.busy()) return;  // its answer arms the timer
  if (wanted_ > reached_ && wanted_ != refused_) {
    put();
  } else {
    observe();
  }
}

void NodeChannel::put() {
  asked_ = wanted_;
  ClientRequest request;
  request.method = "PUT";
  request.target = "/desired";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = document_;
  client_.send(std::move(request), [this](const Result<ClientResponse, ClientFailure>& answer) { take_put(answer); });
}

void NodeChannel::observe() {
  ClientRequest request;
  request.target = fmt::format("/observed?drains_since={}", drains_cursor_);
  client_.send(std::move(request),
               [this](const Result<ClientResponse, ClientFailure>& answer) { take_observation(answer); });
}

void NodeChannel::take_put(const Result<ClientResponse, ClientFailure>& answer) {
  timer_.arm(kRetry);
  if (!answer) return;
  const ClientResponse& response = answer.value();
  if (response.status == 200) {
    reached_ = asked_;
    timer_.arm(Duration{});  // see at once what it makes of it
  } else if (response.status == 400) {
    refused_ = asked_;
    events_.on_refusal(node_, response.body);
  }
}

void NodeChannel::take_observation(const Result<ClientResponse, ClientFailure>& answer) {
  timer_.arm(reached_ > 0 ? interval_ : kRetry);
  if (!answer || answer.value().status != 200) return;
  const auto seen = parse_observation(answer.value().body);
  if (!seen) return;
  reached_ = seen->generation;  // a node that forgot everything is told again
  if (wanted_ > reached_ && wanted_ != refused_) timer_.arm(Duration{});
  drains_cursor_ = std::max(drains_cursor_, seen->drains_cursor);
  events_.on_observation(node_, *seen, answer.value().body);
}

}  // namespace rr::sim
