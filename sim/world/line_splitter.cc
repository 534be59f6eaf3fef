#include "sim/world/line_splitter.h"

#include <algorithm>

namespace rr::sim {

void LineSplitter::take(std::string_view bytes, const std::function<void(std::string_view)>& on_line) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::size_t room = kLongestLine - begun_.size();
    const std::size_t taken = std::min({end, bytes.size(), room});
    begun_ += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    const bool ended = !bytes.empty() && bytes.front() == '\n';
    if (ended) bytes.remove_prefix(1);
    if (ended || begun_.size() >= kLongestLine) finish(on_line, ended);
  }
}

void LineSplitter::finish(const std::function<void(std::string_view)>& on_line) { finish(on_line, false); }

void LineSplitter::finish(const std::function<void(std::string_view)>& on_line, bool even_empty) {
  if (begun_.empty() && !even_empty) return;
  const std::string line = std::move(begun_);
  begun_.clear();
  on_line(line.ends_with('\r') ? std::string_view(line).substr(0, line.size() - 1) : std::string_view(line));
}

}  // namespace rr::sim
