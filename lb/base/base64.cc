#include "lb/base/base64.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace rr {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr unsigned char kNone = 0xFF;

constexpr std::array<unsigned char, 256> values() {
  std::array<unsigned char, 256> all{};
  all.fill(kNone);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    all[static_cast<unsigned char>(kAlphabet[i])] = static_cast<unsigned char>(i);
  }
  return all;
}
constexpr std::array<unsigned char, 256> kValues = values();

}  // namespace

void append_base64(std::string& out, std::span<const unsigned char> bytes) {
  while (!bytes.empty()) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = group << 8 | (i < bytes.size() ? bytes[i] : 0U);
    for (std::size_t i = 0; i < 4; ++i) {
      out += i <= bytes.size() ? kAlphabet[group >> (18 - 6 * i) & 63] : '=';
    }
    bytes = bytes.subspan(std::min<std::size_t>(3, bytes.size()));
  }
}

std::optional<std::size_t> read_base64(std::string_view text, std::span<unsigned char> out) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  const std::size_t size = text.size() * 6 / 8;
  if (size > out.size()) return std::nullopt;
  std::uint32_t bits = 0;
  std::size_t written = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned char value = kValues[static_cast<unsigned char>(text[i])];
    if (value == kNone) return std::nullopt;
    bits = bits << 6 | value;
    // Each character but the first one of four completes a byte.
    if (i % 4 == 0) continue;
    const std::size_t left = 6 - i % 4 * 2;
    out[written++] = static_cast<unsigned char>(bits >> left);
  }
  if (padding > 0 && (bits & ((1U << padding * 2) - 1)) != 0) return std::nullopt;
  return written;
}

}  // namespace rr
