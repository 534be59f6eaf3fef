#include "lb/proxy/xaes_gcm.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

#include "lb/base/check.h"

namespace rr {
namespace {

constexpr std::size_t kBlock = 16;
constexpr std::size_t kDerivingHalf = 12;  // of the nonce; the other 12 bytes are GCM's own nonce

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

Context make_context() {
  Context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  RR_CHECK(context != nullptr, "no memory for a cipher");
  return context;
}

}  // namespace

struct XaesGcm::State {
  Context block = make_context();  // AES-256 itself, under the key
  Context gcm = make_context();
  std::array<unsigned char, kBlock> mask{};  // K1 of the specification, as in CMAC

  void encrypt(std::span<const unsigned char> blocks, unsigned char* out) const {
    int size = 0;
    RR_CHECK(EVP_EncryptUpdate(block.get(), out, &size, blocks.data(), static_cast<int>(blocks.size())) == 1,
             "AES failed");
  }

  /// Makes `gcm` ready for one text.
  void begin(Nonce nonce, std::string_view context, bool sealing) const {
    std::array<unsigned char, 2 * kBlock> input{}, derived{};
    for (std::size_t i = 0; i < 2; ++i) {
      unsigned char* half = input.data() + i * kBlock;
      half[1] = static_cast<unsigned char>(i + 1);
      half[2] = 'X';
      std::copy_n(nonce.begin(), kDerivingHalf, half + 4);
      for (std::size_t j = 0; j < kBlock; ++j) half[j] ^= mask[j];
    }
    encrypt(input, derived.data());
    int size = 0;
    const auto* text = reinterpret_cast<const unsigned char*>(context.data());
    RR_CHECK(EVP_CipherInit_ex(gcm.get(), nullptr, nullptr, derived.data(), nonce.data() + kDerivingHalf,
                               sealing ? 1 : 0) == 1 &&
                 EVP_CipherUpdate(gcm.get(), nullptr, &size, text, static_cast<int>(context.size())) == 1,
             "AES-GCM failed");
    OPENSSL_cleanse(derived.data(), derived.size());
  }
};

XaesGcm::XaesGcm(const Key& key) : state_(std::make_unique<State>()) {
  RR_CHECK(EVP_EncryptInit_ex(state_->block.get(), EVP_aes_256_ecb(), nullptr, key.data(), nullptr) == 1 &&
               EVP_CIPHER_CTX_set_padding(state_->block.get(), 0) == 1 &&
               EVP_CipherInit_ex(state_->gcm.get(), EVP_aes_256_gcm(), nullptr, nullptr, nullptr, 1) == 1,
           "AES is not available");
  std::array<unsigned char, kBlock> zero{}, ciphered{};
  state_->encrypt(zero, ciphered.data());
  // Doubling in GF(2^128): one bit to the left, and 0x87 for the bit that falls out.
  unsigned carry = 0;
  for (std::size_t i = kBlock; i-- > 0;) {
    state_->mask[i] = static_cast<unsigned char>(ciphered[i] << 1 | carry);
    carry = ciphered[i] >> 7;
  }
  if (carry != 0) state_->mask[kBlock - 1] ^= 0x87;
}

XaesGcm::~XaesGcm() = default;

void XaesGcm::seal(Nonce nonce, std::string_view context, std::span<const unsigned char> plain,
                   std::span<unsigned char> out) {
  RR_CHECK(out.size() == plain.size() + kTagSize, "room for the text and its tag");
  state_->begin(nonce, context, true);
  EVP_CIPHER_CTX* gcm = state_->gcm.get();
  int size = 0, rest = 0;
  RR_CHECK(EVP_CipherUpdate(gcm, out.data(), &size, plain.data(), static_cast<int>(plain.size())) == 1 &&
               EVP_CipherFinal_ex(gcm, out.data() + size, &rest) == 1 &&
               EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_GCM_GET_TAG, kTagSize, out.data() + plain.size()) == 1,
           "AES-GCM failed");
}

bool XaesGcm::open(Nonce nonce, std::string_view context, std::span<const unsigned char> sealed,
                   std::span<unsigned char> out) {
  if (sealed.size() < kTagSize) return false;
  const std::span<const unsigned char> text = sealed.first(sealed.size() - kTagSize);
  RR_CHECK(out.size() >= text.size(), "room for the text");
  std::array<unsigned char, kTagSize> tag{};
  std::copy_n(sealed.end() - kTagSize, kTagSize, tag.begin());
  state_->begin(nonce, context, false);
  EVP_CIPHER_CTX* gcm = state_->gcm.get();
  int size = 0, rest = 0;
  RR_CHECK(EVP_CipherUpdate(gcm, out.data(), &size, text.data(), static_cast<int>(text.size())) == 1 &&
               EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_GCM_SET_TAG, kTagSize, tag.data()) == 1,
           "AES-GCM failed");
  return EVP_CipherFinal_ex(gcm, out.data() + size, &rest) == 1;
}

}  // namespace rr
