#include "deploy/speaker.h"

#include <fmt/format.h>
#include <sys/ioctl.h>

#include <algorithm>

#include "deploy/command_line.h"

namespace rr::deploy {
namespace {

const char* code_of(Colour colour) {
  switch (colour) {
    case Colour::kPlain:
      return "";
    case Colour::kGreen:
      return "\x1b[32m";
    case Colour::kYellow:
      return "\x1b[33m";
    case Colour::kRed:
      return "\x1b[31m";
    case Colour::kBlue:
      return "\x1b[36m";
    case Colour::kFaint:
      return "\x1b[2m";
  }
  return "";
}

}  // namespace

std::string Speaker::painted(const std::string& text, Colour colour) const {
  if (!colours_ || colour == Colour::kPlain) return text;
  return code_of(colour) + text + "\x1b[0m";
}

void Speaker::clear_progress() {
  if (progress_shown_) fmt::print(stream_, "\r\x1b[K");
  progress_shown_ = false;
}

void Speaker::line(const std::string& text, Colour colour) {
  clear_progress();
  fmt::print(stream_, "{}\n", painted(text, colour));
  std::fflush(stream_);
}

void Speaker::long_line(const std::string& text, std::size_t indent, Colour colour) {
  line(terminal_ ? wrapped(text, indent) : text, colour);
}

void Speaker::progress(const std::string& text) {
  if (!terminal_) return;
  clear_progress();
  // One that wraps could not be taken back.
  winsize size{};
  const bool known = ::ioctl(::fileno(stream_), TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  fmt::print(stream_, "{}", known ? text.substr(0, size.ws_col - 1u) : text);
  std::fflush(stream_);
  progress_shown_ = true;
}

std::string bar(int percent) {
  const int filled = std::clamp(percent, 0, 100) / 10;
  return fmt::format("[{}{}] {:3} %", std::string(static_cast<std::size_t>(filled), '#'),
                     std::string(static_cast<std::size_t>(10 - filled), '.'), percent);
}

}  // namespace rr::deploy
