#include "sim/scenario/demo_news.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/console/log_view.h"

namespace rr::sim {
namespace {
using nlohmann::json;

constexpr const char* kLaunching = "is being launched";

// Of an instance as it is now; empty: nothing worth a line.
News word_of(const json& instance) {
  const std::string lifecycle = instance["lifecycle"].get<std::string>();
  const std::string health = instance["target_health"]["state"].get<std::string>();
  if (lifecycle == "Pending") return {kLaunching};
  if (lifecycle == "InService" && health == "healthy") return {"is in service and healthy", Ink::kGreen};
  if (lifecycle == "InService" && health == "unhealthy") {
    return {"is unhealthy: " + instance["target_health"]["reason"].get<std::string>(), Ink::kRed};
  }
  if (lifecycle.rfind("Terminating", 0) == 0) return {"leaves: no new requests, then it ends"};
  if (lifecycle == "Terminated") return {"has ended"};
  return {};
}

}  // namespace

std::vector<News> DemoNews::since_last(const json& status) {
  std::vector<News> out;
  say_of_instances(status, out);
  say_who_vanished(status, out);
  say_of_nodes(status, out);
  return out;
}

void DemoNews::say_of_instances(const json& status, std::vector<News>& out) {
  for (const json& one : status["instances"]) {
    const std::string id = one["id"].get<std::string>();
    const News word = word_of(one);
    std::string& said = instances_[id];
    if (word.text.empty() || word.text == said) continue;
    said = word.text;
    const bool built = word.ink == Ink::kGreen && one.contains("build") && one["build"].is_string();
    out.push_back({fmt::format("{} in {} {}{}", short_name(id), one["zone"].get<std::string>(), word.text,
                               built ? fmt::format(" (build {})", one["build"].get<std::string>()) : ""),
                   word.ink});
  }
}

// A launch that failed leaves no instance behind.
void DemoNews::say_who_vanished(const json& status, std::vector<News>& out) {
  for (auto& [id, said] : instances_) {
    const bool there = std::any_of(status["instances"].begin(), status["instances"].end(),
                                   [&name = id](const json& one) { return one["id"] == name; });
    if (there || said != kLaunching) continue;
    said = "could not be launched";
    out.push_back({fmt::format("{} could not be launched: its zone has no power", short_name(id))});
  }
}

void DemoNews::say_of_nodes(const json& status, std::vector<News>& out) {
  for (const json& one : status["nodes"]) {
    const bool in_dns = one["in_dns"].get<bool>();
    const auto [before, first] = in_dns_.try_emplace(one["name"].get<std::string>(), in_dns);
    if (first || before->second == in_dns) continue;
    before->second = in_dns;
    out.push_back({fmt::format("the node of {} {}", one["zone"].get<std::string>(),
                               in_dns ? "is in DNS again" : "is out of DNS")});
  }
}

}  // namespace rr::sim
