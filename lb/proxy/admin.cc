#include "lb/proxy/admin.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "lb/proxy/config_api.h"
#include "lb/proxy/crew.h"
#include "lb/proxy/fault_report.h"
#include "lb/proxy/metrics.h"
#include "lb/proxy/node.h"

namespace rr {
namespace {

using Json = nlohmann::ordered_json;

/// A configuration with 10,000 targets has about 2 MiB.
constexpr std::size_t kMaximumBody = 32 * 1024 * 1024;

bool reads(const HttpRequest& request) { return request.method == "GET" || request.method == "HEAD"; }

HttpResponse plain_error(int status, std::string message) {
  return error_response(status, {{"", "", "", std::move(message)}});
}

Json target_json(const TargetStatus& status, const TargetReport& counted) {
  Json json{{"id", status.spec.id},
            {"port", status.spec.address.port},
            {"address", format_address(status.spec.address)},
            {"wire", format_address(status.spec.wire)},
            {"zone", status.spec.zone},
            {"state", to_string(status.health.state)},
            {"reason", to_string(status.health.reason)},
            {"description", describe(status.health)},
            {"since", format_iso8601(status.since)},
            {"outstanding", counted.outstanding}};
  json["anomaly_detection"] = {{"result", status.anomalous ? "anomalous" : "normal"},
                               {"mitigation_in_effect", status.mitigation_in_effect ? "yes" : "no"}};
  json["administrative_override"] = to_string(status.administrative_override);
  if (status.drain_ends) json["drain_ends"] = format_iso8601(*status.drain_ends);
  const TargetCounters& counters = counted.counters;
  json["requests"] = counters.requests;
  json["status_2xx"] = counters.status_class[1];
  json["status_3xx"] = counters.status_class[2];
  json["status_4xx"] = counters.status_class[3];
  json["status_5xx"] = counters.status_class[4];
  json["connection_errors"] = counters.connection_errors;
  json["connections"] = counted.open;
  json["idle_connections"] = counted.idle;
  json["closed_while_idle"] = counted.keep_alive.early_closes();
  return json;
}

Json targets_json(const ServedGroup& group, const GroupReport& counted) {
  Json targets = Json::array();
  for (const TargetStatus& status : group.group().status()) {
    targets.push_back(target_json(status, counted.target(status.spec.id, status.spec.address.port)));
  }
  return targets;
}

Json group_json(const ServedGroup& group, const GroupReport& counted) {
  return {{"name", group.name()},
          {"failing_open", group.group().failing_open()},
          {"unhealthy_routing_requests", counted.unhealthy_routing_requests},
          {"targets", targets_json(group, counted)}};
}

Json listener_json(const Listener& listener, const BalancerReport& counted) {
  Json sockets = Json::array();
  for (const auto& socket : listener.sockets()) {
    sockets.push_back({{"socket", format_endpoint(socket->configured())},
                       {"address", format_endpoint(socket->actual())},
                       {"accepting", socket->accepting()}});
  }
  return {{"name", listener.name()},
          {"port", listener.port()},
          {"accepting", listener.accepting()},
          {"connections", counted.connections_of(listener.name())},
          {"sockets", std::move(sockets)}};
}

Json counters_json(const BalancerReport& counted) {
  const LoadBalancerCounters& counters = counted.counters;
  Json own = Json::object();
  for (std::size_t status = 0; status < counters.own_status.size(); ++status) {
    if (counters.own_status[status] > 0) own[std::to_string(status)] = counters.own_status[status];
  }
  return {{"connections_accepted", counters.connections_accepted},
          {"requests", counters.requests},
          {"requests_with_target", counted.totals.targets.requests},
          {"received_bytes", counters.received_bytes},
          {"sent_bytes", counters.sent_bytes},
          {"responses_truncated", counters.truncated},
          {"desync_non_compliant", counters.desync_non_compliant},
          {"dropped_invalid_header", counters.dropped_invalid_header},
          {"forwarded_invalid_header", counters.forwarded_invalid_header},
          {"non_sticky", counters.non_sticky},
          {"app_cookie_non_sticky", counters.app_cookie_non_sticky},
          {"own_responses", std::move(own)}};
}

Json dns_json(const DnsVerdict& verdict) {
  Json json{{"zone", verdict.zone}, {"in_dns", verdict.in_dns}, {"reason", to_string(verdict.reason)}};
  if (!verdict.target_group.empty()) json["target_group"] = verdict.target_group;
  return json;
}

/// This node's own zone, and what it thinks of all of them.
Json dns_json(const LoadBalancer& balancer) {
  Json json = dns_json(balancer.own_dns());
  json["zones"] = Json::array();
  for (const DnsVerdict& verdict : balancer.dns()) json["zones"].push_back(dns_json(verdict));
  return json;
}

Json balancer_json(const LoadBalancer& balancer, const BalancerReport& counted) {
  Json listeners = Json::array(), groups = Json::array();
  for (const auto& listener : balancer.listeners()) listeners.push_back(listener_json(*listener, counted));
  for (const auto& group : balancer.groups()) groups.push_back(group_json(*group, counted.group(group->name())));
  return {{"name", balancer.name()},           {"connections", counted.connections},
          {"dns", dns_json(balancer)},         {"counters", counters_json(counted)},
          {"listeners", std::move(listeners)}, {"target_groups", std::move(groups)}};
}

Json workers_json(const NodeReport& report) {
  Json workers = Json::array();
  for (const WorkerReport& one : report.workers) {
    workers.push_back({{"connections_accepted", one.connections_accepted}, {"requests", one.requests}});
  }
  return workers;
}

Json drains_json(const DrainLog& log, std::uint64_t since) {
  Json drains = Json::array();
  for (const DrainEnded& drain : log.drains()) {
    if (drain.cursor <= since) continue;
    drains.push_back({{"cursor", drain.cursor},
                      {"load_balancer", drain.load_balancer},
                      {"target_group", drain.target_group},
                      {"id", drain.id},
                      {"port", drain.port},
                      {"outcome", drain.expired ? "expired" : "completed"},
                      {"requests_cut", drain.requests_cut},
                      {"time", format_iso8601(drain.at)}});
  }
  return drains;
}

HttpResponse get_observed(const Node& node, const NodeReport& report, std::string_view query) {
  std::uint64_t since = 0;
  if (!query.empty()) {
    constexpr std::string_view kName = "drains_since=";
    const char* end = query.data() + query.size();
    const bool named = query.starts_with(kName);
    const auto [stop, error] = std::from_chars(query.data() + std::min(query.size(), kName.size()), end, since);
    if (!named || error != std::errc() || stop != end) {
      return plain_error(400, fmt::format("'{}': write drains_since= and the cursor of the last answer", query));
    }
  }
  Json balancers = Json::array();
  for (const auto& balancer : node.load_balancers()) {
    balancers.push_back(balancer_json(*balancer, report.balancer(balancer->name())));
  }
  return json_response(200, {{"generation", node.config().generation},
                             {"time", format_iso8601(node.loop().now())},
                             {"started", format_iso8601(node.started())},
                             {"stopping", node.stopping()},
                             {"workers", workers_json(report)},
                             {"load_balancers", std::move(balancers)},
                             {"drains", drains_json(node.drains(), since)},
                             {"drains_cursor", node.drains().last_cursor()}});
}

HttpResponse get_targets(const Node& node, const NodeReport& report) {
  Json groups = Json::array();
  for (const auto& balancer : node.load_balancers()) {
    for (const auto& group : balancer->groups()) {
      Json json = group_json(*group, report.balancer(balancer->name()).group(group->name()));
      json["load_balancer"] = balancer->name();
      json["in_dns"] = balancer->own_dns().in_dns;
      groups.push_back(std::move(json));
    }
  }
  return json_response(200, {{"target_groups", std::move(groups)}});
}

HttpResponse answer_applied(const Node& node, const Result<Ok, ApplyFailure>& result, const NodeConfig& wanted) {
  if (!result) return failure_response(node, result.error(), wanted);
  HttpResponse response = json_response(200, {{"generation", node.config().generation}});
  response.headers.emplace_back("ETag", node.etag());
  return response;
}

HttpResponse put_desired(Node& node, const std::string& body) {
  const auto config = read_desired(body);
  if (!config) return error_response(400, with_fields(body, config.error()));
  return answer_applied(node, node.apply(*config), *config);
}

HttpResponse put_targets(Node& node, const std::string& body) {
  const auto update = read_targets(body);
  if (!update) return error_response(400, with_fields(body, update.error()));
  return answer_applied(node, node.apply(*update), node.config());
}

HttpResponse get_config(const Node& node) {
  HttpResponse response = json_response(200, to_json(node.config()));
  response.headers.emplace_back("ETag", node.etag());
  return response;
}

struct Route {
  std::string_view method;
  std::string_view path;
};
constexpr std::array kRoutes{Route{"PUT", "/desired"}, Route{"GET", "/observed"}, Route{"GET", "/targets"},
                             Route{"PUT", "/targets"}, Route{"GET", "/config"},   Route{"GET", "/metrics"},
                             Route{"GET", "/healthz"}, Route{"POST", "/stop"},    Route{"GET", "/errors"},
                             Route{"GET", "/warnings"}};

HttpResponse no_route(const HttpRequest& request) {
  std::string allowed;
  for (const Route& route : kRoutes) {
    if (route.path != request.path()) continue;
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
  }
  if (allowed.empty()) {
    return plain_error(404, fmt::format("{} does not exist: /load_balancers, /zonal_shifts, /desired, /observed, "
                                        "/targets, /config, /metrics, /errors, /warnings, /healthz or /stop",
                                        request.path()));
  }
  HttpResponse response = plain_error(405, fmt::format("{} {}: use {}", request.method, request.path(), allowed));
  response.headers.emplace_back("Allow", allowed);
  return response;
}

HttpResponse handle(Node& node, const NodeReport& report, const HttpRequest& request,
                    const std::function<void()>& on_stop) {
  const std::string_view path = request.path();
  const bool get = reads(request);
  // A page in somebody's browser may send requests to 127.0.0.1 too; a browser says whose page it is.
  if (!get && request.header("origin")) return plain_error(403, "a web page has no business here: leave Origin out");
  const auto describe = [&](const LoadBalancer& balancer, const ServedGroup& group) {
    return targets_json(group, report.balancer(balancer.name()).group(group.name()));
  };
  if (auto answer = answer_config_request(node, request, describe)) return std::move(*answer);
  if (get && path == "/observed") return get_observed(node, report, request.query());
  if (get && path == "/targets") return get_targets(node, report);
  if (get && path == "/errors") return json_response(200, errors_json(report));
  if (get && path == "/warnings") return json_response(200, warnings_json(node, report));
  if (get && path == "/config") return get_config(node);
  if (get && path == "/metrics") {
    return {200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, metrics_text(node, report), false};
  }
  if (get && path == "/healthz") {
    return json_response(node.stopping() ? 503 : 200, {{"status", node.stopping() ? "stopping" : "ok"}});
  }
  if (auto stale = check_precondition(node, request)) return std::move(*stale);
  if (request.method == "PUT" && path == "/desired") return put_desired(node, request.body);
  if (request.method == "PUT" && path == "/targets") return put_targets(node, request.body);
  if (request.method == "POST" && path == "/stop") {
    node.loop().post(on_stop);
    return json_response(202, {{"status", "stopping"}});
  }
  return no_route(request);
}

/// What is read adds up all workers; what was changed is answered when all workers have taken it.
void answer(Crew& crew, const HttpRequest& request, const HttpServer::Responder& respond,
            const std::function<void()>& on_stop) {
  if (reads(request)) {
    const ReportErrors errors = request.path() == "/errors" ? ReportErrors::kYes : ReportErrors::kNo;
    crew.report(errors, [&crew, request, respond, on_stop](const NodeReport& report) {
      respond(handle(crew.first(), report, request, on_stop));
    });
    return;
  }
  HttpResponse response = handle(crew.first(), report_of(crew.first(), ReportErrors::kNo), request, on_stop);
  crew.when_all_have_followed([respond, response = std::move(response)] { respond(response); });
}

}  // namespace

Result<Admin> Admin::start(Crew& crew, const Endpoint& endpoint, std::function<void()> on_stop) {
  HttpServerSettings settings;
  settings.max_body = kMaximumBody;
  auto server = HttpServer::start(crew.first().loop(), endpoint, settings,
                                  [&crew, on_stop](const HttpRequest& request, const HttpServer::Responder& respond) {
                                    answer(crew, request, respond, on_stop);
                                  });
  if (!server) return server.error();
  return Admin(std::move(*server));
}

}  // namespace rr
