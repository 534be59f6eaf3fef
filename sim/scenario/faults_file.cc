#include "sim/scenario/faults_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace rr::sim {

namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;

Json fault_json(const FaultStatus& one) {
  Json json{{"kind", fault_row(one.fault.kind).name},
            {"target_kind", to_string(one.fault.target.kind)},
            {"target", one.fault.target.name},
            {"amount", one.fault.amount},
            {"since", one.since.time_since_epoch().count()}};
  if (one.fault.lasts) json["lasts"] = one.fault.lasts->count();
  if (one.until) json["until"] = one.until->time_since_epoch().count();
  return json;
}

std::optional<FaultTargetKind> target_kind(const std::string& text) {
  for (const auto kind : {FaultTargetKind::kZone, FaultTargetKind::kInstance, FaultTargetKind::kNode,
                          FaultTargetKind::kLink, FaultTargetKind::kControlPlane}) {
    if (text == to_string(kind)) return kind;
  }
  return std::nullopt;
}

/// Throws what the library throws when something is missing or of another type.
Result<FaultStatus> read_fault(const Json& json) {
  const FaultKindRow* row = find_fault_kind(json.at("kind").get<std::string>());
  const auto kind = target_kind(json.at("target_kind").get<std::string>());
  if (row == nullptr || !kind) return Error{fmt::format("{} is not known", json.at("kind").dump())};
  FaultStatus one;
  one.fault.kind = row->kind;
  one.fault.target = {*kind, json.at("target").get<std::string>()};
  one.fault.amount = json.at("amount").get<double>();
  one.since = Time(Duration(json.at("since").get<Duration::rep>()));
  if (json.contains("lasts")) one.fault.lasts = Duration(json.at("lasts").get<Duration::rep>());
  if (json.contains("until")) one.until = Time(Duration(json.at("until").get<Duration::rep>()));
  return one;
}

Error failed(const std::string& file) { return Error{fmt::format("{}: {}", file, std::strerror(errno))}; }

}  // namespace

std::string write_faults(const std::vector<FaultStatus>& faults) {
  Json list = Json::array();
  for (const FaultStatus& one : faults) list.push_back(fault_json(one));
  return Json{{"version", kVersion}, {"faults", std::move(list)}}.dump(1) + "\n";
}

Result<std::vector<FaultStatus>> read_faults(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("version").get<int>() != kVersion) return Error{"its version is not known"};
    std::vector<FaultStatus> faults;
    for (const Json& one : json.at("faults")) {
      auto fault = read_fault(one);
      if (!fault) return fault.error();
      faults.push_back(*std::move(fault));
    }
    return faults;
  } catch (const Json::exception& error) {
    return Error{error.what()};
  }
}

Status save_faults(const std::string& file, const std::vector<FaultStatus>& faults) {
  const std::string text = write_faults(faults), fresh = file + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return failed(fresh);
  const bool written =
      ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fdatasync(fd) == 0;
  ::close(fd);
  if (!written || std::rename(fresh.c_str(), file.c_str()) != 0) return failed(file);
  return Ok{};
}

Result<std::vector<FaultStatus>> load_faults(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) return std::vector<FaultStatus>{};
  std::stringstream text;
  text << stream.rdbuf();
  return read_faults(text.str());
}

}  // namespace rr::sim
