#include "sim/relay/held_pieces.h"

#include <algorithm>
#include <utility>

namespace rr::sim {

Time HeldPieces::in_order(Time due) const { return pieces_.empty() ? due : std::max(due, pieces_.back().due); }

void HeldPieces::add(Time due, std::string_view bytes) {
  due = in_order(due);
  bytes_ += bytes.size();
  if (!pieces_.empty() && pieces_.back().due == due && pieces_.back().end == PieceEnd::kNone) {
    pieces_.back().bytes.append(bytes);
    return;
  }
  pieces_.push_back({due, std::string(bytes), PieceEnd::kNone});
}

void HeldPieces::add_end(Time due, PieceEnd end) { pieces_.push_back({in_order(due), {}, end}); }

std::optional<HeldPieces::Piece> HeldPieces::take(Time now) {
  if (pieces_.empty() || pieces_.front().due > now) return std::nullopt;
  Piece piece = std::move(pieces_.front());
  pieces_.pop_front();
  bytes_ -= piece.bytes.size();
  return piece;
}

std::optional<Time> HeldPieces::next_due() const {
  if (pieces_.empty()) return std::nullopt;
  return pieces_.front().due;
}

}  // namespace rr::sim
