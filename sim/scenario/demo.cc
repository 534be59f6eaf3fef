#include "sim/scenario/demo.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "lb/net/fd_watcher.h"
#include "lb/net/http_client.h"
#include "lb/net/loop.h"
#include "lb/net/signal_watcher.h"
#include "lb/net/timer.h"
#include "sim/console/log_view.h"
#include "sim/console/screen.h"
#include "sim/console/status_view.h"
#include "sim/scenario/demo_report.h"
#include "sim/scenario/demo_tier.h"
#include "sim/scenario/image_builder.h"
#include "sim/scenario/load.h"

namespace rr::sim {
namespace {
using nlohmann::json;
using namespace std::chrono_literals;

constexpr double kLoad = 40;  // requests a second
constexpr auto kLook = 40ms;  // between two looks at the tier
constexpr auto kStartPatience = 60s;
constexpr auto kPatience = 90s;     // for anything that the tier should do by itself
constexpr auto kLogFlush = 1500ms;  // until a node's access log has what it did
constexpr auto kSettle = 1500ms;    // what an act is given after its end
constexpr std::size_t kNewConnections = 20;
constexpr std::size_t kKeptRequests = 10;
constexpr const char* kFirstCommit = "814d1293e6b73a8810435611c49a52a6033c3545";
constexpr int kFirstBuild = 28;

/// Why an act ended early.
enum class Ended { kNo, kInterrupted, kTierGone, kTooSlow };

class Demo {
 public:
  explicit Demo(const DemoOptions& options);
  ~Demo();
  int play();

 private:
  // the tier
  bool start_tier();
  void look();
  void take_status(const json& status);
  void say_who_vanished();
  bool wait(const std::function<bool()>& met, Duration most);
  void pause(Duration span);
  std::optional<json> command(const std::string& target, const json& body);
  int stop_tier();
  const json* incident() const;
  std::string zone_letter(const std::string& host) const;
  std::optional<Duration> span_of(const json& object, const char* key) const;

  // traffic
  std::optional<PageOrigin> get(HttpClient& client, std::string* body);
  void begin_phase(const std::string& name);
  std::size_t phase_of(const LoadSample& sample) const;
  void take_sample(const LoadSample& sample);
  void show_load();
  void stop_load();

  // the acts
  bool round_robin();
  bool zone_dies();
  bool zone_comes_back();
  bool release();
  void judge_zone_failures();
  int finish();

  // the screen
  void title(int number, const std::string& name, const std::string& what);
  bool wait_for_key();
  void say(const std::string& text);
  void say_command(const std::string& text);
  void happened(const std::string& text, Ink ink = Ink::kPlain);
  std::string pasted(const std::string& rest) const { return "rr-sim " + rest; }

  DemoOptions options_;
  Loop loop_;
  Screen screen_;
  const Palette& ink_;
  std::unique_ptr<DemoTier> tier_;
  std::optional<SignalWatcher> on_int_, on_term_, on_hup_;
  Timer look_timer_;
  Timer deadline_;
  Timer wake_;
  std::unique_ptr<HttpClient> looker_;
  json status_;
  std::map<std::string, std::string> seen_instances_;  // id -> what was last said of it
  std::map<std::string, bool> seen_in_dns_;
  bool narrate_ = false;
  Time mark_;  // what "+1.2 s" counts from
  Ended ended_ = Ended::kNo;
  int signals_ = 0;

  Address front_;
  std::unique_ptr<OpenLoopLoad> load_;
  struct Phase {
    std::string name;
    Time began;
  };
  std::vector<Phase> phases_;
  std::vector<LoadSample> samples_;
  std::optional<std::size_t> zone_phase_;  // index of the phase in which a zone is down
  std::optional<ZoneFailure> zone_failure_;
  std::deque<char> strip_;
  std::uint64_t answered_ = 0, failed_ = 0;
  DemoFacts facts_;
  std::string dead_zone_;
  std::set<std::string> dead_addresses_;
};

Demo::Demo(const DemoOptions& options)
    : options_(options),
      screen_(STDOUT_FILENO),
      ink_(screen_.palette()),
      look_timer_(loop_, [this] { look(); }),
      deadline_(loop_, [this] { loop_.stop(); }),
      wake_(loop_, [this] { loop_.stop(); }) {
  const auto interrupted = [this] {
    ended_ = Ended::kInterrupted;
    if (++signals_ > 1 && tier_) tier_->ask_to_stop();
    loop_.stop();
  };
  on_int_.emplace(loop_, SIGINT, interrupted);
  on_term_.emplace(loop_, SIGTERM, interrupted);
  on_hup_.emplace(loop_, SIGHUP, interrupted);
}

Demo::~Demo() {
  load_.reset();
  looker_.reset();
}

// ---- the screen

void Demo::say(const std::string& text) { screen_.line(wrapped(text, 80, "  ")); }
void Demo::say_command(const std::string& text) { screen_.line(ink_.paint(Ink::kCyan, "  $ " + text)); }
void Demo::happened(const std::string& text, Ink ink) {
  constexpr std::size_t kIndent = 11;
  const std::string when = fmt::format("  +{:>4.1f} s  ", to_seconds(loop_.precise_now() - mark_));
  screen_.line(ink_.paint(Ink::kFaint, when) +
               ink_.paint(ink, wrapped(text, 80, std::string(kIndent, ' ')).substr(kIndent)));
}

void Demo::title(int number, const std::string& name, const std::string& what) {
  screen_.bottom("");
  screen_.line("");
  screen_.line(ink_.paint(Ink::kBold, fmt::format("{}. {}", number, name)));
  say(what);
}

// Only between acts, and only with --step. A closed or missing input goes on at once.
bool Demo::wait_for_key() {
  if (!options_.step) {
    if (screen_.is_terminal()) pause(1s);
    return ended_ == Ended::kNo;
  }
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  termios before{};
  if (terminal && ::tcgetattr(STDIN_FILENO, &before) == 0) {
    termios raw = before;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  if (screen_.is_terminal()) {
    screen_.bottom(ink_.paint(Ink::kYellow, "  press a key to go on (Ctrl-C stops)"));
  } else {
    screen_.line("  press Enter to go on");
  }
  bool pressed = false;
  {
    FdWatcher keys(loop_, STDIN_FILENO, [&] {
      char byte = 0;
      [[maybe_unused]] const auto count = ::read(STDIN_FILENO, &byte, 1);
      pressed = true;
      loop_.stop();
    });
    while (!pressed && ended_ == Ended::kNo) loop_.run();
  }
  if (terminal) ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
  screen_.bottom("");
  return ended_ == Ended::kNo;
}

// ---- the tier

void Demo::look() {
  if (!tier_->running()) {
    if (ended_ == Ended::kNo) ended_ = Ended::kTierGone;
    loop_.stop();
    return;
  }
  look_timer_.arm(kLook);
  if (looker_ == nullptr) {
    HttpClient::Settings settings;
    settings.timeout = 5s;
    looker_ = std::make_unique<HttpClient>(loop_, Endpoint(UnixPath{tier_->layout().control_socket()}), settings);
  }
  if (looker_->busy()) return;
  ClientRequest request;
  request.target = "/status";
  looker_->send(std::move(request), [this](Result<ClientResponse, ClientFailure> answer) {
    if (!answer || answer->status != 200) return;
    json status = json::parse(answer->body, nullptr, false);
    if (status.is_object()) take_status(status);
    loop_.stop();
  });
}

// Says what has changed since the last look.
void Demo::take_status(const json& status) {
  status_ = status;
  for (const json& one : status_["instances"]) {
    const std::string id = one["id"].get<std::string>();
    const std::string lifecycle = one["lifecycle"].get<std::string>();
    const std::string health = one["target_health"]["state"].get<std::string>();
    std::string word;
    if (lifecycle == "Pending") word = "is being launched";
    if (lifecycle == "InService" && health == "healthy") word = "is in service and healthy";
    if (lifecycle == "InService" && health == "unhealthy") {
      word = "is unhealthy: " + one["target_health"]["reason"].get<std::string>();
    }
    if (lifecycle.rfind("Terminating", 0) == 0) word = "leaves: no new requests, then it ends";
    if (lifecycle == "Terminated") word = "has ended";
    std::string& said = seen_instances_[id];
    if (word.empty() || word == said) continue;
    said = word;
    if (!narrate_) continue;
    const std::string what = fmt::format("{} in {} {}", short_name(id), one["zone"].get<std::string>(), word);
    const Ink ink = word.find("healthy") != std::string::npos && word.find("unhealthy") == std::string::npos
                        ? Ink::kGreen
                    : word.find("unhealthy") != std::string::npos ? Ink::kRed
                                                                  : Ink::kPlain;
    const bool built = word == "is in service and healthy" && one["build"].is_string();
    happened(built ? fmt::format("{} (build {})", what, one["build"].get<std::string>()) : what, ink);
  }
  say_who_vanished();
  for (const json& one : status_["nodes"]) {
    const std::string name = one["name"].get<std::string>();
    const bool in_dns = one["in_dns"].get<bool>();
    const auto before = seen_in_dns_.find(name);
    if (narrate_ && before != seen_in_dns_.end() && before->second != in_dns) {
      happened(fmt::format("the node of {} {}", one["zone"].get<std::string>(),
                           in_dns ? "is in DNS again" : "is out of DNS"));
    }
    seen_in_dns_[name] = in_dns;
  }
}

// A launch that failed leaves no instance behind.
void Demo::say_who_vanished() {
  for (auto& [id, said] : seen_instances_) {
    const bool there = std::any_of(status_["instances"].begin(), status_["instances"].end(),
                                   [&name = id](const json& one) { return one["id"] == name; });
    if (there || said != "is being launched") continue;
    said = "could not be launched";
    if (narrate_) happened(fmt::format("{} could not be launched: its zone has no power", short_name(id)));
  }
}

// Runs the loop until something holds. False: interrupted, the tier has gone, or it took too long.
bool Demo::wait(const std::function<bool()>& met, Duration most) {
  const Time end = loop_.precise_now() + most;
  while (ended_ == Ended::kNo) {
    if (met()) return true;
    if (loop_.precise_now() >= end) return false;
    deadline_.arm(100ms);
    loop_.run();
    show_load();
  }
  return false;
}

void Demo::pause(Duration span) {
  const Time end = loop_.precise_now() + span;
  wait([&] { return loop_.precise_now() >= end; }, span + 1s);
}

std::optional<json> Demo::command(const std::string& target, const json& body) {
  HttpClient client(loop_, Endpoint(UnixPath{tier_->layout().control_socket()}), HttpClient::Settings{});
  ClientRequest request;
  request.method = "POST";
  request.target = target;
  request.body = body.dump();
  std::optional<json> out;
  bool done = false;
  client.send(std::move(request), [&](Result<ClientResponse, ClientFailure> answer) {
    done = true;
    if (answer) out = json::parse(answer->body, nullptr, false);
    if (answer && answer->status != 200) {
      say(ink_.paint(Ink::kRed, out->value("error", "refused")));
      out.reset();
    }
    loop_.stop();
  });
  wait([&] { return done; }, 30s);
  return out;
}

namespace {

bool port_is_free(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return free;
}

}  // namespace

bool Demo::start_tier() {
  const bool free = port_is_free(8080);
  const std::vector<std::string> flags = {"--listen", free ? "127.0.0.1:8080" : "127.0.0.1:0",
                                          "--speed",  fmt::format("{}", options_.speed),
                                          "--ground", options_.ground,
                                          "--commit", kFirstCommit,
                                          "--build",  std::to_string(kFirstBuild)};
  screen_.line(ink_.paint(Ink::kBold, "round-robin: a two-zone AWS web tier on this machine"));
  say("Starting two zones, each with a load-balancer node and an instance ...");
  auto started = DemoTier::start(options_.program, flags, options_.keep);
  if (!started) {
    say(started.error().message);
    return false;
  }
  tier_ = std::move(*started);
  look_timer_.arm(kLook);
  const bool up =
      wait([this] { return status_.is_object() && status_["ready"].get<bool>() && status_["settled"].get<bool>(); },
           kStartPatience);
  if (!up) {
    if (ended_ == Ended::kInterrupted) return false;
    screen_.line(ended_ == Ended::kTierGone ? "rr-sim demo: the tier could not start:"
                                            : "rr-sim demo: the tier did not get up:");
    for (const std::string& line : tier_->last_output(20)) screen_.line("  " + printable(line));
    return false;
  }
  const std::string url = status_["url"].get<std::string>();
  front_ = *parse_address(url.substr(7, url.size() - 8));
  screen_.line("  " + ink_.paint(Ink::kBold, url) + (free ? "" : "   (port 8080 is taken)"));
  say(status_["ground"]["reason"].get<std::string>());
  say(fmt::format("speed {}: what AWS's control plane waits for is divided by {}; requests are not.", options_.speed,
                  options_.speed));
  return true;
}

const json* Demo::incident() const {
  if (!status_.is_object() || status_["incidents"].empty()) return nullptr;
  return &status_["incidents"].back();
}

std::string Demo::zone_letter(const std::string& host) const {
  for (const json& one : status_["instances"]) {
    if (one["host_name"] == host)
      return one["zone"].get<std::string>().substr(one["zone"].get<std::string>().size() - 1);
  }
  return "?";
}

std::optional<Duration> Demo::span_of(const json& object, const char* key) const {
  if (!object.contains(key) || !object[key].is_object()) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(object[key]["seconds"].get<double>()));
}

// ---- traffic

std::optional<PageOrigin> Demo::get(HttpClient& client, std::string* body) {
  std::optional<PageOrigin> page;
  bool done = false;
  ClientRequest request;
  request.headers = {{"User-Agent", "rr-sim-demo"}};
  client.send(std::move(request), [&](Result<ClientResponse, ClientFailure> answer) {
    done = true;
    LoadSample sample;
    sample.cause =
        answer ? (answer->status == 200 ? RequestCause::kAnswered : RequestCause::kOtherError) : RequestCause::kClosed;
    if (answer) {
      page = read_page(answer->body);
      if (body != nullptr) *body = answer->body;
    }
    facts_.phases.front().statistics.add(sample);
    if (failed(sample.cause)) facts_.other_failures.push_back("in the first act");
    loop_.stop();
  });
  wait([&] { return done; }, 10s);
  return page;
}

void Demo::begin_phase(const std::string& name) { phases_.push_back({name, loop_.precise_now()}); }

// By when it was due. What the zone's death took along counts there, though it had been sent just before.
std::size_t Demo::phase_of(const LoadSample& sample) const {
  std::size_t phase = 0;
  while (phase + 1 < phases_.size() && phases_[phase + 1].began <= sample.scheduled) ++phase;
  const bool taken_along =
      zone_phase_ && failed(sample.cause) && phase + 1 == *zone_phase_ && sample.ended >= phases_[*zone_phase_].began;
  return taken_along ? *zone_phase_ : phase;
}

void Demo::take_sample(const LoadSample& sample) {
  samples_.push_back(sample);
  const bool bad = failed(sample.cause);
  (bad ? failed_ : answered_) += 1;
  strip_.push_back(bad ? 'x' : zone_letter(sample.host).front());
  if (strip_.size() > 30) strip_.pop_front();
}

void Demo::show_load() {
  if (load_ == nullptr || load_->rate() <= 0) return;
  std::string strip;
  for (const char c : strip_) {
    const Ink ink = c == 'x' ? Ink::kRed : c == 'a' ? Ink::kCyan : Ink::kMagenta;
    strip += ink_.paint(ink, std::string(1, c));
  }
  screen_.bottom(fmt::format("  {}/s  answered {:<5} failed {:<3} zones {}", load_->rate(), answered_,
                             failed_ == 0 ? "0" : ink_.paint(Ink::kRed, fmt::format("{:<3}", failed_)), strip));
}

void Demo::stop_load() {
  if (load_ == nullptr) return;
  bool stopped = false;
  load_->stop([&] {
    stopped = true;
    loop_.stop();
  });
  wait([&] { return stopped; }, 15s);
  screen_.bottom("");
}

// ---- the acts

namespace {

// The tier's spans count from when it got the command, which is when it was sent.
std::optional<Time> time_of(const json& object, const char* key, Time began) {
  if (!object.contains(key) || !object[key].is_object()) return std::nullopt;
  return began +
         std::chrono::duration_cast<Duration>(std::chrono::duration<double>(object[key]["seconds"].get<double>()));
}

}  // namespace

bool Demo::round_robin() {
  title(1, "Round robin over two zones",
        "Every answer says which instance gave it. Each zone's load-balancer node gives one request to each instance "
        "in turn.");
  if (!wait_for_key()) return false;
  facts_.phases.push_back({"round robin", {}});
  say_command(fmt::format("while true; do curl -s {}; echo; sleep 1; done", status_["url"].get<std::string>()));
  std::string shown;
  HttpClient::Settings fresh;
  fresh.keep_alive = false;
  for (std::size_t i = 0; i < kNewConnections && ended_ == Ended::kNo; ++i) {
    HttpClient client(loop_, Endpoint(front_), fresh);
    std::string body;
    const auto page = get(client, &body);
    if (!page) continue;
    if (i == 0) screen_.line(wrapped(body, 80, "  "));
    ++facts_.new_connections[page->host];
    const std::string letter = zone_letter(page->host);
    shown += ink_.paint(letter == "a" ? Ink::kCyan : Ink::kMagenta, letter) + " ";
    screen_.bottom("  new connections:      " + shown);
    pause(80ms);
  }
  screen_.bottom("");
  screen_.line("  new connections:      " + shown);
  if (ended_ != Ended::kNo || status_["nodes"].empty()) return false;
  const auto zonal = parse_address(status_["nodes"][0].value("zonal", ""));
  if (!zonal) return false;
  shown.clear();
  HttpClient kept(loop_, Endpoint(*zonal), HttpClient::Settings{});
  for (std::size_t i = 0; i < kKeptRequests && ended_ == Ended::kNo; ++i) {
    const auto page = get(kept, nullptr);
    if (!page) continue;
    facts_.kept_connection.push_back(page->host);
    const std::string letter = zone_letter(page->host);
    shown += ink_.paint(letter == "a" ? Ink::kCyan : Ink::kMagenta, letter) + " ";
    screen_.bottom("  one kept, one node:   " + shown);
    pause(80ms);
  }
  screen_.bottom("");
  screen_.line("  one kept, one node:   " + shown);
  say(fmt::format(
      "Over one connection kept to one node they alternate strictly. New connections do not, because each node "
      "keeps its own turn, as AWS's do; the shares are equal: {}.",
      format_shares(facts_.new_connections)));
  return ended_ == Ended::kNo;
}

bool Demo::zone_dies() {
  dead_zone_ = status_["zones"].back()["name"].get<std::string>();
  const std::string other = status_["zones"].front()["name"].get<std::string>();
  title(2, fmt::format("Zone {} loses power", dead_zone_),
        fmt::format(
            "Its instance and its load-balancer node are gone at once, under {} requests a second. Nobody is told: "
            "health checks must find out. Answers have to keep coming from {}.",
            kLoad, other));
  if (!wait_for_key()) return false;
  LoadSettings settings;
  settings.rate = kLoad;
  load_ = std::make_unique<OpenLoopLoad>(loop_, front_, settings);
  load_->on_sample([this](const LoadSample& sample) { take_sample(sample); });
  begin_phase("steady load");
  load_->start();
  pause(1s);
  for (const json& one : status_["instances"]) {
    if (one["zone"] == dead_zone_) dead_addresses_.insert(one["address"].get<std::string>());
  }
  say_command(pasted("az fail " + dead_zone_));
  begin_phase(fmt::format("zone {} is down", dead_zone_.back()));
  zone_phase_ = phases_.size() - 1;
  mark_ = loop_.precise_now();
  narrate_ = true;
  if (!command("/az/fail", {{"zone", dead_zone_}, {"mode", "power"}})) return false;
  const bool detected =
      wait([this] { return incident() != nullptr && (*incident())["time_to_detect"].is_object(); }, kPatience);
  if (!detected) return ended_ == Ended::kNo;
  facts_.time_to_detect = span_of(*incident(), "time_to_detect");
  happened(fmt::format("no request goes to zone {} any more; so far {} were answered, {} failed, {} wait",
                       dead_zone_.back(), answered_, failed_, load_->outstanding()));

  title(3, "The lost instance is replaced",
        fmt::format("The group wants two instances and has one. Launches in {} fail, so the new one comes up in {}.",
                    dead_zone_, other));
  if (!wait_for_key()) return false;
  const bool replaced = wait(
      [this] {
        return (*incident())["time_to_replace"].is_object() && (*incident())["time_to_remove_node"].is_object();
      },
      kPatience);
  if (replaced) {
    facts_.time_to_replace = span_of(*incident(), "time_to_replace");
    facts_.time_to_remove_node = span_of(*incident(), "time_to_remove_node");
  }
  ZoneFailure failure;
  failure.began = mark_;
  failure.targets_ejected = time_of(*incident(), "time_to_detect", mark_);
  failure.node_removed = time_of(*incident(), "time_to_remove_node", mark_);
  failure.done = time_of(*incident(), "time_to_hit", mark_).value_or(mark_);
  zone_failure_ = failure;
  pause(kSettle);
  return ended_ == Ended::kNo;
}

namespace {

std::map<std::string, NodeRecord> read_access_logs(const json& status, const std::string& dead_zone,
                                                   const std::set<std::string>& dead_addresses) {
  std::map<std::string, NodeRecord> out;
  for (const json& node : status["nodes"]) {
    if (node["zone"] == dead_zone) continue;
    std::ifstream log(node.value("log", ""));
    for (std::string line; std::getline(log, line);) {
      const auto entry = read_access_log_line(line);
      if (!entry) continue;
      out[entry->trace_root] = NodeRecord{node["name"].get<std::string>(), entry->target, entry->elb_status,
                                          dead_addresses.count(entry->target) != 0};
    }
  }
  return out;
}

}  // namespace

// Once all has been answered and the nodes' logs are written.
void Demo::judge_zone_failures() {
  if (!zone_phase_ || !zone_failure_) return;
  const auto records = read_access_logs(status_, dead_zone_, dead_addresses_);
  Time last_answer = zone_failure_->began;
  for (const LoadSample& sample : samples_) {
    if (phase_of(sample) != *zone_phase_) continue;
    if (!failed(sample.cause)) {
      facts_.longest_silence = std::max(facts_.longest_silence, sample.ended - last_answer);
      last_answer = std::max(last_answer, sample.ended);
      continue;
    }
    const auto record = records.find(sample.trace);
    const Verdict verdict =
        attribute(sample, *zone_failure_, record == records.end() ? std::nullopt : std::optional(record->second));
    ++facts_.zone_failures[static_cast<std::size_t>(verdict.kind)];
    if (verdict.kind == FailureClass::kUnexplained) facts_.unexplained.push_back(verdict.evidence);
  }
}

bool Demo::zone_comes_back() {
  title(4, fmt::format("Zone {} heals", dead_zone_),
        "Its node comes back into DNS, and the group balances its zones again: it launches there before it ends one "
        "here.");
  if (!wait_for_key()) return false;
  say_command(pasted("az heal " + dead_zone_));
  begin_phase(fmt::format("zone {} comes back", dead_zone_.back()));
  mark_ = loop_.precise_now();
  if (!command("/az/heal", {{"zone", dead_zone_}})) return false;
  const bool balanced = wait([this] { return (*incident())["time_to_balance"].is_object(); }, kPatience);
  if (!balanced) return ended_ == Ended::kNo;
  facts_.least_in_service_while_balancing = (*incident())["least_in_service"].get<int>();
  facts_.time_to_balance = span_of(*incident(), "time_to_balance");
  return ended_ == Ended::kNo;
}

bool Demo::release() {
  const std::string commit = made_up_commit(kFirstCommit);
  const std::string build = std::to_string(kFirstBuild + 1);
  title(
      5, "A new version is released, 2 -> 4 -> 2, under load",
      "The group is doubled with the new image; when the new ones are healthy and answer the new commit, it is halved "
      "again. No request may fail.");
  if (!wait_for_key()) return false;
  begin_phase("release 2 -> 4 -> 2");
  say_command(pasted(fmt::format("image build --commit {} --build {}", commit.substr(0, 12), build)));
  ImageSource source;
  source.name = "rr-webapp";
  source.program = find_program("rr-webapp");
  source.command = webapp_flags();
  source.commit = commit;
  source.build = build;
  const auto image = build_image(tier_->layout().images(), source, loop_.now());
  if (!image) {
    facts_.release_outcome = image.error().message;
    return true;
  }
  if (!command("/images", {{"id", image->id.value},
                           {"name", image->name},
                           {"commit", image->commit},
                           {"build", image->build},
                           {"folder", image->folder},
                           {"command", image->command}})) {
    return ended_ == Ended::kNo;
  }
  say_command(pasted(fmt::format("release --image {} --strategy double", image->id.value)));
  mark_ = loop_.precise_now();
  if (!command("/release", {{"image", image->id.value}, {"strategy", "double"}})) return ended_ == Ended::kNo;
  wait([this] { return status_["release"].is_object() && status_["release"]["ended"].get<bool>(); }, kPatience);
  if (ended_ != Ended::kNo) return false;
  const json& release = status_["release"];
  facts_.released = release["released"].get<bool>();
  facts_.release_outcome = release["outcome"].get<std::string>();
  facts_.time_to_release = span_of(release, "took");
  facts_.most_in_service_while_releasing = release["most_in_service"].get<int>();
  happened((facts_.released ? "released: " : "not released: ") + facts_.release_outcome,
           facts_.released ? Ink::kGreen : Ink::kRed);
  begin_phase("after the release");
  const Time released = loop_.precise_now();
  pause(kSettle);
  stop_load();
  pause(kLogFlush);
  for (const LoadSample& sample : samples_) {
    if (failed(sample.cause) || sample.scheduled < released) continue;
    ++facts_.answers_after_release;
    facts_.old_answers_after_release += sample.commit == commit ? 0 : 1;
  }
  return ended_ == Ended::kNo;
}

// ---- the end

int Demo::finish() {
  narrate_ = false;
  facts_.speed = options_.speed;
  facts_.desired = 2;
  judge_zone_failures();
  for (const Phase& phase : phases_) facts_.phases.push_back({phase.name, {}});
  for (const LoadSample& sample : samples_) {
    const std::size_t phase = phase_of(sample);
    facts_.phases[phase + 1].statistics.add(sample);  // the first row is the first act's own
    if (failed(sample.cause) && phase != zone_phase_) {
      facts_.other_failures.push_back(fmt::format("{} ({})", to_string(sample.cause), phases_[phase].name));
    }
  }
  if (load_) facts_.phases.back().statistics.not_sent = load_->statistics().not_sent;
  screen_.bottom("");
  screen_.line("");
  for (const std::string& line : demo_table(facts_)) {
    const bool head = line.find("REQUESTS") != std::string::npos || line.find("MEASURED") != std::string::npos;
    screen_.line(head ? ink_.paint(Ink::kBold, line) : line);
  }
  screen_.line("");
  const auto broken = broken_promises(facts_);
  for (const std::string& one : broken) screen_.line(ink_.paint(Ink::kRed, "BROKEN: " + one));
  if (broken.empty()) screen_.line(ink_.paint(Ink::kGreen, "Every promise was kept."));
  return broken.empty() ? 0 : 1;
}

int Demo::stop_tier() {
  screen_.bottom("");
  load_.reset();
  if (tier_ == nullptr) return 0;
  if (tier_->running()) tier_->ask_to_stop();
  look_timer_.disarm();
  looker_.reset();
  // Ctrl-C in the meantime is passed on by the signal's watcher and stops it at once.
  const Time end = loop_.precise_now() + 20s;
  while (tier_->running() && loop_.precise_now() < end) {
    wake_.arm(20ms);
    loop_.run();
  }
  tier_.reset();
  return 0;
}

int Demo::play() {
  if (!start_tier()) {
    const int exit = ended_ == Ended::kInterrupted ? 130 : 3;
    stop_tier();
    return exit;
  }
  const bool whole = round_robin() && zone_dies() && zone_comes_back() && release();
  if (ended_ == Ended::kInterrupted) {
    screen_.bottom("");
    screen_.line("interrupted; stopping the tier");
    stop_tier();
    return 130;
  }
  if (ended_ == Ended::kTierGone) {
    screen_.line("rr-sim demo: the tier has gone:");
    for (const std::string& line : tier_->last_output(20)) screen_.line("  " + printable(line));
    stop_tier();
    return 3;
  }
  if (!whole && facts_.phases.empty()) facts_.phases.push_back({"round robin", {}});
  const int exit = finish();
  if (options_.keep && tier_->running()) {
    const std::string flag = state_flag(tier_->layout());
    screen_.line("");
    screen_.line("The tier runs on. Try:");
    screen_.line("  while true; do curl -s " + status_["url"].get<std::string>() + "; echo; sleep 1; done");
    for (const char* one :
         {"status", "load 20", "az fail eu-west-1a --mode hang", "az heal eu-west-1a", "scale 3", "image list"}) {
      screen_.line(fmt::format("  rr-sim {}{}", one, flag));
    }
    screen_.line(fmt::format("  rr-sim down{}     (stops it)", flag));
    tier_->release();
    tier_.reset();
    return exit;
  }
  stop_tier();
  return exit;
}

}  // namespace

int play_demo(const DemoOptions& options) {
  Demo demo(options);
  return demo.play();
}

}  // namespace rr::sim
