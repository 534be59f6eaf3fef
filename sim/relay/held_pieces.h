#pragma once
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "lb/base/time.h"

namespace rr::sim {

/// How the sender's side of a connection ended, which is held back like the bytes before it.
enum class PieceEnd : std::uint8_t { kNone, kClosed, kReset };

/// What is on its way in one direction of a delayed connection: pieces in their order, each with the time at which it
/// arrives. Never more than a bound: full() says when the sender must wait, as a full window would make it.
class HeldPieces {
 public:
  static constexpr std::size_t kMostBytes = 256 * 1024;
  static constexpr std::size_t kMostPieces = 1'024;

  struct Piece {
    Time due;
    std::string bytes;
    PieceEnd end = PieceEnd::kNone;
  };

  /// A piece never arrives before the one in front of it. One that arrives with it becomes a part of it.
  void add(Time due, std::string_view bytes);
  void add_end(Time due, PieceEnd end);
  /// The next piece that has arrived at `now`, in order.
  std::optional<Piece> take(Time now);
  /// When the next one arrives.
  std::optional<Time> next_due() const;
  bool empty() const { return pieces_.empty(); }
  bool full() const { return bytes_ >= kMostBytes || pieces_.size() >= kMostPieces; }
  std::size_t bytes() const { return bytes_; }

 private:
  Time in_order(Time due) const;

  std::deque<Piece> pieces_;
  std::size_t bytes_ = 0;
};

}  // namespace rr::sim
