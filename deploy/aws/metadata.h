#pragma once
// The instance metadata service, version 2 (Amazon EC2 user guide, "Retrieve instance metadata"): only with a token.
#include <optional>
#include <string>

#include "deploy/aws/surroundings.h"

namespace rr::deploy {

/// Nothing where there is no such service, or AWS_EC2_METADATA_DISABLED is true. One second at most is waited for it.
std::optional<std::string> region_of_metadata(const Surroundings& surroundings);

/// The document of the instance's role: {"AccessKeyId": ...}.
std::optional<std::string> role_of_metadata(const Surroundings& surroundings);

}  // namespace rr::deploy
