// The floor: a relay that moves bytes and knows no HTTP. Each client has a connection to a target of its own, in turn.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <vector>

#include "bench/versus/sockets.h"

namespace rr::bench {
namespace {

struct Pair;

struct Side {
  Pair* pair = nullptr;
  Side* other = nullptr;
  int fd = -1;
  std::string waiting;  // what this side has not taken
};

struct Pair {
  Side client, target;
  bool over = false;
};

class Relay {
 public:
  explicit Relay(Poll& poll) : poll_(poll), space_(262144) {}

  void begin(int client, int target) {
    auto* pair = new Pair;
    pair->client = {pair, &pair->target, client, {}};
    pair->target = {pair, &pair->client, target, {}};
    poll_.add(client, EPOLLIN, &pair->client);
    poll_.add(target, EPOLLIN, &pair->target);
  }

  void on_events(Side& side, std::uint32_t events) {
    if (side.pair->over) return;
    if ((events & EPOLLOUT) != 0 && !send_waiting(side)) return end(*side.pair);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !move(side)) end(*side.pair);
  }

  /// Deleted only when the events at hand are through: the other side may be among them.
  void forget_ended() {
    for (Pair* pair : ended_) delete pair;
    ended_.clear();
  }

 private:
  bool move(Side& from) {
    const ssize_t count = ::read(from.fd, space_.data(), space_.size());
    if (count < 0 && errno == EAGAIN) return true;
    if (count <= 0) return false;
    const std::string_view bytes(space_.data(), static_cast<std::size_t>(count));
    Side& to = *from.other;
    const ssize_t sent = ::write(to.fd, bytes.data(), bytes.size());
    if (sent < 0 && errno != EAGAIN) return false;
    const auto done = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
    if (done == bytes.size()) return true;
    to.waiting = bytes.substr(done);
    listen(to);
    listen(from);
    return true;
  }

  bool send_waiting(Side& to) {
    const ssize_t sent = ::write(to.fd, to.waiting.data(), to.waiting.size());
    if (sent < 0) return errno == EAGAIN;
    to.waiting.erase(0, static_cast<std::size_t>(sent));
    if (!to.waiting.empty()) return true;
    listen(to);
    listen(*to.other);
    return true;
  }

  /// What this side waits for: it is not read while the other one does not take what came from here.
  void listen(Side& side) {
    const std::uint32_t in = side.other->waiting.empty() ? static_cast<std::uint32_t>(EPOLLIN) : 0;
    const std::uint32_t out = side.waiting.empty() ? 0 : static_cast<std::uint32_t>(EPOLLOUT);
    poll_.change(side.fd, in | out, &side);
  }

  void end(Pair& pair) {
    pair.over = true;
    ::close(pair.client.fd);
    ::close(pair.target.fd);
    ended_.push_back(&pair);
  }

  Poll& poll_;
  std::vector<char> space_;
  std::vector<Pair*> ended_;
};

}  // namespace

int run_epoll_relay(int argc, char** argv) {
  if (argc < 2) give_up("epoll-relay: an address and a target are needed");
  sockaddr_in address = parse_address(argv[0]);
  std::vector<sockaddr_in> targets;
  for (int i = 1; i < argc; ++i) targets.push_back(parse_address(argv[i]));
  Poll poll;
  Relay relay(poll);
  const int listener = listen_on(address);
  poll.add(listener, EPOLLIN, nullptr);
  std::printf("listening on %s\n", format_address(address).c_str());
  std::fflush(stdout);
  std::size_t turn = 0;
  for (;;) {
    poll.wait(-1, [&](void* owner, std::uint32_t events) {
      if (owner != nullptr) return relay.on_events(*static_cast<Side*>(owner), events);
      for (int client = accept_from(listener); client >= 0; client = accept_from(listener)) {
        const int target = connect_to(targets[turn++ % targets.size()]);
        if (target < 0) give_up("cannot connect to the target");
        relay.begin(client, target);
      }
    });
    relay.forget_ended();
  }
}

}  // namespace rr::bench
