// A whole exchange between clients, the load balancer and a target, in one process: the input is a script of what an
// attacking client and an attacking target do. Another client, the victim, asks for its own marker in between, and
// whatever the two do it gets its own answer or the load balancer's own 502. Every client gets responses and no more of
// them than it sent requests; the target is sent well-formed messages; and at the end nothing is left open.
//
// The first byte chooses one of three configurations. Then acts, each begun by a byte FF:
//   n...  a new attacking client, which sends the bytes that follow      a...  the same client sends more
//   t...  the target sends these bytes where an attacker's request is    o     it sends a plain answer
//   x X   the attacker ends its side, or resets                          f r   the target ends its side, or resets
//   v     the victim asks and is answered                                V     the victim asks; its answer comes later
//   d     all time-outs come                                             |     time for everybody to see everything
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/exchange_ground.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  rr::fuzz::Ground::get().play({reinterpret_cast<const char*>(data), size});
  return 0;
}
