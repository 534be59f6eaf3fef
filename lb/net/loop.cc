#include "lb/net/loop.h"

#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <utility>

#include "lb/base/check.h"
#include "lb/net/soon.h"

namespace rr {

int processors() { return static_cast<int>(uv_available_parallelism()); }

namespace {

/// Saves 17 to 25 % on bodies of 64 KiB and more and costs nothing for small messages: only touched pages count.
constexpr std::size_t kReadBufferSize = 256 * 1024;

void raise_open_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // not allowed: the limit stays, and the listener copes with running out
}

}  // namespace

/// Work for the end of the pass is done in the check phase, which follows the poll phase. While there is any, the idle
/// handle is active: it makes poll return at once and keeps the loop alive.
///
///   timers -> pending -> idle -> prepare -> poll (does not wait if idle is active) -> check: flush() -> closing
struct Loop::State {
  uv_loop_t raw;
  uv_prepare_t prepare;
  uv_check_t check;
  uv_idle_t idle;
  uv_timer_t timer;  // for those that wait; active while there are any, and until it has fired after the last
  Duration wall_minus_monotonic{};
  std::unique_ptr<char[]> read_buffer = std::make_unique<char[]>(kReadBufferSize);
  std::vector<std::function<void()>> posted;
  std::vector<std::unique_ptr<Deferred>> doomed;
  Soon::Link soons;
  Soon::Link waiting;  // armed by Soon::arm_later()
  std::uint64_t polls = 0;

  bool has_work() const { return !posted.empty() || !doomed.empty() || soons.after != &soons; }

  void wake() {
    if (uv_is_active(reinterpret_cast<uv_handle_t*>(&idle)) == 0) uv_idle_start(&idle, [](uv_idle_t*) noexcept {});
  }

  static void call_all(Soon::Link& due) {
    while (due.after != &due) {
      Soon* soon = due.after->soon;
      due.after->unlink();
      soon->call_(soon->owner_);
    }
  }

  void call_waiting() {
    Soon::Link due;
    due.take(waiting);
    call_all(due);
  }

  void wait(Soon::Link& link) {
    link.insert_before(waiting);
    if (uv_is_active(reinterpret_cast<uv_handle_t*>(&timer)) != 0) return;
    const auto passed = [](uv_timer_t* fired) noexcept { static_cast<State*>(fired->data)->call_waiting(); };
    uv_timer_start(&timer, passed, static_cast<std::uint64_t>(Soon::kLatest / kMillisecond), 0);
  }

  // What is added meanwhile waits for the next pass, so that work which posts itself again cannot stop the loop.
  void flush() {
    if (!has_work()) return;
    std::vector<std::function<void()>> functions;
    functions.swap(posted);
    std::vector<std::unique_ptr<Deferred>> dying;
    dying.swap(doomed);
    Soon::Link due;
    due.take(soons);
    for (std::function<void()>& function : functions) function();
    call_all(due);
    for (std::unique_ptr<Deferred>& object : dying) object.reset();
    if (!has_work()) uv_idle_stop(&idle);
  }
};

Loop::Loop() : state_(std::make_unique<State>()) {
  std::signal(SIGPIPE, SIG_IGN);
  raise_open_file_limit();
  RR_CHECK(uv_loop_init(&state_->raw) == 0, "uv_loop_init");
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  state_->wall_minus_monotonic =
      std::chrono::duration_cast<Duration>(wall) - Duration(static_cast<Duration::rep>(uv_hrtime()));
  uv_check_init(&state_->raw, &state_->check);
  uv_idle_init(&state_->raw, &state_->idle);
  uv_timer_init(&state_->raw, &state_->timer);
  state_->timer.data = state_.get();
  uv_prepare_init(&state_->raw, &state_->prepare);
  state_->prepare.data = state_.get();
  uv_prepare_start(&state_->prepare, [](uv_prepare_t* raw) noexcept { ++static_cast<State*>(raw->data)->polls; });
  uv_unref(reinterpret_cast<uv_handle_t*>(&state_->prepare));
  state_->check.data = state_.get();
  uv_check_start(&state_->check, [](uv_check_t* raw) noexcept { static_cast<State*>(raw->data)->flush(); });
  uv_unref(reinterpret_cast<uv_handle_t*>(&state_->check));
}

Loop::~Loop() {
  while (!state_->doomed.empty() || !state_->posted.empty()) {
    std::exchange(state_->posted, {});
    std::exchange(state_->doomed, {});
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->prepare), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->check), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->idle), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->timer), nullptr);
  uv_walk(
      &state_->raw,
      [](uv_handle_t* handle, void*) { RR_CHECK(uv_is_closing(handle) != 0, "a handle was left open with its loop"); },
      nullptr);
  uv_run(&state_->raw, UV_RUN_DEFAULT);
  RR_CHECK(uv_loop_close(&state_->raw) == 0, "uv_loop_close");
}

void Loop::run() { uv_run(&state_->raw, UV_RUN_DEFAULT); }
void Loop::stop() { uv_stop(&state_->raw); }

Time Loop::now() const {
  const auto monotonic = std::chrono::milliseconds(static_cast<std::int64_t>(uv_now(&state_->raw)));
  return Time(state_->wall_minus_monotonic + monotonic);
}

Time Loop::precise_now() const {
  return Time(state_->wall_minus_monotonic + Duration(static_cast<Duration::rep>(uv_hrtime())));
}

std::uint64_t Loop::polls() const { return state_->polls; }

void Loop::destroy_later(std::unique_ptr<Deferred> object) {
  state_->doomed.push_back(std::move(object));
  state_->wake();
}

void Loop::post(std::function<void()> function) {
  state_->posted.push_back(std::move(function));
  state_->wake();
}

std::span<char> Loop::read_buffer() { return {state_->read_buffer.get(), kReadBufferSize}; }

uv_loop_t* Loop::raw() { return &state_->raw; }

void Soon::arm() {
  if (armed() && !waits_) return;
  link_.unlink();
  waits_ = false;
  link_.soon = this;
  link_.insert_before(loop_.state_->soons);
  loop_.state_->wake();
}

void Soon::arm_later() {
  if (armed()) return;
  waits_ = true;
  link_.soon = this;
  loop_.state_->wait(link_);
}

void Soon::disarm() { link_.unlink(); }

}  // namespace rr
