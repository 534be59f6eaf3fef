#include "sim/scenario/demo_stage.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "lb/net/fd_watcher.h"
#include "sim/console/key_input.h"
#include "sim/console/log_view.h"

namespace rr::sim {
namespace {
using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto kLook = 40ms;  // between two looks at the tier
constexpr auto kStartPatience = 60s;

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

DemoStage::DemoStage(const DemoOptions& options)
    : options_(options),
      screen_(STDOUT_FILENO),
      ink_(screen_.palette()),
      look_timer_(loop_, [this] { look(); }),
      deadline_(loop_, [this] { loop_.stop(); }),
      wake_(loop_, [this] { loop_.stop(); }),
      status_(std::make_unique<json>()) {
  const auto interrupted = [this] {
    ended_ = Ended::kInterrupted;
    if (++signals_ > 1 && tier_) tier_->ask_to_stop();
    loop_.stop();
  };
  on_int_.emplace(loop_, SIGINT, interrupted);
  on_term_.emplace(loop_, SIGTERM, interrupted);
  on_hup_.emplace(loop_, SIGHUP, interrupted);
}

DemoStage::~DemoStage() = default;

// ---- the screen

void DemoStage::say(const std::string& text) { screen_.line(wrapped(text, 80, "  ")); }
void DemoStage::say_command(const std::string& text) { screen_.line(ink_.paint(Ink::kCyan, "  $ " + text)); }

void DemoStage::happened(const std::string& text, Ink ink) {
  constexpr std::size_t kIndent = 11;
  const std::string when = fmt::format("  +{:>4.1f} s  ", to_seconds(loop_.precise_now() - mark_));
  screen_.line(ink_.paint(Ink::kFaint, when) +
               ink_.paint(ink, wrapped(text, 80, std::string(kIndent, ' ')).substr(kIndent)));
}

void DemoStage::title(int number, const std::string& name, const std::string& what) {
  screen_.bottom("");
  screen_.line("");
  screen_.line(ink_.paint(Ink::kBold, fmt::format("{}. {}", number, name)));
  say(what);
}

bool DemoStage::wait_for_key() {
  if (!options_.step) {
    if (screen_.is_terminal()) pause(1s);
    return ended_ == Ended::kNo;
  }
  const KeyInput unbuffered(STDIN_FILENO);
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
  screen_.bottom("");
  return ended_ == Ended::kNo;
}

// ---- the tier

void DemoStage::look() {
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

void DemoStage::take_status(const json& status) {
  *status_ = status;
  for (const News& one : news_.since_last(status)) {
    if (narrate_) happened(one.text, one.ink);
  }
}

bool DemoStage::wait(const std::function<bool()>& met, Duration most) {
  const Time end = loop_.precise_now() + most;
  while (ended_ == Ended::kNo) {
    if (met()) return true;
    if (loop_.precise_now() >= end) return false;
    deadline_.arm(100ms);
    loop_.run();
    if (turn_) turn_();
  }
  return false;
}

void DemoStage::pause(Duration span) {
  const Time end = loop_.precise_now() + span;
  wait([&] { return loop_.precise_now() >= end; }, span + 1s);
}

bool DemoStage::command(const std::string& target, const json& body) {
  HttpClient client(loop_, Endpoint(UnixPath{tier_->layout().control_socket()}), HttpClient::Settings{});
  ClientRequest request;
  request.method = "POST";
  request.target = target;
  request.body = body.dump();
  bool accepted = false;
  bool done = false;
  client.send(std::move(request), [&](Result<ClientResponse, ClientFailure> answer) {
    done = true;
    accepted = answer && answer->status == 200;
    if (answer && !accepted) {
      const json said = json::parse(answer->body, nullptr, false);
      say(ink_.paint(Ink::kRed, said.is_object() ? said.value("error", "refused") : "refused"));
    }
    loop_.stop();
  });
  wait([&] { return done; }, 30s);
  return accepted;
}

bool DemoStage::start_tier() {
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
  const bool up = wait(
      [this] { return status_->is_object() && (*status_)["ready"].get<bool>() && (*status_)["settled"].get<bool>(); },
      kStartPatience);
  if (!up) {
    if (ended_ == Ended::kInterrupted) return false;
    screen_.line(ended_ == Ended::kTierGone ? "rr-sim demo: the tier could not start:"
                                            : "rr-sim demo: the tier did not get up:");
    say_last_output();
    return false;
  }
  const std::string url = (*status_)["url"].get<std::string>();
  front_ = *parse_address(url.substr(7, url.size() - 8));
  screen_.line("  " + ink_.paint(Ink::kBold, url) + (free ? "" : "   (port 8080 is taken)"));
  say((*status_)["ground"]["reason"].get<std::string>());
  say(fmt::format("speed {}: what AWS's control plane waits for is divided by {}; requests are not.", options_.speed,
                  options_.speed));
  return true;
}

void DemoStage::say_last_output() {
  for (const std::string& line : tier_->last_output(20)) screen_.line("  " + printable(line));
}

const json* DemoStage::incident() const {
  if (!status_->is_object() || (*status_)["incidents"].empty()) return nullptr;
  return &(*status_)["incidents"].back();
}

std::string DemoStage::zone_letter(const std::string& host) const {
  for (const json& one : (*status_)["instances"]) {
    if (one["host_name"] == host)
      return one["zone"].get<std::string>().substr(one["zone"].get<std::string>().size() - 1);
  }
  return "?";
}

void DemoStage::stop_tier() {
  screen_.bottom("");
  if (tier_ == nullptr) return;
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
}

bool DemoStage::leave_tier() {
  if (!tier_->running()) return false;
  tier_->release();
  tier_.reset();
  return true;
}

}  // namespace rr::sim
