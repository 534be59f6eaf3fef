#include "sim/relay/relayed_connection.h"

#include <algorithm>
#include <utility>

namespace rr::sim {

namespace {

/// As the load balancer's own: longer than that nobody waits for it.
constexpr Duration kConnectTimeout = std::chrono::seconds(10);

}  // namespace

RelayedConnection::RelayedConnection(Loop& loop, Stream front, const Address& target, const WireFaults& faults,
                                     Rng& rng, std::function<void()> on_over)
    : loop_(loop),
      faults_(faults),
      rng_(rng),
      on_over_(std::move(on_over)),
      front_(*this, LinkDirection::kToTarget),
      back_(*this, LinkDirection::kToNode),
      timer_(loop, [this] { deliver(); }) {
  front_.stream.emplace(std::move(front));
  front_.stream->set_events(&front_);
  doomed_ = strikes(faults_.reset_percent, rng_);
  connector_.emplace(loop_, Endpoint(target), kConnectTimeout,
                     [this](Result<Stream, ConnectFailure> back) { take_connected(std::move(back)); });
}

void RelayedConnection::set_faults(const WireFaults& faults) {
  if (faults == faults_) return;
  faults_ = faults;
  doomed_ = strikes(faults_.reset_percent, rng_);
  arm();
}

void RelayedConnection::take_connected(Result<Stream, ConnectFailure> back) {
  if (over_) return;
  // A target that refuses cannot be shown as one: the kernel has accepted for it. It is shown as a reset.
  if (!back) return end_by_reset();
  back_.stream.emplace(*std::move(back));
  back_.stream->set_events(&back_);
  back_.stream->start_reading();
  front_.stream->start_reading();
}

bool RelayedConnection::request_fails(const Side& from) {
  if (from.direction == LinkDirection::kToNode) {
    answering_ = true;
    return false;
  }
  // A balancer sends the next request of a connection when the answer has come, never before.
  const bool begins = std::exchange(answering_, false);
  return begins && (doomed_ || strikes(faults_.gray_percent, rng_));
}

void RelayedConnection::take_bytes(Side& from, std::string_view bytes) {
  if (over_) return;
  if (request_fails(from)) return end_by_reset();
  const Duration delay = delay_of_piece(faults_, from.direction, rng_);
  if (delay == Duration{} && from.held.empty() && !faults_.blackhole) {
    opposite(from).stream->write(bytes);
  } else {
    from.held.add(loop_.now() + delay, bytes);
    arm();
  }
  hold_back(from);
}

void RelayedConnection::take_end(Side& from, StreamEnd end) {
  if (over_) return;
  from.held.add_end(loop_.now() + delay_of_piece(faults_, from.direction, rng_),
                    end == StreamEnd::kReset ? PieceEnd::kReset : PieceEnd::kClosed);
  deliver();  // may destroy us
}

void RelayedConnection::deliver() {
  if (over_) return;
  if (!faults_.blackhole) {
    deliver(front_);
    if (!over_) deliver(back_);
  }
  if (over_) return;
  if (front_.delivered && back_.delivered) return finish();
  arm();
}

void RelayedConnection::deliver(Side& from) {
  while (auto piece = from.held.take(loop_.now())) {
    if (piece->end == PieceEnd::kReset) return end_by_reset();
    give(opposite(from), *piece);
    if (piece->end == PieceEnd::kClosed) from.delivered = true;
  }
  relieve(from);
}

void RelayedConnection::give(Side& to, const HeldPieces::Piece& piece) {
  if (piece.end == PieceEnd::kClosed) {
    to.stream->shutdown();
  } else {
    to.stream->write(piece.bytes);
  }
}

void RelayedConnection::hold_back(Side& from) {
  if (from.held.full() || opposite(from).stream->queued() >= HeldPieces::kMostBytes) {
    from.stream->pause(PauseReason::kPeerSlow);
  }
}

void RelayedConnection::relieve(Side& from) {
  if (over_ || from.held.full() || opposite(from).stream->queued() >= HeldPieces::kMostBytes) return;
  from.stream->resume(PauseReason::kPeerSlow);
}

void RelayedConnection::arm() {
  if (over_ || faults_.blackhole) return timer_.disarm();
  std::optional<Time> next = front_.held.next_due();
  if (const auto other = back_.held.next_due(); other && (!next || *other < *next)) next = other;
  if (next) {
    timer_.arm_at(*next);
  } else {
    timer_.disarm();
  }
}

void RelayedConnection::end_by_reset() {
  if (front_.stream) front_.stream->reset();
  if (back_.stream) back_.stream->reset();
  finish();
}

void RelayedConnection::finish() {
  if (std::exchange(over_, true)) return;
  timer_.disarm();
  // Closed and not destroyed: this may be within one of their callbacks.
  if (front_.stream) front_.stream->close();
  if (back_.stream) back_.stream->close();
  const auto call = std::exchange(on_over_, nullptr);
  if (call) call();  // may destroy us
}

}  // namespace rr::sim
