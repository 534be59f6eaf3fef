// Any bytes, cut at places that their first two bytes choose: the same steps as in one piece; and every head that was
// accepted is forwarded as one head that says the same, to our parser and to anybody who splits lines and colons.
#include <cstddef>
#include <cstdint>

#include "lb/http/head_writer.h"
#include "tests/fuzz/forwarded_fields.h"
#include "tests/fuzz/message_steps.h"

namespace {

const std::vector<std::string_view> kRewritten{
    "host", "expect", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-port", "x-amzn-trace-id"};

std::string forwarded(const rr::RequestHead& head) {
  std::string out;
  rr::append_forwarded_request(out, head,
                               {.client_ip = "127.0.0.1",
                                .scheme = "http",
                                .port = "8080",
                                .trace_root = "Root=1-67891233-abcdef012345678912345678",
                                .trace_self = "Self=1-67891234-12456789abcdef012345678a",
                                .default_host = "lb"});
  return out;
}

void check_forwarding(std::string_view bytes, rr::Reading reading) {
  rr::RequestParser parser(rr::kAlbRequestLimits, reading);
  const bool strictly = rr::RequestParser().next(bytes).kind == rr::ParseStep::Kind::kHead;
  if (parser.next(bytes).kind != rr::ParseStep::Kind::kHead) {
    RR_CHECK(!strictly, "what is read strictly is read in every way");
    return;
  }
  const rr::RequestHead& head = parser.head();
  RR_CHECK(strictly == (head.clean && !head.unsafe), "clean is what is read strictly");
  if (head.unsafe) return;  // goes to nobody
  const std::string out = forwarded(head);
  rr::RequestParser target({.start_line = 1 << 20, .header_line = 1 << 20, .head = 1 << 20, .headers = 1000});
  const rr::ParseStep step = target.next(out);
  RR_CHECK(step.kind == rr::ParseStep::Kind::kHead && step.consumed == out.size(), "a forwarded head is one head");
  const rr::RequestHead& seen = target.head();
  RR_CHECK(seen.framing == head.framing && seen.content_length == head.content_length, "it has the same framing");
  RR_CHECK(seen.view.method == head.view.method, "it has the same method");
  RR_CHECK(!head.clean || rr::fuzz::end_to_end(seen.view.headers, kRewritten) ==
                              rr::fuzz::end_to_end(head.view.headers, kRewritten),
           "it has the same fields from end to end");

  std::size_t size = 0;
  const auto plain = rr::fuzz::read_plain_head(out, size);
  RR_CHECK(plain && size == out.size(), "anybody reads it as one head");
  RR_CHECK(plain->all("host").size() == 1, "one Host");
  const std::size_t lengths = plain->all("content-length").size(), codings = plain->all("transfer-encoding").size();
  RR_CHECK(lengths == (head.framing == rr::Framing::kContentLength ? 1U : 0U), "a length when there is one");
  RR_CHECK(codings == (head.framing == rr::Framing::kChunked ? 1U : 0U), "chunks when there are");
  RR_CHECK(!rr::fuzz::any_looks_like_framing(*plain), "and nothing that looks like it");
  RR_CHECK(std::count(plain->first_line.begin(), plain->first_line.end(), ' ') == 2, "a request line of three words");
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
  rr::RequestParser wide;
  rr::RequestParser wide_pieces;
  RR_CHECK(rr::fuzz::steps(wide, bytes, {}, false) == rr::fuzz::steps(wide_pieces, bytes, cuts, false),
           "however the bytes are cut, within the ALB's limits");
  rr::RequestParser tolerant(rr::kAlbRequestLimits, rr::Reading::kTolerant);
  rr::RequestParser tolerant_pieces(rr::kAlbRequestLimits, rr::Reading::kTolerant);
  RR_CHECK(rr::fuzz::steps(tolerant, bytes, {}, false) == rr::fuzz::steps(tolerant_pieces, bytes, cuts, false),
           "however the bytes are cut, read tolerantly");
  for (const rr::Reading reading : {rr::Reading::kStrict, rr::Reading::kTolerant}) check_forwarding(bytes, reading);
  return 0;
}
