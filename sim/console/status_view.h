#pragma once
// The status of a tier for a person, at 80 columns.
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "sim/console/palette.h"

namespace rr::sim {

/// `status`: what `rr-sim status --json` prints. `pasted_state`: " --state DIR" for the commands in it, or empty.
std::string status_view(const nlohmann::json& status, const Palette& palette, const std::string& pasted_state);

/// {"seconds":4.2,"aws_seconds":42.0} as "4.2 s (42 s on AWS)", or "4.2 s" when both are the same.
std::string duration_view(const nlohmann::json& duration);
/// "4.2 s", "850 ms", "2 min 5 s".
std::string seconds_view(double seconds);

}  // namespace rr::sim
