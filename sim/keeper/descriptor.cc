#include "sim/keeper/descriptor.h"

#include <sys/syscall.h>

#include <algorithm>
#include <climits>

namespace rr::sim {

void close_all_but(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned first = 3;
  for (const int fd : kept) {
    if (fd < static_cast<int>(first)) continue;
    if (static_cast<unsigned>(fd) > first) ::syscall(SYS_close_range, first, static_cast<unsigned>(fd) - 1, 0U);
    first = static_cast<unsigned>(fd) + 1;
  }
  ::syscall(SYS_close_range, first, UINT_MAX, 0U);
}

}  // namespace rr::sim
