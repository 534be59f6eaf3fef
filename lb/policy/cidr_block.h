#pragma once
// Blocks of addresses, as a source-ip condition names them.
#include <string_view>

#include "lb/base/address.h"
#include "lb/base/result.h"

namespace rr {

/// "10.0.0.0/8", "2001:db8::/32". Bits behind the prefix do not count.
struct CidrBlock {
  Address::Family family = Address::Family::kV4;
  std::array<std::uint8_t, 16> ip{};
  unsigned prefix = 0;

  /// An IPv4 client on a socket that takes both (::ffff:10.1.2.3) counts as IPv4.
  bool contains(const Address& address) const;
};

/// The error is a sentence about the text.
Result<CidrBlock> parse_cidr(std::string_view text);

}  // namespace rr
