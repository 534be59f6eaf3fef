#include "sim/cloud/refresh_window.h"

#include <algorithm>

namespace rr::sim {

RefreshWindow refresh_window(int desired, int min_healthy_percentage, int max_healthy_percentage) {
  RefreshWindow window;
  window.required = (desired * min_healthy_percentage + 99) / 100;
  window.allowed = desired * max_healthy_percentage / 100;
  if (min_healthy_percentage == 100) {
    window.empty = window.allowed <= desired;
    window.size = std::max(1, window.allowed - desired);
    window.end_first = 0;
    return window;
  }
  window.empty = window.allowed <= window.required;
  window.size = std::max(1, window.allowed - window.required);
  window.end_first = window.empty ? 1 : std::min(window.size, desired - window.required);
  return window;
}

}  // namespace rr::sim
