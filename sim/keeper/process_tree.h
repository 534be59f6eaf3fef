#pragma once
// Who descends from whom, as /proc tells it.
#include <sys/types.h>

#include <string_view>
#include <vector>

namespace rr::sim {

/// Every process below `root` that is not a zombie, without `root` itself. Not atomic: a process that is made while we
/// look may be missing, so whoever must reach all repeats until nothing new turns up. /proc/PID/task/*/children would
/// be cheaper but is a kernel option; parents are always there.
std::vector<pid_t> descendants(pid_t root);

/// The direct children of a process that are not zombies.
std::vector<pid_t> children(pid_t parent);

/// The parent and the state letter out of a line of /proc/PID/stat. False when it is none. (The name in it may hold
/// spaces and brackets: the last bracket counts.)
bool parse_stat(std::string_view line, pid_t& parent, char& state);

/// Sends a signal to every process below `root` until no new one turns up (at once for signals that end a process,
/// where "new" would be whoever was just made to clean up). Returns how many were reached.
int signal_descendants(pid_t root, int signal_number, bool until_no_new);

/// Kills everything below `root`, again and again until nothing is left or about a
/// second has passed. Returns whether nothing is left.
bool kill_descendants(pid_t root);
/// The same for everything below the children of `root`, sparing these children themselves.
bool kill_grandchildren(pid_t root);

}  // namespace rr::sim
