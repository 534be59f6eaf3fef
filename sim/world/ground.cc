#include "sim/world/ground.h"

#include <fmt/format.h>

#include <cstring>

#include "sim/world/process_ground.h"

namespace rr::sim {

std::string_view to_string(GroundKind kind) {
  switch (kind) {
    case GroundKind::kNamespaces:
      return "namespaces";
    case GroundKind::kPlain:
      return "plain";
  }
  return "?";
}

std::string ProcessExit::describe() const {
  if (signal == 0) return fmt::format("exited with status {}", status);
  const char* name = ::sigabbrev_np(signal);
  if (name == nullptr) return fmt::format("killed by signal {}", signal);
  return fmt::format("killed by signal {} (SIG{})", signal, name);
}

Result<std::unique_ptr<Ground>> make_ground(Loop& loop, GroundKind kind, const std::string&) {
  return ProcessGround::start(loop, kind);
}

}  // namespace rr::sim
