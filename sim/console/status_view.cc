#include "sim/console/status_view.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "sim/console/screen.h"

namespace rr::sim {
namespace {
using nlohmann::json;

std::string text_of(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::string field(std::string_view name, std::string_view value) { return fmt::format("{:<9}{}\n", name, value); }

Ink health_ink(const std::string& state) {
  if (state == "healthy") return Ink::kGreen;
  if (state == "unhealthy") return Ink::kRed;
  return Ink::kYellow;
}

std::string instance_line(const json& one, const Palette& palette) {
  const json& health = one["target_health"];
  std::string state = text_of(health, "state");
  const std::string reason = text_of(health, "reason");
  const Ink ink = health_ink(state);
  if (health.value("stale", false)) state += "?";
  std::string out =
      fmt::format("{} {:<11} {:<12} {} {:>5} {:>7}\n", one["id"].get<std::string>(), text_of(one, "zone"),
                  text_of(one, "lifecycle"), palette.paint(ink, fmt::format("{:<10}", state)), text_of(one, "build"),
                  one["pid"].get<int>() == 0 ? std::string("-") : std::to_string(one["pid"].get<int>()));
  std::string detail = fmt::format("  {}, commit {}", text_of(one, "address"), text_of(one, "commit").substr(0, 12));
  if (one.contains("wire") && text_of(one, "wire") != text_of(one, "address")) {
    detail += fmt::format(", wire {}", text_of(one, "wire"));
  }
  out += palette.paint(Ink::kFaint, clipped(detail, kColumns)) + "\n";
  if (!reason.empty()) {
    const std::string description = text_of(health, "description");
    out += fmt::format("  {}\n", clipped(reason + (description.empty() ? "" : ": " + description), kColumns - 2));
  }
  if (one.value("frozen", false)) out += "  " + palette.paint(Ink::kRed, "frozen") + "\n";
  if (!text_of(one, "diagnosis").empty()) {
    out += palette.paint(Ink::kRed, wrapped(text_of(one, "diagnosis"), kColumns, "  ")) + "\n";
  }
  return out;
}

std::string instances_view(const json& status, const Palette& palette) {
  std::string out = palette.paint(Ink::kBold, fmt::format("{:<19} {:<11} {:<12} {:<10} {:>5} {:>7}", "INSTANCE", "ZONE",
                                                          "LIFECYCLE", "TARGET", "BUILD", "PID")) +
                    "\n";
  int ended = 0;
  for (const json& one : status["instances"]) {
    if (text_of(one, "lifecycle") == "Terminated") {
      ++ended;
      continue;
    }
    out += instance_line(one, palette);
  }
  if (ended > 0) out += palette.paint(Ink::kFaint, fmt::format("  and {} terminated\n", ended));
  return out;
}

std::string nodes_view(const json& status, const Palette& palette) {
  std::string out = palette.paint(Ink::kBold, fmt::format("{:<19} {:<11} {:<7} {:<22} {:>7}", "NODE", "ZONE", "IN DNS",
                                                          "ZONAL ADDRESS", "PID")) +
                    "\n";
  for (const json& one : status["nodes"]) {
    const bool in_dns = one["in_dns"].get<bool>();
    out += fmt::format("{:<19} {:<11} {} {:<22} {:>7}{}\n", text_of(one, "name"), text_of(one, "zone"),
                       palette.paint(in_dns ? Ink::kGreen : Ink::kRed, fmt::format("{:<7}", in_dns ? "yes" : "no")),
                       text_of(one, "zonal"),
                       one["pid"].get<int>() == 0 ? std::string("-") : std::to_string(one["pid"].get<int>()),
                       one.value("frozen", false) ? palette.paint(Ink::kRed, "  frozen") : "");
  }
  return out;
}

std::string paces(const json& list, bool both) {
  std::string out;
  for (const json& one : list) {
    const std::string aws = seconds_view(one["aws_seconds"].get<double>());
    out += out.empty() ? "" : ", ";
    out += one["what"].get<std::string>() + " " + aws;
    if (both) out += " -> " + seconds_view(one["seconds"].get<double>());
  }
  return out;
}

std::string speed_view(const json& status) {
  const double speed = status["speed"].get<double>();
  if (speed == 1) return field("speed", "1: AWS's own durations");
  std::string out = field("speed", fmt::format("{}: the control plane's clocks run {} times as fast", speed, speed));
  out += wrapped("divided: " + paces(status["speed_divides"], true), kColumns, "         ") + "\n";
  out += wrapped("left alone: " + paces(status["speed_leaves_alone"], false), kColumns, "         ") + "\n";
  return out;
}

std::string faults_view(const json& status, const Palette& palette, const std::string& pasted_state) {
  std::string out;
  for (const json& one : status["faults"]) {
    const std::string target = text_of(one, "target");
    const std::string amount = text_of(one, "amount");
    out += field("fault", palette.paint(Ink::kRed, fmt::format("{}{}{} of {}", text_of(one, "kind"),
                                                               amount.empty() ? "" : " ", amount, target)));
    out += fmt::format("         heal it: rr-sim heal {}{}\n", target, pasted_state);
  }
  if (const json& shift = status["zonal_shift"]; shift.is_object()) {
    out +=
        field("shifted", fmt::format("away from {} until {}", text_of(shift, "away_from"), text_of(shift, "expires")));
  }
  for (const json& one : status["incidents"]) {
    std::string line = fmt::format("{} of {}", text_of(one, "what"), text_of(one, "target"));
    for (const auto& [key, word] :
         {std::pair{"time_to_detect", "detected"}, std::pair{"time_to_remove_node", "out of DNS"},
          std::pair{"time_to_replace", "replaced"}, std::pair{"time_to_balance", "balanced"}}) {
      if (one.contains(key) && one[key].is_object())
        line += fmt::format(", {} after {}", word, duration_view(one[key]));
    }
    out += wrapped(line, kColumns - 9, "").insert(0, "incident ") + "\n";
  }
  return out;
}

std::string load_view(const json& load) {
  if (!load.is_object()) return "";
  std::string line =
      fmt::format("{} a second; {} finished, {} failed; p50 {}, p99 {}", load["rate"].get<double>(),
                  load["finished"].get<std::uint64_t>(), load["failed"].get<std::uint64_t>(),
                  seconds_view(load["p50_seconds"].get<double>()), seconds_view(load["p99_seconds"].get<double>()));
  if (load["not_sent"].get<std::uint64_t>() > 0)
    line += fmt::format("; {} not sent", load["not_sent"].get<std::uint64_t>());
  std::string out = field("load", line);
  for (const auto& [cause, count] : load["failures"].items())
    out += fmt::format("         {} {}\n", count.dump(), cause);
  return out;
}

std::string activities_view(const json& status, const Palette& palette) {
  constexpr std::size_t kShown = 4;
  const json& all = status["activities"];
  if (all.empty()) return "";
  std::string out = palette.paint(Ink::kBold, "LAST ACTIVITIES") + "\n";
  for (std::size_t i = all.size() > kShown ? all.size() - kShown : 0; i < all.size(); ++i) {
    const json& one = all[i];
    std::string line = fmt::format("{} {}", text_of(one, "status"), text_of(one, "description"));
    if (one["took"].is_object()) line += ", took " + duration_view(one["took"]);
    out += clipped(line, kColumns) + "\n";
  }
  return out;
}

std::string release_view(const json& release) {
  if (!release.is_object()) return "";
  std::string line = fmt::format("{} (commit {}): {}", text_of(release, "image"),
                                 text_of(release, "commit").substr(0, 12), text_of(release, "phase"));
  if (release["took"].is_object()) line += " in " + duration_view(release["took"]);
  std::string out = field("release", line);
  if (!text_of(release, "outcome").empty()) out += wrapped(text_of(release, "outcome"), kColumns, "         ") + "\n";
  return out;
}

std::string refresh_view(const json& refreshes) {
  if (refreshes.empty()) return "";
  const json& newest = refreshes.front();
  std::string out =
      field("refresh", fmt::format("{}, {} %, {} to update", text_of(newest, "status"),
                                   newest["percentage_complete"].get<int>(), newest["instances_to_update"].get<int>()));
  const std::string reason = text_of(newest, "status_reason");
  return reason.empty() ? out : out + wrapped(reason, kColumns, "         ") + "\n";
}

}  // namespace

std::string seconds_view(double seconds) {
  if (seconds < 0.0005) return fmt::format("{:.1f} ms", seconds * 1000);
  if (seconds < 0.01) return fmt::format("{:.1f} ms", seconds * 1000);
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1000);
  if (seconds < 120) return fmt::format("{:.3g} s", std::round(seconds * 10) / 10);
  return fmt::format("{:.0f} min {:.0f} s", std::floor(seconds / 60), std::fmod(seconds, 60));
}

std::string duration_view(const json& duration) {
  if (!duration.is_object()) return "-";
  const double measured = duration["seconds"].get<double>();
  const double aws = duration["aws_seconds"].get<double>();
  if (measured == aws) return seconds_view(measured);
  return fmt::format("{} ({} on AWS)", seconds_view(measured), seconds_view(aws));
}

std::string status_view(const json& status, const Palette& palette, const std::string& pasted_state) {
  std::string out = palette.paint(Ink::kBold, text_of(status, "url")) + "\n";
  for (const json& group : status["groups"]) {
    out += field("group",
                 fmt::format("{}: desired {}, in service {}, healthy {} (min {}, max {})", text_of(group, "name"),
                             group["desired_capacity"].get<int>(), group["in_service"].get<int>(),
                             group["healthy"].get<int>(), group["min_size"].get<int>(), group["max_size"].get<int>()));
  }
  const json& ground = status["ground"];
  out += field("ground", clipped(text_of(ground, "kind"), kColumns - 9));
  out += field("state", text_of(status, "state_folder"));
  out += field(
      "up", fmt::format("{}, process {}", seconds_view(status["up_seconds"].get<double>()), status["pid"].get<int>()));
  out += speed_view(status);
  out += faults_view(status, palette, pasted_state);
  out += load_view(status["load"]);
  out += release_view(status["release"]);
  out += refresh_view(status["refreshes"]);
  out += "\n" + instances_view(status, palette) + "\n" + nodes_view(status, palette);
  const std::string activities = activities_view(status, palette);
  if (!activities.empty()) out += "\n" + activities;
  return out;
}

}  // namespace rr::sim
