// A target of the soak: answers each request with its own path. soak_peer target PORT SLOW_MILLISECONDS CLOSE_EVERY
//
// SLOW_MILLISECONDS  every fourth answer comes that much later
// CLOSE_EVERY        after so many answers it closes the connection; every second time without announcing it
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <unordered_map>

#include "tests/soak/poll_loop.h"

namespace rr::soak {
namespace {

struct Connection {
  std::string in;
  std::uint64_t answers = 0;
  bool waits = false;  // an answer of it is late
};

struct Late {
  Clock::time_point due;
  int fd;
  std::uint64_t generation;
};

class Target {
 public:
  Target(std::uint16_t port, int slow, std::uint64_t close_every) : slow_(slow), close_every_(close_every) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name.sin_port = htons(port);
    socklen_t size = sizeof name;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&name), size) != 0 || ::listen(listener_, 1024) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&name), &size) != 0) {
      std::perror("soak_peer target");
      std::exit(1);
    }
    std::printf("listening on 127.0.0.1:%d\n", ntohs(name.sin_port));
    std::fflush(stdout);
    poll_.add(listener_, EPOLLIN, static_cast<std::uint64_t>(listener_));
  }

  void run() {
    while (true) {
      poll_.wait(late_.empty() ? 1000 : 1, [&](std::uint64_t name, std::uint32_t) {
        const int fd = static_cast<int>(name);
        if (fd == listener_) {
          accept();
        } else if (connections_.contains(fd)) {
          read(fd);
        }
      });
      while (!late_.empty() && late_.front().due <= Clock::now()) {
        const Late late = late_.front();
        late_.pop_front();
        const auto found = connections_.find(late.fd);
        if (found == connections_.end() || found->second.generation != late.generation) continue;
        found->second.connection.waits = false;
        answer(late.fd);
      }
    }
  }

 private:
  struct Slot {
    Connection connection;
    std::uint64_t generation;
  };

  void accept() {
    while (true) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      connections_[fd] = {{}, ++generation_};
      poll_.add(fd, EPOLLIN, static_cast<std::uint64_t>(fd));
    }
  }

  void end(int fd) {
    connections_.erase(fd);
    ::close(fd);
  }

  void read(int fd) {
    if (take(fd, connections_[fd].connection.in) == Took::kEnd) return end(fd);
    answer(fd);
  }

  /// Answers the request at the front, when it is whole and its time has come.
  void answer(int fd) {
    Slot& slot = connections_[fd];
    Connection& connection = slot.connection;
    if (connection.waits) return;
    const std::size_t end_of_head = connection.in.find("\r\n\r\n");
    if (end_of_head == std::string::npos) return;
    const std::string_view head = std::string_view(connection.in).substr(0, end_of_head + 2);
    const std::size_t length =
        static_cast<std::size_t>(std::atoll(std::string(header(head, "content-length")).c_str()));
    if (connection.in.size() < end_of_head + 4 + length) return;
    const std::size_t from = head.find(' ') + 1;
    const std::string path(head.substr(from, head.find(' ', from) - from));
    const bool check = path == "/healthz";
    if (!check && slow_ > 0 && ++count_ % 4 == 0 && !delayed_) {
      connection.waits = delayed_ = true;
      late_.push_back({Clock::now() + std::chrono::milliseconds(slow_), fd, slot.generation});
      return;
    }
    delayed_ = false;
    connection.in.erase(0, end_of_head + 4 + length);
    const bool closes = !check && close_every_ > 0 && ++connection.answers % close_every_ == 0;
    const bool announces = closes && ++closed_ % 2 == 0;
    std::string out = "HTTP/1.1 200 OK\r\n";
    if (announces) out += "Connection: close\r\n";
    if (path.ends_with('c')) {
      char size[32];
      std::snprintf(size, sizeof size, "%zx\r\n", path.size());
      out += "Transfer-Encoding: chunked\r\n\r\n" + (size + path) + "\r\n0\r\n\r\n";
    } else {
      out += "Content-Length: " + std::to_string(path.size()) + "\r\n\r\n" + path;
    }
    ::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
    if (closes) end(fd);
  }

  Poll poll_;
  int listener_;
  int slow_;
  std::uint64_t close_every_, generation_ = 0, count_ = 0, closed_ = 0;
  bool delayed_ = false;  // the next answer has had its delay
  std::unordered_map<int, Slot> connections_;
  std::deque<Late> late_;
};

}  // namespace

int run_target(int argc, char** argv) {
  if (argc != 5) return 2;
  Target(static_cast<std::uint16_t>(std::atoi(argv[2])), std::atoi(argv[3]),
         static_cast<std::uint64_t>(std::atoll(argv[4])))
      .run();
  return 0;
}

}  // namespace rr::soak
