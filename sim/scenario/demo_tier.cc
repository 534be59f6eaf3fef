#include "sim/scenario/demo_tier.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace rr::sim {
namespace {

[[noreturn]] void become(std::vector<char*>& argv, const std::string& log, pid_t parent, bool outlive) {
  ::setsid();  // a Ctrl-C in the demo's terminal is the demo's to pass on
  if (!outlive) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(1);
  }
  const int null = ::open("/dev/null", O_RDONLY);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(null, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  if (null > STDERR_FILENO) ::close(null);
  if (out > STDERR_FILENO) ::close(out);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

Result<std::unique_ptr<DemoTier>> DemoTier::start(const std::string& program, const std::vector<std::string>& flags,
                                                  bool outlive) {
  std::string folder = "/tmp/rr-demo-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return Error{fmt::format("/tmp: {}", std::strerror(errno))};
  StateLayout layout(folder);
  std::vector<std::string> words = {program, "up", "--state", folder, "--verbose", "--discard"};
  words.insert(words.end(), flags.begin(), flags.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string log = layout.own_log();
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(argv, log, parent, outlive);
  if (pid < 0) {
    remove_folder(folder);
    return Error{fmt::format("cannot start {}: {}", program, std::strerror(errno))};
  }
  return std::unique_ptr<DemoTier>(new DemoTier(std::move(layout), pid));
}

DemoTier::~DemoTier() {
  if (pid_ <= 0) return;
  if (running()) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  // What a killed tier started dies with it; the folder is theirs until then.
  for (int i = 0; i < 500 && lock_holder(layout_); ++i) ::usleep(10'000);
  remove_folder(layout_.folder);
}

bool DemoTier::running() {
  if (pid_ <= 0 || ended_) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) {
    ended_ = true;
    exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return !ended_;
}

void DemoTier::ask_to_stop() {
  if (running()) ::kill(pid_, SIGTERM);
}

std::vector<std::string> DemoTier::last_output(std::size_t lines) const { return last_lines(layout_.own_log(), lines); }

}  // namespace rr::sim
