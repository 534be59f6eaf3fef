#include "sim/keeper/door_keeper.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <list>
#include <memory>
#include <vector>

#include "sim/keeper/message.h"

namespace rr::sim {

namespace {

constexpr std::size_t kMostConnections = 512;
constexpr std::size_t kBuffer = 64 * 1024;

sockaddr_in to_sockaddr(const Address& address) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  std::memcpy(&name.sin_addr, address.ip.data(), 4);
  name.sin_port = htons(address.port);
  return name;
}

/// One direction of a connection: what was read on one side and not written to the other yet.
struct Direction {
  std::string waiting;
  bool ended = false;       // nothing more will be read
  bool end_passed = false;  // and the other side has been told
};

struct Connection {
  std::string door;
  Descriptor outside, inside;
  Direction in, out;  // to the instance; to the machine
  bool connected = false;
  bool broken = false;
};

struct Door {
  std::string name;
  Address target;
  Descriptor listening;
};

/// Reads what there is room for; returns false when the connection is broken.
bool fill(int from, Direction& direction) {
  if (direction.ended || direction.waiting.size() >= kBuffer) return true;
  std::array<char, kBuffer> buffer;
  const ssize_t got = ::recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got > 0) direction.waiting.append(buffer.data(), static_cast<std::size_t>(got));
  if (got == 0) direction.ended = true;
  return got >= 0 || errno == EAGAIN || errno == EINTR;
}

bool empty_into(int to, Direction& direction) {
  if (!direction.waiting.empty()) {
    const ssize_t put = ::send(to, direction.waiting.data(), direction.waiting.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put > 0) direction.waiting.erase(0, static_cast<std::size_t>(put));
    if (put < 0 && errno != EAGAIN && errno != EINTR) return false;
  }
  if (direction.ended && direction.waiting.empty() && !direction.end_passed) {
    direction.end_passed = true;
    ::shutdown(to, SHUT_WR);
  }
  return true;
}

class Doors {
 public:
  explicit Doors(Descriptor commands) : commands_(std::move(commands)) {}

  [[noreturn]] void run() {
    for (;;) {
      std::vector<pollfd> watched = watch();
      ::poll(watched.data(), static_cast<nfds_t>(watched.size()), -1);
      std::size_t index = 1;
      for (Connection& connection : connections_) {
        serve(connection, watched[index], watched[index + 1]);
        index += 2;
      }
      for (const Door& door : doors_) {
        if (watched[index++].revents != 0) accept_from(door);
      }
      connections_.remove_if([](const Connection& connection) {
        return connection.broken || (connection.in.end_passed && connection.out.end_passed);
      });
      if (watched[0].revents != 0) take_commands();
    }
  }

 private:
  static std::int16_t wishes(const Direction& reads, const Direction& writes) {
    const bool read = !reads.ended && reads.waiting.size() < kBuffer;
    const bool write = !writes.waiting.empty() || (writes.ended && !writes.end_passed);
    return static_cast<std::int16_t>((read ? POLLIN : 0) | (write ? POLLOUT : 0));
  }

  static pollfd watch_one(int fd, std::int16_t events) { return {events == 0 ? -1 : fd, events, 0}; }

  std::vector<pollfd> watch() const {
    std::vector<pollfd> watched{{commands_.get(), POLLIN, 0}};
    for (const Connection& connection : connections_) {
      watched.push_back(watch_one(connection.outside.get(), wishes(connection.in, connection.out)));
      watched.push_back(connection.connected ? watch_one(connection.inside.get(), wishes(connection.out, connection.in))
                                             : pollfd{connection.inside.get(), POLLOUT, 0});
    }
    const bool full = connections_.size() >= kMostConnections;
    for (const Door& door : doors_) watched.push_back({full ? -1 : door.listening.get(), POLLIN, 0});
    return watched;
  }

  void serve(Connection& connection, const pollfd& outside, const pollfd& inside) {
    if (!connection.connected && inside.revents != 0) {
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(connection.inside.get(), SOL_SOCKET, SO_ERROR, &error, &size);
      connection.connected = error == 0;
      if (error != 0) reset(connection);
    }
    if (connection.broken) return;
    bool whole = true;
    if (outside.revents != 0) whole = fill(connection.outside.get(), connection.in) && whole;
    if (connection.connected && inside.revents != 0) whole = fill(connection.inside.get(), connection.out) && whole;
    if (connection.connected) whole = whole && empty_into(connection.inside.get(), connection.in);
    whole = whole && empty_into(connection.outside.get(), connection.out);
    if (!whole) reset(connection);
  }

  /// A connection that broke on one side breaks on the other: nobody takes half an answer for a whole one.
  static void reset(Connection& connection) {
    connection.broken = true;
    const linger now{1, 0};
    ::setsockopt(connection.outside.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::setsockopt(connection.inside.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

  void accept_from(const Door& door) {
    Descriptor outside(::accept4(door.listening.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!outside.open()) return;
    Descriptor inside(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_in target = to_sockaddr(door.target);
    if (!inside.open()) return;
    if (::connect(inside.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0 &&
        errno != EINPROGRESS) {
      return;
    }
    Connection connection;
    connection.door = door.name;
    connection.outside = std::move(outside);
    connection.inside = std::move(inside);
    connections_.push_back(std::move(connection));
  }

  void take_commands() {
    Packet packet;
    for (;;) {
      switch (receive_packet(commands_.get(), packet)) {
        case ReceiveOutcome::kNothingNow:
          return;
        case ReceiveOutcome::kClosed:
          ::_exit(0);
        case ReceiveOutcome::kPacket:
          break;
      }
      const auto request = decode_request(packet.bytes);
      const OpenDoor* door = request ? std::get_if<OpenDoor>(&*request) : nullptr;
      if (door == nullptr) continue;
      if (packet.descriptors.empty()) {
        doors_.remove_if([&](const Door& open) { return open.name == door->name; });
        connections_.remove_if([&](const Connection& through) { return through.door == door->name; });
      } else {
        ::fcntl(packet.descriptors.front().get(), F_SETFL, O_NONBLOCK);
        doors_.push_back({door->name, door->target, std::move(packet.descriptors.front())});
      }
    }
  }

  Descriptor commands_;
  std::list<Door> doors_;
  std::list<Connection> connections_;
};

}  // namespace

Result<DoorKeeper> DoorKeeper::start() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return Error{std::string("socket pair for the doors: ") + std::strerror(errno)};
  }
  Descriptor ours(ends[0]);
  Descriptor theirs(ends[1]);
  const pid_t keeper = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return Error{std::string("fork: ") + std::strerror(errno)};
  if (pid == 0) {
    ::prctl(PR_SET_NAME, "rr-doors");
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != keeper) ::_exit(0);
    close_all_but({theirs.get()});
    auto* doors = new Doors(std::move(theirs));  // never destroyed: the process ends by _exit or a signal
    doors->run();
  }
  return DoorKeeper(pid, std::move(ours));
}

Status DoorKeeper::open(const std::string& name, const Address& target, int listening) {
  return send_packet(socket_.get(), encode(KeeperRequest{OpenDoor{name, target}}), {listening});
}

void DoorKeeper::close(const std::string& name) {
  // A door without a socket is one to close. When the door process has gone there is nothing to close.
  (void)send_packet(socket_.get(), encode(KeeperRequest{OpenDoor{name, {}}}), {}).ok();
}

}  // namespace rr::sim
