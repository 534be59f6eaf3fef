#pragma once
// Values of stickiness cookies: base64 that nobody but a node of the same load balancer can read, make or change.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lb/policy/sticky_claims.h"
#include "lb/proxy/xaes_gcm.h"

namespace rr {

class CookieSeal {
 public:
  /// `key`: 64 hexadecimal digits, or empty to draw one. Cookies of a load balancer of another name are not understood,
  /// whatever their key.
  CookieSeal(const std::string& key, std::string_view load_balancer);

  /// Appends the value: 128 characters for a target's claim, 172 for a group's.
  void seal(std::string& out, const TargetClaim& claim);
  void seal(std::string& out, const GroupClaim& claim);
  void seal(std::string& out, std::span<const TargetClaim> application);

  /// Nothing for whatever this load balancer did not seal for a cookie of this kind: that is no error of anybody's.
  std::optional<TargetClaim> open_target(std::string_view value);
  std::optional<GroupClaim> open_group(std::string_view value);
  std::optional<std::vector<TargetClaim>> open_application(std::string_view value);

 private:
  enum class Kind : std::uint8_t { kTarget, kGroup, kApplication };
  static constexpr std::size_t kAdded = XaesGcm::kNonceSize + XaesGcm::kTagSize;

  void seal_bytes(std::string& out, Kind kind, std::span<const unsigned char> plain);
  /// The plain bytes, in plain_; nothing when there are none.
  std::optional<std::span<const unsigned char>> open_bytes(Kind kind, std::string_view value, std::size_t most);

  XaesGcm cipher_;
  std::array<std::string, 3> contexts_;  // by kind
  std::array<unsigned char, kMaximumApplicationSize + kAdded> sealed_{};
  std::array<unsigned char, kMaximumApplicationSize> plain_{};
};

/// For `cookie_key`: 64 hexadecimal digits, drawn from the system.
std::string draw_cookie_key();

}  // namespace rr
