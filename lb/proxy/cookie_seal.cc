#include "lb/proxy/cookie_seal.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include "lb/base/base64.h"
#include "lb/base/check.h"

namespace rr {
namespace {

void draw(std::span<unsigned char> out) {
  RR_CHECK(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1, "the system gives no random bytes");
}

unsigned digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  return static_cast<unsigned>((c | 0x20) - 'a') + 10;
}

XaesGcm::Key key_of(const std::string& digits) {
  XaesGcm::Key key{};
  RR_CHECK(digits.size() == 2 * key.size(), "a key that was validated");
  for (std::size_t i = 0; i < key.size(); ++i) {
    key[i] = static_cast<unsigned char>(digit(digits[2 * i]) << 4 | digit(digits[2 * i + 1]));
  }
  return key;
}

}  // namespace

std::string draw_cookie_key() {
  XaesGcm::Key key{};
  draw(key);
  return fmt::format("{:02x}", fmt::join(key, ""));
}

CookieSeal::CookieSeal(const std::string& key, std::string_view load_balancer)
    : cipher_(key_of(key.empty() ? draw_cookie_key() : key)) {
  constexpr std::array<std::string_view, 3> kKinds{"AWSALB", "AWSALBTG", "AWSALBAPP"};
  for (std::size_t i = 0; i < kKinds.size(); ++i) contexts_[i] = fmt::format("{} of {}", kKinds[i], load_balancer);
}

void CookieSeal::seal_bytes(std::string& out, Kind kind, std::span<const unsigned char> plain) {
  const std::span<unsigned char> sealed = std::span(sealed_).first(plain.size() + kAdded);
  const auto nonce = sealed.first<XaesGcm::kNonceSize>();
  draw(nonce);
  cipher_.seal(nonce, contexts_[static_cast<std::size_t>(kind)], plain, sealed.subspan(XaesGcm::kNonceSize));
  append_base64(out, sealed);
}

std::optional<std::span<const unsigned char>> CookieSeal::open_bytes(Kind kind, std::string_view value,
                                                                     std::size_t most) {
  if (value.size() > base64_size(most + kAdded)) return std::nullopt;
  const auto size = read_base64(value, std::span(sealed_).first(most + kAdded));
  if (!size || *size < kAdded) return std::nullopt;
  const std::span<const unsigned char> sealed = std::span(sealed_).first(*size);
  const std::span<unsigned char> plain = std::span(plain_).first(*size - kAdded);
  if (!cipher_.open(sealed.first<XaesGcm::kNonceSize>(), contexts_[static_cast<std::size_t>(kind)],
                    sealed.subspan(XaesGcm::kNonceSize), plain)) {
    return std::nullopt;
  }
  return plain;
}

void CookieSeal::seal(std::string& out, const TargetClaim& claim) {
  seal_bytes(out, Kind::kTarget, write_claim(claim));
}
void CookieSeal::seal(std::string& out, const GroupClaim& claim) { seal_bytes(out, Kind::kGroup, write_claim(claim)); }
void CookieSeal::seal(std::string& out, std::span<const TargetClaim> application) {
  seal_bytes(out, Kind::kApplication, write_claims(application));
}

std::optional<TargetClaim> CookieSeal::open_target(std::string_view value) {
  const auto plain = open_bytes(Kind::kTarget, value, kTargetClaimSize);
  return plain ? read_target_claim(*plain) : std::nullopt;
}

std::optional<GroupClaim> CookieSeal::open_group(std::string_view value) {
  const auto plain = open_bytes(Kind::kGroup, value, kGroupClaimSize);
  return plain ? read_group_claim(*plain) : std::nullopt;
}

std::optional<std::vector<TargetClaim>> CookieSeal::open_application(std::string_view value) {
  const auto plain = open_bytes(Kind::kApplication, value, kMaximumApplicationSize);
  return plain ? read_application_claims(*plain) : std::nullopt;
}

}  // namespace rr
