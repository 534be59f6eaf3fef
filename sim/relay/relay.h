#pragma once
// A small TCP relay between the nodes and their targets: the place where a link's faults are done, because no ground
// can count on the kernel for it.
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lb/net/loop.h"
#include "sim/relay/link_port.h"
#include "sim/relay/relayed_connection.h"
#include "sim/relay/wire_faults.h"

namespace rr::sim {

struct LinkSpec {
  std::string name;  // NODE/INSTANCE
  Address target;    // where the instance is connected to
  WireFaults faults;
  bool operator==(const LinkSpec&) const = default;
};

class Relay {
 public:
  /// So many links, and connections of all links together; whoever comes on top is refused, or closed at once.
  static constexpr std::size_t kMostLinks = 4'096;
  static constexpr std::size_t kMostConnections = 10'000;

  /// Its ports are on `address`, whose own port is not read. `seed`: of what faults leave to chance.
  Relay(Loop& loop, const Address& address, std::uint64_t seed);

  /// Makes the links exactly these. A link whose way to meet who connects changes gets another port. Connections of a
  /// link that is no more go on, and nothing is wrong with them. The error is one line; links that could be made are.
  Status set_links(const std::vector<LinkSpec>& links);
  /// By link.
  std::map<std::string, Address> ports() const;
  std::size_t connections() const { return connections_.size(); }

 private:
  struct Link {
    LinkSpec spec;
    std::optional<LinkPort> port;
  };
  struct Relayed {
    std::string link;
    std::unique_ptr<RelayedConnection> connection;
  };

  Status open_port(Link& link);
  void accept(const std::string& link, Stream front);
  void tell_connections(const std::string& link, const WireFaults& faults);

  Loop& loop_;
  Address address_;
  Rng rng_;
  std::map<std::string, Link> links_;
  std::list<Relayed> connections_;
};

}  // namespace rr::sim
