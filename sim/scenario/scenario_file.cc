#include "sim/scenario/scenario_file.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "sim/world/fault.h"

namespace rr::sim {
namespace {

constexpr int kMostCapacity = 100;

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::stringstream stream(text);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::optional<int> count_of(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value >= 0 && value <= kMostCapacity ? std::optional(value) : std::nullopt;
}

Error wrong(const std::string& where, const std::string& value, const std::string& right) {
  return Error{fmt::format("{}: {}: {}", where, value, right)};
}

bool has_zone(const TierSettings& settings, const std::string& name) {
  const auto& zones = settings.region.zones;
  return std::any_of(zones.begin(), zones.end(), [&](const Zone& zone) { return zone.name.value == name; });
}

Result<StepAction> read_wait(const TierSettings& settings, const std::string& where, const std::string& text) {
  const std::string right = "settled, refreshed, N in service [in ZONE], or a time such as 30s is right";
  if (text == "settled") return StepAction(WaitSettled{});
  if (text == "refreshed") return StepAction(WaitRefreshed{});
  const std::vector<std::string> words = words_of(text);
  if (words.size() == 1) {
    const Result<Duration> time = parse_duration(words[0]);
    if (!time || *time <= Duration{}) return wrong(where, text, right);
    return StepAction(WaitFor{*time});
  }
  const bool of_zone = words.size() == 5 && words[3] == "in";
  const bool in_service = (words.size() == 3 || of_zone) && words[1] == "in" && words[2] == "service";
  const std::optional<int> count = in_service ? count_of(words[0]) : std::nullopt;
  if (!count) return wrong(where, text, right);
  if (!of_zone) return StepAction(WaitInService{*count, std::nullopt});
  if (!has_zone(settings, words[4])) return wrong(where, words[4], "is no zone of this tier");
  return StepAction(WaitInService{*count, ZoneName(words[4])});
}

Result<StepAction> read_fault(const std::string& where, const std::string& text) {
  const std::vector<std::string> words = words_of(text);
  if (words.size() < 2 || words.size() > 3) return wrong(where, text, "KIND TARGET [AMOUNT] is right");
  const FaultKindRow* row = find_fault_kind(words[0]);
  if (row == nullptr) return wrong(where, words[0], "there is no such fault; `rr-sim fault --help` lists them");
  CauseFault fault{words[0], words[1], words.size() == 3 ? words[2] : ""};
  if (const auto amount = parse_amount(*row, fault.amount); !amount) {
    return Error{fmt::format("{}: {}", where, amount.error().message)};
  }
  return StepAction(std::move(fault));
}

Result<StepAction> read_action(const TierSettings& settings, const std::string& where, const std::string& verb,
                               const std::string& text) {
  if (verb == "wait") return read_wait(settings, where, text);
  if (verb == "fault") return read_fault(where, text);
  if (verb == "heal" && words_of(text).size() == 1) return StepAction(HealTarget{text});
  if (verb == "heal") return wrong(where, text, "one target is right");
  if (verb == "scale") {
    const std::optional<int> capacity = count_of(text);
    if (!capacity) return wrong(where, text, fmt::format("a whole number from 0 to {} is right", kMostCapacity));
    return StepAction(ScaleTo{*capacity});
  }
  if (verb != "refresh") return Error{where + ": is no step; wait, fault, heal, scale and refresh are"};
  if (words_of(text).size() != 1) return wrong(where, text, "a commit is right");
  return StepAction(RefreshTo{text});
}

Result<Step> read_step(const TierSettings& settings, const YAML::Node& node, const std::string& file) {
  const int line = node.Mark().line + 1;
  const std::string at = fmt::format("{}:{}: ", file, line);
  const bool one_word = node.IsMap() && node.size() == 1 && node.begin()->second.IsScalar();
  if (!one_word) return Error{at + "a step is one word with a value, such as `wait: settled`"};
  const std::string verb = node.begin()->first.Scalar();
  const std::string text = node.begin()->second.Scalar();
  auto action = read_action(settings, at + verb, verb, text);
  if (!action) return action.error();
  return Step{*std::move(action), verb + ": " + text, line};
}

/// The section `tier`, by the reader of tiers' settings files. It names lines of the section; what it gets is padded so
/// that they are the file's.
Result<TierSettings> read_tier(const YAML::Node& tier, const std::string& text, const std::string& file) {
  SettingsReader reader;
  if (tier.IsDefined() && !tier.IsNull()) {
    if (!tier.IsMap()) return Error{fmt::format("{}:{}: tier: settings are right", file, tier.Mark().line + 1)};
    std::stringstream all(text);
    std::string padded;
    bool inside = false;
    for (std::string line; std::getline(all, line);) {
      const bool top = !line.empty() && line.front() != ' ' && line.front() != '#';
      if (top) inside = line.rfind("tier:", 0) == 0;
      padded += inside && !top ? line + "\n" : "\n";
    }
    if (Status read = reader.read_text(padded, file); !read) return read.error();
  }
  return reader.finish();
}

}  // namespace

Result<Scenario> parse_scenario(const std::string& text, const std::string& file) {
  YAML::Node root;
  try {
    root = YAML::Load(text);
  } catch (const YAML::Exception& error) {
    return Error{fmt::format("{}:{}: this is not YAML: {}", file, error.mark.line + 1, error.msg)};
  }
  if (!root.IsMap()) return Error{fmt::format("{}:1: a scenario has `tier` and `steps`", file)};
  for (const auto& item : root) {
    const std::string key = item.first.IsScalar() ? item.first.Scalar() : "?";
    if (key == "tier" || key == "steps") continue;
    return Error{fmt::format("{}:{}: {}: a scenario has `tier` and `steps`", file, item.first.Mark().line + 1, key)};
  }
  const YAML::Node tier = root["tier"];
  if (tier.IsDefined() && tier.IsMap() && tier.Style() == YAML::EmitterStyle::Flow) {
    return Error{fmt::format("{}:{}: tier: its settings are right below it, a line each", file, tier.Mark().line + 1)};
  }
  Result<TierSettings> settings = read_tier(tier, text, file);
  if (!settings) return settings.error();
  Scenario scenario{file, *std::move(settings), {}};
  const YAML::Node steps = root["steps"];
  if (!steps.IsDefined() || !steps.IsSequence() || steps.size() == 0) {
    return Error{fmt::format("{}: steps: a list of what is done is right", file)};
  }
  for (const YAML::Node& node : steps) {
    Result<Step> step = read_step(scenario.settings, node, file);
    if (!step) return step.error();
    scenario.steps.push_back(*std::move(step));
  }
  return scenario;
}

Result<Scenario> read_scenario(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) return Error{fmt::format("{}: cannot be read", file)};
  std::stringstream text;
  text << stream.rdbuf();
  return parse_scenario(text.str(), file);
}

}  // namespace rr::sim
