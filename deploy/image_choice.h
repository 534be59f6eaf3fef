#pragma once
#include <string>

#include "deploy/context.h"

namespace rr::deploy {

/// The image that a release is about: `wanted`, else the newest with the tags App and Commit = CI_COMMIT, else the one
/// that the last bake wrote down. The error says which of these were looked at.
Result<std::string> choose_image(Context& context, const std::string& wanted);

/// Whether there is such an image and the settings' instances can run it.
Status check_image(Context& context, const std::string& id);

}  // namespace rr::deploy
