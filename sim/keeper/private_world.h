#pragma once
// What makes a process believe that it has a machine of its own: the namespaces ground's part of its start.
#include <string>
#include <vector>

#include "lb/base/address.h"
#include "lb/base/result.h"
#include "sim/keeper/message.h"

namespace rr::sim {

/// Where every machine on EC2 asks about itself. Reserved on each instance's loopback interface; nothing answers yet.
inline const Address kMetadataAddress = Address::v4(169, 254, 169, 254, 0);

/// The first host of the /16 that an address lies in: the address of the tier's bridge, every instance's default route.
/// A tier's network is flat below it: AWS's subnets route to each other just as freely.
Address gateway_of(const Address& address);
constexpr int kNetworkPrefix = 16;

/// In the new network namespace: lo, the metadata address, eth0 with the process's address and the default route.
Status set_up_own_network(const Address& address);
/// In the new mount and process-id namespace: an own /proc, its own names in /etc (hosts, hostname, resolv.conf), and
/// an own empty /tmp, in which only what the process needs is still seen (see kept_in_tmp). Everything else of the host
/// is seen as it is.
Status set_up_own_mounts(const StartProcess& start);
/// The entries of /tmp that must stay visible, because the process's folder, program or search path lies in them:
/// "/tmp/project" for the folder "/tmp/project/server". A folder that is /tmp itself gives "/tmp".
std::vector<std::string> kept_in_tmp(const StartProcess& start);

}  // namespace rr::sim
