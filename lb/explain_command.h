#pragma once
// rr-lb explain: the 5xx lines of an ALB's access log, each with its reason.
#include <string>
#include <vector>

namespace rr {

/// Reads standard input to its end and writes standard output; what it returns is the exit code, as its --help says.
/// `words`: those behind "explain". Needs as much memory as one line.
int explain_command(const std::vector<std::string>& words);

}  // namespace rr
