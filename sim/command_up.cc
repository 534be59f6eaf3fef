// rr-sim up: starts a tier and stays with it, or leaves it running (-d).
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "lb/net/loop.h"
#include "lb/net/signal_watcher.h"
#include "lb/net/timer.h"
#include "sim/commands.h"
#include "sim/console/log_view.h"
#include "sim/console/screen.h"
#include "sim/console/status_view.h"
#include "sim/scenario/control_server.h"
#include "sim/scenario/image_builder.h"
#include "sim/scenario/tier.h"
#include "sim/scenario/version_from.h"

namespace rr::sim {
namespace {

// How long others may still get healthy after one program was found wrong, before the start is given up.
constexpr auto kDiagnosisPatience = std::chrono::seconds(2);
// A tier that is not up so long after its launches should have been over is given up when nobody watches it.
constexpr auto kDetachPatience = std::chrono::seconds(60);
// What a detached tier writes into the pipe to the process that waits for it: a line for standard error, or the end.
constexpr char kForError = '\x02';
constexpr char kExitStatus = '\x01';

// ---- settings

// Those that may differ from what a killed tier was started with: they say nothing about what it holds.
void forget_passing_settings(TierSettings& settings) {
  const TierSettings standard;
  settings.listen = standard.listen;
  settings.ground.reset();
  settings.load = 0;
  settings.seed.reset();
  settings.commit.clear();
  settings.build.clear();
}

struct Wanted {
  TierSettings settings;
  bool recover = false;
};

Result<Wanted> settings_to_recover(const TierSettings& given, bool said_something, const StateLayout& layout) {
  SettingsReader reader;
  if (Status read = reader.read_file(layout.settings()); !read) return read.error();
  Result<TierSettings> recorded = reader.finish();
  if (!recorded) return recorded.error();
  if (!said_something) return Wanted{*recorded, true};
  TierSettings before = *recorded;
  TierSettings now = given;
  if (now.app_folder.empty()) now.app_folder = before.app_folder;
  forget_passing_settings(before);
  forget_passing_settings(now);
  if (write_settings(before) != write_settings(now)) {
    return Error{
        fmt::format("--state {}: a killed tier with other settings is in it; go on with it: rr-sim up{}; or "
                    "clean the folder: rr-sim down{}",
                    layout.folder, state_flag(layout), state_flag(layout))};
  }
  return Wanted{given, true};
}

Result<TierSettings> read_settings(const CommandSpec& command, const Arguments& arguments, bool& said_something) {
  SettingsReader reader;
  if (arguments.has("--settings")) {
    said_something = true;
    if (Status read = reader.read_file(arguments.value("--settings")); !read) return read.error();
  }
  for (const FlagSpec& flag : command.flags) {
    if (flag.key.empty() || !arguments.has(flag.name)) continue;
    said_something = true;
    if (Status set = reader.set(flag.key, arguments.value(flag.name), flag.name); !set) return set.error();
  }
  for (const std::string& one : arguments.values("--set")) {
    said_something = true;
    const auto equals = one.find('=');
    if (equals == std::string::npos) return Error{fmt::format("--set {}: KEY=VALUE is right, such as speed=10", one)};
    if (Status set = reader.set_by_name(one.substr(0, equals), one.substr(equals + 1)); !set) return set.error();
  }
  return reader.finish();
}

// ---- one running tier with its screen

class Session {
 public:
  Session(Loop& loop, TierOptions options, LogView::Detail detail, int error_fd, bool detached)
      : loop_(loop),
        options_(std::move(options)),
        screen_(STDOUT_FILENO),
        view_(screen_, detail, options_.settings.target_group().health_check.path),
        error_fd_(error_fd),
        detached_(detached),
        patience_(loop, [this] { give_up(); }),
        second_(loop, [this] { show_load(); }),
        too_long_(loop, [this] { took_too_long(); }) {}

  Result<Ok> start();
  int run();
  /// Nothing is kept of it when it stops, not even the logs.
  void discard_at_end() { discard_ = true; }
  void write_introduction();
  bool was_ready() const { return is_ready_; }

 private:
  void interrupted();
  void stop(bool at_once);
  void ready();
  void diagnosed(const std::string& name, const std::string& sentence, const std::vector<std::string>& last);
  void give_up();
  void took_too_long();
  void show_load();
  void end_waiting(int status);
  std::string zone_of(const std::string& name) const;

  Loop& loop_;
  TierOptions options_;
  Screen screen_;
  LogView view_;
  int error_fd_;
  bool detached_;
  std::unique_ptr<Tier> tier_;
  std::unique_ptr<ControlServer> control_;
  std::optional<SignalWatcher> on_int_, on_term_, on_hup_;
  Timer patience_;
  Timer second_;
  Timer too_long_;
  bool introduced_ = false;
  bool discard_ = false;
  std::vector<JournalLine> early_;
  bool is_ready_ = false;
  int stops_ = 0;
  int exit_ = 0;
  std::vector<std::string> diagnoses_;
};

std::string Session::zone_of(const std::string& name) const {
  if (!tier_) return "";
  const auto at = tier_->region().instances.find(InstanceId{name});
  return at == tier_->region().instances.end() ? "" : at->second.zone.value;
}

Result<Ok> Session::start() {
  TierEvents events;
  events.on_line = [this](const ProcessLine& line) {
    view_.process_line(loop_.now(), line.name, line.is_node ? "" : zone_of(line.name), line.text);
  };
  events.on_journal = [this](const JournalLine& line) {
    if (introduced_) return view_.journal_line(line);
    early_.push_back(line);  // the URL comes first
  };
  events.on_diagnosis = [this](const std::string& name, const std::string& sentence,
                               const std::vector<std::string>& last) { diagnosed(name, sentence, last); };
  events.on_ready = [this] { ready(); };
  on_int_.emplace(loop_, SIGINT, [this] { interrupted(); });
  on_term_.emplace(loop_, SIGTERM, [this] { interrupted(); });
  on_hup_.emplace(loop_, SIGHUP, [this] { interrupted(); });
  auto tier = Tier::start(loop_, options_, std::move(events));
  if (!tier) return tier.error();
  tier_ = std::move(*tier);
  auto control = ControlServer::start(loop_, *tier_, [this] { stop(false); });
  if (!control) return control.error();
  control_ = std::move(*control);
  std::ofstream(options_.layout.settings()) << write_settings(options_.settings);
  second_.arm(kSecond);
  if (detached_) {
    const RegionSettings& region = options_.settings.region;
    const auto launch = std::chrono::duration<double>(to_seconds(region.launch_time) / region.speed);
    too_long_.arm(std::chrono::duration_cast<Duration>(launch) + kDetachPatience);
  }
  return Ok{};
}

// Nothing was found wrong, and still nothing answers: how far each instance has got is all that can be said.
void Session::took_too_long() {
  if (is_ready_ || stops_ > 0) return;
  std::string text = fmt::format("{}rr-sim up: the tier does not answer through {}\n", kForError, tier_->url());
  for (const auto& [id, instance] : tier_->region().instances) {
    if (instance.lifecycle == LifecycleState::kTerminated) continue;
    const auto health = tier_->region().target_health.find(id);
    text += fmt::format("{}  {} in {}: {}, {} {}\n", kForError, id.value, instance.zone.value,
                        to_string(instance.lifecycle),
                        health == tier_->region().target_health.end() ? "" : to_string(health->second.health.state),
                        health == tier_->region().target_health.end() ? "" : describe(health->second.health));
  }
  [[maybe_unused]] const auto written = ::write(error_fd_, text.data(), text.size());
  give_up();
}

void Session::write_introduction() {
  const Palette& ink = screen_.palette();
  const std::string state = state_flag(options_.layout);
  const TierSettings& s = options_.settings;
  const std::string zone = s.region.zones.back().name.value;
  screen_.line(ink.paint(Ink::kBold, tier_->url()));
  screen_.line(fmt::format("  while true; do curl -s {}; echo; sleep 1; done", tier_->url()));
  screen_.line("");
  screen_.line("ground  " + wrapped(options_.ground.reason, 80, "        ").substr(8));
  screen_.line(fmt::format("state   {}{}", options_.layout.folder,
                           options_.recover ? " (recovered: its rr-sim was killed)" : ""));
  if (s.region.own_program) {
    screen_.line(wrapped(fmt::format("program {} in {}; health check {}; commit from {}", s.app, options_.caller_folder,
                                     s.target_group().health_check.path, format_version_from(s.version_from)),
                         80, ""));
  }
  const double launch = to_seconds(s.region.launch_time) / s.region.speed;
  screen_.line(fmt::format("speed   {}: an instance takes {} to launch{}", s.region.speed, seconds_view(launch),
                           s.region.speed == 1 ? ", as on AWS (--speed 10 is quicker)" : ""));
  screen_.line(fmt::format("try     rr-sim status{}", state));
  screen_.line(fmt::format("        rr-sim az fail {}{}", zone, state));
  screen_.line(detached_ ? fmt::format("        rr-sim down{}", state) : "Ctrl-C stops everything.");
  screen_.line("");
  introduced_ = true;
  for (const JournalLine& line : early_) view_.journal_line(line);
  early_.clear();
}

int Session::run() {
  loop_.run();
  screen_.bottom("");
  control_.reset();
  tier_.reset();
  if (discard_) {
    remove_folder(options_.layout.folder);
  } else if (stops_ > 0 && exit_ != kExitInterrupted) {
    remove_tier(options_.layout);
  }
  return exit_;
}

void Session::interrupted() { stop(stops_ > 0); }

void Session::stop(bool at_once) {
  if (at_once && stops_ < 2) exit_ = kExitInterrupted;
  stops_ += at_once ? 2 : 1;
  if (!at_once && !detached_) screen_.line("stopping in order; Ctrl-C again stops at once");
  patience_.disarm();
  second_.disarm();
  too_long_.disarm();
  screen_.bottom("");
  tier_->stop(at_once, [this] { loop_.stop(); });
}

void Session::ready() {
  is_ready_ = true;
  patience_.disarm();
  too_long_.disarm();
  int in_service = 0;
  for (const auto& [id, one] : tier_->region().instances)
    in_service += one.lifecycle == LifecycleState::kInService ? 1 : 0;
  screen_.line(screen_.palette().paint(Ink::kGreen, fmt::format("ready: {} answers, {} instance{} in service",
                                                                tier_->url(), in_service, in_service == 1 ? "" : "s")));
  if (detached_) end_waiting(0);
}

// The process that waits for a detached tier hears the end; from now on output goes to the tier's own log.
void Session::end_waiting(int status) {
  std::fflush(nullptr);
  const std::string last = fmt::format("{}{}\n", kExitStatus, status);
  [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, last.data(), last.size());
  const int log = ::open(options_.layout.own_log().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return;
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::close(log);
  error_fd_ = STDERR_FILENO;
}

void Session::diagnosed(const std::string& name, const std::string& sentence, const std::vector<std::string>& last) {
  diagnoses_.push_back(name);
  const std::string mark = detached_ && !is_ready_ ? std::string(1, kForError) : "";
  std::string text = fmt::format("{}rr-sim up: {}\n", mark, sentence);
  if (!last.empty()) text += fmt::format("{}its last {} line{}:\n", mark, last.size(), last.size() == 1 ? "" : "s");
  for (const std::string& line : last) text += fmt::format("{}  {}\n", mark, printable(line));
  screen_.bottom("");
  [[maybe_unused]] const auto written = ::write(error_fd_, text.data(), text.size());
  if (!is_ready_ && !patience_.armed()) patience_.arm(kDiagnosisPatience);
}

// The user's program is wrong and nothing else got the tier up: a person must mend it first.
void Session::give_up() {
  if (is_ready_ || stops_ > 0) return;
  exit_ = kExitNotStarted;
  stop(false);
}

void Session::show_load() {
  second_.arm(kSecond);
  if (tier_->load_rate() <= 0) return screen_.bottom("");
  const LoadStatistics recent = tier_->take_recent_load();
  const LoadStatistics& all = *tier_->load();
  std::string text =
      fmt::format("load {}/s  answered {}  failed {}  p50 {}  p99 {}", recent.finished, all.finished - all.failed,
                  all.failed, seconds_view(to_seconds(recent.latency.percentile(0.5))),
                  seconds_view(to_seconds(recent.latency.percentile(0.99))));
  const std::string shares = format_shares(recent.by_host.empty() ? tier_->requests_by_target() : recent.by_host);
  if (!shares.empty()) text += "  " + shares;
  if (screen_.is_terminal()) return screen_.bottom(text);
  screen_.line(text);
}

// ---- foreground and background

int serve(const CommandSpec& command, TierOptions options, LogView::Detail detail, StateLock lock, bool detached,
          bool discard) {
  lock.write_holder(fmt::format("rr-sim {}", command.name));
  Loop loop;
  Session session(loop, options, detail, detached ? STDOUT_FILENO : STDERR_FILENO, detached);
  if (discard) session.discard_at_end();
  int exit = 0;
  if (const auto started = session.start(); !started) {
    const std::string text =
        fmt::format("{}rr-sim up: {}\n", detached ? std::string(1, kForError) : "", started.error().message);
    [[maybe_unused]] const auto written = ::write(detached ? STDOUT_FILENO : STDERR_FILENO, text.data(), text.size());
    exit = kExitNotStarted;
    if (!options.recover) remove_tier(options.layout);
  } else {
    session.write_introduction();
    exit = session.run();
  }
  if (detached && !session.was_ready()) {
    const std::string last = fmt::format("{}{}\n", kExitStatus, exit);
    [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, last.data(), last.size());
  }
  return exit;
}

// Passes on what the detached tier says until it is up or has given up.
int wait_for_detached(int pipe_end) {
  std::FILE* stream = ::fdopen(pipe_end, "r");
  char* line = nullptr;
  std::size_t room = 0;
  int exit = kExitNotStarted;
  while (::getline(&line, &room, stream) > 0) {
    if (line[0] == kExitStatus) {
      exit = std::atoi(line + 1);
      break;
    }
    const bool error = line[0] == kForError;
    std::fputs(line + (error ? 1 : 0), error ? stderr : stdout);
    std::fflush(nullptr);
  }
  std::free(line);
  std::fclose(stream);
  return exit;
}

int serve_detached(const CommandSpec& command, TierOptions options, StateLock lock, bool discard) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(command, kExitNotStarted, std::strerror(errno));
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) return fail(command, kExitNotStarted, fmt::format("cannot detach: {}", std::strerror(errno)));
  if (child > 0) {
    ::close(ends[1]);
    return wait_for_detached(ends[0]);
  }
  ::setsid();
  ::signal(SIGHUP, SIG_IGN);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(null, STDIN_FILENO);
  ::dup2(ends[1], STDOUT_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  ::close(null);
  ::close(ends[0]);
  ::close(ends[1]);
  const int exit = serve(command, std::move(options), LogView::Detail::kEvents, std::move(lock), true, discard);
  std::fflush(nullptr);
  ::_exit(exit);
}

LogView::Detail detail_of(const Arguments& arguments) {
  if (arguments.has("--quiet")) return LogView::Detail::kEvents;
  return arguments.has("--verbose") ? LogView::Detail::kAll : LogView::Detail::kRequests;
}

}  // namespace

int run_up(const CommandSpec& command, const Arguments& arguments) {
  bool said_something = false;
  Result<TierSettings> given = read_settings(command, arguments, said_something);
  if (!given) return fail(command, kExitUsage, given.error().message);
  const StateLayout layout = layout_of(arguments);
  Result<StateLock> lock = StateLock::take(layout, "rr-sim up");
  if (!lock) return fail(command, kExitUsage, lock.error().message);
  Wanted wanted{*given, false};
  if (holds_killed_tier(layout)) {
    Result<Wanted> found = settings_to_recover(*given, said_something, layout);
    if (!found) return fail(command, kExitUsage, found.error().message);
    wanted = *std::move(found);
  } else {
    remove_tier(layout);  // of a start that was cut off before the tier was up
  }
  TierOptions options;
  options.settings = wanted.settings;
  options.recover = wanted.recover;
  options.layout = layout;
  if (options.settings.region.own_program && options.settings.app_folder.empty()) {
    options.settings.app_folder = current_folder();
  }
  options.caller_folder = options.settings.app_folder.empty() ? current_folder() : options.settings.app_folder;
  if (!std::filesystem::is_directory(options.caller_folder)) {
    return fail(command, kExitUsage, fmt::format("app.folder: {}: is no folder", options.caller_folder));
  }
  options.lb_program = find_program("rr-lb");
  options.webapp_program = find_program("rr-webapp");
  if (options.lb_program.empty()) return fail(command, kExitNotStarted, "rr-lb is neither beside rr-sim nor on PATH");
  if (options.webapp_program.empty() && !options.settings.region.own_program) {
    return fail(command, kExitNotStarted,
                "rr-webapp is neither beside rr-sim nor on PATH; --app runs a program of yours");
  }
  const Result<GroundChoice> ground = choose_ground(options.settings.ground);
  if (!ground) return fail(command, kExitNotStarted, ground.error().message);
  options.ground = *ground;
  if (arguments.has("--detach"))
    return serve_detached(command, std::move(options), *std::move(lock), arguments.has("--discard"));
  return serve(command, std::move(options), detail_of(arguments), *std::move(lock), false, arguments.has("--discard"));
}

}  // namespace rr::sim
