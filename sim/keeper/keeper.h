#pragma once
// The keeper: starts every process of a tier, and ends all of them when nobody needs them any more.
//
// It is a program of its own (rr-keeper) and not a part of rr-sim, because it must outlive rr-sim by the moment that it
// takes to end everything, however rr-sim died. It talks over one socket pair and lives exactly as long as the other
// end is open. Everything it does is short, so it has one thread and one poll loop.
#include "lb/base/result.h"

namespace rr::sim {

struct KeeperSettings {
  int socket = 3;           // SOCK_SEQPACKET, see message.h
  bool own_worlds = false;  // the namespaces ground
};

/// Runs until the socket closes. Returns the exit status.
int run_keeper(const KeeperSettings& settings);

/// Does once what the namespaces ground needs (namespaces, bridge, veth pair, a process in it) and undoes it.
Status try_own_worlds();

}  // namespace rr::sim
