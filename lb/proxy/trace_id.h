#pragma once
// The id of X-Amzn-Trace-Id.
#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "lb/base/hex.h"
#include "lb/base/rng.h"
#include "lb/base/time.h"

namespace rr {

/// "Root=1-67891233-abcdef012345678912345678": version, second, 96 bits of chance. In a buffer of its own: two of these
/// are made a request at most, and nothing is allocated for them.
/// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
class TraceId {
 public:
  TraceId(std::string_view name, Time now, Rng& random) {
    append(name);
    append("=1-");
    const auto second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    append_hex(static_cast<std::uint64_t>(second));
    append("-");
    const std::uint64_t chance = random.next();
    append_hex(chance >> 32);
    append_hex(chance);
    append_hex(random.next());
  }
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  void append(std::string_view part) { size_ += part.copy(text_.data() + size_, part.size()); }
  /// The low 32 bits as eight digits.
  void append_hex(std::uint64_t value) {
    write_hex(text_.data() + size_, static_cast<std::uint32_t>(value));
    size_ += 8;
  }

  std::array<char, 48> text_;  // "Root=1-", 8, "-", 24: 40 characters
  std::size_t size_ = 0;
};

}  // namespace rr
