// Any bytes from a target, cut at places that their first two bytes choose: the same steps as in one piece; and every
// head that was accepted is passed on as one head that says the same, to our parser and to anybody who splits lines and
// colons.
#include <cstddef>
#include <cstdint>

#include "lb/http/head_writer.h"
#include "lb/http/response_parser.h"
#include "tests/fuzz/forwarded_fields.h"
#include "tests/fuzz/message_steps.h"

namespace {

void check_forwarding(std::string_view bytes, bool to_head) {
  rr::ResponseParser parser;
  parser.expect(to_head);
  if (parser.next(bytes).kind != rr::ParseStep::Kind::kHead) return;
  const rr::ResponseHead& head = parser.head();
  std::string out;
  rr::append_forwarded_response(out, head, true, 1);
  rr::ResponseParser client({.start_line = 1 << 20, .header_line = 1 << 20, .head = 1 << 20, .headers = 1000});
  client.expect(to_head);
  const rr::ParseStep step = client.next(out);
  RR_CHECK(step.kind == rr::ParseStep::Kind::kHead && step.consumed == out.size(), "a forwarded head is one head");
  RR_CHECK(client.head().framing == head.framing && client.head().content_length == head.content_length,
           "a forwarded head has the same framing");
  RR_CHECK(client.head().view.status == head.view.status, "a forwarded head has the same status");
  RR_CHECK(rr::fuzz::end_to_end(client.head().view.headers, {}) == rr::fuzz::end_to_end(head.view.headers, {}),
           "a forwarded head has the same fields from end to end");
  std::size_t size = 0;
  const auto plain = rr::fuzz::read_plain_head(out, size);
  RR_CHECK(plain && size == out.size(), "anybody reads it as one head");
  RR_CHECK(plain->all("content-length").size() + plain->all("transfer-encoding").size() <= 1, "one framing at most");
  RR_CHECK(!rr::fuzz::any_looks_like_framing(*plain), "and nothing that looks like it");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::vector<std::size_t> cuts(1 + data[1] % 64, data[0] % 32);
  const bool to_head = data[1] >= 128;
  const rr::HttpLimits limits{.start_line = 64, .header_line = 64, .head = 256, .headers = 6, .chunk_line = 32};
  rr::ResponseParser whole(limits);
  rr::ResponseParser pieces(limits);
  whole.expect(to_head);
  pieces.expect(to_head);
  const std::string expected = rr::fuzz::steps(whole, bytes, {}, true);
  RR_CHECK(rr::fuzz::steps(pieces, bytes, cuts, true) == expected, "however the bytes are cut");
  RR_CHECK(whole.finish() == pieces.finish(), "the end means the same however the bytes were cut");
  rr::ResponseParser wide;
  rr::ResponseParser wide_pieces;
  wide.expect(to_head);
  wide_pieces.expect(to_head);
  RR_CHECK(rr::fuzz::steps(wide, bytes, {}, true) == rr::fuzz::steps(wide_pieces, bytes, cuts, true),
           "however the bytes are cut, within the ALB's limits");
  check_forwarding(bytes, to_head);
  return 0;
}
