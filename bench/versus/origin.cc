// The server behind the proxies. It answers GET /N with N bytes, takes bodies, and counts what it answers. Health
// checks ask /~health, which is not counted, and /~count says how many requests and body bytes there were.
#include <sys/uio.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <list>
#include <memory>
#include <vector>

#include "bench/versus/sockets.h"

namespace rr::bench {
namespace {

constexpr std::size_t kMostOfAnswer = std::size_t{4} << 20;

struct Counted {
  std::uint64_t requests = 0;
  std::uint64_t received = 0;
};

class Connection {
 public:
  Connection(int fd, int place, Poll& poll, Counted& counted) : fd_(fd), place_(place), poll_(poll), counted_(counted) {
    poll_.add(fd_, EPOLLIN, this);
  }
  ~Connection() { ::close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// False: it is over.
  bool on_events(std::uint32_t events) {
    if ((events & EPOLLOUT) != 0 && !send_rest()) return false;
    return (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0 || read();
  }

 private:
  bool read() {
    static std::array<char, 262144> space;
    const ssize_t count = ::read(fd_, space.data(), space.size());
    if (count < 0 && errno == EAGAIN) return true;
    if (count <= 0) return false;
    return take({space.data(), static_cast<std::size_t>(count)});
  }

  bool take(std::string_view bytes) {
    while (!bytes.empty()) {
      if (body_left_ > 0) {
        const std::size_t part = std::min(body_left_, bytes.size());
        body_left_ -= part;
        counted_.received += part;
        bytes.remove_prefix(part);
        if (body_left_ == 0 && !answer()) return false;
        continue;
      }
      head_ += bytes;
      const std::size_t end = head_.find("\r\n\r\n");
      if (end == std::string::npos) return head_.size() < 65536;
      bytes.remove_prefix(bytes.size() - (head_.size() - end - 4));
      head_.resize(end + 2);
      body_left_ = static_cast<std::size_t>(std::atoll(std::string(header(head_, "content-length")).c_str()));
      if (body_left_ == 0 && !answer()) return false;
    }
    return true;
  }

  bool answer() {
    const std::size_t path = head_.find(' ') + 1;
    const std::string asked = head_.substr(path, head_.find(' ', path) - path);
    head_.clear();
    std::string text;
    if (asked == "/~count") text = std::to_string(counted_.requests) + " " + std::to_string(counted_.received);
    if (asked.find('~') == std::string::npos) ++counted_.requests;
    std::size_t size = text.empty() ? static_cast<std::size_t>(std::atoll(asked.c_str() + 1)) : text.size();
    if (size > kMostOfAnswer) size = kMostOfAnswer;
    std::string head = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) +
                       "\r\nX-Backend: " + std::to_string(place_) + "\r\n\r\n";
    static const std::string kBody(kMostOfAnswer, 'x');
    return send(head, text.empty() ? std::string_view(kBody).substr(0, size) : std::string_view(text));
  }

  bool send(const std::string& head, std::string_view body) {
    if (!rest_.empty()) {
      rest_.append(head).append(body);
      return true;
    }
    std::array<iovec, 2> pieces{
        {{const_cast<char*>(head.data()), head.size()}, {const_cast<char*>(body.data()), body.size()}}};
    ssize_t sent = ::writev(fd_, pieces.data(), 2);
    if (sent < 0 && errno != EAGAIN) return false;
    const auto done = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
    if (done == head.size() + body.size()) return true;
    if (done < head.size()) rest_ = head.substr(done);
    rest_ += body.substr(done > head.size() ? done - head.size() : 0);
    poll_.change(fd_, EPOLLIN | EPOLLOUT, this);
    return true;
  }

  bool send_rest() {
    const ssize_t sent = ::write(fd_, rest_.data(), rest_.size());
    if (sent < 0) return errno == EAGAIN;
    rest_.erase(0, static_cast<std::size_t>(sent));
    if (rest_.empty()) poll_.change(fd_, EPOLLIN, this);
    return true;
  }

  int fd_;
  int place_;
  Poll& poll_;
  Counted& counted_;
  std::string head_;
  std::string rest_;
  std::size_t body_left_ = 0;
};

struct Listening {
  int fd;
  int place;
};

}  // namespace

int run_origin(int argc, char** argv) {
  Poll poll;
  Counted counted;
  std::vector<std::unique_ptr<Listening>> listening;
  for (int i = 0; i < argc; ++i) {
    sockaddr_in address = parse_address(argv[i]);
    listening.push_back(std::make_unique<Listening>(Listening{listen_on(address), i + 1}));
    poll.add(listening.back()->fd, EPOLLIN, listening.back().get());
    std::printf("listening on %s\n", format_address(address).c_str());
  }
  std::fflush(stdout);
  const auto listener_of = [&](const void* owner) -> Listening* {
    for (const auto& one : listening) {
      if (one.get() == owner) return one.get();
    }
    return nullptr;
  };
  for (;;) {
    poll.wait(-1, [&](void* owner, std::uint32_t events) {
      if (const Listening* listener = listener_of(owner)) {
        for (int fd = accept_from(listener->fd); fd >= 0; fd = accept_from(listener->fd)) {
          new Connection(fd, listener->place, poll, counted);
        }
        return;
      }
      auto* connection = static_cast<Connection*>(owner);
      if (!connection->on_events(events)) delete connection;
    });
  }
}

}  // namespace rr::bench
