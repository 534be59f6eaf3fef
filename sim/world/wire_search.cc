#include "sim/world/wire_search.h"

#include <algorithm>
#include <utility>

namespace rr::sim {

namespace {

constexpr Duration kConnectTimeout = std::chrono::milliseconds(500);
constexpr Duration kFirstPause = std::chrono::milliseconds(20);
constexpr Duration kLongestPause = std::chrono::milliseconds(250);

}  // namespace

WireSearch::WireSearch(Loop& loop, std::vector<Address> candidates, std::function<void(const Address&)> on_found)
    : loop_(loop),
      candidates_(std::move(candidates)),
      on_found_(std::move(on_found)),
      timer_(loop, [this] { try_next(); }),
      pause_(kFirstPause) {
  timer_.arm(kFirstPause);
}

void WireSearch::try_next() {
  attempt_.reset();
  if (found_) {
    const auto call = std::exchange(on_found_, nullptr);
    if (call) call(candidates_[next_]);  // may destroy us
    return;
  }
  attempt_.emplace(loop_, Endpoint(candidates_[next_]), kConnectTimeout,
                   [this](Result<Stream, ConnectFailure> stream) { take(stream.ok()); });
}

/// Goes on from the timer: an attempt cannot be destroyed in its own callback.
void WireSearch::take(bool accepted) {
  found_ = accepted;
  if (accepted) return timer_.arm(Duration{});
  next_ = (next_ + 1) % candidates_.size();
  if (next_ != 0) return timer_.arm(Duration{});
  timer_.arm(pause_);
  pause_ = std::min(pause_ * 2, kLongestPause);
}

}  // namespace rr::sim
