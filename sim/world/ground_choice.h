#pragma once
#include <string>

#include "sim/world/ground.h"

namespace rr::sim {

/// What this machine says about user namespaces; each is 0 or 1 in most places and absent (-1) in the others.
struct NamespaceLimits {
  int apparmor_restricts = -1;     // kernel.apparmor_restrict_unprivileged_userns
  int unprivileged_clone = -1;     // kernel.unprivileged_userns_clone
  long most_user_namespaces = -1;  // user.max_user_namespaces
  bool in_container = false;
  bool seccomp = false;  // a filter of system calls is in force
  bool root = false;
  bool operator==(const NamespaceLimits&) const = default;
};

/// Why namespaces could not be had, in half a line: what the kernel refused, and who most probably stands behind it.
std::string why_not(const std::string& refused, const NamespaceLimits& limits);

}  // namespace rr::sim
