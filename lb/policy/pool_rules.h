#pragma once
// Which idle connection to a target takes the next request, and when one is dropped. Pure: the connections themselves
// belong to whoever drives this, sockets in the load balancer, records in the virtual world.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lb/base/intrusive_list.h"
#include "lb/base/time.h"

namespace rr {

struct PoolSettings {
  /// idle_timeout.timeout_seconds: an idle connection to a target is closed after it.
  Duration idle_timeout = std::chrono::seconds(60);
  /// Idle connections kept for one target; AWS tells no number. More than that many requests at once were in progress.
  std::size_t maximum_idle = 4096;
  /// How late the node learns of what a target's connection does, by zone; 0 is the laptop's own speed. On AWS the
  /// network between two hosts gives this window, on loopback it has a few microseconds and would never be seen.
  Duration network_delay_same_zone = Duration::zero();
  Duration network_delay_cross_zone = Duration::zero();
  /// The node's zone; where either zone is not known the target counts as being in the same.
  std::string zone{};
};

/// What becomes of a connection whose request is over.
enum class PoolVerdict : std::uint8_t {
  kKeep,
  kDropUnclean,   // the response did not end properly, or the target does not want another request on it
  kDropDraining,  // no request will go to that target any more
  kDropSurplus,   // enough idle ones already
};
std::string_view to_string(PoolVerdict verdict);

class PoolRules {
 public:
  /// `reusable`: the request was completely sent, the response ended properly and nothing was read beyond it.
  static PoolVerdict on_return(bool reusable, bool target_draining, std::size_t idle_now, const PoolSettings& settings);
  static bool expired(Time idle_since, Time now, const PoolSettings& settings);

  /// network_delay_same_zone or network_delay_cross_zone.
  static Duration network_delay(std::string_view target_zone, const PoolSettings& settings);
  /// Whether a connection that the target closed at `closed_at` still takes a request at `now`: until the news is
  /// there.
  ///
  ///     closed_at          closed_at + delay
  ///        |--- taken, then 502 ---|--- not taken
  static bool believed_open(Time closed_at, Duration network_delay, Time now);
};

struct IdleTag;

/// The idle connections of one target, last in, first out: the surplus of a busy minute sinks to the bottom, goes
/// unused and ages out, and the one on top is the least likely to have been closed by the target meanwhile.
/// `Connection` derives from ListLink<IdleTag> and has a member `Time idle_since`.
///
///     put ->  resting | newest ... oldest  -> expire       take takes the newest that does not rest
///
/// A connection rests for the round in which it was put back, where a round is the handling of one batch of events.
/// What a target sends behind its response (a bug, or an attack) arrives a moment later: whoever got the connection in
/// the same round would read it as the answer to its own request; a round later it has been seen, and the connection
/// closed.
template <class Connection>
class IdleStack {
 public:
  bool empty() const { return list_.empty(); }
  std::size_t size() const { return size_; }

  void put(Connection& connection, Time now, std::uint64_t round) {
    end_rest(round);
    connection.idle_since = now;
    resting_.push_front(connection);
    ++size_;
  }
  /// The connection for the next request; nullptr when a new one is needed.
  Connection* take(std::uint64_t round) {
    end_rest(round);
    Connection* newest = list_.front();
    if (newest != nullptr) remove(*newest);
    return newest;
  }
  /// The one that has been idle longest, without removing it.
  Connection* oldest() const { return list_.empty() ? resting_.back() : list_.back(); }
  void remove(Connection& connection) {
    static_cast<ListLink<IdleTag>&>(connection).unlink();
    --size_;
  }

 private:
  void end_rest(std::uint64_t round) {
    if (round == round_) return;
    round_ = round;
    list_.splice_front(resting_);
  }

  IntrusiveList<Connection, IdleTag> list_;
  IntrusiveList<Connection, IdleTag> resting_;
  std::uint64_t round_ = 0;
  std::size_t size_ = 0;
};

}  // namespace rr
