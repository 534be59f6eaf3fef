#include "deploy/aws/artifact.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

namespace rr::deploy {
namespace {

constexpr const char* kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr const char* kUrlMark = "# artifact: ";
constexpr const char* kHashMark = "# sha256: ";
// On the instance: the hash of the artifact that it has installed, so that another boot does not wait for it again.
constexpr const char* kMarker = "/var/lib/rr-deploy/artifact";

std::string line_after(const std::string& text, const std::string& mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string::npos) return "";
  const std::size_t from = at + mark.size();
  return text.substr(from, text.find('\n', from) - from);
}

}  // namespace

std::string artifact_user_data(const ArtifactLane& artifact, const std::string& unit) {
  return fmt::format(R"multipart(Content-Type: multipart/mixed; boundary="==rr=="
MIME-Version: 1.0

--==rr==
Content-Type: text/cloud-boothook; charset="us-ascii"

#!/bin/sh
# At every boot, before the unit: it is held until the artifact is installed. A mask below /run would not hold it,
# because the unit itself lies in /etc, which goes first.
grep -qsx '{hash}' {marker} && exit 0
mkdir -p '/run/systemd/system/{unit}.d'
echo '[Unit]
ConditionPathExists=!/run/systemd/system/{unit}.d/hold.conf' >'/run/systemd/system/{unit}.d/hold.conf'
systemctl daemon-reload
systemctl stop '{unit}'
--==rr==
Content-Type: text/x-shellscript; charset="us-ascii"

#!/bin/bash
{url_mark}{url}
{hash_mark}{hash}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
aws s3 cp --only-show-errors '{url}' bundle.tar.gz
echo '{hash}  bundle.tar.gz' | sha256sum --check --status || {{ echo "the artifact has another hash" >&2; exit 1; }}
mkdir bundle
tar -xzf bundle.tar.gz -C bundle --no-same-owner
bundle/install
mkdir -p "$(dirname {marker})"
echo '{hash}' >{marker}
rm -r '/run/systemd/system/{unit}.d'
systemctl daemon-reload
systemctl restart '{unit}'
--==rr==--
)multipart",
                     fmt::arg("unit", unit), fmt::arg("url", artifact.url), fmt::arg("hash", artifact.sha256),
                     fmt::arg("marker", kMarker), fmt::arg("url_mark", kUrlMark), fmt::arg("hash_mark", kHashMark));
}

std::string plain_user_data() { return "#cloud-config\n{}\n"; }

ArtifactLane artifact_in(const std::string& user_data) {
  return {line_after(user_data, kUrlMark), line_after(user_data, kHashMark)};
}

std::string base64(const std::string& bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t word = 0;
    for (std::size_t next = 0; next < 3; ++next) {
      word = (word << 8) | (at + next < bytes.size() ? static_cast<unsigned char>(bytes[at + next]) : 0u);
    }
    for (std::size_t letter = 0; letter < 4; ++letter) {
      const bool padding = at + letter > bytes.size();
      text += padding ? '=' : kAlphabet[(word >> (18 - 6 * letter)) & 63u];
    }
  }
  return text;
}

std::string from_base64(const std::string& text) {
  std::array<int, 256> values{};
  values.fill(-1);
  for (int at = 0; at < 64; ++at) values[static_cast<unsigned char>(kAlphabet[at])] = at;
  std::string bytes;
  std::uint32_t word = 0;
  int bits = 0;
  for (const char letter : text) {
    if (letter == '=' || letter == '\n' || letter == '\r') continue;
    const int value = values[static_cast<unsigned char>(letter)];
    if (value < 0) return "";
    word = (word << 6) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>((word >> bits) & 255u);
  }
  return bytes;
}

}  // namespace rr::deploy
