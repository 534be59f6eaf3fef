#pragma once
// The first process of every process of the tier: it starts the program, passes its output on, reaps whatever is left
// to it, and says how the program ended.
//
//   rr-sim --socket pair--> keeper --fork--> init --fork--> program --> children, daemons, ...
//                                              ^--- adopts what loses its parent (subreaper, or first of its namespace)
//
// Because every program has an init of its own, "everything that descends from the program" is the tree below the init,
// also when a daemon has forked twice, started a session and changed its environment. A mark in the environment would
// be lost in programs that write over it (nginx, postgres) or clear it (env -i), a session id in every daemon, and
// control groups need rights that a user has not. The limit: a program that is killed together with its init leaves its
// daemons to the keeper, which kills them as strays. And programs are often bad at being process number 1 of a
// process-id namespace: signals without a handler do not reach it, and nobody reaps orphans; this one is good at it.
#include <cstdint>
#include <string>
#include <vector>

#include "sim/keeper/descriptor.h"
#include "sim/keeper/message.h"

namespace rr::sim {

/// Signals from the keeper to an init.
constexpr int kSignalStopping = 10;    // SIGUSR1: the program was asked to end; let its children finish, too
constexpr int kSignalKeeperGone = 12;  // SIGUSR2, by PR_SET_PDEATHSIG: end everything

/// What the init writes to `started`: this, then (only if something failed) the error as text; end of file otherwise.
struct StartedRecord {
  std::int32_t tier_pid = 0;     // of the program, in the keeper's numbering
  std::int32_t outside_pid = 0;  // in rr-sim's
};

struct InitTask {
  StartProcess start;
  bool own_world = false;  // it runs in new network, host-name, mount and process-id namespaces
  int keeper = 0;          // process id of the keeper, as the init sees it
  int tier_proc = -1;      // /proc of the keeper's process-id namespace
  int outside_proc = -1;   // /proc of rr-sim's
  Descriptor forward;      // output for rr-sim; not blocking
  Descriptor started;      // see StartedRecord
  Descriptor ended;        // the program's wait status, 4 bytes
  Descriptor go;           // readable once the cable is there (own_world)
  std::vector<Descriptor> passed;
};

/// Becomes the init. To be called in a fresh child of the keeper.
[[noreturn]] void run_init(InitTask task);

}  // namespace rr::sim
