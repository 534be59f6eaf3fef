#include "lb/proxy/xaes_gcm.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rr {
namespace {

using Bytes = std::vector<unsigned char>;

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

constexpr std::string_view kNonceText = "ABCDEFGHIJKLMNOPQRSTUVWX";
XaesGcm::Nonce nonce() {
  return XaesGcm::Nonce(reinterpret_cast<const unsigned char*>(kNonceText.data()), kNonceText.size());
}

XaesGcm::Key key_of(unsigned char byte) {
  XaesGcm::Key key{};
  key.fill(byte);
  return key;
}

TEST(XaesGcm, TheExamplesOfItsSpecification) {
  // C2SP XAES-256-GCM, test vectors; the first key's mask has no carry, the second one's has.
  const struct {
    unsigned char key;
    std::string_view context, sealed;
  } kTable[] = {{0x01, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
                {0x03, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"}};
  for (const auto& row : kTable) {
    XaesGcm cipher(key_of(row.key));
    const Bytes plain = bytes_of("XAES-256-GCM");
    Bytes sealed(plain.size() + XaesGcm::kTagSize);
    for (int again = 0; again < 2; ++again) {
      cipher.seal(nonce(), row.context, plain, sealed);
      EXPECT_EQ(fmt::format("{:02x}", fmt::join(sealed, "")), row.sealed);
      Bytes opened(plain.size());
      EXPECT_TRUE(cipher.open(nonce(), row.context, sealed, opened));
      EXPECT_EQ(opened, plain);
    }
  }
}

TEST(XaesGcm, WhatWasChangedIsNotOpened) {
  XaesGcm cipher(key_of(7));
  const Bytes plain = bytes_of("who goes where");
  Bytes sealed(plain.size() + XaesGcm::kTagSize), opened(plain.size() + 1);
  cipher.seal(nonce(), "here", plain, sealed);
  EXPECT_FALSE(cipher.open(nonce(), "there", sealed, opened));
  EXPECT_FALSE(XaesGcm(key_of(8)).open(nonce(), "here", sealed, opened));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 1;
    EXPECT_FALSE(cipher.open(nonce(), "here", changed, opened)) << i;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(cipher.open(nonce(), "here", std::span(sealed).first(size), opened)) << size;
  }
  EXPECT_TRUE(cipher.open(nonce(), "here", sealed, opened)) << "none of it disturbed what comes after";
}

}  // namespace
}  // namespace rr
