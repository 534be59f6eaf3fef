#include "sim/scenario/cookie_key.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>

#include "lb/base/check.h"
#include "lb/policy/settings.h"

namespace rr::sim {

std::string draw_cookie_key() {
  std::array<unsigned char, kCookieKeyDigits / 2> key{};
  RR_CHECK(RAND_bytes(key.data(), static_cast<int>(key.size())) == 1, "the system gives no random bytes");
  return fmt::format("{:02x}", fmt::join(key, ""));
}

}  // namespace rr::sim
