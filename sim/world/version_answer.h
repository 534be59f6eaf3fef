#pragma once
#include <optional>
#include <string>

#include "lb/net/http_client.h"
#include "sim/cloud/region.h"
#include "sim/world/process_world.h"

namespace rr::sim {

/// The request that asks a program what it runs.
ClientRequest version_question(const VersionFrom& from, const std::string& health_path);
/// What its answer says. JSON with "commit" (and "host"), or the commit itself as text, or a header.
VersionAnswered read_version(const VersionFrom& from, std::optional<InstanceId> asked,
                             const Result<ClientResponse, ClientFailure>& answer);

}  // namespace rr::sim
