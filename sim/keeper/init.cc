#include "sim/keeper/init.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "sim/keeper/log_file.h"
#include "sim/keeper/private_world.h"
#include "sim/keeper/process_tree.h"

namespace rr::sim {

static_assert(kSignalStopping == SIGUSR1 && kSignalKeeperGone == SIGUSR2);

namespace {

/// Output that rr-sim has not taken yet; what comes on top of it is in the log file only.
constexpr std::size_t kForwardLimit = 256 * 1024;
/// What systemd gives a service: programs that close every possible descriptor at start take seconds with a million.
constexpr rlim_t kOpenFiles = 1024;

void write_all(int fd, const void* data, std::size_t size) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t put = ::write(fd, bytes, size);
    if (put <= 0 && errno != EINTR) return;
    if (put > 0) {
      bytes += put;
      size -= static_cast<std::size_t>(put);
    }
  }
}

[[noreturn]] void fail(int started, const std::string& message) {
  write_all(started, message.data(), message.size());
  ::_exit(127);
}

int pid_in(int proc) {
  std::array<char, 32> text{};
  const ssize_t size = ::readlinkat(proc, "self", text.data(), text.size() - 1);
  return size > 0 ? std::atoi(text.data()) : 0;
}

void reset_signals() {
  for (int number = 1; number < NSIG; ++number) std::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void limit_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min(limit.rlim_max, kOpenFiles);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Puts the passed descriptors where the program expects them. All are moved out of the way first: one's number may be
/// another's place.
void place_descriptors(const InitTask& task, int output, int& started) {
  constexpr int kOutOfTheWay = 512;
  started = ::fcntl(started, F_DUPFD_CLOEXEC, kOutOfTheWay);
  const int moved_output = ::fcntl(output, F_DUPFD_CLOEXEC, kOutOfTheWay);
  std::vector<int> moved;
  for (const Descriptor& passed : task.passed) moved.push_back(::fcntl(passed.get(), F_DUPFD_CLOEXEC, kOutOfTheWay));
  const Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ::dup2(nothing.get(), STDIN_FILENO);
  ::dup2(moved_output, STDOUT_FILENO);
  ::dup2(moved_output, STDERR_FILENO);
  for (std::size_t index = 0; index < moved.size(); ++index) ::dup2(moved[index], task.start.numbers[index]);
}

/// The machine is there and its program is not yet, or never. Whoever started it is told that all went well: `started`
/// is closed, and a program that cannot be run then says so where its output goes.
void wait_for_boot(std::int64_t delay, int& started) {
  ::close(started);
  started = STDERR_FILENO;
  timespec left{};
  left.tv_sec = static_cast<time_t>(delay / 1000);
  left.tv_nsec = static_cast<long>(delay % 1000) * 1'000'000;
  if (delay == kNeverBoots) {
    for (;;) ::pause();
  }
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

[[noreturn]] void run_program(const InitTask& task, int output, pid_t init) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  int started = task.started.get();
  if (::getppid() != init) ::_exit(127);  // the init died before the line above
  const StartedRecord record{pid_in(task.tier_proc), pid_in(task.outside_proc)};
  write_all(started, &record, sizeof record);
  place_descriptors(task, output, started);
  std::vector<int> kept = task.start.numbers;
  kept.push_back(started);
  close_all_but(kept);
  ::umask(022);
  limit_open_files();
  reset_signals();
  if (::chdir(task.start.folder.c_str()) != 0) {
    fail(started, fmt::format("cannot enter {}: {}", task.start.folder, std::strerror(errno)));
  }
  if (task.start.boot_delay != 0) wait_for_boot(task.start.boot_delay, started);
  std::vector<std::string> settings;
  for (const auto& [name, value] : task.start.environment) settings.push_back(name + "=" + value);
  std::vector<char*> environment;
  for (std::string& setting : settings) environment.push_back(setting.data());
  environment.push_back(nullptr);
  std::vector<std::string> words = task.start.command;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  environ = environment.data();  // so that execvp searches the program's PATH
  ::execvp(arguments[0], arguments.data());
  fail(started, fmt::format("cannot run {}: {}", words[0], std::strerror(errno)));
}

class Init {
 public:
  explicit Init(InitTask task) : task_(std::move(task)), log_(task_.start.log_file) {}

  [[noreturn]] void run() {
    prepare();
    start_program();
    while (!finished_) {
      wait_for_something();
    }
    copy_output();
    forward_rest();
    write_all(task_.ended.get(), &program_status_, sizeof program_status_);
    ::_exit(0);
  }

 private:
  void prepare() {
    ::prctl(PR_SET_NAME, "rr-init");
    ::setsid();
    block_signals();
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    // The death of the keeper takes a process-id namespace with it by itself.
    ::prctl(PR_SET_PDEATHSIG, task_.own_world ? SIGKILL : kSignalKeeperGone);
    if (!task_.own_world && ::getppid() != task_.keeper) ::_exit(127);
    if (!log_.open()) fail(task_.started.get(), fmt::format("cannot write {}", task_.start.log_file));
    if (task_.own_world) enter_own_world();
  }

  void enter_own_world() {
    char ready = 0;
    if (::read(task_.go.get(), &ready, 1) != 1) ::_exit(127);
    const std::string& host = task_.start.host_name;
    if (!host.empty() && ::sethostname(host.c_str(), host.size()) != 0) {
      fail(task_.started.get(), fmt::format("setting the host name: {}", std::strerror(errno)));
    }
    if (Status done = set_up_own_network(task_.start.logical); !done) fail(task_.started.get(), done.error().message);
    if (Status done = set_up_own_mounts(task_.start); !done) fail(task_.started.get(), done.error().message);
  }

  void block_signals() {
    sigset_t watched;
    sigemptyset(&watched);
    for (const int number : {SIGCHLD, SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGTTOU}) {
      sigaddset(&watched, number);
    }
    ::sigprocmask(SIG_SETMASK, &watched, nullptr);
    signals_ = Descriptor(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  }

  void start_program() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail(task_.started.get(), std::strerror(errno));
    output_ = Descriptor(ends[0]);
    Descriptor write_end(ends[1]);
    const pid_t self = ::getpid();
    program_ = ::fork();
    if (program_ == 0) run_program(task_, write_end.get(), self);
    if (program_ < 0) fail(task_.started.get(), fmt::format("fork: {}", std::strerror(errno)));
    task_.started.reset();
    task_.passed.clear();
    ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  }

  void wait_for_something() {
    std::array<pollfd, 3> watched{pollfd{signals_.get(), POLLIN, 0}, pollfd{output_.get(), POLLIN, 0},
                                  pollfd{task_.forward.get(), POLLOUT, 0}};
    if (forward_queue_.empty()) watched[2].fd = -1;
    ::poll(watched.data(), watched.size(), -1);
    if (watched[1].revents != 0) copy_output();
    if (watched[2].revents != 0) forward({});
    if (watched[0].revents != 0) take_signals();
  }

  /// Output: to the file first, which is what counts, then to rr-sim as far as it keeps up.
  void copy_output() {
    std::array<char, 16 * 1024> buffer;
    constexpr int kReadsAtOnce = 64;
    for (int reads = 0; output_.open() && reads < kReadsAtOnce; ++reads) {
      const ssize_t got = ::read(output_.get(), buffer.data(), buffer.size());
      if (got == 0) output_.reset();
      if (got <= 0) return;
      log_.append({buffer.data(), static_cast<std::size_t>(got)});
      forward({buffer.data(), static_cast<std::size_t>(got)});
    }
  }

  void forward(std::string_view bytes) {
    if (!task_.forward.open()) return;
    if (forward_queue_.size() + bytes.size() > kForwardLimit) {
      if (!skipping_) forward_queue_ += "\n[output skipped here: it is in the log file]\n";
      skipping_ = true;
    } else {
      forward_queue_ += bytes;
      skipping_ = false;
    }
    const ssize_t put = ::write(task_.forward.get(), forward_queue_.data(), forward_queue_.size());
    if (put > 0) forward_queue_.erase(0, static_cast<std::size_t>(put));
    if (put < 0 && errno != EAGAIN && errno != EINTR) {  // rr-sim has gone: the keeper will end us
      task_.forward.reset();
      forward_queue_.clear();
    }
  }

  /// The last lines are the ones that tell why: they wait for rr-sim for a while.
  void forward_rest() {
    constexpr int kPatience = 100;
    constexpr int kMilliseconds = 20;
    for (int waits = 0; waits < kPatience && !forward_queue_.empty(); ++waits) {
      pollfd wait{task_.forward.get(), POLLOUT, 0};
      ::poll(&wait, 1, kMilliseconds);
      forward({});
    }
  }

  void take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (info.ssi_signo == kSignalStopping) stopping_ = true;
      if (info.ssi_signo == kSignalKeeperGone) kill_all();
    }
    reap();
  }

  void reap() {
    for (;;) {
      int status = 0;
      const pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid == program_) {
        program_status_ = status;
        program_ended_ = true;
      } else if (pid < 0 && errno == ECHILD) {
        finished_ = program_ended_;
        return;
      } else if (pid <= 0) {
        break;
      }
    }
    // The program is the instance: what it leaves behind ends with it, unless it was asked to end and its children are
    // finishing their work; then somebody else's patience decides.
    if (program_ended_ && !stopping_) kill_all();
  }

  void kill_all() {
    if (killing_) return;
    killing_ = true;
    kill_descendants(::getpid());
    reap();
  }

  InitTask task_;
  LogFile log_;
  Descriptor signals_;
  Descriptor output_;
  std::string forward_queue_;
  bool skipping_ = false;
  pid_t program_ = -1;
  std::int32_t program_status_ = 0;
  bool program_ended_ = false;
  bool stopping_ = false;
  bool killing_ = false;
  bool finished_ = false;
};

}  // namespace

void run_init(InitTask task) {
  std::vector<int> kept{task.tier_proc, task.outside_proc, task.forward.get(), task.started.get(), task.ended.get()};
  if (task.go.open()) kept.push_back(task.go.get());
  for (const Descriptor& passed : task.passed) kept.push_back(passed.get());
  close_all_but(kept);
  // On the heap and never destroyed: the process ends by _exit.
  auto* init = new Init(std::move(task));
  init->run();
}

}  // namespace rr::sim
