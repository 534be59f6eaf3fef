#pragma once
// The demo: a tier of its own, real requests, five acts, a table, and an exit status that says whether all promises
// were kept.
#include <optional>
#include <string>

#include "sim/scenario/settings.h"

namespace rr::sim {

struct DemoOptions {
  bool step = false;  // wait for a key before each act
  bool keep = false;  // leave the tier running
  double speed = 10;
  std::string ground = "auto";
  std::string program;  // rr-sim itself
};

/// 0 every promise kept, 1 one was broken, 3 the tier could not start, 130 interrupted.
int play_demo(const DemoOptions& options);

}  // namespace rr::sim
