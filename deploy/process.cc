#include "deploy/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

extern char** environ;

namespace rr::deploy {
namespace {

std::atomic<int> interrupt_count = 0;

void on_interrupt(int) { ++interrupt_count; }

/// The descriptor's content to its end.
std::string drain(int descriptor) {
  std::string text;
  std::array<char, 4096> bytes{};
  for (;;) {
    const ssize_t count = ::read(descriptor, bytes.data(), bytes.size());
    if (count > 0) text.append(bytes.data(), static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) return text;
  }
}

/// The line that says what is wrong: the one with "error: " in it, behind which some list all that would be right, else
/// the last.
std::string telling_line(const std::string& text) {
  std::istringstream lines(text);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("error: ") != std::string::npos) return line;
    if (!line.empty()) last = line;
  }
  return last;
}

[[noreturn]] void become(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  fmt::print(stderr, "{}: {}\n", words[0], std::strerror(errno));
  ::_exit(127);
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Field 22 of /proc/PID/stat: when it was started, so that a reused number is no other process's life.
std::string start_of(const std::string& pid) {
  const auto stat = read_whole_file("/proc/" + pid + "/stat");
  if (!stat) return "";
  std::istringstream fields(stat->substr(stat->rfind(')') + 1));
  std::string field;
  for (int number = 3; number <= 22; ++number) fields >> field;
  return field;
}

}  // namespace

Surroundings real_surroundings(Transport& transport) {
  Surroundings surroundings;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) surroundings.environment[text.substr(0, equals)] = text.substr(equals + 1);
  }
  surroundings.read_file = read_whole_file;
  surroundings.run = run_and_collect;
  surroundings.send = [&transport](const HttpRequest& request) { return transport.send(request); };
  surroundings.now = now;
  return surroundings;
}

Time now() {
  static const auto wall = std::chrono::system_clock::now().time_since_epoch();
  static const auto began = std::chrono::steady_clock::now();
  return Time(std::chrono::duration_cast<Duration>(wall)) + (std::chrono::steady_clock::now() - began);
}

void count_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  ::sigaction(SIGINT, &action, nullptr);  // without SA_RESTART: a sleep ends
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

int interrupts() { return interrupt_count; }

bool sleep_until_interrupt(Duration span, int seen) {
  const auto end = std::chrono::steady_clock::now() + span;
  while (interrupt_count <= seen) {
    const auto left = end - std::chrono::steady_clock::now();
    if (left <= Duration::zero()) return true;
    // In slices: an interrupt between the look above and the sleep would otherwise be slept through.
    // not a setting: how soon this program hears an interrupt
    std::this_thread::sleep_for(std::min<Duration>(left, 50 * kMillisecond));
  }
  return false;
}

Result<std::string> run_and_collect(const std::vector<std::string>& words) {
  if (!find_program(words.at(0))) return Error{fmt::format("{} is not installed", words[0])};
  std::array<int, 2> out{}, err{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(err.data(), O_CLOEXEC) != 0) return Error{"no pipe"};
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    become(words);
  }
  ::close(out[1]);
  ::close(err[1]);
  std::string complaints;
  std::thread reader([&] { complaints = drain(err[0]); });
  std::string output = drain(out[0]);
  reader.join();
  ::close(out[0]);
  ::close(err[0]);
  const int status = child < 0 ? 127 : wait_for(child);
  if (status == 0) return output;
  const std::string said = telling_line(complaints);
  return Error{said.empty() ? fmt::format("{} ended with {}", words[0], status) : said};
}

namespace {

std::atomic<pid_t> attached = 0;

constexpr int kPassedOn[] = {SIGINT, SIGQUIT, SIGTERM};

/// What a person types (the kernel sends it) has reached the child as well; what a build service sends has not.
void pass_on(int signal, siginfo_t* from, void*) {
  if (const pid_t child = attached; child > 0 && from->si_code != SI_KERNEL) ::kill(child, signal);
}

/// While a child has the terminal, signals are its affair: it knows how to end, and its exit code is waited for.
class SteppedAside {
 public:
  SteppedAside() {
    // Held back until the child's id is known, so that none is lost.
    sigset_t held{};
    ::sigemptyset(&held);
    for (const int signal : kPassedOn) ::sigaddset(&held, signal);
    ::sigprocmask(SIG_BLOCK, &held, &mask_);
    struct sigaction action {};
    action.sa_sigaction = pass_on;
    action.sa_flags = SA_SIGINFO;
    for (std::size_t at = 0; at < std::size(kPassedOn); ++at) ::sigaction(kPassedOn[at], &action, &before_[at]);
  }
  ~SteppedAside() {
    attached = 0;
    for (std::size_t at = 0; at < std::size(kPassedOn); ++at) ::sigaction(kPassedOn[at], &before_[at], nullptr);
  }
  SteppedAside(const SteppedAside&) = delete;
  SteppedAside& operator=(const SteppedAside&) = delete;

  /// In the child, and in this program once the child is known.
  void let_signals_through() const { ::sigprocmask(SIG_SETMASK, &mask_, nullptr); }

 private:
  sigset_t mask_{};
  std::array<struct sigaction, std::size(kPassedOn)> before_{};
};

}  // namespace

int run_attached(const std::vector<std::string>& words, const std::string& folder,
                 const std::map<std::string, std::string>& variables) {
  std::fflush(stdout);
  std::fflush(stderr);
  const SteppedAside aside;
  const pid_t child = ::fork();
  if (child == 0) {
    for (const int signal : kPassedOn) ::signal(signal, SIG_DFL);
    ::signal(SIGPIPE, SIG_DFL);
    aside.let_signals_through();
    for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
    if (!folder.empty() && ::chdir(folder.c_str()) != 0) {
      fmt::print(stderr, "{}: {}\n", folder, std::strerror(errno));
      ::_exit(127);
    }
    become(words);
  }
  attached = child;
  aside.let_signals_through();
  return child < 0 ? 127 : wait_for(child);
}

std::optional<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos)
    return ::access(name.c_str(), X_OK) == 0 ? std::optional(name) : std::nullopt;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = (folder.empty() ? "." : folder) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0 && !std::filesystem::is_directory(candidate)) return candidate;
  }
  return std::nullopt;
}

std::string machine_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  std::array<char, 64> space{};
  // Containers of one machine may share a host name, but then not their process numbers.
  const ssize_t length = ::readlink("/proc/self/ns/pid", space.data(), space.size() - 1);
  return fmt::format("{} {}", name.data(), length > 0 ? space.data() : "");
}

std::string process_name() {
  const std::string pid = std::to_string(::getpid());
  return pid + " " + start_of(pid);
}

bool process_is_alive(const std::string& process) {
  const std::size_t space = process.find(' ');
  if (space == std::string::npos) return true;
  const std::string start = start_of(process.substr(0, space));
  return !start.empty() && start == process.substr(space + 1);
}

std::string owner_name(const Surroundings& surroundings) {
  const std::string run = surroundings.variable("GITHUB_RUN_ID");
  if (!run.empty()) return fmt::format("{} run {}", surroundings.variable("GITHUB_REPOSITORY"), run);
  std::string user = surroundings.variable("USER");
  if (user.empty()) user = surroundings.variable("LOGNAME");
  const std::string machine = machine_name();
  return fmt::format("{}@{}", user.empty() ? "somebody" : user, machine.substr(0, machine.find(' ')));
}

std::string random_token() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

std::optional<std::string> read_whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return file.bad() ? std::nullopt : std::optional(text.str());
}

Status write_whole_file(const std::string& path, const std::string& text) {
  const std::string beside = path + ".new";
  {
    std::ofstream file(beside, std::ios::binary | std::ios::trunc);
    file << text;
    if (!file.flush()) return Error{fmt::format("{}: {}", path, std::strerror(errno))};
  }
  if (std::rename(beside.c_str(), path.c_str()) != 0) return Error{fmt::format("{}: {}", path, std::strerror(errno))};
  return Ok{};
}

}  // namespace rr::deploy
