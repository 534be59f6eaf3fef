#pragma once
// Whether a target closes kept connections before the load balancer does, which ends in a 502 for whoever's request
// meets the close. Known before any request fails: from what the target announces, and from each close while idle.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lb/base/time.h"

namespace rr {

/// The target's own promise in `Keep-Alive: timeout=5, max=100`; nothing when there is none, or no number.
std::optional<Duration> announced_keep_alive(std::string_view header);

/// What one target has shown of its keep-alive.
class KeepAliveWatch {
 public:
  /// A target is complained about in the journal no oftener than that.
  static constexpr Duration kWarnEvery = std::chrono::seconds(60);

  /// True until the target's first response has been looked at.
  bool awaits_response() const { return !heard_; }
  /// Its first response: the value of Keep-Alive, if it has one. True when it is worth a warning.
  bool on_first_response(std::optional<std::string_view> keep_alive, Duration idle_timeout);

  /// The target closed a connection that had been idle for `idle`. True when that is worth a line in the journal: it
  /// was before the load balancer's own idle timeout, and the last line is old enough.
  bool on_idle_close(Duration idle, Time now, Duration idle_timeout);

  std::uint64_t early_closes() const { return early_closes_; }
  std::optional<Duration> shortest_idle() const { return shortest_idle_; }
  std::optional<Duration> announced() const { return announced_; }
  std::optional<Time> last_early_close() const { return last_early_close_; }

  /// Takes in what another worker has seen of the same target.
  void merge(const KeepAliveWatch& other);

  /// What a person should know of this target under the present idle timeout; empty when all is well.
  std::string warning(std::string_view target, Duration idle_timeout) const;

 private:
  bool heard_ = false;
  std::optional<Duration> announced_;
  std::uint64_t early_closes_ = 0;
  std::optional<Duration> shortest_idle_;
  std::optional<Time> last_early_close_;
  std::optional<Time> last_warning_;
};

}  // namespace rr
