#pragma once
// XAES-256-GCM: AES-256-GCM under a key that follows from half of a 24-byte nonce, so that nonces may be drawn at
// random for as many texts as anybody will ever seal under one key (plain AES-GCM permits 2^32 of them).
// https://c2sp.org/XAES-256-GCM
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace rr {

class XaesGcm {
 public:
  static constexpr std::size_t kKeySize = 32;
  static constexpr std::size_t kNonceSize = 24;
  static constexpr std::size_t kTagSize = 16;
  using Key = std::array<unsigned char, kKeySize>;
  using Nonce = std::span<const unsigned char, kNonceSize>;

  explicit XaesGcm(const Key& key);
  ~XaesGcm();
  XaesGcm(const XaesGcm&) = delete;
  XaesGcm& operator=(const XaesGcm&) = delete;

  /// Writes the sealed text, which is as long as the plain one, and behind it the tag: `out` is that long.
  /// `context` is authenticated with it: open() needs the same one. A nonce must not be used twice.
  void seal(Nonce nonce, std::string_view context, std::span<const unsigned char> plain, std::span<unsigned char> out);
  /// The reverse; `sealed` is with its tag. False when it was not sealed under this key, nonce and context: then
  /// nothing of `out` may be used.
  bool open(Nonce nonce, std::string_view context, std::span<const unsigned char> sealed, std::span<unsigned char> out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rr
