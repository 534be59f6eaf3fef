#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "lb/net/stream.h"
#include "lb/net/timer.h"

namespace rr::sim {

/// Finds out where a program listens that was given a port but may bind whatever address it likes: tries the candidates
/// in turn, again and again, until one accepts a connection. Destroying it ends the search.
class WireSearch {
 public:
  WireSearch(Loop& loop, std::vector<Address> candidates, std::function<void(const Address&)> on_found);

 private:
  void try_next();
  void take(bool accepted);

  Loop& loop_;
  std::vector<Address> candidates_;
  std::function<void(const Address&)> on_found_;
  Timer timer_;
  std::optional<Connector> attempt_;
  std::size_t next_ = 0;
  bool found_ = false;
  Duration pause_;
};

}  // namespace rr::sim
