#pragma once
// The artifact lane: the image stays, and at its boot the instance fetches a bundle (packer/bundle makes it) from S3,
// checks its hash and installs it. All of it is in the user data, so any image with the AWS CLI will do.
#include <string>

#include "deploy/rollout/job.h"

namespace rr::deploy {

/// cloud-init's multipart user data. The unit of the baked application is held before it starts, so that no instance
/// serves what the image holds; a bundle that cannot be had or has another hash leaves it held, the instance never
/// becomes healthy, and the release goes back.
std::string artifact_user_data(const ArtifactLane& artifact, const std::string& unit);

/// User data that does nothing, for going back to an image that serves as it is.
std::string plain_user_data();

/// The artifact that user data fetches; empty when it is other user data.
ArtifactLane artifact_in(const std::string& user_data);

std::string base64(const std::string& bytes);
/// What is no base64 gives an empty text.
std::string from_base64(const std::string& text);

}  // namespace rr::deploy
