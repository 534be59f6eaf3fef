#pragma once
// Where clients connect to, and what is done with what they ask.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/address.h"
#include "lb/base/intrusive_list.h"
#include "lb/http/head_writer.h"
#include "lb/net/stream.h"
#include "lb/policy/listener_rules.h"
#include "lb/policy/settings.h"
#include "lb/proxy/front_conn.h"

namespace rr {

class Listener;
class LoadBalancer;
struct Worker;

/// A listening socket, which may change its listener when the configuration changes, without losing a connection.
class ListenerSocket {
 public:
  /// `leaving` are sockets of ours that end as soon as everything is open; none of them keeps this one from its port.
  /// For each of the `followers` a descriptor is opened beside it, which that follower closes.
  static Result<std::unique_ptr<ListenerSocket>> open(Worker& worker, const Endpoint& configured, std::size_t followers,
                                                      std::span<ListenerSocket* const> leaving = {});
  ~ListenerSocket();
  ListenerSocket(const ListenerSocket&) = delete;
  ListenerSocket& operator=(const ListenerSocket&) = delete;

  /// As the configuration names it; port 0 stays 0.
  const Endpoint& configured() const { return configured_; }
  /// With the port that the kernel chose.
  const Endpoint& actual() const { return actual_; }
  bool accepting() const { return stream_listener_.accepting(); }
  /// What a follower is to listen on; from now on it is that follower's to close.
  const InheritedSocket& hand_over(std::size_t follower);
  /// New connections go to `owner` from now on. What was turned away until now stays with the one before.
  void set_owner(Listener* owner);
  /// Connections that the kernel turned away since the present owner has the socket, because its queue was full.
  std::uint64_t turned_away() const { return stream_listener_.turned_away() - turned_away_before_; }
  void accept(bool accepting);
  /// Gives its owner what has queued. Before its end: the kernel resets the queue of a socket that nobody shares.
  void take_queued();

 private:
  ListenerSocket(StreamListener stream_listener, Endpoint configured);
  Status open_for(std::size_t followers);

  StreamListener stream_listener_;
  Endpoint configured_;
  Endpoint actual_;
  std::vector<InheritedSocket> of_followers_;
  bool handed_over_ = false;
  Listener* owner_ = nullptr;
  std::uint64_t turned_away_before_ = 0;
};

class Listener {
 public:
  Listener(Worker& worker, LoadBalancer& load_balancer, std::string name);
  ~Listener();

  /// Takes new settings and sockets. `port` 0: the port of the first socket.
  void configure(const ListenerSettings& settings, std::span<const TargetGroupSettings> groups, bool accepting,
                 std::vector<std::unique_ptr<ListenerSocket>> sockets);
  /// A node that is not in DNS accepts nobody; connections that are there go on. What the configuration says of
  /// `accepting` must be true as well.
  void set_in_dns(bool in_dns);
  std::vector<std::unique_ptr<ListenerSocket>> take_sockets();
  /// It is no longer configured: accepts nobody, lets its connections come to their end.
  void retire();
  bool retired() const { return retired_; }

  void accept(Stream stream);
  void connection_closed() { --connections_; }
  void check_deadlines(Time now);
  /// No request after the present ones.
  void drain();
  /// Ends every connection now.
  void stop();

  const std::string& name() const { return name_; }
  LoadBalancer& load_balancer() const { return load_balancer_; }
  const ListenerRules& rules() const { return *rules_; }
  const ResponseChanges& response_changes() const { return response_changes_; }
  std::uint16_t port() const { return port_; }
  std::string_view port_text() const { return port_text_; }
  /// Host for a request that has none: AWS inserts its DNS name, here it is the address of the first socket.
  std::string_view default_host() const { return default_host_; }
  std::size_t connections() const { return connections_; }
  bool accepting() const { return accepting_; }
  const std::vector<std::unique_ptr<ListenerSocket>>& sockets() const { return sockets_; }

 private:
  void follow_accepting();
  template <class Function>
  void for_each_connection(Function function);

  Worker& worker_;
  LoadBalancer& load_balancer_;
  std::string name_;
  std::optional<ListenerRules> rules_;
  ResponseChanges response_changes_;
  std::uint16_t port_ = 0;
  std::string port_text_;
  std::string default_host_;
  bool accepting_ = true;
  bool in_dns_ = true;
  bool retired_ = false;
  bool draining_ = false;
  std::vector<std::unique_ptr<ListenerSocket>> sockets_;
  IntrusiveList<FrontConn, FrontTag> list_;
  std::size_t connections_ = 0;
};

}  // namespace rr
