// A message that comes in one piece is read without touching the heap, once the connection has seen one like it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "lb/http/head_writer.h"
#include "lb/http/request_parser.h"

namespace {
std::size_t allocations = 0;
}

// Not inlined: g++ would see free() on what its own operator new returned, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace rr {
namespace {

constexpr std::string_view kBrowser =
    "GET /index.html HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0\r\nAccept: text/html\r\n"
    "Accept-Language: en\r\nAccept-Encoding: gzip, deflate, br\r\nConnection: keep-alive\r\nCookie: a=b; c=d\r\n"
    "Upgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n\r\n";
constexpr std::string_view kUpload =
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nDigest: x\r\n\r\n";

void read_all(RequestParser& parser, std::string_view bytes) {
  while (true) {
    const ParseStep step = parser.next(bytes);
    bytes.remove_prefix(step.consumed);
    if (step.kind == ParseStep::Kind::kNeedMore) return;
    ASSERT_NE(step.kind, ParseStep::Kind::kError);
  }
}

TEST(Allocations, NoneForTheSecondMessage) {
  RequestParser parser;
  for (std::string_view bytes : {kBrowser, kUpload}) {
    read_all(parser, bytes);
    const std::size_t before = allocations;
    for (int i = 0; i < 100; ++i) read_all(parser, bytes);
    EXPECT_EQ(allocations, before);
  }
}

TEST(Allocations, NoneForWritingAHeadIntoAUsedBuffer) {
  RequestParser parser;
  ASSERT_EQ(parser.next(kBrowser).kind, ParseStep::Kind::kHead);
  const ForwardContext context{.client_ip = "127.0.0.1",
                               .scheme = "http",
                               .port = "8080",
                               .trace_root = "Root=1-67891233-abcdef012345678912345678",
                               .trace_self = "Self=1-67891233-abcdef012345678912345679",
                               .default_host = "lb"};
  std::string out;
  append_forwarded_request(out, parser.head(), context);
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) {
    out.clear();
    append_forwarded_request(out, parser.head(), context);
  }
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace rr
