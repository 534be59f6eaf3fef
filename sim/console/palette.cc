#include "sim/console/palette.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace rr::sim {
namespace {

std::string_view code(Ink ink) {
  switch (ink) {
    case Ink::kPlain:
      return "";
    case Ink::kBold:
      return "\x1b[1m";
    case Ink::kFaint:
      return "\x1b[2m";
    case Ink::kRed:
      return "\x1b[31m";
    case Ink::kGreen:
      return "\x1b[32m";
    case Ink::kYellow:
      return "\x1b[33m";
    case Ink::kBlue:
      return "\x1b[34m";
    case Ink::kMagenta:
      return "\x1b[35m";
    case Ink::kCyan:
      return "\x1b[36m";
  }
  return "";
}

}  // namespace

Palette Palette::for_descriptor(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const bool refused =
      (no_colour != nullptr && *no_colour != 0) || (terminal != nullptr && std::strcmp(terminal, "dumb") == 0);
  return Palette(::isatty(fd) == 1 && !refused);
}

std::string Palette::paint(Ink ink, std::string_view text) const {
  if (!coloured_ || ink == Ink::kPlain) return std::string(text);
  return std::string(code(ink)) + std::string(text) + "\x1b[0m";
}

Ink Palette::of_name(std::string_view name) const {
  constexpr std::array kInks = {Ink::kCyan, Ink::kMagenta, Ink::kGreen, Ink::kYellow, Ink::kBlue, Ink::kRed};
  std::uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return kInks[hash % kInks.size()];
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\t') {
      out += "  ";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += '?';
    } else {
      out += c;
    }
  }
  return out;
}

std::string clipped(std::string_view text, std::size_t columns) {
  std::size_t seen = 0;
  std::size_t last_start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_character = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
    if (!starts_character) continue;
    if (seen == columns) return std::string(text.substr(0, last_start)) + "…";
    if (++seen == columns) last_start = i;
  }
  return std::string(text);
}

std::size_t terminal_columns(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace rr::sim
