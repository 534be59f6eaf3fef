// rr-sim demo.
#include <charconv>

#include "sim/commands.h"
#include "sim/scenario/demo.h"
#include "sim/scenario/image_builder.h"
#include "sim/scenario/settings.h"

namespace rr::sim {

int run_demo(const CommandSpec& command, const Arguments& arguments) {
  SettingsReader reader;  // the same words for the same mistakes as in `up`
  for (const char* flag : {"--speed", "--ground"}) {
    if (!arguments.has(flag)) continue;
    if (Status set = reader.set(std::string(flag).substr(2), arguments.value(flag), flag); !set) {
      return fail(command, kExitUsage, set.error().message);
    }
  }
  const auto settings = reader.finish();
  if (!settings) return fail(command, kExitUsage, settings.error().message);
  DemoOptions options;
  options.step = arguments.has("--step");
  options.keep = arguments.has("--keep");
  if (arguments.has("--speed")) options.speed = settings->region.speed;
  options.ground = arguments.value("--ground", "auto");
  options.program = find_program("rr-sim");
  if (options.program.empty()) return fail(command, kExitNotStarted, "rr-sim cannot find itself");
  return play_demo(options);
}

}  // namespace rr::sim
