// Each limit at its value and one past it, in one piece and byte by byte.
#include "lb/http/limits.h"

#include <gtest/gtest.h>

#include "tests/lb/http/transcript.h"

namespace rr {
namespace {

/// What both parsers' first word is about these bytes: "head", or the error.
std::string verdict(const std::string& bytes, const HttpLimits& limits) {
  const std::string whole = read_requests({bytes}, limits);
  EXPECT_EQ(read_requests(single_bytes(bytes), limits), whole);
  return whole.substr(0, whole.starts_with("head") ? 4 : std::string::npos);
}

std::string response_verdict(const std::string& bytes, const HttpLimits& limits) {
  const std::string whole = read_response({bytes}, false, limits);
  EXPECT_EQ(read_response(single_bytes(bytes), false, limits), whole);
  return whole.substr(0, whole.starts_with("head") ? 4 : std::string::npos);
}

std::string with_start_line(std::size_t size) {
  const std::string shortest = "GET / HTTP/1.1";
  return "GET /" + std::string(size - shortest.size(), 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

std::string with_header_line(std::size_t size) {
  return "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(size - 3, 'y') + "\r\n\r\n";
}

/// A head of exactly this size, in lines of at most 1,002 bytes.
std::string with_head(std::string head, std::size_t size) {
  while (head.size() + 2 + 1100 < size) head += "X: " + std::string(997, 'y') + "\r\n";
  const std::size_t last = size - head.size() - 2;  // one more line and the empty one
  return head + "Y: " + std::string(last - 5, 'z') + "\r\n\r\n";
}

std::string with_headers(std::size_t count) {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (std::size_t i = 1; i < count; ++i) head += "A: b\r\n";
  return head + "\r\n";
}

TEST(Limits, StartLine) {
  EXPECT_EQ(verdict(with_start_line(16384), {}), "head");
  EXPECT_EQ(verdict(with_start_line(16385), {}), "error start line too long");
  EXPECT_EQ(verdict(with_start_line(40), {.start_line = 40}), "head");
  EXPECT_EQ(verdict(with_start_line(41), {.start_line = 40}), "error start line too long");
}

TEST(Limits, StartLineWithoutEnd) {
  EXPECT_EQ(verdict("GET /" + std::string(16384 - 5, 'x'), {}), "waiting");
  EXPECT_EQ(verdict("GET /" + std::string(16384 - 4, 'x'), {}), "error start line too long");
  EXPECT_EQ(verdict("GET /" + std::string(16384 - 5, 'x') + "\r", {}), "waiting");
}

TEST(Limits, StartLineNeverLongerThanTheHead) {
  EXPECT_EQ(verdict(with_start_line(60), {.head = 50}), "error start line too long");
}

TEST(Limits, HeaderLine) {
  EXPECT_EQ(verdict(with_header_line(16384), {}), "head");
  EXPECT_EQ(verdict(with_header_line(16385), {}), "error header too large");
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\n" + std::string(16384, 'x'), {}), "waiting");
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\n" + std::string(16385, 'x'), {}), "error header too large");
}

TEST(Limits, Head) {
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  ASSERT_EQ(with_head(start, 65536).size(), 65536U);
  EXPECT_EQ(verdict(with_head(start, 65536), {}), "head");
  EXPECT_EQ(verdict(with_head(start, 65537), {}), "error header too large");
}

TEST(Limits, ResponseHead) {
  const std::string start = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
  ASSERT_EQ(with_head(start, 32768).size(), 32768U);
  EXPECT_EQ(response_verdict(with_head(start, 32768), kAlbResponseLimits), "head");
  EXPECT_EQ(response_verdict(with_head(start, 32769), kAlbResponseLimits), "error header too large");
}

TEST(Limits, NumberOfHeaders) {
  EXPECT_EQ(verdict(with_headers(500), {}), "head");
  EXPECT_EQ(verdict(with_headers(501), {}), "error too many headers");
}

TEST(Limits, ChunkLine) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const auto ending = [&](std::size_t size, const std::string& start) {
    const std::string bytes = head + start + std::string(size - start.size(), start == "0" ? '0' : 'x') + "\r\n\r\n";
    const std::string whole = read_requests({bytes});
    EXPECT_EQ(read_requests(single_bytes(bytes)), whole);
    return whole.substr(whole.rfind("keep-alive | ") + 13);
  };
  EXPECT_EQ(ending(1024, "0;"), "end | idle");
  EXPECT_EQ(ending(1025, "0;"), "error bad chunk");
  EXPECT_EQ(ending(1024, "0"), "end | idle");  // leading zeros are bounded by the same limit
  EXPECT_EQ(ending(1025, "0"), "error bad chunk");
}

TEST(Limits, Trailers) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  const auto ending = [&](const std::string& trailers, const HttpLimits& limits) {
    const std::string whole = read_requests({head + trailers}, limits);
    EXPECT_EQ(read_requests(single_bytes(head + trailers), limits), whole);
    return whole.substr(whole.rfind(" | ") + 3);
  };
  EXPECT_EQ(ending("A: " + std::string(16381, 'x') + "\r\n\r\n", {}), "idle");
  EXPECT_EQ(ending("A: " + std::string(16382, 'x') + "\r\n\r\n", {}), "error header too large");
  EXPECT_EQ(ending("A: 1\r\nB: 2\r\n\r\n", {.headers = 2}), "idle");
  EXPECT_EQ(ending("A: 1\r\nB: 2\r\nC: 3\r\n\r\n", {.headers = 2}), "error too many headers");
  EXPECT_EQ(ending(with_head("", 65536), {}), "idle");
  EXPECT_EQ(ending(with_head("", 65537), {}), "error header too large");
}

}  // namespace
}  // namespace rr
