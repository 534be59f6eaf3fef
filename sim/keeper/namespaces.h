#pragma once
#include <string>

#include "lb/base/result.h"

namespace rr::sim {

/// The namespaces that every process of the tier gets of its own, as flags of clone(2).
int own_world_flags();

/// Moves the caller into a network, mount, host-name, ipc and (for its children) process-id namespace of the tier's;
/// inside a user namespace too when that needs more rights than the caller has. In the user namespace the caller is
/// root, as the programs of an instance are on a machine of their own. Returns whether a user namespace was needed.
Result<bool> enter_namespaces();

/// In the first process of the new process-id namespace: its own /proc, lo and the bridge.
Status furnish_namespaces(const std::string& bridge);

}  // namespace rr::sim
