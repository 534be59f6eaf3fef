#pragma once
// Limits of a message, by name. https://docs.aws.amazon.com/elasticloadbalancing/latest/application/ (alb limits):
// request line 16 K, one header line 16 K, all request headers 64 K, all response headers 32 K.
#include <cstddef>

namespace rr {

struct HttpLimits {
  std::size_t start_line = 16 * 1024;
  std::size_t header_line = 16 * 1024;
  std::size_t head = 64 * 1024;   // the whole head, start line and final empty line included
  std::size_t headers = 500;      // number of header lines
};

constexpr HttpLimits kAlbRequestLimits{};
constexpr HttpLimits kAlbResponseLimits{16 * 1024, 16 * 1024, 32 * 1024, 500};

}  // namespace rr
