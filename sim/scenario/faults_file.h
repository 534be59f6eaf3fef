#pragma once
// The faults in force, kept in the state folder: a tier that goes on after rr-sim was killed goes on with them.
#include <string>
#include <vector>

#include "sim/world/fault.h"

namespace rr::sim {

std::string write_faults(const std::vector<FaultStatus>& faults);
/// The error says what is wrong, without naming the file.
Result<std::vector<FaultStatus>> read_faults(const std::string& text);

/// Replaces the file whole; flushed before it returns. The error is one line.
Status save_faults(const std::string& file, const std::vector<FaultStatus>& faults);
/// None when there is no such file.
Result<std::vector<FaultStatus>> load_faults(const std::string& file);

}  // namespace rr::sim
