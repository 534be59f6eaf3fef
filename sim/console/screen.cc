#include "sim/console/screen.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace rr::sim {

Screen::Screen(int fd)
    : fd_(fd),
      terminal_(::isatty(fd) == 1 && (std::getenv("TERM") == nullptr || std::strcmp(std::getenv("TERM"), "dumb") != 0)),
      palette_(Palette::for_descriptor(fd)) {}

Screen::~Screen() { bottom(""); }

std::size_t Screen::columns() const { return terminal_ ? terminal_columns(fd_) : 80; }

// A reader that has gone away (| head) must not end the tier: what cannot be written is dropped.
void Screen::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void Screen::line(std::string_view text) {
  std::string out;
  if (terminal_ && !bottom_.empty()) out += "\r\x1b[K";
  out += text;
  out += '\n';
  if (terminal_) out += bottom_;
  write(out);
}

namespace {

// What is typed while the line stands there (^C) must not break it in two.
constexpr std::size_t kRoomForEcho = 3;

// Counts what a terminal shows of it: neither colour codes nor the continuation bytes of UTF-8.
std::string clip_visible(std::string_view text, std::size_t columns) {
  std::string out;
  std::size_t shown = 0;
  bool coloured = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      const auto end = text.find('m', i);
      if (end == std::string_view::npos) break;
      out += text.substr(i, end - i + 1);
      coloured = true;
      i = end;
      continue;
    }
    const bool starts = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
    if (starts && shown == columns) break;
    shown += starts ? 1 : 0;
    out += text[i];
  }
  return coloured ? out + "\x1b[0m" : out;
}

}  // namespace

void Screen::bottom(std::string_view text) {
  if (!terminal_) return;
  const std::string wanted = clip_visible(text, columns() - kRoomForEcho);
  if (wanted == bottom_) return;
  const std::string clear = bottom_.empty() ? "" : "\r\x1b[K";
  bottom_ = wanted;
  write(clear + bottom_);
}

std::string wrapped(std::string_view text, std::size_t columns, std::string_view indent) {
  std::string out(indent);
  std::size_t used = indent.size();
  bool first = true;
  while (!text.empty()) {
    const auto space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    if (!first && used + 1 + word.size() > columns) {
      out += '\n';
      out += indent;
      used = indent.size();
      first = true;
    }
    if (!first) {
      out += ' ';
      ++used;
    }
    out += word;
    used += word.size();
    first = false;
    if (space == std::string_view::npos) break;
    text.remove_prefix(space + 1);
  }
  return out;
}

}  // namespace rr::sim
