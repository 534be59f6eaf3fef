#include "lb/base/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>
#include <cstring>

namespace rr {
namespace {

Result<std::uint16_t> parse_port(std::string_view text, std::string_view whole) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > 65535) {
    return Error{fmt::format("'{}': '{}' is not a port: write 0 to 65535", whole, text)};
  }
  return static_cast<std::uint16_t>(value);
}

}  // namespace

bool Address::is_loopback() const {
  if (family == Family::kV4) return ip[0] == 127;
  static constexpr std::array<std::uint8_t, 16> kLoopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return ip == kLoopback;
}

Result<Address> parse_ip(std::string_view text, std::uint16_t port) {
  const std::string ip(text);
  Address address;
  address.port = port;
  // inet_pton would stop at a zero byte and take "127.0.0.1\0x" for an address.
  const bool whole = ip.find('\0') == std::string::npos;
  if (whole && inet_pton(AF_INET, ip.c_str(), address.ip.data()) == 1) return address;
  if (whole && inet_pton(AF_INET6, ip.c_str(), address.ip.data()) == 1) {
    address.family = Address::Family::kV6;
    return address;
  }
  return Error{fmt::format("'{}' is not an IP address: write one like 127.0.0.1 or ::1", text)};
}

Result<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) {
    return Error{fmt::format("'{}' has no port: write ADDRESS:PORT, like 127.0.0.1:8080 or [::1]:8080", text)};
  }
  std::string_view ip = text.substr(0, colon);
  const bool bracketed = ip.size() > 2 && ip.front() == '[' && ip.back() == ']';
  if (bracketed) ip = ip.substr(1, ip.size() - 2);
  const auto port = parse_port(text.substr(colon + 1), text);
  if (!port) return port.error();
  auto address = parse_ip(ip, *port);
  if (!address || (address->family == Address::Family::kV6) != bracketed) {
    return Error{
        fmt::format("'{}' is not a numeric address: write ADDRESS:PORT, like 127.0.0.1:8080 or [::1]:8080", text)};
  }
  return address;
}

std::string format_ip(const Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.family == Address::Family::kV6) {
    inet_ntop(AF_INET6, address.ip.data(), text, sizeof text);
    return text;
  }
  // Every connection has its client's address as text, and for that inet_ntop is slow: it takes printf's way.
  char* at = text;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) *at++ = '.';
    at = std::to_chars(at, text + sizeof text, address.ip[i]).ptr;
  }
  return {text, at};
}

std::string format_address(const Address& address) {
  if (address.family == Address::Family::kV4) return fmt::format("{}:{}", format_ip(address), address.port);
  return fmt::format("[{}]:{}", format_ip(address), address.port);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  if (text.starts_with("unix:")) {
    const std::string_view path = text.substr(5);
    // sun_path of unix(7) holds 108 bytes with the terminating zero.
    if (path.empty() || path.size() > 107) {
      return Error{
          fmt::format("'{}': the path of a Unix socket has 1 to 107 characters, this one {}", text, path.size())};
    }
    return Endpoint(UnixPath{std::string(path)});
  }
  if (text.starts_with("fd:")) {
    int fd = -1;
    const auto [end, error] = std::from_chars(text.data() + 3, text.data() + text.size(), fd);
    if (error != std::errc() || end != text.data() + text.size() || fd < 0) {
      return Error{fmt::format("'{}': write fd: and the number of an inherited descriptor, like fd:3", text)};
    }
    return Endpoint(InheritedSocket{fd});
  }
  auto address = parse_address(text);
  if (!address) return address.error();
  return Endpoint(*address);
}

std::string format_endpoint(const Endpoint& endpoint) {
  if (const auto* address = std::get_if<Address>(&endpoint)) return format_address(*address);
  if (const auto* path = std::get_if<UnixPath>(&endpoint)) return "unix:" + path->path;
  return fmt::format("fd:{}", std::get<InheritedSocket>(endpoint).fd);
}

}  // namespace rr
