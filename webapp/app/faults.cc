#include "webapp/app/faults.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

namespace rr::webapp {
namespace {

// Longer than anything that a load balancer waits for.
constexpr Duration kMostSlow = std::chrono::hours(2);

Status take_slow(Faults& faults, const std::string& value) {
  const Result<Duration> span = parse_duration(value);
  if (!span.ok() || *span > kMostSlow) {
    return Error{fmt::format("slow '{}': write a time up to 2h, like 500ms or 1.5", value)};
  }
  faults.slow = *span;
  return Ok{};
}

Status take_number(int& number, const std::string& name, const std::string& value, std::uint64_t least,
                   std::uint64_t most) {
  const auto read = parse_whole_number(name, value, least, most);
  if (!read.ok()) return read.error();
  number = static_cast<int>(*read);
  return Ok{};
}

Status take_switch(bool& state, const std::string& name, const std::string& value) {
  const auto read = parse_switch(name, value);
  if (!read.ok()) return read.error();
  state = *read;
  return Ok{};
}

Status take(Faults& faults, const std::string& name, const std::string& value) {
  if (name == "slow") return take_slow(faults, value);
  if (name == "error") return take_number(faults.error_percent, name, value, 0, 100);
  if (name == "status") return take_number(faults.error_status, name, value, 400, 599);
  if (name == "hang") return take_switch(faults.hang, name, value);
  if (name == "unhealthy") return take_switch(faults.unhealthy, name, value);
  if (name == "all" && value == "off") {
    faults = {};
    return Ok{};
  }
  return Error{
      fmt::format("'{}={}': there are slow=TIME, error=PERCENT, status=NUMBER, hang=on|off, unhealthy=on|off "
                  "and all=off",
                  name, value)};
}

}  // namespace

Result<Faults> changed_faults(Faults now, const Query& query) {
  for (const auto& [name, value] : query) {
    const Status taken = take(now, name, value);
    if (!taken.ok()) return taken.error();
  }
  return now;
}

std::string faults_document(const Faults& faults) {
  nlohmann::ordered_json document;
  document["slow"] = to_seconds(faults.slow);
  document["error"] = faults.error_percent;
  document["status"] = faults.error_status;
  document["hang"] = faults.hang;
  document["unhealthy"] = faults.unhealthy;
  return document.dump() + "\n";
}

}  // namespace rr::webapp
