// A configuration of any text, as YAML and as JSON: read or refused, never a crash; what was read and is valid says the
// same after it was written and read again.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "lb/base/check.h"
#include "lb/proxy/config.h"

namespace {

void check_again(const rr::NodeConfig& config) {
  if (!rr::validate(config).empty()) return;
  const auto again = rr::read_desired(
      rr::to_json(config, rr::Secrets::kWritten).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  RR_CHECK(again.ok(), "what was written can be read");
  RR_CHECK(*again == config, "and says the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      if (const auto config = rr::read_desired(text)) check_again(*config);
      break;
    case 1:
      if (const auto config = rr::read_config_file("file", text)) check_again(config->node);
      break;
    case 2:
      static_cast<void>(rr::read_targets(text).ok());
      break;
  }
  return 0;
}
