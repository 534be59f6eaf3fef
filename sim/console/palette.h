#pragma once
// Colours, where there is a terminal to show them.
#include <string>
#include <string_view>

namespace rr::sim {

enum class Ink { kPlain, kBold, kFaint, kRed, kGreen, kYellow, kBlue, kMagenta, kCyan };

class Palette {
 public:
  explicit Palette(bool coloured) : coloured_(coloured) {}
  /// Colours only on a terminal, and never with NO_COLOR set (https://no-color.org) or TERM=dumb.
  static Palette for_descriptor(int fd);

  bool coloured() const { return coloured_; }
  std::string paint(Ink ink, std::string_view text) const;
  /// One of six colours, the same for the same name.
  Ink of_name(std::string_view name) const;

 private:
  bool coloured_;
};

/// The same bytes without what a terminal would take for a command: what programs write may end up on one.
std::string printable(std::string_view text);
/// At most `columns` characters, the last of them an ellipsis when something was cut. UTF-8 is not split.
std::string clipped(std::string_view text, std::size_t columns);
/// Columns of the terminal, 80 when there is none.
std::size_t terminal_columns(int fd);

}  // namespace rr::sim
