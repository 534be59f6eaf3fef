#pragma once
// The programs of others that commands start.
#include <array>
#include <string>

#include "lb/base/result.h"

namespace rr::deploy {

struct Tool {
  const char* name;
  const char* purpose;  // the commands that need it
  const char* source;   // where it comes from
};

inline constexpr std::array kTools = {
    Tool{"terraform", "plan, apply, destroy, bootstrap",
         "ci/tools installs the version that this repository is tested with"},
    Tool{"packer", "bake", "ci/tools installs the version that this repository is tested with"},
    Tool{"session-manager-plugin", "bake and session", "AWS has a package of it, which Session Manager works with"},
    Tool{"aws", "session, and credentials of SSO and assumed roles", "`apt-get install awscli`"},
};

/// Whether one of kTools is in PATH. Called before anything is begun that would stop in the middle without it.
Status need_tool(const std::string& name);

}  // namespace rr::deploy
