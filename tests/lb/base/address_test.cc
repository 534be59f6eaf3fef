#include "lb/base/address.h"

#include <gtest/gtest.h>

#include <string>

namespace rr {
namespace {

TEST(Address, IsReadAndWrittenBack) {
  for (const char* text : {"127.0.0.1:8080", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:8080", "[::]:1",
                           "[2001:db8::5]:443", "[fe80::1:2:3:4]:65535"}) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address.ok()) << address.error().message;
    EXPECT_EQ(format_address(*address), text);
  }
}

TEST(Address, WhatIsNoneIsRefusedByName) {
  const std::string with_zero_byte("127.0.0.1\0x:80", 14);
  for (const std::string& text :
       {std::string(""), std::string("127.0.0.1"), std::string("127.0.0.1:"), std::string(":80"),
        std::string("localhost:80"), std::string("127.0.0.1:65536"), std::string("127.0.0.1:-1"),
        std::string("127.0.0.1:+1"), std::string("127.0.0.1: 1"), std::string("127.0.0.1:80x"),
        std::string("256.0.0.1:80"), std::string("1.2.3:80"), std::string("::1:80"), std::string("[127.0.0.1]:80"),
        std::string("[::1]"), std::string("[]:80"), std::string("[::1:80"), with_zero_byte}) {
    const auto address = parse_address(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_NE(address.error().message.find("'" + text + "'"), std::string::npos) << address.error().message;
    EXPECT_NE(address.error().message.find("write"), std::string::npos) << address.error().message;
  }
}

TEST(Address, WithoutAPort) {
  const auto v4 = parse_ip("172.31.16.10", 8080);
  ASSERT_TRUE(v4.ok());
  EXPECT_EQ(*v4, Address::v4(172, 31, 16, 10, 8080));
  EXPECT_EQ(format_ip(*v4), "172.31.16.10");
  const auto v6 = parse_ip("::1", 1);
  ASSERT_TRUE(v6.ok());
  EXPECT_EQ(v6->family, Address::Family::kV6);
  EXPECT_EQ(format_ip(*v6), "::1");
  EXPECT_FALSE(parse_ip("[::1]", 1).ok());
  EXPECT_FALSE(parse_ip("", 1).ok());
}

TEST(Address, KnowsLoopback) {
  EXPECT_TRUE(parse_ip("127.0.0.1", 0)->is_loopback());
  EXPECT_TRUE(parse_ip("127.31.16.10", 0)->is_loopback());
  EXPECT_TRUE(parse_ip("::1", 0)->is_loopback());
  EXPECT_FALSE(parse_ip("128.0.0.1", 0)->is_loopback());
  EXPECT_FALSE(parse_ip("::2", 0)->is_loopback());
  EXPECT_FALSE(parse_ip("::", 0)->is_loopback());
}

TEST(Endpoint, IsReadAndWrittenBack) {
  // 107 characters are the most that sun_path takes beside its zero.
  const std::string longest = "unix:/" + std::string(106, 'x');
  for (const std::string& text : {std::string("127.0.0.1:8080"), std::string("[::1]:0"),
                                  std::string("unix:/run/a.sock"), std::string("fd:0"), std::string("fd:3"), longest}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
    EXPECT_EQ(format_endpoint(*endpoint), text);
  }
  for (const std::string& text : {std::string("unix:"), longest + "x", std::string("fd:"), std::string("fd:-1"),
                                  std::string("fd:3x"), std::string("fd:99999999999"), std::string("8080")}) {
    EXPECT_FALSE(parse_endpoint(text).ok()) << text;
  }
}

}  // namespace
}  // namespace rr
