#include "lb/proxy/listener.h"

#include <unistd.h>

#include <utility>

#include "lb/proxy/load_balancer.h"
#include "lb/proxy/worker.h"

namespace rr {
namespace {

ResponseChanges response_changes_of(const ListenerSettings& settings) {
  ResponseChanges changes;
  changes.server_header = settings.server_header;
  for (std::size_t i = 0; i < kInsertedHeaderNames.size(); ++i) {
    if (settings.inserted_headers[i].empty()) continue;
    append_header(changes.inserted, kInsertedHeaderNames[i], settings.inserted_headers[i]);
    changes.overrides.push_back(kInsertedHeaderNames[i]);
  }
  return changes;
}

/// What is in the queue of an inherited socket is there for the other processes too.
bool ends_with_us(const Endpoint& configured) {
  const auto* inherited = std::get_if<InheritedSocket>(&configured);
  return inherited == nullptr || inherited->sole;
}

}  // namespace

ListenerSocket::ListenerSocket(StreamListener stream_listener, Endpoint configured)
    : stream_listener_(std::move(stream_listener)),
      configured_(std::move(configured)),
      actual_(stream_listener_.endpoint()) {
  stream_listener_.leave_descriptors();  // for connections to targets and for health checks
}

Result<std::unique_ptr<ListenerSocket>> ListenerSocket::open(Worker& worker, const Endpoint& configured,
                                                             std::size_t followers,
                                                             std::span<ListenerSocket* const> leaving) {
  std::vector<const StreamListener*> in_the_way;
  if (const auto* wanted = std::get_if<Address>(&configured)) {
    for (const ListenerSocket* one : leaving) {
      const auto* taken = std::get_if<Address>(&one->actual());
      const bool same_port = taken != nullptr && taken->port == wanted->port;
      if (same_port && ends_with_us(one->configured())) in_the_way.push_back(&one->stream_listener_);
    }
  }
  auto opened = in_the_way.empty() ? StreamListener::listen(worker.loop, configured)
                                   : StreamListener::listen_beside(worker.loop, configured, in_the_way);
  if (!opened) return opened.error();
  std::unique_ptr<ListenerSocket> socket(new ListenerSocket(std::move(opened).value(), configured));
  if (const Status shared = socket->open_for(followers); !shared) return shared.error();
  return socket;
}

Status ListenerSocket::open_for(std::size_t followers) {
  for (std::size_t i = 0; i < followers; ++i) {
    auto another = stream_listener_.open_another();
    if (!another) return another.error();
    of_followers_.push_back(*another);
  }
  return Ok{};
}

const InheritedSocket& ListenerSocket::hand_over(std::size_t follower) {
  handed_over_ = true;
  return of_followers_[follower];
}

ListenerSocket::~ListenerSocket() {
  set_owner(nullptr);
  if (handed_over_) return;
  for (const InheritedSocket& one : of_followers_) ::close(one.fd);
}

void ListenerSocket::set_owner(Listener* owner) {
  if (owner == owner_) return;
  if (owner_ != nullptr) owner_->load_balancer().counters().connections_rejected += turned_away();
  turned_away_before_ = stream_listener_.turned_away();
  owner_ = owner;
}

void ListenerSocket::accept(bool accepting) {
  if (accepting == stream_listener_.accepting()) return;
  if (!accepting) {
    stream_listener_.stop();
    return;
  }
  stream_listener_.start([this](Stream stream) {
    if (owner_ != nullptr) owner_->accept(std::move(stream));
  });
}

void ListenerSocket::take_queued() {
  if (ends_with_us(configured_)) stream_listener_.take_queued();
}

Listener::Listener(Worker& worker, LoadBalancer& load_balancer, std::string name)
    : worker_(worker), load_balancer_(load_balancer), name_(std::move(name)) {}

Listener::~Listener() { stop(); }

void Listener::configure(const ListenerSettings& settings, std::span<const TargetGroupSettings> groups, bool accepting,
                         std::vector<std::unique_ptr<ListenerSocket>> sockets) {
  rules_.emplace(settings, groups);
  response_changes_ = response_changes_of(settings);
  sockets_ = std::move(sockets);
  port_ = settings.port;
  default_host_ = load_balancer_.name();
  if (!sockets_.empty()) {
    if (const auto* address = std::get_if<Address>(&sockets_.front()->actual())) {
      if (port_ == 0) port_ = address->port;
      default_host_ = address->family == Address::Family::kV4 ? format_ip(*address) : "[" + format_ip(*address) + "]";
    }
  }
  port_text_ = std::to_string(port_);
  accepting_ = accepting;
  for (const auto& socket : sockets_) socket->set_owner(this);
  follow_accepting();
}

void Listener::set_in_dns(bool in_dns) {
  in_dns_ = in_dns;
  follow_accepting();
}

void Listener::follow_accepting() {
  for (const auto& socket : sockets_) socket->accept(accepting_ && in_dns_ && !draining_);
}

std::vector<std::unique_ptr<ListenerSocket>> Listener::take_sockets() { return std::exchange(sockets_, {}); }

void Listener::retire() {
  retired_ = true;
  drain();
}

void Listener::accept(Stream stream) {
  ++load_balancer_.counters().connections_accepted;
  auto* connection = new FrontConn(worker_, *this, std::move(stream));
  list_.push_back(*connection);
  ++connections_;
  if (draining_) connection->drain();
  connection->start();
}

template <class Function>
void Listener::for_each_connection(Function function) {
  // A connection may leave the list in its own call, no other does.
  for (FrontConn* connection = list_.front(); connection != nullptr;) {
    FrontConn* following = list_.next(*connection);
    function(*connection);
    connection = following;
  }
}

void Listener::check_deadlines(Time now) {
  for_each_connection([&](FrontConn& connection) { connection.check_deadline(now); });
}

void Listener::drain() {
  draining_ = true;
  for (const auto& socket : sockets_) socket->take_queued();
  sockets_.clear();
  for_each_connection([](FrontConn& connection) { connection.drain(); });
}

void Listener::stop() {
  draining_ = true;
  sockets_.clear();
  for_each_connection([](FrontConn& connection) { connection.stop(); });
  // What lingers after a last answer does so no longer.
  for_each_connection([](FrontConn& connection) { connection.stop(); });
}

}  // namespace rr
