#pragma once
// Where a release reads the commit from an answer, as the settings have it.
#include <string>
#include <string_view>

#include "lb/base/result.h"
#include "sim/world/process_world.h"

namespace rr::sim {

/// "path", "path:/version", "header:X-Version", "none".
Result<VersionFrom> parse_version_from(std::string_view text);
std::string format_version_from(const VersionFrom& from);

}  // namespace rr::sim
