#include "deploy/aws/client.h"

#include <fmt/format.h>

#include <ctime>

#include "deploy/aws/operations.h"
#include "deploy/aws/retry.h"
#include "deploy/settings/partition.h"

namespace rr::deploy {
namespace {

// More pages than any account has versions or alarms; an endpoint that hands out the same token for ever is stopped.
constexpr int kMostPages = 100;

/// The server's Date as seconds since 1970, for ages that must not depend on this machine's clock.
void note_time(HttpResponse& response, Time now) {
  double seconds = to_seconds(now.time_since_epoch());
  if (const auto date = response.headers.find("date"); date != response.headers.end()) {
    std::tm fields{};
    if (strptime(date->second.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &fields) != nullptr) {
      seconds = static_cast<double>(timegm(&fields));
    }
  }
  response.headers["x-rr-received"] = fmt::format("{:.3f}", seconds);
}

}  // namespace

Client::Client(const Surroundings& surroundings, std::string profile, bool profile_asked_for, std::string region,
               Rng chance, std::function<bool(Duration)> sleep)
    : surroundings_(surroundings),
      profile_(std::move(profile)),
      region_(std::move(region)),
      profiles_(read_profiles(surroundings)),
      credentials_(surroundings, profile_, profile_asked_for, region_),
      chance_(chance),
      sleep_(std::move(sleep)) {}

std::string Client::endpoint(const std::string& service) const {
  return endpoint_of(surroundings_, profiles_, profile_, service, region_);
}

Result<HttpResponse, Failure> Client::attempt(const ApiCall& call) {
  const auto credentials = credentials_.get();
  if (!credentials) return Failure{Failure::Kind::kExpired, "NoCredentials", credentials.error().message};
  HttpRequest request = call.request;
  request.url = endpoint(call.service) + request.url;
  const auto partition = partition_of(region_);
  request.signing =
      Signing{call.service, call.service == "iam" && partition ? partition->iam_region : region_, *credentials};
  auto response = surroundings_.send(request);
  if (!response) {
    return Failure{Failure::Kind::kTransient, "",
                   fmt::format("{}: {}: {}", call.action, endpoint(call.service), response.error().message)};
  }
  if (response->status >= 200 && response->status < 300) {
    note_time(*response, surroundings_.now());
    return std::move(*response);
  }
  Failure failure = read_failure(call, *response);
  if (failure.kind == Failure::Kind::kExpired) {
    failure.message += fmt::format(" (credentials of {})", credentials->source);
  }
  return failure;
}

Result<HttpResponse, Failure> Client::call(const ApiCall& call) {
  RR_CHECK(is_operation(call.service, call.action), call.action.c_str());
  bool renewed = false;
  for (int number = 1;; ++number) {
    auto result = attempt(call);
    if (result) return result;
    const Failure& failure = result.error();
    // A session that has just ended may have a successor where this one came from.
    if (failure.kind == Failure::Kind::kExpired && failure.code != "NoCredentials" && !renewed) {
      renewed = true;
      credentials_.forget();
      continue;
    }
    const bool arrived_nowhere = !failure.code.empty();  // AWS said no, so it did nothing
    if (failure.kind != Failure::Kind::kTransient || (!call.repeatable && !arrived_nowhere)) return result;
    const auto delay = delay_after(number, chance_);
    if (!delay || !sleep_(*delay)) return result;
  }
}

Event Client::perform(const Command& command, const Places& places) {
  Reply whole;
  std::string page;
  for (int pages = 0; pages < kMostPages; ++pages) {
    const auto response = call(wording(command, places, page));
    if (!response) {
      if (auto reply = understand_failure(command, response.error())) return *reply;
      return response.error();
    }
    auto understood = understand(command, places, *response);
    if (!understood) return understood.error();
    if (pages == 0) {
      whole = std::move(understood->reply);
    } else {
      append(whole, std::move(understood->reply));
    }
    page = understood->next_page;
    if (page.empty()) return whole;
  }
  return Failure{Failure::Kind::kRefused, "", fmt::format("{}: more than {} pages", action_of(command), kMostPages)};
}

}  // namespace rr::deploy
