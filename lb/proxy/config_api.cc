#include "lb/proxy/config_api.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "lb/proxy/partial_edit.h"

namespace rr {
namespace {

using Json = nlohmann::ordered_json;

bool reads(const HttpRequest& request) { return request.method == "GET" || request.method == "HEAD"; }

HttpResponse failed(const EditFailure& failure) { return error_response(failure.status, failure.errors); }

HttpResponse with_etag(HttpResponse response, const Node& node) {
  response.headers.emplace_back("ETag", node.etag());
  return response;
}

/// "?port=8080".
Result<std::optional<std::uint16_t>, EditFailure> read_port(std::string_view query) {
  if (query.empty()) return std::optional<std::uint16_t>();
  constexpr std::string_view kName = "port=";
  std::uint16_t port = 0;
  const char* end = query.data() + query.size();
  const char* begin = query.data() + std::min(query.size(), kName.size());
  const auto [stop, error] = std::from_chars(begin, end, port);
  if (query.starts_with(kName) && error == std::errc() && stop == end && port > 0) return std::optional(port);
  return failure_of(400, "ValidationError", "port", std::string(query),
                    fmt::format("{} is no port: write ?port= and 1 to 65535", query));
}

const LoadBalancer* find_balancer(const Node& node, const ConfigPath& path) {
  for (const auto& balancer : node.load_balancers()) {
    if (balancer->name() == path.load_balancer) return balancer.get();
  }
  return nullptr;
}

/// DescribeTargetHealth. What was deregistered is listed while it drains.
Result<Json, EditFailure> show_targets(const Node& node, const ConfigPath& path,
                                       const std::optional<std::uint16_t>& port, const DescribeTargets& describe) {
  const LoadBalancer* balancer = find_balancer(node, path);
  const ServedGroup* group = balancer == nullptr ? nullptr : balancer->find_group(path.of_it);
  if (group == nullptr) return failure_of(404, "TargetGroupNotFound", "", nullptr, "there is no such target group");
  Json targets = describe(*balancer, *group);
  Json found = Json::array();
  for (Json& target : targets) {
    if (path.part == ConfigPart::kTarget && target["id"] != path.of_that) continue;
    if (port && target["port"] != *port) continue;
    found.push_back(std::move(target));
  }
  if (path.part == ConfigPart::kTarget && found.empty()) {
    return failure_of(404, "InvalidTarget", "id", path.of_that,
                      fmt::format("'{}' is not registered in this group", path.of_that));
  }
  Json json = Json::object();
  json["targets"] = std::move(found);
  return json;
}

struct Asked {
  ConfigPath path;
  std::optional<std::uint16_t> port;
};

HttpResponse answer_read(const Node& node, const Asked& asked, Time now, const DescribeTargets& describe) {
  const bool targets = asked.path.part == ConfigPart::kTargets || asked.path.part == ConfigPart::kTarget;
  const auto shown = show(node.config(), asked.path, now);
  if (!shown) return failed(shown.error());
  if (!targets) return with_etag(json_response(200, *shown), node);
  const auto described = show_targets(node, asked.path, asked.port, describe);
  if (!described) return failed(described.error());
  return with_etag(json_response(200, *described), node);
}

std::string encoded(std::string_view segment) {
  constexpr std::string_view kPlain = "-._~:@!$'()*,;";
  std::string text;
  for (const char c : segment) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kPlain.find(c) != std::string_view::npos) {
      text += c;
    } else {
      text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return text;
}

/// Of what a POST has made.
std::string location_of(const ConfigPath& path) {
  std::string text = "/load_balancers/" + encoded(path.load_balancer);
  if (path.part == ConfigPart::kTargetGroup) text += "/target_groups/" + encoded(path.of_it);
  if (path.part == ConfigPart::kListener || path.part == ConfigPart::kRule) text += "/listeners/" + encoded(path.of_it);
  if (path.part == ConfigPart::kRule) text += "/rules/" + encoded(path.of_that);
  return text;
}

HttpResponse answer_changed(const Node& node, const HttpRequest& request, const Edit& edit, Time now,
                            const DescribeTargets& describe) {
  if (request.method == "DELETE") {
    return with_etag(json_response(200, {{"generation", node.config().generation}, {"deleted", request.path()}}), node);
  }
  HttpResponse response = answer_read(node, {edit.path, std::nullopt}, now, describe);
  if (edit.created) response.status = 201;
  if (edit.created && request.method == "POST") response.headers.emplace_back("Location", location_of(edit.path));
  return response;
}

HttpResponse change(Node& node, const HttpRequest& request, const Asked& asked, const DescribeTargets& describe) {
  const Time now = node.loop().now();
  const auto edited = edit(node.config(), EditRequest{request.method, asked.path, request.body, asked.port, now});
  if (!edited) return failed(edited.error());
  if (const auto applied = node.change(edited->config); !applied) {
    return failure_response(node, applied.error(), edited->config);
  }
  node.journal().write(now, "admin", fmt::format("{} {}", request.method, request.path()));
  return answer_changed(node, request, *edited, now, describe);
}

/// ListZonalShifts of the resilience service, over all load balancers.
HttpResponse list_zonal_shifts(const Node& node, Time now) {
  Json shifts = Json::array();
  for (const LoadBalancerConfig& balancer : node.config().load_balancers) {
    if (!balancer.settings.zonal_shift) continue;
    Json shift{{"load_balancer", balancer.settings.name}};
    shift.update(zonal_shift_json(*balancer.settings.zonal_shift, now));
    shifts.push_back(std::move(shift));
  }
  Json json = Json::object();
  json["zonal_shifts"] = std::move(shifts);
  return json_response(200, json);
}

HttpResponse not_allowed(const HttpRequest& request, std::string_view methods) {
  HttpResponse response =
      error_response(405, {{"", "", "", fmt::format("{} {}: use {}", request.method, request.path(), methods)}});
  response.headers.emplace_back("Allow", methods);
  return response;
}

}  // namespace

HttpResponse json_response(int status, const Json& json) {
  // A name that came from outside may hold bytes that are no UTF-8; the answer must be JSON all the same.
  return {status,
          {{"Content-Type", "application/json"}},
          json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n",
          false};
}

HttpResponse error_response(int status, const std::vector<ApiError>& errors) {
  Json lines = Json::array(), details = Json::array();
  for (const ApiError& error : errors) {
    lines.push_back(error.message);
    Json detail = Json::object();
    if (!error.code.empty()) detail["code"] = error.code;
    if (!error.field.empty()) detail["field"] = error.field;
    if (!error.value.empty()) detail["value"] = Json::parse(error.value, nullptr, false);
    detail["message"] = error.message;
    details.push_back(std::move(detail));
  }
  return json_response(status, {{"errors", std::move(lines)}, {"details", std::move(details)}});
}

HttpResponse failure_response(const Node& node, const ApplyFailure& failure, const NodeConfig& wanted) {
  std::vector<ApiError> errors = with_values(wanted, failure.errors);
  const auto answer = [&](int status, const char* code) {
    for (ApiError& error : errors) error.code = code;
    return error_response(status, errors);
  };
  switch (failure.kind) {
    case ApplyFailure::Kind::kInvalid:
      return error_response(400, errors);
    case ApplyFailure::Kind::kOwned:
      return with_etag(answer(409, "OperationNotPermitted"), node);
    case ApplyFailure::Kind::kCannotListen:
      return answer(503, "");
    case ApplyFailure::Kind::kOutdated:
      break;
  }
  HttpResponse response = answer(409, "");
  Json json{{"generation", node.config().generation}};
  json.update(Json::parse(response.body));
  response.body = json.dump(2) + "\n";
  return response;
}

std::optional<HttpResponse> check_precondition(const Node& node, const HttpRequest& request) {
  const auto wanted = request.header("if-match");
  if (!wanted || reads(request)) return std::nullopt;
  std::string_view list = *wanted;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view one = list.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one == "*" || one == node.etag()) return std::nullopt;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return with_etag(
      error_response(412, {{"", "If-Match", "",
                            fmt::format("If-Match: {} is not the configuration in force, which is {}: read it again",
                                        *wanted, node.etag())}}),
      node);
}

std::optional<HttpResponse> answer_config_request(Node& node, const HttpRequest& request,
                                                  const DescribeTargets& describe) {
  if (request.path() == "/zonal_shifts") {
    return reads(request) ? list_zonal_shifts(node, node.loop().now()) : not_allowed(request, "GET, HEAD");
  }
  const auto path = parse_config_path(request.path());
  if (!path) return std::nullopt;
  if (!allows(path->part, request.method)) return not_allowed(request, allowed_methods(path->part));
  if (auto stale = check_precondition(node, request)) return stale;
  const auto port = read_port(request.query());
  if (!port) return failed(port.error());
  if (reads(request)) return answer_read(node, {*path, *port}, node.loop().now(), describe);
  return change(node, request, {*path, *port}, describe);
}

}  // namespace rr
