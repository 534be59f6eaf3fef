#pragma once
// What rr-sim tells the relay (PUT /links) and what it is answered: links with their faults, links with their ports.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/relay/relay.h"

namespace rr::sim {

std::string write_links(const std::vector<LinkSpec>& links);
/// The error is one line.
Result<std::vector<LinkSpec>> read_links(std::string_view text);

std::string write_ports(const std::map<std::string, Address>& ports, std::size_t connections);
/// Nothing when the text is no such answer.
std::optional<std::map<std::string, Address>> read_ports(std::string_view text);

}  // namespace rr::sim
