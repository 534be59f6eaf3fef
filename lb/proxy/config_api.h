#pragma once
// The admin interface's changes of a part of the configuration, over HTTP: /load_balancers and what is below it.
// docs/rr-lb-admin.md shows every call.
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "lb/net/http_server.h"
#include "lb/proxy/config_edit.h"
#include "lb/proxy/node.h"

namespace rr {

/// How the targets of a group are doing, which only a running group knows.
using DescribeTargets = std::function<nlohmann::ordered_json(const LoadBalancer&, const ServedGroup&)>;

/// The answer; nothing where the path is none of the configuration's.
std::optional<HttpResponse> answer_config_request(Node& node, const HttpRequest& request,
                                                  const DescribeTargets& describe);

/// 412 where If-Match names another state of the configuration than the present one; else nothing.
std::optional<HttpResponse> check_precondition(const Node& node, const HttpRequest& request);

HttpResponse json_response(int status, const nlohmann::ordered_json& json);
/// {"errors": lines for people, "details": the same for programs}, in the same order.
HttpResponse error_response(int status, const std::vector<ApiError>& errors);
/// Of a configuration that the node did not take; `wanted` has the values.
HttpResponse failure_response(const Node& node, const ApplyFailure& failure, const NodeConfig& wanted);

}  // namespace rr
