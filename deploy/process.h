#pragma once
// Child processes, interrupts, and what this program knows about its own process.
#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deploy/aws/surroundings.h"
#include "lb/base/result.h"
#include "lb/base/time.h"

namespace rr::deploy {

/// The real one. `transport` must outlive it.
Surroundings real_surroundings(Transport& transport);

/// The wall clock at the program's start plus what the monotonic clock says since: it never jumps.
Time now();

/// From now on SIGINT and SIGTERM are counted, and end nothing.
void count_interrupts();
int interrupts();
/// Sleeps, but not longer than until an interrupt that has not been seen by `seen` yet. False when one came.
bool sleep_until_interrupt(Duration span, int seen);

/// The child's output is collected; the error is the last line that it wrote to standard error.
Result<std::string> run_and_collect(const std::vector<std::string>& words);

/// The child has this program's terminal: its output is streamed, and SIGINT, SIGQUIT and SIGTERM are for the child,
/// whose end is waited for; whether it was interrupted, its exit status says. `variables` are added to the environment.
/// The exit status, 128 + the signal that ended it; 127 when it could not be started (and that is said).
int run_attached(const std::vector<std::string>& words, const std::string& folder = "",
                 const std::map<std::string, std::string>& variables = {});

/// The path of a program in PATH; nothing when there is none.
std::optional<std::string> find_program(const std::string& name);

/// Names this machine and process so that a later run on the same machine can tell whether it still lives.
std::string machine_name();
std::string process_name();
bool process_is_alive(const std::string& process);
/// "me@laptop", or the build service's run.
std::string owner_name(const Surroundings& surroundings);
/// 16 random hexadecimal digits.
std::string random_token();

std::optional<std::string> read_whole_file(const std::string& path);
/// Written beside and renamed.
Status write_whole_file(const std::string& path, const std::string& text);

}  // namespace rr::deploy
