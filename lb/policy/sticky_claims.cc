#include "lb/policy/sticky_claims.h"

#include <algorithm>

namespace rr {
namespace {

/// The first byte; a change of what follows needs another one.
constexpr unsigned char kVersion = 1;

StickyName add_byte(StickyName hash, unsigned char byte) { return (hash ^ byte) * 0x100000001b3; }  // FNV-1a

StickyName add_text(StickyName hash, std::string_view text) {
  for (const char c : text) hash = add_byte(hash, static_cast<unsigned char>(c));
  return hash;
}

void write_number(std::span<unsigned char> out, std::uint64_t number) {
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<unsigned char>(number >> (56 - 8 * i));
}

std::uint64_t read_number(std::span<const unsigned char> bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | bytes[i];
  return number;
}

void write_time(std::span<unsigned char> out, Time time) {
  write_number(out, static_cast<std::uint64_t>(time.time_since_epoch().count()));
}

Time read_time(std::span<const unsigned char> bytes) {
  return Time(Duration(static_cast<std::int64_t>(read_number(bytes))));
}

void write_entry(std::span<unsigned char> out, const TargetClaim& claim) {
  write_number(out, claim.group);
  write_number(out.subspan(8), claim.target);
  write_time(out.subspan(16), claim.expires);
}

TargetClaim read_entry(std::span<const unsigned char> bytes) {
  return {read_number(bytes), read_number(bytes.subspan(8)), read_time(bytes.subspan(16))};
}

}  // namespace

StickyName sticky_name(std::string_view target_group) { return add_text(0xcbf29ce484222325, target_group); }

StickyName sticky_name(std::string_view target_id, std::uint16_t port) {
  const StickyName id = add_byte(sticky_name(target_id), 0);
  return add_byte(add_byte(id, static_cast<unsigned char>(port >> 8)), static_cast<unsigned char>(port));
}

std::array<unsigned char, kTargetClaimSize> write_claim(const TargetClaim& claim) {
  std::array<unsigned char, kTargetClaimSize> bytes{kVersion};
  write_entry(std::span(bytes).subspan(1), claim);
  return bytes;
}

std::array<unsigned char, kGroupClaimSize> write_claim(const GroupClaim& claim) {
  std::array<unsigned char, kGroupClaimSize> bytes{kVersion};
  write_number(std::span(bytes).subspan(1), claim.group);
  write_time(std::span(bytes).subspan(9), claim.expires);
  return bytes;
}

std::vector<unsigned char> write_claims(std::span<const TargetClaim> claims) {
  claims = claims.last(std::min(claims.size(), kMaximumApplicationClaims));
  std::vector<unsigned char> bytes(1 + claims.size() * kApplicationEntrySize, kVersion);
  for (std::size_t i = 0; i < claims.size(); ++i) {
    write_entry(std::span(bytes).subspan(1 + i * kApplicationEntrySize), claims[i]);
  }
  return bytes;
}

std::optional<TargetClaim> read_target_claim(std::span<const unsigned char> bytes) {
  if (bytes.size() != kTargetClaimSize || bytes[0] != kVersion) return std::nullopt;
  return read_entry(bytes.subspan(1));
}

std::optional<GroupClaim> read_group_claim(std::span<const unsigned char> bytes) {
  if (bytes.size() != kGroupClaimSize || bytes[0] != kVersion) return std::nullopt;
  return GroupClaim{read_number(bytes.subspan(1)), read_time(bytes.subspan(9))};
}

std::optional<std::vector<TargetClaim>> read_application_claims(std::span<const unsigned char> bytes) {
  if (bytes.empty() || bytes.size() > kMaximumApplicationSize || bytes[0] != kVersion) return std::nullopt;
  bytes = bytes.subspan(1);
  if (bytes.size() % kApplicationEntrySize != 0) return std::nullopt;
  std::vector<TargetClaim> claims;
  for (; !bytes.empty(); bytes = bytes.subspan(kApplicationEntrySize)) claims.push_back(read_entry(bytes));
  return claims;
}

}  // namespace rr
