#pragma once
// Where something listens or is connected to. Numeric only: nothing here or above ever asks a resolver.
#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "lb/base/result.h"

namespace rr {

/// An IPv4 or IPv6 address with a port. Plain value; comparable, so it can be a key.
struct Address {
  enum class Family : std::uint8_t { kV4, kV6 };

  Family family = Family::kV4;
  std::array<std::uint8_t, 16> ip{};  // network order; an IPv4 address uses the first four
  std::uint16_t port = 0;

  auto operator<=>(const Address&) const = default;

  static Address v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, std::uint16_t port) {
    Address address;
    address.ip = {a, b, c, d};
    address.port = port;
    return address;
  }
  bool is_loopback() const;
};

/// Reads "127.0.0.1:8080" or "[::1]:8080". Names are refused.
Result<Address> parse_address(std::string_view text);

/// Reads an address without a port: "127.0.0.1" or "::1".
Result<Address> parse_ip(std::string_view text, std::uint16_t port);

/// "127.0.0.1:8080", "[::1]:8080".
std::string format_address(const Address& address);

/// "127.0.0.1", "::1".
std::string format_ip(const Address& address);

/// A Unix socket in the file system.
struct UnixPath {
  std::string path;
  auto operator<=>(const UnixPath&) const = default;
};

/// A listening socket that somebody else opened and handed over under this descriptor: the parent process, or another
/// worker of this one.
struct InheritedSocket {
  int fd = -1;
  /// Nobody else has it open: what waits in its queue ends with it.
  bool sole = false;
  auto operator<=>(const InheritedSocket&) const = default;
};

/// What can be listened on; "127.0.0.1:8080", "unix:/run/x.sock" and "fd:3" as text.
using Endpoint = std::variant<Address, UnixPath, InheritedSocket>;

Result<Endpoint> parse_endpoint(std::string_view text);
std::string format_endpoint(const Endpoint& endpoint);

}  // namespace rr
