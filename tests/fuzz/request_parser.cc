// Any bytes, cut at places that their first two bytes choose: the same steps as in one piece; and every head that was
// accepted is forwarded as a head that says the same.
#include <cstddef>
#include <cstdint>

#include "lb/http/head_writer.h"
#include "tests/fuzz/message_steps.h"

namespace {

void check_forwarding(std::string_view bytes) {
  rr::RequestParser parser;
  if (parser.next(bytes).kind != rr::ParseStep::Kind::kHead) return;
  const rr::RequestHead& head = parser.head();
  std::string out;
  rr::append_forwarded_request(out, head,
                               {.client_ip = "127.0.0.1",
                                .scheme = "http",
                                .port = "8080",
                                .trace_root = "Root=1-67891233-abcdef012345678912345678",
                                .trace_self = "Self=1-67891234-12456789abcdef012345678a",
                                .default_host = "lb"});
  rr::RequestParser target({.start_line = 1 << 20, .header_line = 1 << 20, .head = 1 << 20, .headers = 1000});
  const rr::ParseStep step = target.next(out);
  RR_CHECK(step.kind == rr::ParseStep::Kind::kHead && step.consumed == out.size(), "a forwarded head is one head");
  RR_CHECK(target.head().framing == head.framing && target.head().content_length == head.content_length,
           "a forwarded head has the same framing");
  RR_CHECK(target.head().view.method == head.view.method, "a forwarded head has the same method");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::vector<std::size_t> cuts(1 + data[1] % 64, data[0] % 32);
  const rr::HttpLimits limits{.start_line = 64, .header_line = 64, .head = 256, .headers = 6, .chunk_line = 32};
  rr::RequestParser whole(limits);
  rr::RequestParser pieces(limits);
  const std::string expected = rr::fuzz::steps(whole, bytes, {}, false);
  RR_CHECK(rr::fuzz::steps(pieces, bytes, cuts, false) == expected, "however the bytes are cut");
  check_forwarding(bytes);
  return 0;
}
