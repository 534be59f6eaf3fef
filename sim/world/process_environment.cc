#include "sim/world/process_environment.h"

#include <unistd.h>

#include <array>
#include <string_view>

#include "sim/world/listening_socket.h"

namespace rr::sim {

namespace {

constexpr std::array<std::string_view, 13> kPassedOn{
    "PATH",         "HOME",          "USER",         "LANG",         "TZ",           "TMPDIR", "LD_LIBRARY_PATH",
    "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "RR_TEST_MARK", "LOGNAME"};

void replace_all(std::string& text, std::string_view what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

}  // namespace

Environment callers_environment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

Environment bare_environment() {
  Environment environment;
  for (auto& [name, value] : callers_environment()) {
    bool passed_on = name.starts_with("LC_");
    for (const std::string_view one : kPassedOn) passed_on = passed_on || name == one;
    if (passed_on) environment.emplace(name, value);
  }
  environment.try_emplace("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  return environment;
}

void add_instance(Environment& environment, const LaunchInstance& launch, GroundKind ground, std::uint16_t port) {
  environment["PORT"] = std::to_string(port);
  environment["HOST"] = ground == GroundKind::kNamespaces ? "0.0.0.0" : format_ip(own_loopback(launch.address, port));
  environment["RR_INSTANCE_ID"] = launch.instance.value;
  environment["RR_ZONE"] = launch.zone.value;
  environment["RR_IMAGE_ID"] = launch.image.id.value;
  environment["RR_HOST_NAME"] = launch.host_name;
  environment["APP_COMMIT"] = launch.image.commit;
  environment["APP_BUILD"] = launch.image.build;
}

std::vector<std::string> substituted(std::vector<std::string> command, const Environment& environment) {
  for (std::string& word : command) {
    replace_all(word, "{port}", environment.at("PORT"));
    replace_all(word, "{host}", environment.at("HOST"));
  }
  return command;
}

}  // namespace rr::sim
