#include "sim/scenario/zone_list.h"

#include <fmt/format.h>

#include <charconv>

namespace rr::sim {
namespace {

Result<Zone> parse_zone(const std::string& name_text, const std::string& cidr) {
  const Error wrong{fmt::format("{}: {}: a block such as 172.31.16.0/20 is right", name_text, cidr)};
  const auto slash = cidr.find('/');
  if (slash == std::string::npos) return wrong;
  const Result<Address> subnet = parse_ip(cidr.substr(0, slash), 0);
  int prefix = 0;
  const std::string digits = cidr.substr(slash + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (!subnet || subnet->family != Address::Family::kV4 || error != std::errc() ||
      end != digits.data() + digits.size()) {
    return wrong;
  }
  if (prefix < 16 || prefix > 28) {
    return Error{fmt::format("{}: {}: a prefix from 16 to 28 is right, as in a VPC", name_text, cidr)};
  }
  const std::uint32_t bits = static_cast<std::uint32_t>(subnet->ip[0]) << 24 |
                             static_cast<std::uint32_t>(subnet->ip[1]) << 16 |
                             static_cast<std::uint32_t>(subnet->ip[2]) << 8 | subnet->ip[3];
  if ((bits & ((1U << (32 - prefix)) - 1)) != 0) {
    return Error{fmt::format("{}: {}: the bits after the prefix must be 0, as in 172.31.16.0/20", name_text, cidr)};
  }
  if (subnet->ip[0] != 172 || subnet->ip[1] != 31) {
    return Error{fmt::format("{}: {}: a block within the default VPC, 172.31.0.0/16, is right", name_text, cidr)};
  }
  Zone zone;
  zone.name = ZoneName{name_text};
  zone.subnet = *subnet;
  zone.prefix = prefix;
  return zone;
}

std::uint32_t first_of(const Zone& zone) {
  return static_cast<std::uint32_t>(zone.subnet.ip[2]) << 8 | zone.subnet.ip[3];
}

std::string show_zones(const TierSettings& s) {
  std::string out;
  for (const Zone& zone : s.region.zones) {
    out += fmt::format("\n  {}: {}/{}", zone.name.value, format_ip(zone.subnet), zone.prefix);
  }
  return out;
}

// "eu-west-1a: 172.31.16.0/20, eu-west-1b: 172.31.32.0/20"
Wrong read_zones(TierSettings& s, const std::string& text) {
  std::vector<Zone> zones;
  for (const std::string& item : split_list(text)) {
    const auto colon = item.find(':');
    if (colon == std::string::npos) return "each zone needs a name and a block: eu-west-1a: 172.31.16.0/20";
    const auto from = item.find_first_not_of(' ', colon + 1);
    std::string zone_name;
    if (Wrong wrong = read_name(item.substr(0, colon), zone_name)) {
      return fmt::format("{}: {}", item.substr(0, colon), *wrong);
    }
    Result<Zone> zone = parse_zone(zone_name, from == std::string::npos ? "" : item.substr(from));
    if (!zone) return zone.error().message;
    for (const Zone& other : zones) {
      if (other.name == zone->name) return fmt::format("{} is there twice; each name once is right", zone_name);
      const bool apart = first_of(other) + (1U << (32 - other.prefix)) <= first_of(*zone) ||
                         first_of(*zone) + (1U << (32 - zone->prefix)) <= first_of(other);
      if (!apart) return fmt::format("{} and {} overlap; blocks apart are right", other.name.value, zone_name);
    }
    zones.push_back(*zone);
  }
  if (zones.empty() || zones.size() > 6) return "1 to 6 zones are right";
  s.region.zones = zones;
  return std::nullopt;
}

}  // namespace

SettingField zones_field() {
  return {"zones", "The availability zones and their subnets, within the default VPC's 172.31.0.0/16.", show_zones,
          read_zones, true};
}

}  // namespace rr::sim
