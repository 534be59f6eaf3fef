#pragma once
// What `rr-sim status --json` prints; the text view is made from it too.
#include <nlohmann/json_fwd.hpp>

#include "sim/scenario/tier.h"

namespace rr::sim {

nlohmann::json status_document(const Tier& tier);

/// {"faults": [...], "zonal_shift": ...}: what is in force, as GET /faults and `rr-sim faults --json` show it.
nlohmann::json faults_document(const Tier& tier);

/// {"seconds": 4.2, "aws_seconds": 42.0}: as measured, and what it would be at AWS's own durations, that is at speed 1.
nlohmann::json duration_document(Duration measured, double speed);

}  // namespace rr::sim
