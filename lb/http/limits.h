#pragma once
// Limits of a message, by name. https://docs.aws.amazon.com/elasticloadbalancing/latest/application/ (alb limits):
// request line 16 K, one header line 16 K, all request headers 64 K, all response headers 32 K.
#include <cstddef>

namespace rr {

/// A line's length is counted without its line end. At the limit is allowed, one past it is not. Trailers are held to
/// the same limits as headers.
struct HttpLimits {
  std::size_t start_line = 16 * 1024;
  std::size_t header_line = 16 * 1024;
  std::size_t head = 64 * 1024;   // the whole head, start line, line ends and final empty line included
  std::size_t headers = 500;      // number of header lines
  std::size_t chunk_line = 1024;  // a chunk's size with its extensions, which nobody uses and floods are made of
};

constexpr HttpLimits kAlbRequestLimits{};
constexpr HttpLimits kAlbResponseLimits{.head = 32 * 1024};

}  // namespace rr
