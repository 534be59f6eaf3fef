#include "lb/policy/cidr_block.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace rr {
namespace {

constexpr unsigned bits_of(Address::Family family) { return family == Address::Family::kV4 ? 32 : 128; }

/// ::ffff:0:0/96 is IPv4 (RFC 4291 section 2.5.5.2).
Address unmapped(const Address& address) {
  static constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (address.family == Address::Family::kV4 || !std::equal(kMapped.begin(), kMapped.end(), address.ip.begin())) {
    return address;
  }
  return Address::v4(address.ip[12], address.ip[13], address.ip[14], address.ip[15], address.port);
}

}  // namespace

bool CidrBlock::contains(const Address& address) const {
  const Address client = unmapped(address);
  if (client.family != family) return false;
  const std::size_t whole = prefix / 8;
  if (!std::equal(ip.begin(), ip.begin() + static_cast<std::ptrdiff_t>(whole), client.ip.begin())) return false;
  const unsigned rest = prefix % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff00U >> rest);
  return ((ip[whole] ^ client.ip[whole]) & mask) == 0;
}

Result<CidrBlock> parse_cidr(std::string_view text) {
  const Error wrong{"is not a CIDR block: write one like 192.0.2.0/24 or 2001:db8::/32"};
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return wrong;
  const auto address = parse_ip(text.substr(0, slash), 0);
  if (!address) return wrong;
  CidrBlock block{address->family, address->ip, 0};
  const std::string_view length = text.substr(slash + 1);
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), block.prefix);
  if (error != std::errc() || end != length.data() + length.size()) return wrong;
  if (block.prefix > bits_of(block.family)) {
    return Error{fmt::format("has a prefix out of range: 0 to {}", bits_of(block.family))};
  }
  return block;
}

}  // namespace rr
