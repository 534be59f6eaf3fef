#pragma once
#include <string>

#include "deploy/context.h"

namespace rr::deploy {

/// Puts a bundle where instances fetch it (the settings' bucket and prefix, named by its SHA-256), unless it is there;
/// an s3:// URL is taken as it is and must carry its hash as its name. An error when it cannot be had.
Result<ArtifactLane> store_artifact(Context& context, const std::string& file);

}  // namespace rr::deploy
