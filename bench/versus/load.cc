// The client of the measurements: closed loop (each connection asks when it has its answer) or open loop (--rate,
// requests are due at fixed instants, and what one took counts from then, so that a proxy which stalls cannot hide it).
// Open loop also says what counts from the moment it was sent, which is what other load generators call latency.
// Every answer is looked at: status, length and content.
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "bench/versus/sockets.h"

namespace rr::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Wish {
  sockaddr_in address{};
  std::size_t connections = 1;
  double seconds = 1;
  double rate = 0;  // requests a second; 0: closed loop
  std::string path = "/200";
  std::size_t body = 0;
  std::size_t expect = 200;
  bool browser = false;
  bool close = false;  // a connection a request
};

struct Result {
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;
  std::uint64_t bytes = 0;                         // of bodies
  std::vector<std::uint32_t> latencies;            // us, from when the request was due
  std::vector<std::uint32_t> latencies_from_send;  // us; open loop only
};

Wish parse(int argc, char** argv) {
  if (argc < 1) give_up("load: an address is needed");
  Wish wish;
  wish.address = parse_address(argv[0]);
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--browser" || flag == "--close") {
      (flag == "--close" ? wish.close : wish.browser) = true;
      continue;
    }
    if (++i == argc) give_up("load: a value is missing behind " + std::string(flag));
    const auto number = static_cast<std::size_t>(std::atoll(argv[i]));
    if (flag == "--connections") {
      wish.connections = number;
    } else if (flag == "--seconds") {
      wish.seconds = std::atof(argv[i]);
    } else if (flag == "--rate") {
      wish.rate = std::atof(argv[i]);
    } else if (flag == "--path") {
      wish.path = argv[i];
    } else if (flag == "--body") {
      wish.body = number;
    } else if (flag == "--expect") {
      wish.expect = number;
    } else {
      give_up("load: unknown flag " + std::string(flag));
    }
  }
  return wish;
}

std::string request_text(const Wish& wish) {
  std::string text = (wish.body > 0 ? "POST " : "GET ") + wish.path + " HTTP/1.1\r\nHost: bench.example\r\n";
  if (wish.close) text += "Connection: close\r\n";
  if (wish.browser) {
    text +=
        "Cache-Control: max-age=0\r\nUpgrade-Insecure-Requests: 1\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0\r\n"
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
        "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
        "Accept-Language: en-GB,en;q=0.9\r\nCookie: session=0123456789abcdef0123456789abcdef\r\n";
  }
  if (wish.body > 0) text += "Content-Length: " + std::to_string(wish.body) + "\r\n";
  return text + "\r\n" + std::string(wish.body, 'y');
}

/// One connection and at most one request on it.
class Client {
 public:
  enum class Outcome : std::uint8_t { kWaits, kDone, kFailed };

  Client(const Wish& wish, const std::string& request, Poll& poll) : wish_(wish), request_(request), poll_(poll) {}
  ~Client() { drop(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return fd_ >= 0; }
  Clock::time_point due() const { return due_; }
  Clock::time_point asked() const { return asked_; }

  Outcome ask(Clock::time_point due) {
    due_ = due;
    asked_ = Clock::now();
    sent_ = received_ = 0;
    head_.clear();
    in_body_ = false;
    if (fd_ < 0 && (fd_ = connect_to(wish_.address)) >= 0) {
      poll_.add(fd_, EPOLLIN, this);
      waits_to_send_ = false;  // the connection before may have ended in the middle of a request
    }
    return fd_ < 0 ? Outcome::kFailed : send();
  }

  Outcome on_events(std::uint32_t events) {
    if ((events & EPOLLOUT) != 0 && send() == Outcome::kFailed) return Outcome::kFailed;
    return (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0 ? Outcome::kWaits : read();
  }

  void drop() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  Outcome send() {
    const ssize_t count = ::write(fd_, request_.data() + sent_, request_.size() - sent_);
    if (count < 0 && errno != EAGAIN) return Outcome::kFailed;
    const bool waited = waits_to_send_;
    sent_ += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    waits_to_send_ = sent_ < request_.size();
    if (waits_to_send_ != waited) poll_.change(fd_, waits_to_send_ ? EPOLLIN | EPOLLOUT : EPOLLIN, this);
    return Outcome::kWaits;
  }

  Outcome read() {
    static std::array<char, 262144> space;
    const ssize_t count = ::read(fd_, space.data(), space.size());
    if (count < 0 && errno == EAGAIN) return Outcome::kWaits;
    if (count <= 0) return Outcome::kFailed;
    return take({space.data(), static_cast<std::size_t>(count)});
  }

  Outcome take(std::string_view bytes) {
    if (!in_body_) {
      head_ += bytes;
      const std::size_t end = head_.find("\r\n\r\n");
      if (end == std::string::npos) return Outcome::kWaits;
      bytes.remove_prefix(bytes.size() - (head_.size() - end - 4));
      head_.resize(end + 2);
      if (!is_expected()) return Outcome::kFailed;
      in_body_ = true;
    }
    received_ += bytes.size();
    if (received_ > wish_.expect) return Outcome::kFailed;
    if (!bytes.empty() && (bytes.front() != 'x' || bytes.back() != 'x')) return Outcome::kFailed;
    return received_ == wish_.expect ? Outcome::kDone : Outcome::kWaits;
  }

  bool is_expected() const {
    return head_.starts_with("HTTP/1.1 200 ") && header(head_, "content-length") == std::to_string(wish_.expect) &&
           !header(head_, "x-backend").empty();
  }

  const Wish& wish_;
  const std::string& request_;
  Poll& poll_;
  int fd_ = -1;
  Clock::time_point due_, asked_;
  std::size_t sent_ = 0, received_ = 0;
  std::string head_;
  bool in_body_ = false;
  bool waits_to_send_ = false;
};

class Load {
 public:
  explicit Load(const Wish& wish) : wish_(wish), request_(request_text(wish)) {
    for (std::size_t i = 0; i < wish.connections; ++i) {
      clients_.push_back(std::make_unique<Client>(wish_, request_, poll_));
      idle_.push_back(clients_.back().get());
    }
    result_.latencies.reserve(1 << 20);
  }

  void run() {
    begin_ = Clock::now();
    end_ = begin_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(wish_.seconds));
    const auto give_up_at = end_ + std::chrono::seconds(10);  // what is unanswered then is lost
    // A timer may come 50 us late otherwise, so that the kernel can wake the processor up less often.
    if (open_loop()) ::prctl(PR_SET_TIMERSLACK, 1);
    start_due();
    while (idle_.size() < clients_.size() || Clock::now() < end_) {
      wait();
      start_due();
      if (Clock::now() > give_up_at) {
        result_.errors += clients_.size() - idle_.size();
        break;
      }
    }
    took_ = std::chrono::duration<double>(std::min(Clock::now(), end_ + std::chrono::seconds(10)) - begin_).count();
    result_.errors += late_.size();
  }

  void print() {
    std::printf("{\"requests\": %llu, \"errors\": %llu, \"bytes\": %llu, \"seconds\": %.4f",
                static_cast<unsigned long long>(result_.requests), static_cast<unsigned long long>(result_.errors),
                static_cast<unsigned long long>(result_.bytes), took_);
    print_percentiles("", result_.latencies);
    if (open_loop()) print_percentiles("sent_", result_.latencies_from_send);
    std::printf("}\n");
  }

 private:
  bool open_loop() const { return wish_.rate > 0; }

  void wait() {
    const auto each = [&](void* owner, std::uint32_t events) {
      auto* client = static_cast<Client*>(owner);
      note(*client, client->on_events(events));
    };
    if (!open_loop()) return poll_.wait(100, each);
    // Asleep until the next request is due: to ask again and again would take the processor from the targets.
    const auto until = std::chrono::duration_cast<std::chrono::nanoseconds>(next_due() - Clock::now());
    poll_.wait_for(std::clamp<std::chrono::nanoseconds>(until, std::chrono::nanoseconds(0), kLongestWait), each);
  }

  static void print_percentiles(const char* prefix, std::vector<std::uint32_t>& latencies) {
    std::sort(latencies.begin(), latencies.end());
    const auto print = [&](const char* name, double part) {
      const auto place =
          static_cast<std::size_t>(part * static_cast<double>(std::max<std::size_t>(latencies.size(), 1) - 1));
      std::printf(", \"%s%s_us\": %u", prefix, name, latencies.empty() ? 0U : latencies[place]);
    };
    print("p50", 0.5);
    print("p90", 0.9);
    print("p99", 0.99);
    print("p999", 0.999);
    print("max", 1);
  }

  Clock::time_point next_due() const {
    const std::chrono::duration<double> behind(static_cast<double>(scheduled_) / wish_.rate);
    return begin_ + std::chrono::duration_cast<Clock::duration>(behind);
  }

  void start_due() {
    const auto now = Clock::now();
    if (!open_loop()) {
      while (!idle_.empty() && now < end_) start(now);
      return;
    }
    for (; next_due() <= now && next_due() < end_; ++scheduled_) late_.push_back(next_due());
    while (!late_.empty() && !idle_.empty()) {
      start(late_.front());
      late_.pop_front();
    }
  }

  void start(Clock::time_point due) {
    Client* client = idle_.back();
    idle_.pop_back();
    note(*client, client->ask(due));
  }

  void note(Client& client, Client::Outcome outcome) {
    if (outcome == Client::Outcome::kWaits) return;
    if (outcome == Client::Outcome::kFailed) {
      ++result_.errors;
      client.drop();
    } else {
      ++result_.requests;
      result_.bytes += wish_.expect;
      const auto now = Clock::now();
      result_.latencies.push_back(microseconds(now - client.due()));
      if (open_loop()) result_.latencies_from_send.push_back(microseconds(now - client.asked()));
      if (wish_.close) client.drop();
    }
    idle_.push_back(&client);
  }

  static std::uint32_t microseconds(Clock::duration span) {
    return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(span).count());
  }

  static constexpr std::chrono::nanoseconds kLongestWait = std::chrono::milliseconds(100);

  const Wish& wish_;
  std::string request_;
  Poll poll_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<Client*> idle_;
  std::deque<Clock::time_point> late_;  // due, and no connection was free
  std::uint64_t scheduled_ = 0;
  Clock::time_point begin_, end_;
  double took_ = 0;
  Result result_;
};

}  // namespace

int run_load(int argc, char** argv) {
  const Wish wish = parse(argc, argv);
  Load load(wish);
  load.run();
  load.print();
  return 0;
}

}  // namespace rr::bench
