#pragma once
#include <string>

#include "deploy/context.h"

namespace rr::deploy {

/// Where instances will fetch a bundle: in the settings' bucket below their prefix, named by its SHA-256. An s3:// URL
/// is taken as it is and must carry its hash as its name. An error when it cannot be had, is no bundle, or is for
/// another processor. Changes nothing.
Result<ArtifactLane> find_artifact(Context& context, const std::string& file);

/// Puts the file where find_artifact() said.
Status store_artifact(Context& context, const std::string& file, const ArtifactLane& artifact);

}  // namespace rr::deploy
