#include "webapp/app/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lb/http/start_line.h"
#include "webapp/app/page.h"
#include "webapp/app/query.h"

namespace rr::webapp {
namespace {

constexpr std::string_view kPlain = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";

struct Call {
  const Request& request;
  const Situation& situation;
  const Query& query;
};

Answer text(int status, std::string_view content_type, std::string body) {
  return {.status = status,
          .headers = {{"Content-Type", std::string(content_type)}, {"Cache-Control", "no-store"}},
          .body = std::move(body),
          .delay = {},
          .hang = false,
          .faults = std::nullopt};
}

Answer refusal(int status, std::string_view why) { return text(status, kPlain, fmt::format("{}\n", why)); }

Answer front_page(const Call& call) { return text(200, "text/html", page(call.situation.identity)); }

Answer health(const Call& call) {
  if (call.situation.stopping) return refusal(503, "stopping");
  if (call.situation.faults.unhealthy) return refusal(503, "unhealthy, as /fault was asked");
  return text(200, kPlain, "ok\n");
}

Answer version(const Call& call) {
  return text(200, kJson, version_document(call.situation.identity, to_seconds(call.situation.uptime)));
}

/// The one parameter that a path takes.
Result<std::uint64_t> only_number(const Query& query, std::string_view path, std::string_view name,
                                  std::string_view example, std::uint64_t most) {
  if (query.size() != 1 || query.front().first != name) {
    return Error{fmt::format("{} takes {} and nothing else: {}?{}={}", path, name, path, name, example)};
  }
  return parse_whole_number(name, query.front().second, 0, most);
}

Answer delayed(const Call& call) {
  const std::uint64_t most = static_cast<std::uint64_t>(kMostDelay / kMillisecond);
  const auto milliseconds = only_number(call.query, "/delay", "ms", "50", most);
  if (!milliseconds.ok()) return refusal(400, milliseconds.error().message);
  Answer made = text(200, kPlain, fmt::format("waited {} ms\n", *milliseconds));
  made.delay = static_cast<std::int64_t>(*milliseconds) * kMillisecond;
  return made;
}

/// A pattern, so that a byte lost or doubled on the way is seen.
std::string pattern(std::size_t size) {
  constexpr std::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::string out;
  out.reserve(size);
  while (out.size() < size) out += kAlphabet.substr(0, size - out.size());
  return out;
}

Answer some_bytes(const Call& call) {
  const auto size = only_number(call.query, "/bytes", "n", "1000", kMostBytes);
  if (!size.ok()) return refusal(400, size.error().message);
  if (call.request.method != "HEAD") return text(200, "application/octet-stream", pattern(*size));
  Answer made = text(200, "application/octet-stream", "");
  made.headers.emplace_back("Content-Length", std::to_string(*size));
  return made;
}

Answer echo(const Call& call) {
  const std::string_view type = call.request.content_type;
  return text(200, type.empty() ? "application/octet-stream" : type, std::string(call.request.body));
}

Answer fault(const Call& call) {
  const Result<Faults> faults = changed_faults(call.situation.faults, call.query);
  if (!faults.ok()) return refusal(400, faults.error().message);
  Answer made = text(200, kJson, faults_document(*faults));
  if (call.request.method != "HEAD") made.faults = *faults;  // HEAD only looks
  return made;
}

struct Route {
  std::string_view path;
  std::string_view allow;
  Answer (*make)(const Call&);
};

constexpr std::array kRoutes = {
    Route{"/", "GET, HEAD, OPTIONS", front_page},
    Route{"/healthz", "GET, HEAD, OPTIONS", health},
    Route{"/version", "GET, HEAD, OPTIONS", version},
    Route{"/delay", "GET, HEAD, OPTIONS", delayed},
    Route{"/bytes", "GET, HEAD, OPTIONS", some_bytes},
    Route{"/echo", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS", echo},
    Route{"/fault", "GET, HEAD, POST, OPTIONS", fault},
};

bool allows(std::string_view allow, std::string_view method) {
  while (!allow.empty()) {
    const std::size_t end = allow.find(", ");
    if (allow.substr(0, end) == method) return true;
    allow.remove_prefix(end == std::string_view::npos ? allow.size() : end + 2);
  }
  return false;
}

Answer allowed_methods(int status, std::string_view allow) {
  Answer made = status == 204 ? Answer{} : refusal(status, fmt::format("this path takes {}", allow));
  made.status = status;
  made.headers.emplace_back("Allow", std::string(allow));
  return made;
}

struct Target {
  std::string_view path;
  std::string_view query;
};

Target split(std::string_view target) {
  if (const auto absolute = split_absolute_target(target)) target = absolute->rest;
  const std::size_t mark = target.find('?');
  Target parts{target.substr(0, mark), {}};
  if (mark != std::string_view::npos) parts.query = target.substr(mark + 1);
  if (parts.path.empty()) parts.path = "/";
  return parts;
}

Answer routed(const Request& request, const Target& target, const Situation& situation) {
  if (target.path == "*") return allowed_methods(204, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  const auto route =
      std::find_if(kRoutes.begin(), kRoutes.end(), [&](const Route& one) { return one.path == target.path; });
  if (route == kRoutes.end()) return refusal(404, "there is nothing here");
  if (target.path == "/fault" && !situation.faults_allowed) {
    return refusal(404, "there is nothing here; start rr-webapp with --faults on to have it");
  }
  if (request.method == "OPTIONS") return allowed_methods(204, route->allow);
  if (!allows(route->allow, request.method)) return allowed_methods(405, route->allow);
  const Result<Query> query = parse_query(target.query);
  if (!query.ok()) return refusal(400, query.error().message);
  return route->make({request, situation, *query});
}

}  // namespace

Answer answer(const Request& request, const Situation& situation, Rng& chance) {
  const Target target = split(request.target);
  Answer made = routed(request, target, situation);
  if (target.path == "/fault") return made;
  const Faults& faults = situation.faults;
  const bool spoiled = faults.error_percent > 0 && target.path != "/healthz" &&
                       chance.below(100) < static_cast<std::uint64_t>(faults.error_percent);
  if (spoiled) made = refusal(faults.error_status, "an error, as /fault was asked");
  made.delay += faults.slow;
  made.hang = faults.hang;
  return made;
}

}  // namespace rr::webapp
