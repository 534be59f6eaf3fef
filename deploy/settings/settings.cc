#include "deploy/settings/settings.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>

#include "deploy/settings/fields.h"
#include "lb/base/check.h"
#include "lb/document/document.h"

namespace rr::deploy {
namespace {

bool fits(const Field& field, const std::string& value) {
  if (!field.choices.empty()) {
    return std::find(field.choices.begin(), field.choices.end(), value) != field.choices.end();
  }
  const RE2 pattern(field.pattern, RE2::Quiet);
  RR_CHECK(pattern.ok(), "a pattern of the table that is none");
  return RE2::FullMatch(value, pattern);
}

bool in_range(const Field& field, long value) { return value >= field.least && value <= field.most; }

bool in_range(const Field& field, Duration value) {
  const Duration step = field.whole_seconds ? kSecond : kMillisecond;
  return value % step == Duration::zero() && value >= field.least * kMillisecond && value <= field.most * kMillisecond;
}

/// Reads one value into its place, and complains when it is not what the table wants.
class ValueReader {
 public:
  ValueReader(MapReader& map, const std::string& part, const Field& field, const Document& value)
      : map_(map), part_(part), field_(field), value_(value) {}

  void operator()(std::string* out) {
    if (!MapReader::is_scalar(value_)) return wrong(std::string(to_string(value_.kind)));
    if (!fits(field_, value_.text)) return wrong("'" + value_.text + "'");
    *out = value_.text;
  }

  void operator()(int* out) {
    int number = 0;
    const char* end = value_.text.data() + value_.text.size();
    const auto [stop, error] = std::from_chars(value_.text.data(), end, number);
    const bool whole = MapReader::is_scalar(value_) && error == std::errc() && stop == end;
    if (!whole || !in_range(field_, number)) return wrong(shown(value_));
    *out = number;
  }

  void operator()(Duration* out) {
    const Result<Duration> read = MapReader::is_scalar(value_) ? parse_duration(value_.text) : Error{};
    if (!read || !in_range(field_, *read)) return wrong(shown(value_));
    *out = *read;
  }

  void operator()(bool* out) { map_.boolean(part_.c_str(), *out); }

  void operator()(std::vector<std::string>* out) {
    map_.list(part_.c_str(), [&](const Document& item, const std::string& path) {
      if (MapReader::is_scalar(item) && fits(field_, item.text)) return out->push_back(item.text);
      map_.complain(path, item, fmt::format("{}: {} is right", shown(item), right_of(field_)));
    });
  }

 private:
  static std::string shown(const Document& value) {
    return MapReader::is_scalar(value) ? value.text : std::string(to_string(value.kind));
  }
  void wrong(const std::string& what) {
    map_.complain(map_.key_path(part_), value_, fmt::format("{}: {} is right", what, right_of(field_)));
  }

  MapReader& map_;
  const std::string& part_;
  const Field& field_;
  const Document& value_;
};

void read_section(MapReader& map, const std::string& prefix, Settings& settings) {
  for (const std::string& part : parts_below(prefix)) {
    const Document* value = map.require(part.c_str());
    if (value == nullptr) continue;
    if (const Field* field = find_field(prefix + part)) {
      std::visit(ValueReader(map, part, *field, *value), field->slot(settings));
    } else {
      map.map(part.c_str(), [&](MapReader& inner) { read_section(inner, prefix + part + ".", settings); });
    }
  }
}

/// The value with that key, or the innermost map on the way to it.
const Document& place_of(const Document& document, std::string_view key) {
  const auto dot = key.find('.');
  const Document* inner = document.member(key.substr(0, dot));
  if (inner == nullptr) return document;
  return dot == std::string_view::npos ? *inner : place_of(*inner, key.substr(dot + 1));
}

/// production.yaml copied to staging.yaml must not touch production.
std::vector<BrokenRule> wrong_file_name(const Settings& settings, std::string_view file) {
  constexpr std::string_view kEnding = ".yaml";
  if (!file.ends_with(kEnding)) return {};
  const std::string_view path = file.substr(0, file.size() - kEnding.size());
  const std::string_view stem = path.substr(path.rfind('/') + 1);
  if (stem == settings.environment) return {};
  return {{"environment", fmt::format("{}: {}, as the file is called, is right", settings.environment, stem)}};
}

void replace(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

}  // namespace

Result<Settings, ConfigErrors> read_settings(std::string_view text, std::string_view file) {
  const bool is_json =
      text.find_first_not_of(" \t\r\n") != std::string_view::npos && text[text.find_first_not_of(" \t\r\n")] == '{';
  const Result<Document> document = is_json ? parse_json_document(text) : parse_yaml_document(text);
  if (!document) {
    return ConfigErrors{file.empty() ? document.error().message
                                     : fmt::format("{}: {}", file, document.error().message)};
  }
  ConfigErrors errors;
  Settings settings;
  {
    MapReader map(*document, "", file, errors);
    read_section(map, "", settings);
    if (errors.empty()) {
      std::vector<BrokenRule> broken = wrong_file_name(settings, file);
      for (BrokenRule& rule : broken_rules(settings)) broken.push_back(std::move(rule));
      for (const auto& [key, message] : broken) map.complain(key, place_of(*document, key), message);
    }
  }
  if (!errors.empty()) return errors;
  return settings;
}

Settings in_account(Settings settings, const std::string& account) {
  settings.aws.account = account;
  for (std::string* text : {&settings.artifacts.bucket, &settings.ci.state_bucket}) {
    replace(*text, "{account}", account);
  }
  return settings;
}

Names names_of(const Settings& settings) {
  const std::string tier = settings.name + "-" + settings.environment;
  const std::string path = "/" + settings.name + "/" + settings.environment;
  return {.tier = tier,
          .bake_profile = tier + "-bake-instance",
          .log_group = path,
          .parameter_path = path,
          .settings_parameter = path + "/settings",
          .release_parameter = path + "/release",
          .lock_parameter = path + "/lock",
          .candidate_parameter = path + "/candidate/ami",
          .alarm_prefix = tier + "-release-",
          .watch_alarm_prefix = tier + "-watch-",
          .dashboard = tier};
}

std::vector<std::pair<std::string, std::string>> listed(const Names& names) {
  return {{"tier", names.tier},
          {"bake_profile", names.bake_profile},
          {"log_group", names.log_group},
          {"parameter_path", names.parameter_path},
          {"settings_parameter", names.settings_parameter},
          {"release_parameter", names.release_parameter},
          {"lock_parameter", names.lock_parameter},
          {"candidate_parameter", names.candidate_parameter},
          {"alarm_prefix", names.alarm_prefix},
          {"watch_alarm_prefix", names.watch_alarm_prefix},
          {"dashboard", names.dashboard}};
}

}  // namespace rr::deploy
