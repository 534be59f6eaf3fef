#pragma once
#include <functional>
#include <string>

#include "sim/scenario/tier.h"

namespace rr::sim {

/// How an instance refresh to an image is begun, whoever drives the control plane: the image becomes a new version of
/// the group's launch template, and a group that follows $Latest or $Default is pinned to the number of the version
/// that it has, so that there is a way back. `start`'s preferences count. Nothing is made when it would be refused.
Outcome start_refresh(const RegionState& region, const std::string& group, const ImageId& image,
                      StartInstanceRefresh start, const std::function<Result<Reply, Refusal>(const Command&)>& command);

}  // namespace rr::sim
