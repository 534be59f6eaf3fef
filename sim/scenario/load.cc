#include "sim/scenario/load.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "lb/net/http_client.h"
#include "lb/net/timer.h"

namespace rr::sim {

std::string make_trace_root(Time time, std::uint64_t run, std::uint64_t number) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  return fmt::format("1-{:08x}-{:012x}{:012x}", static_cast<std::uint32_t>(seconds), run & 0xffffffffffff,
                     number & 0xffffffffffff);
}

namespace {

RequestCause cause_of(const Result<ClientResponse, ClientFailure>& answer) {
  if (answer) {
    switch (answer->status) {
      case 502:
        return RequestCause::kBadGateway;
      case 503:
        return RequestCause::kUnavailable;
      case 504:
        return RequestCause::kGatewayTimeout;
      default:
        return answer->status >= 500 ? RequestCause::kOtherError : RequestCause::kAnswered;
    }
  }
  switch (answer.error().kind) {
    case ClientFailure::Kind::kConnectFailed:
      return RequestCause::kRefused;
    case ClientFailure::Kind::kTimedOut:
      return RequestCause::kTimedOut;
    case ClientFailure::Kind::kClosed:
      return RequestCause::kClosed;
    case ClientFailure::Kind::kReset:
      return RequestCause::kReset;
    case ClientFailure::Kind::kMalformed:
      return RequestCause::kMalformed;
  }
  return RequestCause::kMalformed;
}

}  // namespace

struct OpenLoopLoad::State {
  State(Loop& on, Address target, LoadSettings wanted)
      : loop(on), to(target), settings(std::move(wanted)), timer(on, [this] { send_due(); }) {}

  Loop& loop;
  Address to;
  LoadSettings settings;
  Timer timer;
  bool sending = false;
  Time next_due;
  std::uint64_t run = 0;
  std::uint64_t next_number = 0;
  std::map<std::uint64_t, HttpClient> outstanding;
  LoadStatistics all;
  LoadStatistics recent;
  std::function<void(const LoadSample&)> observer;
  std::function<void()> on_stopped;

  Duration gap() const { return Duration(static_cast<Duration::rep>(1e9 / settings.rate)); }

  // Everything whose time has come, also when the timer came late: the schedule never slips.
  void send_due() {
    if (!sending) return;
    const Time now = loop.precise_now();
    // After a long sleep of the whole machine only the last second is made up for.
    if (now - next_due > kSecond) next_due = now - kSecond;
    while (next_due <= now) {
      send(next_due);
      next_due += gap();
    }
    timer.arm_at(next_due);
  }

  void send(Time scheduled) {
    if (outstanding.size() >= settings.most_outstanding) {
      ++all.not_sent;
      ++recent.not_sent;
      return;
    }
    const std::uint64_t number = next_number++;
    LoadSample sample;
    sample.number = number;
    sample.scheduled = scheduled;
    sample.trace = make_trace_root(scheduled, run, number);
    HttpClient::Settings client_settings;
    client_settings.keep_alive = false;
    client_settings.timeout = settings.timeout;
    auto [at, inserted] = outstanding.emplace(number, HttpClient(loop, Endpoint(to), client_settings));
    ClientRequest request;
    request.target = settings.path;
    request.headers = {{"X-Amzn-Trace-Id", "Root=" + sample.trace}, {"User-Agent", "rr-sim-load"}};
    at->second.send(std::move(request), [this, sample](Result<ClientResponse, ClientFailure> answer) mutable {
      finish(std::move(sample), answer);
    });
  }

  void finish(LoadSample sample, const Result<ClientResponse, ClientFailure>& answer) {
    sample.ended = loop.precise_now();
    sample.cause = cause_of(answer);
    if (answer) {
      sample.status = answer->status;
      if (const auto page = read_page(answer->body)) {
        sample.host = page->host;
        sample.commit = page->commit;
      }
    }
    all.add(sample);
    recent.add(sample);
    // Its callback is running: it goes once that has returned.
    loop.post([this, gone = std::weak_ptr<int>(alive), number = sample.number] {
      if (gone.expired()) return;
      outstanding.erase(number);
      if (!sending && outstanding.empty() && on_stopped) std::exchange(on_stopped, nullptr)();
    });
    if (observer) observer(sample);
  }

  std::shared_ptr<int> alive = std::make_shared<int>(0);
};

OpenLoopLoad::OpenLoopLoad(Loop& loop, Address to, LoadSettings settings)
    : state_(std::make_unique<State>(loop, to, std::move(settings))) {
  state_->run = static_cast<std::uint64_t>(loop.now().time_since_epoch().count());
}

OpenLoopLoad::~OpenLoopLoad() = default;

void OpenLoopLoad::start() {
  state_->sending = true;
  state_->next_due = state_->loop.precise_now();
  state_->timer.arm(Duration{});
}

void OpenLoopLoad::stop(std::function<void()> on_stopped) {
  state_->sending = false;
  state_->timer.disarm();
  if (state_->outstanding.empty()) {
    state_->loop.post(std::move(on_stopped));
    return;
  }
  state_->on_stopped = std::move(on_stopped);
}

void OpenLoopLoad::set_rate(double rate) {
  state_->settings.rate = rate;
  if (!state_->sending) return;
  state_->next_due = state_->loop.precise_now();
  state_->timer.arm(Duration{});
}

double OpenLoopLoad::rate() const { return state_->sending ? state_->settings.rate : 0; }
std::size_t OpenLoopLoad::outstanding() const { return state_->outstanding.size(); }
void OpenLoopLoad::on_sample(std::function<void(const LoadSample&)> observer) {
  state_->observer = std::move(observer);
}
const LoadStatistics& OpenLoopLoad::statistics() const { return state_->all; }
LoadStatistics OpenLoopLoad::take_recent() { return std::exchange(state_->recent, LoadStatistics{}); }

}  // namespace rr::sim
