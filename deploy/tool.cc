#include "deploy/tool.h"

#include <fmt/format.h>

#include "deploy/process.h"
#include "lb/base/check.h"

namespace rr::deploy {

Status need_tool(const std::string& name) {
  for (const Tool& tool : kTools) {
    if (name != tool.name) continue;
    if (find_program(name)) return Ok{};
    return Error{fmt::format("{} is not installed; {}", name, tool.source)};
  }
  RR_CHECK(false, "a tool without a row");
  return Ok{};
}

}  // namespace rr::deploy
