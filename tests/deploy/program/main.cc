// render-settings FILE RECEIVER: what a tool gets of an environment's settings, for the tests in tests/deploy.
#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "deploy/settings/render.h"

int main(int count, char** arguments) {
  if (count != 3) {
    fmt::print(stderr, "usage: render-settings FILE terraform|packer|unit|sim|ci\n");
    return 2;
  }
  std::ifstream stream(arguments[1]);
  std::stringstream text;
  text << stream.rdbuf();
  const auto receiver = rr::deploy::parse_receiver(arguments[2]);
  const auto settings = rr::deploy::read_settings(text.str(), arguments[1]);
  if (!receiver || !settings) {
    if (!receiver) fmt::print(stderr, "{}: terraform, packer, unit, sim or ci is right\n", arguments[2]);
    if (!settings) {
      for (const std::string& error : settings.error()) fmt::print(stderr, "{}\n", error);
    }
    return 2;
  }
  fmt::print("{}", rr::deploy::render(*settings, *receiver));
  return 0;
}
