#pragma once
// What stickiness cookies say, and how that is written as bytes before they are sealed. Every node of a load balancer
// understands it, and so does a node after its restart.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#sticky-sessions
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lb/base/time.h"

namespace rr {

/// Names a target group, or a target: the same for every node, and no address that a client could learn anything from.
using StickyName = std::uint64_t;
StickyName sticky_name(std::string_view target_group);
StickyName sticky_name(std::string_view target_id, std::uint16_t port);

/// AWSALB, AWSALBCORS, and one entry of AWSALBAPP-0.
struct TargetClaim {
  StickyName group = 0;
  StickyName target = 0;
  Time expires{};  // by the configured duration; the cookie itself lives for kStickyCookieLife
  bool operator==(const TargetClaim&) const = default;
};

/// AWSALBTG, AWSALBTGCORS.
struct GroupClaim {
  StickyName group = 0;
  Time expires{};
  bool operator==(const GroupClaim&) const = default;
};

/// The Expires of every stickiness cookie, whatever the configured duration.
constexpr Duration kStickyCookieLife = std::chrono::hours(7 * 24);

/// AWSALBAPP-0 covers every target group with app_cookie; a load balancer has 100 target groups at most.
constexpr std::size_t kMaximumApplicationClaims = 100;

/// Sizes of the written form. The first two are fixed, so that every cookie of a kind is as long as AWS's: 128 and 172
/// characters once sealed.
constexpr std::size_t kTargetClaimSize = 56;
constexpr std::size_t kGroupClaimSize = 89;
constexpr std::size_t kApplicationEntrySize = 24;
constexpr std::size_t kMaximumApplicationSize = 1 + kMaximumApplicationClaims * kApplicationEntrySize;

std::array<unsigned char, kTargetClaimSize> write_claim(const TargetClaim& claim);
std::array<unsigned char, kGroupClaimSize> write_claim(const GroupClaim& claim);
/// At most kMaximumApplicationClaims of them, the last ones.
std::vector<unsigned char> write_claims(std::span<const TargetClaim> claims);

/// Nothing when the bytes are of another size or another version of this program.
std::optional<TargetClaim> read_target_claim(std::span<const unsigned char> bytes);
std::optional<GroupClaim> read_group_claim(std::span<const unsigned char> bytes);
std::optional<std::vector<TargetClaim>> read_application_claims(std::span<const unsigned char> bytes);

}  // namespace rr
