#pragma once
// The default VPC: 172.31.0.0/16 with a /20 a zone, and the names that follow from an address.
// https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc.html
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/address.h"
#include "lb/base/rng.h"
#include "sim/cloud/model.h"

namespace rr::sim {

constexpr int kMostZones = 16;  // /20 blocks in a /16
/// Hosts 1 to 3 of a subnet are AWS's; the load balancer's node is host 8, instances begin at 10.
constexpr std::uint32_t kNodeHost = 8;
constexpr std::uint32_t kFirstInstanceHost = 10;

/// The first `count` (1 to kMostZones) zones of a region: "eu-west-1a" with 172.31.0.0/20, "eu-west-1b" with
/// 172.31.16.0/20 and so on.
std::vector<Zone> default_zones(std::string_view region, int count);

/// The address of a host in the zone's subnet.
Address host_address(const Zone& zone, std::uint32_t host, std::uint16_t port);

/// The next free instance address of the zone, going round; none when `taken` says so of all. Moves zone.next_host.
std::optional<Address> next_instance_address(Zone& zone, std::uint16_t port,
                                             const std::function<bool(const Address&)>& taken);

/// "ip-172-31-16-10".
std::string host_name(const Address& address);

/// "lb-eu-west-1a".
std::string node_name(const ZoneName& zone);

/// "i-0123456789abcdef0": the prefix and 17 hexadecimal digits, the first of them 0, as AWS's ids look.
std::string draw_id(std::string_view prefix, Rng& rng);

/// "08b91cf7-8fa6-48af-b6a6-d227f40f1b9b", a random UUID of version 4.
std::string draw_uuid(Rng& rng);

}  // namespace rr::sim
