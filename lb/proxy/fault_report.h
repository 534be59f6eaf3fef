#pragma once
// What went wrong and what is about to, as the admin interface shows it.
#include <nlohmann/json_fwd.hpp>

#include "lb/proxy/node_report.h"

namespace rr {

class Node;

/// GET /errors: the last kKeptErrors of each load balancer, the newest first.
nlohmann::ordered_json errors_json(const NodeReport& report);
/// GET /warnings: the targets whose keep-alive is shorter than the idle timeout, by what they announced or did.
nlohmann::ordered_json warnings_json(const Node& node, const NodeReport& report);

}  // namespace rr
