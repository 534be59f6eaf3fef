#pragma once
// The changes that are not of one element of a tree: targets of a group, the order of rules, a zonal shift.
#include <nlohmann/json_fwd.hpp>

#include "lb/proxy/config_edit.h"

namespace rr {

/// `value` null: there is none.
EditFailure failure_of(int status, std::string code, std::string field, const nlohmann::ordered_json& value,
                       const std::string& sentence);

/// RegisterTargets and DeregisterTargets, SetRulePriorities, StartZonalShift, UpdateZonalShift and CancelZonalShift.
/// The load balancer and the listener of the path must be there; a group or a shift need not.
Result<Edit, EditFailure> edit_in_place(const NodeConfig& config, const EditRequest& request);

/// 404 where there is none.
Result<nlohmann::ordered_json, EditFailure> show_zonal_shift(const NodeConfig& config, const ConfigPath& path,
                                                             Time now);
/// {"away_from", "expires", "status": "ACTIVE" or "EXPIRED"}.
nlohmann::ordered_json zonal_shift_json(const ZonalShift& shift, Time now);

}  // namespace rr
