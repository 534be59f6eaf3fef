#pragma once
// The node's counters for machines: Prometheus's text format, version 0.0.4.
#include <string>
#include <string_view>

namespace rr {

class Node;

std::string metrics_text(const Node& node);

/// A label's value with backslash, quote and line end escaped, as the format wants.
std::string escape_label(std::string_view value);

}  // namespace rr
