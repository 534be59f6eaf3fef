// The clients of the soak. soak_peer load PORT REQUESTS CONNECTIONS
//
// Each request has a path that nobody else's has, and its answer must be that path. Every answer is counted by what it
// was; a line of counts is printed each second and at the end:
//   sent=N ok=N wrong=N status.502=N cut=N unanswered=N refused=N
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <vector>

#include "tests/soak/poll_loop.h"

namespace rr::soak {
namespace {

volatile std::sig_atomic_t interrupted = 0;

struct Client {
  int fd = -1;
  std::string in, expected;
  std::uint64_t requests = 0;  // on this connection
};

struct Counts {
  std::uint64_t sent = 0, ok = 0, wrong = 0, cut = 0, unanswered = 0, refused = 0;
  std::map<int, std::uint64_t> by_status;  // other than 200

  void print() const {
    std::printf("sent=%llu ok=%llu wrong=%llu cut=%llu unanswered=%llu refused=%llu", u(sent), u(ok), u(wrong), u(cut),
                u(unanswered), u(refused));
    for (const auto& [status, count] : by_status) std::printf(" status.%d=%llu", status, u(count));
    std::printf("\n");
    std::fflush(stdout);
  }
  static unsigned long long u(std::uint64_t number) { return number; }
};

/// What has come of a response: nothing while more must come.
struct Response {
  enum class State : std::uint8_t { kNeedMore, kWhole, kNonsense } state = State::kNeedMore;
  int status = 0;
  std::string body;
  bool closes = false;
  bool begun = false;
};

Response read_response(const std::string& in) {
  Response response;
  response.begun = !in.empty();
  const std::size_t end = in.find("\r\n\r\n");
  if (end == std::string::npos) return response;
  const std::string_view head = std::string_view(in).substr(0, end + 2);
  const auto nonsense = [&] {
    response.state = Response::State::kNonsense;
    return response;
  };
  if (!head.starts_with("HTTP/1.1 ")) return nonsense();
  response.status = std::atoi(in.c_str() + 9);
  response.closes = header(head, "connection") == "close";
  std::string_view rest = std::string_view(in).substr(end + 4);
  const std::string_view length = header(head, "content-length");
  if (!length.empty()) {
    const auto size = static_cast<std::size_t>(std::atoll(std::string(length).c_str()));
    if (rest.size() < size) return response;
    response.body = rest.substr(0, size);
    rest.remove_prefix(size);
  } else if (header(head, "transfer-encoding") == "chunked") {
    while (true) {
      const std::size_t line = rest.find("\r\n");
      if (line == std::string_view::npos) return response;
      const std::size_t size = std::strtoull(std::string(rest.substr(0, line)).c_str(), nullptr, 16);
      if (rest.size() < line + 2 + size + 2) return response;
      response.body += rest.substr(line + 2, size);
      rest.remove_prefix(line + 2 + size + 2);
      if (size == 0) break;
    }
  } else {
    return nonsense();
  }
  if (!rest.empty()) return nonsense();  // nobody asked for more than one answer
  response.state = Response::State::kWhole;
  return response;
}

class Load {
 public:
  Load(std::uint16_t port, std::uint64_t requests, std::size_t connections)
      : port_(port), requests_(requests), clients_(connections) {}

  int run() {
    for (std::size_t i = 0; i < clients_.size(); ++i) ask(i);
    Clock::time_point next_print = Clock::now() + std::chrono::seconds(1);
    while (open_ > 0) {
      poll_.wait(100, [&](std::uint64_t name, std::uint32_t) { read(static_cast<std::size_t>(name)); });
      if (Clock::now() < next_print) continue;
      next_print += std::chrono::seconds(1);
      counts_.print();
    }
    counts_.print();
    return counts_.wrong == 0 && interrupted == 0 ? 0 : 1;
  }

 private:
  bool connect(std::size_t name) {
    Client& client = clients_[name];
    client = {};
    client.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port_);
    if (::connect(client.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
      ::close(client.fd);
      client.fd = -1;
      ++counts_.refused;
      return false;
    }
    const int on = 1;
    ::setsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    poll_.add(client.fd, EPOLLIN, name);
    ++open_;
    return true;
  }

  void close(std::size_t name) {
    Client& client = clients_[name];
    ::close(client.fd);
    client.fd = -1;
    --open_;
  }

  /// The next request, on a new connection when there is none.
  void ask(std::size_t name) {
    while (clients_[name].fd < 0) {
      if (counts_.sent >= requests_ || interrupted != 0 || counts_.refused > 1000) return;
      connect(name);
    }
    Client& client = clients_[name];
    if (counts_.sent >= requests_ || interrupted != 0) return close(name);
    const std::uint64_t number = counts_.sent++;
    ++client.requests;
    client.expected = "/" + std::to_string(name) + "/" + std::to_string(number) + (number % 16 == 5 ? "c" : "");
    std::string out;
    if (number % 8 == 3) {
      static const std::string body(1000, 'b');
      out = "POST " + client.expected + " HTTP/1.1\r\nHost: soak\r\nContent-Length: 1000\r\n\r\n" + body;
    } else {
      out = "GET " + client.expected + " HTTP/1.1\r\nHost: soak\r\n\r\n";
    }
    ::send(client.fd, out.data(), out.size(), MSG_NOSIGNAL);
  }

  void read(std::size_t name) {
    Client& client = clients_[name];
    if (client.fd < 0) return;
    const bool ended = take(client.fd, client.in) == Took::kEnd;
    const Response response = read_response(client.in);
    if (response.state == Response::State::kNeedMore) {
      if (!ended) return;
      ++(response.begun ? counts_.cut : counts_.unanswered);
      close(name);
      return ask(name);
    }
    judge(client, response);
    client.in.clear();
    // Each connection has its life: most answer thousands, some a few.
    if (ended || response.closes || client.requests >= (name % 4 == 0 ? 10U : 5000U)) close(name);
    ask(name);
  }

  void judge(const Client& client, const Response& response) {
    if (response.state == Response::State::kNonsense || (response.status == 200 && response.body != client.expected)) {
      ++counts_.wrong;
      std::printf("WRONG asked for %s, got: %.300s\n", client.expected.c_str(), client.in.c_str());
    } else if (response.status == 200) {
      ++counts_.ok;
    } else {
      ++counts_.by_status[response.status];
    }
  }

  Poll poll_;
  std::uint16_t port_;
  std::uint64_t requests_;
  std::vector<Client> clients_;
  std::size_t open_ = 0;
  Counts counts_;
};

}  // namespace

int run_load(int argc, char** argv) {
  if (argc != 5) return 2;
  std::signal(SIGINT, [](int) { interrupted = 1; });
  return Load(static_cast<std::uint16_t>(std::atoi(argv[2])), static_cast<std::uint64_t>(std::atoll(argv[3])),
              static_cast<std::size_t>(std::atoll(argv[4])))
      .run();
}

}  // namespace rr::soak
