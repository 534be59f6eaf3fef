// rr-webapp: flags and environment, then the service. Exits 0 after a graceful stop, 1 when its self-test failed, 2 for
// a wrong use, 3 when it cannot listen.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/program_options.hpp>
#include <cstdio>
#include <cstdlib>

#include "rr_version.h"
#include "webapp/self_test.h"
#include "webapp/service.h"

namespace {

namespace options = boost::program_options;
using rr::webapp::SettingRow;
using Values = std::map<std::string, std::string>;

constexpr int kSelfTestFailed = 1;
constexpr int kUsage = 2;
constexpr int kCannotStart = 3;

int fail(int code, const std::string& message) {
  fmt::print(stderr, "rr-webapp: {}\n", message);
  return code;
}

/// The text in lines of at most `width` characters, each begun with `indent` spaces.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string out;
  while (!text.empty()) {
    std::size_t end = text.size() <= width - indent ? text.size() : text.rfind(' ', width - indent);
    if (end == std::string_view::npos || end == 0) end = text.size();
    out += std::string(indent, ' ') + std::string(text.substr(0, end)) + "\n";
    text.remove_prefix(end == text.size() ? end : end + 1);
  }
  return out;
}

std::string help() {
  std::string out =
      "rr-webapp: the web server of round-robin's tier. It says which machine, commit\n"
      "and build answers.\n"
      "\n"
      "usage: rr-webapp [flags]\n"
      "\n"
      "Flags (a flag wins over the environment variable named in brackets; times: 10,\n"
      "0.5, 250ms, 5m):\n";
  for (const SettingRow& row : rr::webapp::setting_rows()) {
    out += fmt::format("  --{} {}", row.flag, row.argument);
    if (!row.environment.empty()) out += fmt::format("  [{}]", row.environment);
    out += "\n" + wrapped(row.meaning, 6, 80);
  }
  out +=
      "  --selftest\n"
      "      serve on a loopback port, ask /healthz, /version and /, and exit: 0 when\n"
      "      all was right, else 1\n"
      "  --help, --version\n"
      "\n"
      "Paths: /  /healthz  /version  /delay?ms=50  /bytes?n=1000  /echo\n"
      "  and with --faults on\n"
      "  /fault?slow=500ms&error=50&status=503&hang=on&unhealthy=on\n"
      "  (/fault shows what is in force, /fault?all=off undoes it)\n"
      "\n"
      "SIGTERM: /healthz says 503 at once, requests are served for the lame-duck time,\n"
      "those in flight are finished. SIGINT (Ctrl-C) does the same without that time.\n"
      "A second signal ends it at once. Under systemd (NOTIFY_SOCKET, WATCHDOG_USEC) it\n"
      "says when it listens, that it lives, and that it stops.\n"
      "\n"
      "Examples:\n"
      "  rr-webapp\n"
      "  rr-webapp --listen 0.0.0.0:80 --commit 814d129 --build 28\n"
      "  PORT=9001 APP_COMMIT=814d129 APP_BUILD=28 rr-webapp --faults on\n"
      "  curl -s http://127.0.0.1:8080/\n"
      "  curl -s 'http://127.0.0.1:9001/fault?unhealthy=on'\n";
  return out;
}

struct Parsed {
  Values flags;
  bool help = false;
  bool version = false;
  bool self_test = false;
};

rr::Result<Parsed> parse_flags(int argc, char** argv) {
  options::options_description known;
  for (const SettingRow& row : rr::webapp::setting_rows()) {
    known.add_options()(std::string(row.flag).c_str(), options::value<std::string>());
  }
  known.add_options()("help", "")("version", "")("selftest", "");
  try {
    using Style = options::command_line_style::style_t;
    const int style = Style::allow_long | Style::long_allow_next | Style::long_allow_adjacent;
    const auto parsed = options::command_line_parser(argc, argv).options(known).style(style).positional({}).run();
    options::variables_map values;
    options::store(parsed, values);
    Parsed result{.flags = {},
                  .help = values.count("help") > 0,
                  .version = values.count("version") > 0,
                  .self_test = values.count("selftest") > 0};
    for (const auto& [name, value] : values) {
      if (name != "help" && name != "version" && name != "selftest") result.flags[name] = value.as<std::string>();
    }
    return result;
  } catch (const options::too_many_positional_options_error&) {
    return rr::Error{"rr-webapp takes flags only (--listen 127.0.0.1:8080), no other words"};
  } catch (const options::error& error) {
    return rr::Error{fmt::format("{}; rr-webapp --help lists what there is", error.what())};
  }
}

Values environment() {
  Values values;
  const auto take = [&](const std::string& name) {
    if (const char* value = std::getenv(name.c_str())) values[name] = value;
  };
  for (const SettingRow& row : rr::webapp::setting_rows()) take(std::string(row.environment));
  for (const char* name : {"HOST", "PORT", "NOTIFY_SOCKET", "WATCHDOG_USEC"}) take(name);
  // WATCHDOG_PID says whose watchdog it is: a parent's variables reach its children too.
  const char* pid = std::getenv("WATCHDOG_PID");
  if (pid != nullptr && pid != std::to_string(::getpid())) values.erase("WATCHDOG_USEC");
  return values;
}

std::string system_host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "localhost";
}

int serve(const rr::webapp::Settings& settings) {
  rr::Loop loop;
  rr::webapp::Service service(loop, settings);
  const rr::Status started = service.start();
  if (!started.ok()) {
    rr::webapp::say(settings.log, loop.now(), rr::webapp::Level::kError,
                    fmt::format("{}: {}", settings.listen_source, started.error().message));
    return kCannotStart;
  }
  loop.run();
  return 0;
}

int test_itself(const rr::webapp::Settings& settings) {
  const rr::Status passed = rr::webapp::self_test(settings);
  if (!passed.ok()) return fail(kSelfTestFailed, fmt::format("self-test failed: {}", passed.error().message));
  fmt::print(stderr, "rr-webapp: self-test passed: commit {}, build {}\n", settings.identity.commit,
             settings.identity.build);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const rr::Result<Parsed> parsed = parse_flags(argc, argv);
  if (!parsed.ok()) return fail(kUsage, parsed.error().message);
  if (parsed->help || parsed->version) {
    fmt::print("{}", parsed->help ? help() : fmt::format("rr-webapp {}\n", RR_VERSION));
    return 0;
  }
  const auto settings = rr::webapp::read_settings(parsed->flags, environment(), system_host_name());
  if (!settings.ok()) return fail(kUsage, settings.error().message);
  return parsed->self_test ? test_itself(*settings) : serve(*settings);
}
