// rr-lb: the process around a Node.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "lb/command_line.h"
#include "lb/explain_command.h"
#include "lb/net/loop.h"
#include "lb/net/signal_watcher.h"
#include "lb/proxy/admin.h"
#include "lb/proxy/crew.h"
#include "rr_version.h"

namespace {

constexpr int kStopped = 0, kForced = 1, kUsage = 2, kCannotStart = 3;

int fail(int code, const std::vector<std::string>& errors) {
  for (const std::string& error : errors) fmt::print(stderr, "rr-lb: {}\n", error);
  return code;
}

rr::Rng seeded_by_the_system() {
  std::random_device device;
  const auto word = [&] { return (static_cast<std::uint64_t>(device()) << 32) | device(); };
  return rr::Rng(std::array<std::uint64_t, 4>{word(), word(), word(), word()});
}

/// Lines for people: on standard output, unless a log goes there.
class Speaker {
 public:
  explicit Speaker(bool log_on_stdout) : to_(log_on_stdout ? stderr : stdout) {}
  void say(const std::string& line) const {
    fmt::print(to_, "{}\n", line);
    std::fflush(to_);
  }

 private:
  std::FILE* to_;
};

/// The first signal stops gracefully, the second at once.
class Stopper {
 public:
  Stopper(rr::Loop& loop, rr::Crew& crew, rr::Duration limit) : loop_(loop), crew_(crew), limit_(limit) {}
  void stop() {
    if (crew_.first().stopping()) {
      code_ = kForced;
      crew_.first().stop();
      loop_.stop();  // the crew's end stops the others
      return;
    }
    crew_.drain(limit_, [this] { loop_.stop(); });
  }
  /// Asked for through the admin interface: a second time means the same.
  void ask() {
    if (!crew_.first().stopping()) stop();
  }
  int code() const { return code_; }

 private:
  rr::Loop& loop_;
  rr::Crew& crew_;
  rr::Duration limit_;
  int code_ = kStopped;
};

/// Opens those that are asked for; each needs a file of its own, or their lines would be mixed.
std::vector<std::string> open_logs(const rr::CommandLine& line, rr::NodeLogs& logs) {
  struct Wanted {
    const char* flag;
    const std::optional<std::string>& path;
    std::optional<rr::LogFile>& log;
  };
  const Wanted all[] = {{"--access-log", line.access_log, logs.access},
                        {"--connection-log", line.connection_log, logs.connection},
                        {"--health-check-log", line.health_check_log, logs.health_check}};
  std::vector<std::string> errors;
  for (const Wanted& one : all) {
    if (!one.path) continue;
    for (const Wanted* other = all; other != &one; ++other) {
      if (other->path == one.path) {
        errors.push_back(
            fmt::format("{}: {} is the file of {}: give each log its own", one.flag, *one.path, other->flag));
      }
    }
    auto opened = rr::LogFile::open(*one.path);
    if (opened) {
      one.log.emplace(std::move(*opened));
    } else {
      errors.push_back(fmt::format("{}: {}", one.flag, opened.error().message));
    }
  }
  return errors;
}

/// A line an error, with the flag or the place in the file that it is about.
std::vector<std::string> lines_of(const rr::ApplyFailure& failure, const rr::CommandLine& line) {
  std::vector<std::string> lines;
  for (const rr::SettingError& error : failure.errors) {
    const bool of_listen = failure.kind == rr::ApplyFailure::Kind::kCannotListen && line.listen_from_flag;
    lines.push_back(of_listen ? "--listen: " + error.message : line.name_the_place(error));
  }
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());  // one flag may set two settings
  return lines;
}

/// What is the process's and not the node's.
auto process_settings(const rr::CommandLine& line) {
  return std::tie(line.admin, line.workers, line.access_log, line.connection_log, line.health_check_log,
                  line.stop_timeout);
}

/// Reads the configuration file again, on demand.
class Reloader {
 public:
  Reloader(rr::Node& node, const std::vector<std::string>& words, const rr::CommandLine& line)
      : node_(node), words_(words), line_(line) {}

  /// Nothing happens to a file that says what it said: the logs are rotated more often than files are changed, and
  /// what was changed through the admin interface meanwhile is not to be undone by it.
  void reload() {
    if (!line_.file) return;
    auto read = rr::read_command_line(words_);
    if (!read) return refuse(read.error());
    if (read->file->document == line_.file->document) return;
    if (const auto applied = node_.apply(read->node); !applied) return refuse(lines_of(applied.error(), *read));
    if (process_settings(*read) != process_settings(line_)) {
      fmt::print(stderr,
                 "rr-lb: {}: admin, workers, the logs and stop_timeout are what they were: they take a restart\n",
                 line_.file->name);
    }
    fmt::print(stderr, "rr-lb: {}: read again, and in force\n", line_.file->name);
    line_ = std::move(*read);
  }

 private:
  void refuse(const std::vector<std::string>& errors) const {
    fail(kUsage, errors);
    fmt::print(stderr, "rr-lb: {}: not taken; the configuration from before stays in force\n", line_.file->name);
  }

  rr::Node& node_;
  std::vector<std::string> words_;
  rr::CommandLine line_;  // as in force
};

int serve(const rr::CommandLine& line, const std::vector<std::string>& words) {
  rr::NodeLogs logs;
  if (const auto errors = open_logs(line, logs); !errors.empty()) return fail(kCannotStart, errors);
  const Speaker speaker(line.access_log == "-" || line.connection_log == "-" || line.health_check_log == "-");
  rr::Loop loop;
  std::vector<rr::Rng> random;
  for (int i = 0; i < line.workers; ++i) random.push_back(seeded_by_the_system());
  rr::Crew crew(loop, std::move(random), std::move(logs));
  rr::Node& node = crew.first();
  node.journal().set_sink([](const rr::JournalLine& entry) {
    fmt::print(stderr, "{} {} {}\n", rr::format_iso8601(entry.time, 3), entry.entity, entry.event);
  });
  node.on_listening = [&](const std::string& endpoint) { speaker.say("listening on " + endpoint); };
  Stopper stopper(loop, crew, line.stop_timeout);

  std::optional<rr::Admin> admin;
  if (line.admin) {
    auto started = rr::Admin::start(crew, *line.admin, [&] { stopper.ask(); });
    if (!started) return fail(kCannotStart, {"--admin: " + started.error().message});
    admin.emplace(std::move(*started));
  }
  const auto applied = node.apply(line.node);
  if (!applied) {
    const bool invalid = applied.error().kind == rr::ApplyFailure::Kind::kInvalid;
    return fail(invalid ? kUsage : kCannotStart, lines_of(applied.error(), line));
  }
  if (admin) speaker.say("admin on " + rr::format_endpoint(admin->endpoint()));

  const rr::SignalWatcher terminate(loop, SIGTERM, [&] { stopper.stop(); });
  const rr::SignalWatcher interrupt(loop, SIGINT, [&] { stopper.stop(); });
  Reloader reloader(node, words, line);
  const rr::SignalWatcher hang_up(loop, SIGHUP, [&] {
    for (const std::string& error : node.reopen_logs()) fmt::print(stderr, "rr-lb: {}\n", error);
    reloader.reload();
  });
  loop.run();
  return stopper.code();
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (!words.empty() && words.front() == "explain") return rr::explain_command({words.begin() + 1, words.end()});
  const auto line = rr::read_command_line(words);
  if (!line) return fail(kUsage, line.error());
  if (line->help) {
    fmt::print("{}", rr::help_text());
    return 0;
  }
  if (line->version) {
    fmt::print("rr-lb {}\n", RR_VERSION);
    return 0;
  }
  for (const std::string& note : line->notes) fmt::print(stderr, "rr-lb: {}\n", note);
  return serve(*line, words);
}
