#pragma once
// Numbers as hexadecimal digits of a fixed number, where a request or a line of a log has them.
#include <bit>
#include <cstdint>
#include <cstring>

namespace rr {

/// Writes eight digits, in lower case. All are made at once, a byte each of one word: digit by digit from a table the
/// three groups of a trace id took twice as many instructions (200).
inline void write_hex(char* at, std::uint32_t value) {
  // 0x12345678 to 0x0807060504030201: halves, bytes and nibbles trade places, so that the first digit is the lowest
  // byte.
  std::uint64_t digits = value;
  digits = (digits >> 16 | digits << 32) & 0x0000FFFF0000FFFF;
  digits = (digits >> 8 & 0x000000FF000000FF) | (digits & 0x000000FF000000FF) << 16;
  digits = (digits >> 4 & 0x000F000F000F000F) | (digits & 0x000F000F000F000F) << 8;
  // A byte from 10 on gets the distance from '9' + 1 to 'a' in addition.
  const std::uint64_t letters = (digits + 0x0606060606060606) >> 4 & 0x0101010101010101;
  digits += 0x3030303030303030 + letters * ('a' - '9' - 1);
  static_assert(std::endian::native == std::endian::little, "the lowest byte is the first digit");
  std::memcpy(at, &digits, sizeof digits);
}

}  // namespace rr
