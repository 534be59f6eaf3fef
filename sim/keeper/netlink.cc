#include "sim/keeper/netlink.h"

#include <fmt/format.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace rr::sim {

namespace {

constexpr std::size_t align(std::size_t size) { return (size + NLMSG_ALIGNTO - 1) & ~std::size_t{NLMSG_ALIGNTO - 1}; }

/// A message under construction: a header, a fixed part, attributes that may hold attributes.
///
///   nlmsghdr | ifinfomsg | attr(name) | attr(linkinfo: attr(kind) | attr(data: attr(peer: ifinfomsg | attr(name)
///   ...)))
class Message {
 public:
  template <class Fixed>
  Message(std::uint16_t type, std::uint16_t flags, const Fixed& fixed) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    append(&header, sizeof header);
    append(&fixed, sizeof fixed);
  }
  Message& attribute(std::uint16_t type, const void* data, std::size_t size) {
    const rtattr head{static_cast<std::uint16_t>(sizeof(rtattr) + size), type};
    append(&head, sizeof head);
    append(data, size);
    return *this;
  }
  Message& attribute(std::uint16_t type, const std::string& text) {
    return attribute(type, text.c_str(), text.size() + 1);
  }
  Message& attribute(std::uint16_t type, std::uint32_t number) { return attribute(type, &number, sizeof number); }
  std::size_t open(std::uint16_t type) {
    const std::size_t start = bytes_.size();
    const rtattr head{0, type};
    append(&head, sizeof head);
    return start;
  }
  template <class Fixed>
  void fixed(const Fixed& part) {
    append(&part, sizeof part);
  }
  void close(std::size_t start) {
    const auto size = static_cast<std::uint16_t>(bytes_.size() - start);
    std::memcpy(bytes_.data() + start, &size, sizeof size);
  }
  std::string finish(std::uint32_t sequence) {
    nlmsghdr header{};
    std::memcpy(&header, bytes_.data(), sizeof header);
    header.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
    header.nlmsg_seq = sequence;
    std::memcpy(bytes_.data(), &header, sizeof header);
    return bytes_;
  }

 private:
  void append(const void* data, std::size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
    bytes_.resize(align(bytes_.size()), '\0');
  }
  std::string bytes_;
};

Result<int> index_of(const std::string& name) {
  const unsigned index = ::if_nametoindex(name.c_str());
  if (index == 0) return Error{fmt::format("there is no network interface {}", name)};
  return static_cast<int>(index);
}

}  // namespace

MacAddress mac_of(const Address& address) {
  // 02: locally administered (RFC 7042 section 2.1).
  return {0x02, 0x52, address.ip[0], address.ip[1], address.ip[2], address.ip[3]};
}

Result<Netlink> Netlink::open() {
  Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket.open()) return Error{fmt::format("netlink socket: {}", std::strerror(errno))};
  return Netlink(std::move(socket));
}

Status Netlink::talk(const std::string& what, std::string message) {
  if (::send(socket_.get(), message.data(), message.size(), 0) < 0) {
    return Error{fmt::format("{}: {}", what, std::strerror(errno))};
  }
  alignas(nlmsghdr) std::array<char, 8192> answer;
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), answer.data(), answer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < static_cast<ssize_t>(sizeof(nlmsghdr))) {
      return Error{fmt::format("{}: no answer from the kernel", what)};
    }
    nlmsghdr header{};
    std::memcpy(&header, answer.data(), sizeof header);
    if (header.nlmsg_seq != sequence_ || header.nlmsg_type != NLMSG_ERROR) continue;
    int error = 0;
    std::memcpy(&error, answer.data() + NLMSG_HDRLEN, sizeof error);
    if (error == 0) return Ok{};
    return Error{fmt::format("{}: {}", what, std::strerror(-error))};
  }
}

Status Netlink::create_bridge(const std::string& name) {
  Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
  message.attribute(IFLA_IFNAME, name);
  const std::size_t info = message.open(IFLA_LINKINFO);
  message.attribute(IFLA_INFO_KIND, std::string("bridge"));
  message.close(info);
  return talk(fmt::format("creating the bridge {}", name), message.finish(++sequence_));
}

Status Netlink::create_cable(const std::string& name, const std::string& peer, const MacAddress& mac, pid_t peer_pid) {
  Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
  message.attribute(IFLA_IFNAME, name);
  const std::size_t info = message.open(IFLA_LINKINFO);
  message.attribute(IFLA_INFO_KIND, std::string("veth"));
  const std::size_t kind = message.open(IFLA_INFO_DATA);
  const std::size_t other = message.open(VETH_INFO_PEER);
  message.fixed(ifinfomsg{});
  message.attribute(IFLA_IFNAME, peer);
  message.attribute(IFLA_ADDRESS, mac.data(), mac.size());
  message.attribute(IFLA_NET_NS_PID, static_cast<std::uint32_t>(peer_pid));
  message.close(other);
  message.close(kind);
  message.close(info);
  return talk(fmt::format("creating the veth pair {}", name), message.finish(++sequence_));
}

Status Netlink::plug_into(const std::string& name, const std::string& bridge) {
  const auto index = index_of(name);
  if (!index) return index.error();
  const auto master = index_of(bridge);
  if (!master) return master.error();
  ifinfomsg link{};
  link.ifi_index = *index;
  Message message(RTM_NEWLINK, 0, link);
  message.attribute(IFLA_MASTER, static_cast<std::uint32_t>(*master));
  return talk(fmt::format("plugging {} into {}", name, bridge), message.finish(++sequence_));
}

Status Netlink::set_up(const std::string& name, bool up) {
  const auto index = index_of(name);
  if (!index) return index.error();
  ifinfomsg link{};
  link.ifi_index = *index;
  link.ifi_change = IFF_UP;
  link.ifi_flags = up ? IFF_UP : 0;
  return talk(fmt::format("setting {} {}", name, up ? "up" : "down"),
              Message(RTM_NEWLINK, 0, link).finish(++sequence_));
}

Status Netlink::add_address(const std::string& name, const Address& address, int prefix) {
  const auto index = index_of(name);
  if (!index) return index.error();
  ifaddrmsg fixed{};
  fixed.ifa_family = AF_INET;
  fixed.ifa_prefixlen = static_cast<std::uint8_t>(prefix);
  fixed.ifa_scope = address.is_loopback() ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
  fixed.ifa_index = static_cast<std::uint32_t>(*index);
  Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, fixed);
  message.attribute(IFA_LOCAL, address.ip.data(), 4);
  message.attribute(IFA_ADDRESS, address.ip.data(), 4);
  return talk(fmt::format("giving {} the address {}/{}", name, format_ip(address), prefix),
              message.finish(++sequence_));
}

Status Netlink::add_default_route(const Address& gateway) {
  rtmsg fixed{};
  fixed.rtm_family = AF_INET;
  fixed.rtm_table = RT_TABLE_MAIN;
  fixed.rtm_protocol = RTPROT_STATIC;
  fixed.rtm_scope = RT_SCOPE_UNIVERSE;
  fixed.rtm_type = RTN_UNICAST;
  Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, fixed);
  message.attribute(RTA_GATEWAY, gateway.ip.data(), 4);
  return talk(fmt::format("adding the default route over {}", format_ip(gateway)), message.finish(++sequence_));
}

}  // namespace rr::sim
