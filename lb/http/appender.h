#pragma once
// Many pieces put behind each other into a string. For .cc files of this folder.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "lb/base/request_view.h"

namespace rr {

/// What std::string::append does, without a terminating zero and, for a literal, without a call: a request and its
/// response have fifty pieces, and this saved 1,200 instructions of them. The string is the appender's as long as that
/// lives.
class Appender {
 public:
  explicit Appender(std::string& out) : out_(out), at_(out.data() + out.size()), end_(at_) {}
  ~Appender() { out_.resize(size()); }
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;

  /// Left to itself g++ 12 does not inline it, and nothing is saved.
  [[gnu::always_inline]] Appender& operator+=(std::string_view piece) {
    if (static_cast<std::size_t>(end_ - at_) < piece.size()) [[unlikely]]
      make_room(piece.size());
    at_ += piece.copy(at_, piece.size());
    return *this;
  }
  Appender& operator+=(char c) { return *this += std::string_view(&c, 1); }

  /// In decimal digits.
  void append_number(std::uint64_t number) {
    if (static_cast<std::size_t>(end_ - at_) < kMostDigits) [[unlikely]]
      make_room(kMostDigits);
    at_ = std::to_chars(at_, at_ + kMostDigits, number).ptr;
  }

  /// ASCII letters in lower case.
  void append_lower(std::string_view piece) {
    const std::size_t begin = size();
    *this += piece;
    lower(out_.data() + begin, at_);
  }

  std::size_t size() const { return static_cast<std::size_t>(at_ - out_.data()); }
  /// Takes back what is beyond `size`.
  void cut(std::size_t size) { at_ = out_.data() + size; }

 private:
  static constexpr std::size_t kStep = 512;
  static constexpr std::size_t kMostDigits = 20;  // of 2^64 - 1

  /// Eight bytes a step: the high bit of each byte says whether it is from 'A' to 'Z', and becomes the bit that letters
  /// in lower case have and others have not. Byte by byte the name of a host took 200 instructions.
  static void lower(char* at, char* end) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    constexpr std::uint64_t kHighs = 0x80 * kOnes;
    for (; end - at >= 8; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, at, 8);
      const std::uint64_t low = word & ~kHighs;
      const std::uint64_t letters = (low + (0x80 - 'A') * kOnes) & ~(low + (0x80 - 'Z' - 1) * kOnes) & ~word & kHighs;
      word |= letters >> 2;
      std::memcpy(at, &word, 8);
    }
    for (; at != end; ++at) *at = ascii_lower(*at);
  }

  [[gnu::noinline]] void make_room(std::size_t wanted) {
    const std::size_t used = size();
    out_.resize(used + std::max(wanted, kStep));  // zeroes, so no more than that; the string's own growth doubles
    at_ = out_.data() + used;
    end_ = out_.data() + out_.size();
  }

  std::string& out_;
  char* at_;
  char* end_;
};

}  // namespace rr
