#include "sim/relay/relay.h"

#include <fmt/format.h>

#include <utility>

namespace rr::sim {

Relay::Relay(Loop& loop, const Address& address, std::uint64_t seed) : loop_(loop), address_(address), rng_(seed) {}

Status Relay::set_links(const std::vector<LinkSpec>& links) {
  if (links.size() > kMostLinks) return Error{fmt::format("{} links: {} at most", links.size(), kMostLinks)};
  std::map<std::string, Link> before = std::exchange(links_, {});
  Status outcome = Ok{};
  for (const LinkSpec& spec : links) {
    Link& link = links_[spec.name];
    if (auto node = before.extract(spec.name)) link = std::move(node.mapped());
    link.spec = spec;
    tell_connections(spec.name, spec.faults);
    if (Status opened = open_port(link); !opened) outcome = opened;
  }
  for (const auto& [name, link] : before) tell_connections(name, WireFaults{});
  return outcome;
}

Status Relay::open_port(Link& link) {
  const PortMode mode = port_mode(link.spec.faults);
  if (link.port && link.port->mode() == mode) return Ok{};
  link.port.reset();
  auto port = LinkPort::open(loop_, address_, mode,
                             [this, name = link.spec.name](Stream front) { accept(name, std::move(front)); });
  if (!port) return port.error();
  link.port.emplace(*std::move(port));
  return Ok{};
}

void Relay::accept(const std::string& link, Stream front) {
  const auto found = links_.find(link);
  if (found == links_.end() || connections_.size() >= kMostConnections) return front.reset();
  const auto slot = connections_.insert(connections_.end(), Relayed{link, nullptr});
  slot->connection = std::make_unique<RelayedConnection>(
      loop_, std::move(front), found->second.spec.target, found->second.spec.faults, rng_,
      // It is over within a callback of its own streams, which it must outlive.
      [this, slot] { loop_.post([this, slot] { connections_.erase(slot); }); });
}

void Relay::tell_connections(const std::string& link, const WireFaults& faults) {
  for (Relayed& one : connections_) {
    if (one.link == link) one.connection->set_faults(faults);
  }
}

std::map<std::string, Address> Relay::ports() const {
  std::map<std::string, Address> ports;
  for (const auto& [name, link] : links_) {
    if (link.port) ports.emplace(name, link.port->address());
  }
  return ports;
}

}  // namespace rr::sim
