#pragma once
#include <map>
#include <string>

#include "sim/cloud/region.h"
#include "sim/world/ground.h"

namespace rr::sim {

using Environment = std::map<std::string, std::string>;

/// The caller's whole environment: what a program of the user's gets, as if it were started from the same shell.
Environment callers_environment();
/// What a program of ours gets of it: where programs and libraries lie, language, time zone, and what sanitizers and
/// test programs set. Proxies, credentials and settings of the user's shell stay outside, as in a systemd unit.
Environment bare_environment();

/// What an instance finds in its environment beside that: PORT, HOST, RR_INSTANCE_ID, RR_ZONE, RR_IMAGE_ID,
/// RR_HOST_NAME, APP_COMMIT, APP_BUILD. On the namespaces ground HOST is 0.0.0.0: the instance has the machine for
/// itself, and a shell in it finds its program on localhost too. On the plain ground it is the instance's own loopback
/// address.
void add_instance(Environment& environment, const LaunchInstance& launch, GroundKind ground, std::uint16_t port);

/// `command` with "{port}" and "{host}" replaced by what the environment says.
std::vector<std::string> substituted(std::vector<std::string> command, const Environment& environment);

}  // namespace rr::sim
