#include "tests/fuzz/exchange_ground.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "lb/base/check.h"
#include "lb/proxy/load_balancer.h"
#include "tests/fuzz/forwarded_fields.h"

namespace rr::fuzz {
namespace {

constexpr std::size_t kBalancers = 3;
constexpr int kPassesToSettle = 6;
/// More passes than any exchange of a few messages needs.
constexpr int kMostPasses = 400;

struct Balancer {
  std::string_view name;
  std::vector<std::string_view> settings;
};
using Balancers = std::array<Balancer, kBalancers>;

/// The same target behind load balancers of different settings. Time-outs are AWS's: a script drives them.
const Balancers kWanted{{{"plain", {}},
                         {"other",
                          {"desync_mitigation_mode: monitor", "preserve_host_header: true", "xff_client_port: true",
                           "xff_header_processing: preserve"}},
                         {"strict",
                          {"desync_mitigation_mode: strictest", "drop_invalid_header_fields: true",
                           "xff_header_processing: remove", "explain: everyone"}}}};

std::string configuration(const Balancers& balancers, std::uint16_t target_port) {
  std::string text = "load_balancers:\n";
  for (const Balancer& balancer : balancers) {
    text.append("  - name: ").append(balancer.name).append("\n");
    for (const std::string_view setting : balancer.settings) text.append("    ").append(setting).append("\n");
    text +=
        "    target_groups:\n"
        "      - name: web\n"
        "        health_check: {path: /fuzz-health, interval: 300, timeout: 120, healthy_threshold: 2}\n"
        "        targets: ['127.0.0.1:" +
        std::to_string(target_port) +
        "']\n"
        "    listeners:\n"
        "      - name: http\n"
        "        sockets: ['127.0.0.1:0']\n"
        "        default_action: {type: forward, target_groups: [{target_group: web}]}\n";
  }
  return text;
}

/// What is wanted without the settings that this version does not offer.
NodeConfig offered_configuration(std::uint16_t target_port) {
  Balancers offered = kWanted;
  for (Balancer& balancer : offered) balancer.settings.clear();
  for (std::size_t i = 0; i < kBalancers; ++i) {
    for (const std::string_view setting : kWanted[i].settings) {
      offered[i].settings.push_back(setting);
      const auto config = read_config_file("fuzz", configuration(offered, target_port));
      RR_CHECK(config.ok(), "every setting is known");
      if (!validate(config->node).empty()) offered[i].settings.pop_back();
    }
  }
  return read_config_file("fuzz", configuration(offered, target_port))->node;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  name.sin_port = htons(port);
  return name;
}

bool is_own_answer(const PlainHead& head) {
  return !head.all("server").empty() && head.all("server")[0] == "awselb/2.0";
}

}  // namespace

// ------------------------------------------------------------------------------------------------------- sockets

/// What is sent goes out at once. (With Nagle's algorithm a target's second answer would wait for an acknowledgement,
/// which comes with the next request: it would truly arrive after it.)
Plug::Plug(int fd) : fd_(fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

std::unique_ptr<Plug> Plug::connect(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  RR_CHECK(fd >= 0, "a socket for a client");
  const sockaddr_in name = loopback(port);
  RR_CHECK(::connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0, "the listener accepts");
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return std::make_unique<Plug>(fd);
}

/// What the kernel does not take is dropped: the other side does not read, and that is a case as well.
void Plug::send(std::string_view bytes) {
  while (fd_ >= 0 && !finished && !bytes.empty()) {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void Plug::receive() {
  static std::array<char, 65536> space;
  while (fd_ >= 0 && !ended) {
    const ssize_t count = ::recv(fd_, space.data(), space.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
      ended = true;
      return;
    }
    received.append(space.data(), static_cast<std::size_t>(count));
  }
}

void Plug::finish_sending() {
  if (fd_ >= 0) ::shutdown(fd_, SHUT_WR);
  finished = true;
}

/// Always with a reset: thousands of connections a second would use up the ports if each waited for a minute.
void Plug::reset() {
  if (fd_ < 0) return;
  const linger at_once{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(fd_);
  fd_ = -1;
}

// ---------------------------------------------------------------------------------- what a target is sent, judged

bool BackEnd::read_head() {
  std::size_t size = 0;
  if (plug.received.find("\r\n\r\n") == std::string::npos) return false;
  const auto head = read_plain_head(plug.received, size);
  RR_CHECK(head.has_value(), "a target is sent heads that everybody reads alike");
  const auto words = std::count(head->first_line.begin(), head->first_line.end(), ' ');
  RR_CHECK(words == 2 && head->first_line.ends_with(" HTTP/1.1"), "a request line of three words");
  RR_CHECK(head->all("host").size() == 1, "one Host");
  const auto lengths = head->all("content-length"), codings = head->all("transfer-encoding");
  RR_CHECK(lengths.size() + codings.size() <= 1, "one framing at most");
  if (!lengths.empty()) {
    RR_CHECK(!lengths[0].empty() && lengths[0].size() < 20 &&
                 lengths[0].find_first_not_of("0123456789") == std::string::npos,
             "a length is digits");
    left_ = std::stoull(lengths[0]);
    if (left_ > 0) body_ = Body::kLength;
  }
  if (!codings.empty()) {
    RR_CHECK(codings[0] == "chunked", "no other coding is passed on");
    body_ = Body::kChunked;
  }
  asked_for_tunnel_ = !head->all("upgrade").empty();
  said_.clear();
  request_line_ = head->first_line;
  last_head = plug.received.substr(0, size);
  plug.received.erase(0, size);
  ++heads;
  return true;
}

/// What stands behind the last chunk: nothing, or trailers that everybody reads alike and that decide nothing. False:
/// more must come.
bool BackEnd::read_trailers() {
  if (plug.received.starts_with("\r\n")) {
    plug.received.erase(0, 2);
    return true;
  }
  if (plug.received.find("\r\n\r\n") == std::string::npos) return false;
  std::size_t size = 0;
  const auto trailers = read_plain_head("TRAILERS\r\n" + plug.received, size);
  RR_CHECK(trailers.has_value(), "a target is sent trailers that everybody reads alike");
  for (const auto& [name, value] : trailers->fields) {
    for (const std::string_view never : {"transfer-encoding", "content-length", "connection", "host", "cookie",
                                         "authorization", "x-forwarded-for", "trailer", "te", "upgrade"}) {
      RR_CHECK(name != never, "no trailer frames, routes or authenticates");
    }
  }
  plug.received.erase(0, size - std::string_view("TRAILERS\r\n").size());
  return true;
}

/// False: more must come. Our own chunks have no extensions.
bool BackEnd::read_chunk() {
  const std::size_t end = plug.received.find("\r\n");
  if (end == std::string::npos) return false;
  RR_CHECK(end > 0 && end <= 16 && plug.received.find_first_not_of("0123456789abcdef") == end, "a plain chunk size");
  const std::uint64_t size = std::stoull(plug.received.substr(0, end), nullptr, 16);
  if (size == 0) {
    plug.received.erase(0, end + 2);
    body_ = Body::kTrailers;
    return true;
  }
  if (plug.received.size() < end + 2 + size + 2) return false;
  RR_CHECK(plug.received.compare(end + 2 + size, 2, "\r\n") == 0, "a chunk is as long as it says");
  plug.received.erase(0, end + 2 + size + 2);
  return true;
}

void BackEnd::say(std::string_view bytes) {
  plug.send(bytes);
  said_ += bytes;
  tunnel_ = tunnel_ || (asked_for_tunnel_ && said_.find(" 101") != std::string::npos);
}

std::optional<std::string> BackEnd::next_request() {
  if (body_ == Body::kNone && !read_head()) return std::nullopt;
  while (body_ == Body::kChunked) {
    if (!read_chunk()) return std::nullopt;
  }
  if (body_ == Body::kTrailers) {
    if (!read_trailers()) return std::nullopt;
    body_ = Body::kNone;
  }
  if (body_ == Body::kLength) {
    const std::size_t taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, plug.received.size()));
    plug.received.erase(0, taken);
    left_ -= taken;
    if (left_ > 0) return std::nullopt;
    body_ = Body::kNone;
  }
  return request_line_;
}

// ---------------------------------------------------------------------------------------------------- the ground

Ground& Ground::get() {
  static Ground* const ground = new Ground;  // lives as long as the process
  return *ground;
}

Ground::Ground() : node_(loop_, Rng(1), NodeLogs{*LogFile::open("/dev/null")}) {
  target_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in name = loopback(0);
  socklen_t size = sizeof name;
  RR_CHECK(::bind(target_, reinterpret_cast<sockaddr*>(&name), size) == 0 && ::listen(target_, 512) == 0 &&
               ::getsockname(target_, reinterpret_cast<sockaddr*>(&name), &size) == 0,
           "a target's socket");
  target_port_ = ntohs(name.sin_port);
  configure();
  become_healthy();
}

void Ground::configure() {
  const auto applied = node_.apply(offered_configuration(target_port_));
  if (!applied) std::fprintf(stderr, "%s\n", applied.error().errors.front().message.c_str());
  RR_CHECK(applied.ok(), "the configuration is taken");
  for (const auto& balancer : node_.load_balancers()) {
    ports_.push_back(std::get<Address>(balancer->listeners()[0]->sockets()[0]->actual()).port);
  }
  RR_CHECK(ports_.size() == kBalancers, "every load balancer listens");
}

void Ground::become_healthy() {
  const auto healthy = [&] {
    for (const auto& balancer : node_.load_balancers()) {
      for (const TargetStatus& one : balancer->groups()[0]->group().status()) {
        if (one.health.state != TargetState::kHealthy) return false;
      }
    }
    return true;
  };
  for (int i = 0; i < 1'000'000 && !healthy(); ++i) pass(1);
  RR_CHECK(healthy(), "the targets become healthy");
}

void Ground::pass(int times) {
  for (int i = 0; i < times; ++i) {
    uv_run(loop_.raw(), UV_RUN_NOWAIT);
    look_at_targets();
  }
}

void Ground::look_at_targets() {
  while (true) {
    const int fd = ::accept4(target_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) break;
    backs_.emplace_back(fd);
  }
  for (BackEnd& back : backs_) {
    back.plug.receive();
    serve(back);
  }
}

bool Ground::is_probe(const BackEnd& back) const { return back.last_head.starts_with("GET /fuzz-health HTTP/1.1\r\n"); }

/// Health checks and the victim's requests are answered at once and honestly; the attacker's by the script.
void Ground::serve(BackEnd& back) {
  while (true) {
    if (back.tunnel()) {
      // Whatever the attacker says in there; but nobody else's request may be sent into it.
      RR_CHECK(marker_.empty() || back.plug.received.find(marker_) == std::string::npos,
               "a tunnel is its client's alone");
      return;
    }
    const std::size_t heads_before = back.heads;
    const auto line = back.next_request();
    if (back.heads != heads_before) {
      RR_CHECK(back.heads == 1 || !is_probe(back), "a health check has a connection of its own");
      back.victims = !marker_.empty() && back.last_head.find(marker_) != std::string::npos;
      if (!back.victims && !is_probe(back)) ++forwarded_;
    }
    if (!line) return;
    if (is_probe(back)) {
      back.plug.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    } else if (back.victims) {
      RR_CHECK(*line == "GET /" + marker_ + " HTTP/1.1", "the victim's request arrives as it was sent");
      back.plug.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(marker_.size()) + "\r\n\r\n" + marker_);
    }
  }
}

// ------------------------------------------------------------------------------------------------------- the acts

void Ground::act(char what, std::string_view bytes) {
  switch (what) {
    case 'n':
      new_attacker();
      send_as_attacker(bytes);
      break;
    case 'a':
      send_as_attacker(bytes);
      break;
    case 't':
      send_as_target(bytes);
      break;
    case 'o':
      send_as_target("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      break;
    case 'x':
      if (!attackers_.empty()) attackers_.back().plug->finish_sending();
      break;
    case 'X':
      if (!attackers_.empty()) attackers_.back().plug->reset();
      break;
    case 'f':
      if (BackEnd* back = attackers_back()) back->plug.finish_sending();
      break;
    case 'r':
      if (BackEnd* back = attackers_back()) back->plug.reset();
      break;
    case 'v':
      ask_as_victim();
      finish_victim();
      break;
    case 'V':
      ask_as_victim();
      break;
    case 'd':
      pass_deadlines();
      break;
    default:  // '|' and what a mutation made
      pass(kPassesToSettle);
      break;
  }
}

void Ground::new_attacker() {
  if (attackers_.size() >= 4) return;
  attackers_.push_back({Plug::connect(ports_[balancer_]), {}});
}

void Ground::send_as_attacker(std::string_view bytes) {
  if (attackers_.empty()) new_attacker();
  Attacker& attacker = attackers_.back();
  if (!attacker.plug->open() || attacker.plug->finished) return;
  attacker.sent += bytes;
  attacker.plug->send(bytes);
}

/// The connection that was last given a request of an attacker's. Never one whose last request was the victim's: what a
/// target sends there is a lie to the one who asked, which nobody can tell from an answer.
BackEnd* Ground::attackers_back() {
  for (int i = 0; i < kPassesToSettle; ++i) {
    for (auto back = backs_.rbegin(); back != backs_.rend(); ++back) {
      if (back->heads > 0 && !back->victims && !is_probe(*back) && back->plug.open() && !back->plug.ended)
        return &*back;
    }
    pass(1);
  }
  return nullptr;
}

void Ground::send_as_target(std::string_view bytes) {
  if (BackEnd* back = attackers_back()) back->say(bytes);
}

void Ground::ask_as_victim() {
  finish_victim();
  if (!victim_ || victim_->ended) victim_ = Plug::connect(ports_[balancer_]);
  std::uint64_t seed = runs_ * 1000 + ++asked_;
  seed = (seed ^ (seed >> 31)) * 0x9e3779b97f4a7c15U;
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "victim-%016llx", static_cast<unsigned long long>(seed));
  marker_ = text.data();
  victim_->received.clear();
  victim_->send("GET /" + marker_ + " HTTP/1.1\r\nHost: fuzz\r\n\r\n");
}

void Ground::finish_victim() {
  if (marker_.empty()) return;
  for (int i = 0; i < kMostPasses; ++i) {
    pass(1);
    victim_->receive();
    std::size_t size = 0;
    const auto head = read_plain_head(victim_->received, size);
    if (victim_->ended || (head && !head->all("content-length").empty() &&
                           victim_->received.size() >= size + std::stoul(head->all("content-length")[0]))) {
      break;
    }
  }
  judge_victim();
  marker_.clear();
  // The next one on this connection is a request on a kept connection, or this one has ended.
  pass(1);
  victim_->receive();
}

/// As if every time-out had come: everybody who waits is told, or dropped.
void Ground::pass_deadlines() {
  finish_victim();
  const Time later = loop_.now() + std::chrono::hours(2);
  for (const auto& balancer : node_.load_balancers()) balancer->check_deadlines(later);
  victim_.reset();
  pass(kPassesToSettle);
}

// -------------------------------------------------------------------------------------------------- the judgement

/// Its own answer and nothing else; or, where its request met a connection that the target had spoilt, the load
/// balancer's own 502.
void Ground::judge_victim() {
  std::size_t size = 0;
  const auto head = read_plain_head(victim_->received, size);
  RR_CHECK(head.has_value(), "the victim is answered");
  const std::string body = victim_->received.substr(size);
  if (head->first_line == "HTTP/1.1 200 OK") {
    if (body != marker_) std::fprintf(stderr, "asked for %s, got:\n%s\n", marker_.c_str(), victim_->received.c_str());
    RR_CHECK(body == marker_, "the victim gets its own answer and nothing else");
    return;
  }
  RR_CHECK(head->first_line == "HTTP/1.1 502 Bad Gateway" && is_own_answer(*head), "or the load balancer's own 502");
  RR_CHECK(body.size() == std::stoul(head->all("content-length").at(0)), "and nothing behind it");
}

/// What an attacker got is a sequence of responses, no more of them than it sent requests.
void Ground::judge_attacker() const {
  for (const Attacker& attacker : attackers_) {
    attacker.plug->receive();
    RequestParser requests(kAlbRequestLimits, Reading::kTolerant);
    std::string_view sent = attacker.sent;
    std::string_view got = attacker.plug->received;
    bool readable = true;
    while (!got.empty()) {
      bool to_head = false;
      while (readable) {
        const ParseStep step = requests.next(sent);
        sent.remove_prefix(step.consumed);
        readable = step.kind != ParseStep::Kind::kNeedMore && step.kind != ParseStep::Kind::kError;
        if (step.kind != ParseStep::Kind::kHead) continue;
        to_head = requests.head().view.method == "HEAD";
        break;
      }
      ResponseParser responses({.start_line = 1 << 20, .header_line = 1 << 20, .head = 1 << 20, .headers = 10'000});
      responses.expect(to_head);
      while (true) {
        const ParseStep step = responses.next(got);
        got.remove_prefix(step.consumed);
        RR_CHECK(step.kind != ParseStep::Kind::kError, "a client gets nothing but responses");
        if (step.kind == ParseStep::Kind::kMessageEnd) break;
        if (step.kind == ParseStep::Kind::kNeedMore) return;  // in the middle of one
      }
      if (responses.head().view.status == 101) return;  // a tunnel begins
      // When the bytes say no more requests, this was the last answer: a refusal, or a time-out.
      if (!readable) RR_CHECK(got.empty(), "no more answers than requests");
    }
  }
}

void Ground::clear() {
  attackers_.clear();
  backs_.clear();
  for (int i = 0; i < kMostPasses; ++i) {
    pass(1);
    const LoadBalancer& balancer = *node_.load_balancers()[balancer_];
    const TargetPool& pool = *balancer.groups()[0]->back_pool().pools()[0];
    if (balancer.connections() == (victim_ ? 1U : 0U) && pool.open() == 0) break;
    for (BackEnd& back : backs_) back.plug.reset();
    if (i == kMostPasses / 2) {  // what lingers for a client that reset, which the kernel need not tell
      victim_.reset();
      for (const auto& one : node_.load_balancers()) one->check_deadlines(loop_.now() + std::chrono::hours(2));
    }
  }
  const LoadBalancer& balancer = *node_.load_balancers()[balancer_];
  RR_CHECK(balancer.connections() <= 1, "no connection to a client is left");
  RR_CHECK(balancer.groups()[0]->back_pool().pools()[0]->open() == 0, "no connection to a target is left");
  RR_CHECK(balancer.groups()[0]->group().status()[0].outstanding == 0, "no request is in progress");
}

void Ground::play(std::string_view script) {
  if (script.empty()) return;
  ++runs_;
  asked_ = 0;
  victim_.reset();
  balancer_ = static_cast<unsigned char>(script.front()) % kBalancers;
  script.remove_prefix(1);
  constexpr char kMark = '\xff';
  for (int acts = 0; !script.empty() && acts < 48; ++acts) {
    const std::size_t end = std::min(script.find(kMark), script.size());
    const std::string_view part = script.substr(0, end);
    script.remove_prefix(std::min(end + 1, script.size()));
    if (part.empty()) continue;
    act(part.front(), part.substr(1));
    pass(2);
  }
  finish_victim();
  pass(kPassesToSettle);
  judge_attacker();
  ask_as_victim();
  finish_victim();
  clear();
}

}  // namespace rr::fuzz
