#pragma once
// What people see while something happens: lines, colours, one line of progress. Standard output, or standard error
// when standard output is for a JSON document.
#include <cstdio>
#include <string>

#include "lb/base/time.h"

namespace rr::deploy {

enum class Colour { kPlain, kGreen, kYellow, kRed, kBlue, kFaint };

class Speaker {
 public:
  /// Colours and the line of progress only on a terminal; colours not with NO_COLOR set (no-color.org).
  Speaker(std::FILE* stream, bool is_terminal, bool no_colour)
      : stream_(stream), terminal_(is_terminal), colours_(is_terminal && !no_colour) {}

  void line(const std::string& text, Colour colour = Colour::kPlain);
  /// A line that may be longer than a terminal is wide: there it is broken between words, and goes on at column
  /// `indent`.
  void long_line(const std::string& text, std::size_t indent, Colour colour = Colour::kPlain);
  /// In place of the former one; nothing where there is no terminal.
  void progress(const std::string& text);
  std::string painted(const std::string& text, Colour colour) const;
  bool terminal() const { return terminal_; }

 private:
  void clear_progress();
  std::FILE* stream_;
  bool terminal_;
  bool colours_;
  bool progress_shown_ = false;
};

/// "[#####.....]  50 %".
std::string bar(int percent);

}  // namespace rr::deploy
