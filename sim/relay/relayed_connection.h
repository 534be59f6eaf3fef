#pragma once
#include <functional>
#include <optional>
#include <string_view>

#include "lb/net/stream.h"
#include "lb/net/timer.h"
#include "sim/relay/held_pieces.h"
#include "sim/relay/wire_faults.h"

namespace rr::sim {

/// One connection of a node to a target, with the faults of its link done to what crosses it:
///
///     node ==front==> [hold, count requests] ==back==> target
///
/// At most HeldPieces::kMostBytes and what was read at once wait in each direction; then the sender has to wait.
class RelayedConnection {
 public:
  /// Connects to the target. `on_over` is called once, when both sides have gone; it may destroy this object.
  RelayedConnection(Loop& loop, Stream front, const Address& target, const WireFaults& faults, Rng& rng,
                    std::function<void()> on_over);
  RelayedConnection(const RelayedConnection&) = delete;
  RelayedConnection& operator=(const RelayedConnection&) = delete;

  /// From now on; what is on its way keeps its delay.
  void set_faults(const WireFaults& faults);

 private:
  struct Side final : StreamEvents {
    Side(RelayedConnection& connection, LinkDirection leads) : owner(connection), direction(leads) {}
    void on_read(std::string_view bytes) override { owner.take_bytes(*this, bytes); }
    void on_end(StreamEnd end) override { owner.take_end(*this, end); }
    void on_drained() override { owner.relieve(owner.opposite(*this)); }

    RelayedConnection& owner;
    LinkDirection direction;  // of what is read here
    std::optional<Stream> stream;
    HeldPieces held;         // read here, not yet given to the other side
    bool delivered = false;  // its end too has been given to the other side
  };

  void take_connected(Result<Stream, ConnectFailure> back);
  void take_bytes(Side& from, std::string_view bytes);
  void take_end(Side& from, StreamEnd end);
  /// True when bytes of the node begin a request that must not get through.
  bool request_fails(const Side& from);
  void deliver();
  void deliver(Side& from);
  void give(Side& to, const HeldPieces::Piece& piece);
  void hold_back(Side& from);
  void relieve(Side& from);
  Side& opposite(const Side& side) { return &side == &front_ ? back_ : front_; }
  void arm();
  void end_by_reset();
  void finish();

  Loop& loop_;
  WireFaults faults_;
  Rng& rng_;
  std::function<void()> on_over_;
  Side front_, back_;
  std::optional<Connector> connector_;
  Timer timer_;
  bool answering_ = true;  // the next byte of the node begins a request: none has come yet, or an answer came after it
  bool doomed_ = false;    // its next request meets a reset
  bool over_ = false;
};

}  // namespace rr::sim
