#pragma once
#include <string>

#include "webapp/app/identity.h"

namespace rr::webapp {

/// The page at /, in one line without a line end. Characters that mean something in HTML are escaped.
std::string page(const Identity& identity);

/// The JSON at /version: commit, build, instance, zone, image, host and uptime (seconds). Null where nothing is known.
std::string version_document(const Identity& identity, double uptime_seconds);

}  // namespace rr::webapp
