#pragma once
#include <functional>
#include <string>
#include <string_view>

namespace rr::sim {

/// Output comes in pieces; people read lines. A line longer than the limit is cut into several.
class LineSplitter {
 public:
  static constexpr std::size_t kLongestLine = 8 * 1024;
  void take(std::string_view bytes, const std::function<void(std::string_view)>& on_line);
  /// The rest that had no end of line, when the process has ended.
  void finish(const std::function<void(std::string_view)>& on_line);

 private:
  void finish(const std::function<void(std::string_view)>& on_line, bool even_empty);
  std::string begun_;
};

}  // namespace rr::sim
