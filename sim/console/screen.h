#pragma once
// A terminal (or a pipe) that lines go to, with one line at the bottom that is redrawn in place on a terminal.
#include <string>
#include <string_view>

#include "sim/console/palette.h"

namespace rr::sim {

class Screen {
 public:
  /// Writes to the descriptor (1 mostly). On anything but a terminal the bottom line is never shown.
  explicit Screen(int fd);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  const Palette& palette() const { return palette_; }
  bool is_terminal() const { return terminal_; }
  std::size_t columns() const;

  /// A line above the bottom line.
  void line(std::string_view text);
  /// The bottom line from now on; empty: none. Clipped to the terminal's width (colour codes do not count).
  void bottom(std::string_view text);

 private:
  void write(std::string_view bytes);
  int fd_;
  bool terminal_;
  Palette palette_;
  std::string bottom_;
};

inline constexpr std::size_t kColumns = 80;  // of the narrowest terminal that people use

/// A sentence broken at spaces into lines of at most `columns`, each beginning with `indent`.
std::string wrapped(std::string_view text, std::size_t columns, std::string_view indent);

}  // namespace rr::sim
