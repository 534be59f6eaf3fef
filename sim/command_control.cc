// The commands that speak to a running tier over its control socket.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "sim/asking.h"
#include "sim/commands.h"
#include "sim/console/control_client.h"
#include "sim/console/log_view.h"
#include "sim/console/screen.h"
#include "sim/console/status_view.h"
#include "sim/scenario/image_builder.h"
#include "sim/scenario/settings.h"

namespace rr::sim {
namespace {
using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto kLook = 100ms;  // between two looks at what is followed

struct Asked {
  int exit = 0;  // not 0: it has been said why
  json body;
};

Asked ask(const CommandSpec& command, const StateLayout& layout, const std::string& method, const std::string& target,
          const json& body = nullptr) {
  Asked asked;
  if (auto answer = rr::sim::ask(command, layout, method, target, body.is_null() ? "" : body.dump(), asked.exit)) {
    asked.body = *std::move(answer);
  }
  return asked;
}

bool is_number(const std::string& text, double& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

int run_status(const CommandSpec& command, const Arguments& arguments) {
  const StateLayout layout = layout_of(arguments);
  const Asked asked = ask(command, layout, "GET", "/status");
  if (asked.exit != 0) return asked.exit;
  if (arguments.has("--json")) {
    std::puts(asked.body.dump(2).c_str());
    return 0;
  }
  const std::string text = status_view(asked.body, Palette::for_descriptor(STDOUT_FILENO), state_flag(layout));
  std::fputs(text.c_str(), stdout);
  return 0;
}

int run_az_fail(const CommandSpec& command, const Arguments& arguments) {
  return tell(command, layout_of(arguments), "/az/fail",
              {{"zone", arguments.positional()[0]}, {"mode", arguments.value("--mode", "power")}});
}

int run_az_heal(const CommandSpec& command, const Arguments& arguments) {
  return tell(command, layout_of(arguments), "/az/heal", {{"zone", arguments.positional()[0]}});
}

int run_instance_fail(const CommandSpec& command, const Arguments& arguments) {
  return tell(command, layout_of(arguments), "/instance/fail",
              {{"instance", arguments.positional()[0]}, {"mode", arguments.value("--mode", "kill")}});
}

int run_instance_heal(const CommandSpec& command, const Arguments& arguments) {
  return tell(command, layout_of(arguments), "/instance/heal", {{"instance", arguments.positional()[0]}});
}

int run_scale(const CommandSpec& command, const Arguments& arguments) {
  const std::string& text = arguments.positional()[0];
  int capacity = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), capacity);
  if (error != std::errc() || end != text.data() + text.size() || capacity < 0) {
    return fail(command, kExitUsage,
                fmt::format("N: {}: a whole number from the group's min to its max is right", text));
  }
  return tell(command, layout_of(arguments), "/scale", {{"capacity", capacity}});
}

int run_load(const CommandSpec& command, const Arguments& arguments) {
  const std::string& text = arguments.positional()[0];
  double rate = 0;
  if (text != "off" && (!is_number(text, rate) || !(rate > 0) || rate > 100'000)) {
    return fail(command, kExitUsage, fmt::format("RATE: {}: requests a second such as 20, or off, is right", text));
  }
  return tell(command, layout_of(arguments), "/load", {{"rate", rate}});
}

// ---- images

int run_image_list(const CommandSpec& command, const Arguments& arguments) {
  const Asked asked = ask(command, layout_of(arguments), "GET", "/status");
  if (asked.exit != 0) return asked.exit;
  for (const json& image : asked.body["images"]) {
    int running = 0;
    for (const json& one : asked.body["instances"]) {
      running += one["image"] == image["id"] && one["lifecycle"] == "InService" ? 1 : 0;
    }
    std::puts(fmt::format("{}  commit {:<12.12}  build {:<4}  {} in service  {}", image["id"].get<std::string>(),
                          image["commit"].get<std::string>(), image["build"].get<std::string>(), running,
                          image["name"].get<std::string>())
                  .c_str());
  }
  return 0;
}

namespace {

// What the next image is made of: the folder and command that were given, those of the tier, or rr-webapp.
Result<ImageSource> image_source(const Arguments& arguments, const json& status, const StateLayout& layout) {
  ImageSource source;
  const std::string from = arguments.value("--from");
  const std::string app = arguments.value("--app");
  const bool own = status.value("own_program", false);
  source.commit = arguments.value("--commit", git_commit(from.empty() ? current_folder() : from));
  source.build = arguments.value("--build");
  if (own || !from.empty() || !app.empty()) {
    if (!own)
      return Error{"--from: this tier runs rr-webapp; a tier for a program of yours begins with: rr-sim up --app CMD"};
    source.folder = std::filesystem::absolute(from.empty() ? status.value("app_folder", ".") : from).lexically_normal();
    const std::string line = app.empty() ? status.value("app", "") : app;
    source.command = shell_command(line);
    source.name = line;
  } else {
    source.name = "rr-webapp";
    source.program = find_program("rr-webapp");
    source.command = webapp_flags();
    if (source.program.empty())
      return Error{
          "rr-webapp is neither beside rr-sim nor on PATH: there is no program to make an image of; build it (cmake "
          "--build build)"};
  }
  if (source.build.empty()) source.build = std::to_string(next_build_number(layout));
  return source;
}

}  // namespace

int run_image_build(const CommandSpec& command, const Arguments& arguments) {
  const StateLayout layout = layout_of(arguments);
  const Asked status = ask(command, layout, "GET", "/status");
  if (status.exit != 0) return status.exit;
  const auto source = image_source(arguments, status.body, layout);
  if (!source) return fail(command, kExitUsage, source.error().message);
  const auto image = build_image(layout.images(), *source, Time{});
  if (!image) return fail(command, kExitUsage, image.error().message);
  const json body = {{"id", image->id.value}, {"name", image->name},     {"commit", image->commit},
                     {"build", image->build}, {"folder", image->folder}, {"command", image->command}};
  const Asked asked = ask(command, layout, "POST", "/images", body);
  if (asked.exit != 0) return asked.exit;
  std::puts(image->id.value.c_str());
  std::fprintf(stderr, "commit %s, build %s; release it: rr-sim release --image %s%s\n", image->commit.c_str(),
               image->build.c_str(), image->id.value.c_str(), state_flag(layout).c_str());
  return 0;
}

// ---- release

namespace {

std::string release_progress(const json& status) {
  const json& release = status["release"];
  const std::string image = release["image"].get<std::string>();
  int fresh = 0;
  int fresh_healthy = 0;
  int old = 0;
  int draining = 0;
  for (const json& one : status["instances"]) {
    const std::string lifecycle = one["lifecycle"].get<std::string>();
    if (lifecycle == "Terminated") continue;
    if (lifecycle.rfind("Terminating", 0) == 0) {
      ++draining;
      continue;
    }
    const bool is_new = one["image"] == image;
    (is_new ? fresh : old) += 1;
    fresh_healthy += is_new && one["target_health"]["state"] == "healthy" ? 1 : 0;
  }
  return fmt::format(
      "{:<9}  old {}  new {} (healthy {}, answer the new commit {})  ending {}  through the front {} new in a row",
      release["phase"].get<std::string>(), old, fresh, fresh_healthy, release["confirmed"].get<int>(), draining,
      release["front_answers"].get<int>());
}

int follow_release(const CommandSpec& command, const StateLayout& layout) {
  std::string last;
  for (;;) {
    const Asked asked = ask(command, layout, "GET", "/status");
    if (asked.exit != 0) return kExitRefused;
    const json& release = asked.body["release"];
    if (!release.is_object()) return fail(command, kExitRefused, "the tier knows of no release any more");
    const std::string progress = release_progress(asked.body);
    if (progress != last) {
      std::puts(progress.c_str());
      std::fflush(stdout);
    }
    last = progress;
    if (release["ended"].get<bool>()) {
      std::puts(fmt::format("{}: {}; took {}", release["phase"].get<std::string>(),
                            release["outcome"].get<std::string>(), duration_view(release["took"]))
                    .c_str());
      if (release["released"].get<bool>()) return 0;
      return release["rolled_back"].get<bool>() ? kExitRolledBack : kExitRefused;
    }
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

int run_release(const CommandSpec& command, const Arguments& arguments) {
  const StateLayout layout = layout_of(arguments);
  if (!arguments.has("--image")) {
    return fail(command, kExitUsage, "--image is missing: rr-sim image list names those that there are");
  }
  if (arguments.value("--strategy") == "refresh") return run_refresh_release(command, arguments);
  for (const FlagSpec& flag : refresh_flags()) {
    if (arguments.has(flag.name)) {
      return fail(command, kExitUsage, fmt::format("{}: is for --strategy refresh", flag.name));
    }
  }
  const int exit = tell(command, layout, "/release",
                        {{"image", arguments.value("--image")}, {"strategy", arguments.value("--strategy", "double")}});
  if (exit != 0) return exit;
  std::fflush(stdout);
  return follow_release(command, layout);
}

// ---- logs, session, down

int run_logs(const CommandSpec& command, const Arguments& arguments) {
  const StateLayout layout = layout_of(arguments);
  const Asked asked = ask(command, layout, "GET", "/log-file?name=" + query_escaped(arguments.positional()[0]));
  if (asked.exit != 0) return asked.exit;
  const std::string file = asked.body["file"].get<std::string>();
  std::ifstream stream(file);
  if (!stream) return fail(command, kExitRefused, fmt::format("{}: {}", file, std::strerror(errno)));
  const bool follow = arguments.has("--follow");
  std::string pending;
  for (;;) {
    char buffer[65536];
    stream.read(buffer, sizeof buffer);
    const auto count = static_cast<std::size_t>(stream.gcount());
    if (count > 0) {
      if (std::fwrite(buffer, 1, count, stdout) != count) return 0;  // the reader has gone
      continue;
    }
    std::fflush(stdout);
    if (!follow) return 0;
    if (!lock_holder(layout)) return 0;  // the tier has stopped: nothing more will come
    stream.clear();
    std::this_thread::sleep_for(kLook);
  }
}

int run_session(const CommandSpec& command, const Arguments& arguments) {
  const StateLayout layout = layout_of(arguments);
  const Asked asked = ask(command, layout, "GET", "/session?instance=" + query_escaped(arguments.positional()[0]));
  if (asked.exit != 0) return asked.exit;
  auto words = asked.body["command"].get<std::vector<std::string>>();
  const auto environment = asked.body["environment"].get<std::map<std::string, std::string>>();
  const std::string folder = asked.body["folder"].get<std::string>();
  if (arguments.has_rest()) {
    if (arguments.rest().empty()) return fail(command, kExitUsage, "--: a command is missing after it");
    // The last word of the session's command is its shell: the given command runs in its place.
    words.pop_back();
    words.insert(words.end(), arguments.rest().begin(), arguments.rest().end());
  } else if (::isatty(STDIN_FILENO) == 1) {
    std::fprintf(stderr, "%s: a shell in its folder and environment; leave it with exit\n",
                 arguments.positional()[0].c_str());
  }
  if (!folder.empty() && ::chdir(folder.c_str()) != 0) {
    return fail(command, kExitRefused, fmt::format("{}: {}", folder, std::strerror(errno)));
  }
  std::vector<std::string> variables;
  for (const auto& [key, value] : environment) variables.push_back(key + "=" + value);
  for (const char* key : {"TERM", "PATH", "HOME", "LANG"}) {
    const char* value = std::getenv(key);
    if (value != nullptr && environment.count(key) == 0) variables.push_back(std::string(key) + "=" + value);
  }
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);
  ::execvpe(argv[0], argv.data(), envp.data());
  return fail(command, kExitRefused, fmt::format("{}: {}", words[0], std::strerror(errno)));
}

int run_down(const CommandSpec& command, const Arguments& arguments) {
  const StateLayout layout = layout_of(arguments);
  const auto holder = lock_holder(layout);
  if (!holder) {
    if (!holds_killed_tier(layout)) return fail(command, kExitNotStarted, none_runs(layout));
    remove_tier(layout);
    std::puts(fmt::format("{}: what the killed tier left is removed", layout.folder).c_str());
    return 0;
  }
  const Asked asked = ask(command, layout, "POST", "/down");
  if (asked.exit != 0) return asked.exit;
  while (lock_holder(layout)) std::this_thread::sleep_for(20ms);
  std::puts("stopped");
  return 0;
}

int run_settings(const CommandSpec& command, const Arguments& arguments) {
  SettingsReader reader;
  if (!arguments.positional().empty()) {
    if (Status read = reader.read_file(arguments.positional()[0]); !read)
      return fail(command, kExitUsage, read.error().message);
  }
  const auto settings = reader.finish();
  if (!settings) return fail(command, kExitUsage, settings.error().message);
  std::fputs(write_settings(*settings).c_str(), stdout);
  return 0;
}

StateLayout layout_of(const Arguments& arguments) {
  return StateLayout(arguments.value("--state", default_state_folder()));
}

std::string current_folder() {
  std::error_code error;
  const auto folder = std::filesystem::current_path(error);
  return error ? "/" : folder.string();
}

}  // namespace rr::sim
