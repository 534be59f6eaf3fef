#include "sim/cloud/address_plan.h"

#include <fmt/format.h>

#include "lb/base/check.h"

namespace rr::sim {
namespace {

std::uint32_t as_number(const Address& address) {
  return std::uint32_t{address.ip[0]} << 24 | std::uint32_t{address.ip[1]} << 16 | std::uint32_t{address.ip[2]} << 8 |
         address.ip[3];
}

std::uint8_t byte_of(std::uint32_t number, int shift) { return static_cast<std::uint8_t>(number >> shift & 0xff); }

}  // namespace

std::vector<Zone> default_zones(std::string_view region, int count) {
  RR_CHECK(count >= 1 && count <= kMostZones, "a region has 1 to 16 zones");
  std::vector<Zone> zones;
  for (int i = 0; i < count; ++i) {
    zones.push_back({.name = ZoneName(fmt::format("{}{}", region, static_cast<char>('a' + i))),
                     .subnet = Address::v4(172, 31, static_cast<std::uint8_t>(16 * i), 0, 0),
                     .prefix = 20,
                     .next_host = kFirstInstanceHost});
  }
  return zones;
}

Address host_address(const Zone& zone, std::uint32_t host, std::uint16_t port) {
  const std::uint32_t number = as_number(zone.subnet) + host;
  return Address::v4(byte_of(number, 24), byte_of(number, 16), byte_of(number, 8), byte_of(number, 0), port);
}

std::optional<Address> next_instance_address(Zone& zone, std::uint16_t port,
                                             const std::function<bool(const Address&)>& taken) {
  RR_CHECK(zone.prefix >= 16 && zone.prefix <= 28, "a subnet of AWS has a prefix of 16 to 28");
  const std::uint32_t broadcast = (std::uint32_t{1} << (32 - zone.prefix)) - 1;
  for (std::uint32_t tries = kFirstInstanceHost; tries < broadcast; ++tries) {
    if (zone.next_host < kFirstInstanceHost || zone.next_host >= broadcast) zone.next_host = kFirstInstanceHost;
    const Address address = host_address(zone, zone.next_host++, port);
    if (!taken(address)) return address;
  }
  return std::nullopt;
}

std::string host_name(const Address& address) {
  return fmt::format("ip-{}-{}-{}-{}", address.ip[0], address.ip[1], address.ip[2], address.ip[3]);
}

std::string node_name(const ZoneName& zone) { return "lb-" + zone.value; }

std::string draw_id(std::string_view prefix, Rng& rng) { return fmt::format("{}0{:016x}", prefix, rng.next()); }

std::string draw_uuid(Rng& rng) {
  const std::uint64_t high = (rng.next() & 0xFFFF'FFFF'FFFF'0FFFULL) | 0x4000ULL;
  const std::uint64_t low = (rng.next() & 0x3FFF'FFFF'FFFF'FFFFULL) | 0x8000'0000'0000'0000ULL;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xFFFF, high & 0xFFFF, low >> 48,
                     low & 0xFFFF'FFFF'FFFFULL);
}

}  // namespace rr::sim
