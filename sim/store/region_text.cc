#include "sim/store/region_text.h"

#include <fmt/format.h>

#include <array>
#include <concepts>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "lb/document/settings_document.h"
#include "sim/store/command_fields.h"
#include "sim/store/enum_names.h"
#include "sim/store/event_fields.h"
#include "sim/store/state_fields.h"

namespace rr::sim {
namespace {

using Json = nlohmann::json;

/// Thrown while reading, caught at the two entry points of this file.
struct Unreadable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class T, template <class...> class Template>
inline constexpr bool kIs = false;
template <template <class...> class Template, class... Arguments>
inline constexpr bool kIs<Template<Arguments...>, Template> = true;
template <class T>
inline constexpr bool kIsList = kIs<T, std::vector> || kIs<T, std::deque> || kIs<T, std::set>;

template <class T>
Json write(const T& value) {
  if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
    return value;
  } else if constexpr (kIs<T, Name>) {
    return value.value;
  } else if constexpr (std::is_enum_v<T>) {
    return name_of(value);
  } else if constexpr (std::same_as<T, Time>) {
    return value.time_since_epoch().count();
  } else if constexpr (std::same_as<T, Duration>) {
    return value.count();
  } else if constexpr (std::same_as<T, Address>) {
    return format_address(value);
  } else if constexpr (std::same_as<T, LoadBalancerSettings>) {
    return whole_to_json(value);
  } else if constexpr (std::same_as<T, Rng>) {
    return value.state();
  } else if constexpr (kIs<T, std::optional>) {
    return value ? write(*value) : Json(nullptr);
  } else if constexpr (kIsList<T>) {
    Json list = Json::array();
    for (const auto& item : value) list.push_back(write(item));
    return list;
  } else if constexpr (kIs<T, std::map>) {
    Json object = Json::object();
    for (const auto& [key, item] : value) object[write(key).template get<std::string>()] = write(item);
    return object;
  } else if constexpr (kIs<T, std::variant>) {
    Json object = std::visit([](const auto& alternative) { return write(alternative); }, value);
    object["type"] = AlternativeNames<T>::kNames.at(value.index());
    return object;
  } else {
    Json object = Json::object();
    fields(value, [&](const char* key, const auto& member) { object[key] = write(member); });
    return object;
  }
}

template <class T>
T read(const Json& json);

template <class Variant, std::size_t Index = 0>
Variant read_alternative(Json json, const std::string& type) {
  if constexpr (Index < std::variant_size_v<Variant>) {
    if (type != AlternativeNames<Variant>::kNames.at(Index)) return read_alternative<Variant, Index + 1>(json, type);
    json.erase("type");
    return read<std::variant_alternative_t<Index, Variant>>(json);
  } else {
    throw Unreadable(fmt::format("type: '{}' is not known", type));
  }
}

template <class T>
T read_number(const Json& json) {
  if constexpr (std::same_as<T, bool>) {
    if (!json.is_boolean()) throw Unreadable("true or false expected");
  } else if constexpr (std::integral<T>) {
    if (!json.is_number_integer()) throw Unreadable("a whole number expected");
    const bool fits = json.is_number_unsigned() ? std::in_range<T>(json.get<std::uint64_t>())
                                                : std::in_range<T>(json.get<std::int64_t>());
    if (!fits) throw Unreadable(fmt::format("{} is out of range", json.dump()));
  } else {
    if (!json.is_number()) throw Unreadable("a number expected");
  }
  return json.get<T>();
}

/// All members must be there and no others: a file of this version was written by this code.
template <class T>
T read_object(const Json& json) {
  if (!json.is_object()) throw Unreadable("an object expected");
  T value;
  std::size_t known = 0;
  fields(value, [&](const char* key, auto& member) {
    ++known;
    const auto found = json.find(key);
    if (found == json.end()) throw Unreadable(fmt::format("{} is missing", key));
    try {
      member = read<std::remove_cvref_t<decltype(member)>>(*found);
    } catch (const Unreadable& error) {
      throw Unreadable(fmt::format("{}: {}", key, error.what()));
    }
  });
  if (json.size() != known) throw Unreadable("a member that is not known");
  return value;
}

template <class T, class E>
T accept(Result<T, E> result) {
  if (!result.ok()) throw Unreadable(result.error().message);
  return *std::move(result);
}

/// Of the schema that the balancer's own configuration has; here too every key must be known.
LoadBalancerSettings read_load_balancer(const Json& json) {
  const auto document = accept(parse_json_document(json.dump()));
  ConfigErrors errors;
  LoadBalancerSettings settings;
  {
    MapReader map(document, "", "", errors);
    read_whole(map, settings);
  }
  if (!errors.empty()) throw Unreadable(errors.front());
  return settings;
}

template <class T>
T read(const Json& json) {
  if constexpr (std::is_arithmetic_v<T>) {
    return read_number<T>(json);
  } else if constexpr (std::same_as<T, std::string>) {
    return json.get<std::string>();
  } else if constexpr (kIs<T, Name>) {
    return T(json.get<std::string>());
  } else if constexpr (std::is_enum_v<T>) {
    const std::optional<T> value = parse_name<T>(json.get<std::string>());
    if (!value) throw Unreadable(fmt::format("'{}' is not known", json.get<std::string>()));
    return *value;
  } else if constexpr (std::same_as<T, Time>) {
    return Time(Duration(read_number<std::int64_t>(json)));
  } else if constexpr (std::same_as<T, Duration>) {
    return Duration(read_number<std::int64_t>(json));
  } else if constexpr (std::same_as<T, Address>) {
    return accept(parse_address(json.get<std::string>()));
  } else if constexpr (std::same_as<T, LoadBalancerSettings>) {
    return read_load_balancer(json);
  } else if constexpr (std::same_as<T, Rng>) {
    return Rng(json.get<std::array<std::uint64_t, 4>>());
  } else if constexpr (kIs<T, std::optional>) {
    if (json.is_null()) return std::nullopt;
    return read<typename T::value_type>(json);
  } else if constexpr (kIsList<T>) {
    if (!json.is_array()) throw Unreadable("a list expected");
    T list;
    for (const Json& item : json) list.insert(list.end(), read<typename T::value_type>(item));
    return list;
  } else if constexpr (kIs<T, std::map>) {
    if (!json.is_object()) throw Unreadable("an object expected");
    T map;
    for (const auto& [key, item] : json.items()) {
      map.emplace(typename T::key_type(key), read<typename T::mapped_type>(item));
    }
    return map;
  } else if constexpr (kIs<T, std::variant>) {
    if (!json.is_object()) throw Unreadable("an object expected");
    return read_alternative<T>(json, json.at("type").template get<std::string>());
  } else {
    return read_object<T>(json);
  }
}

template <class T>
Result<T> catching(const std::function<T()>& reading) {
  try {
    return reading();
  } catch (const Json::exception& error) {
    return Error{error.what()};
  } catch (const Unreadable& error) {
    return Error{error.what()};
  }
}

LogRecord read_record_json(const Json& json) {
  LogRecord record;
  if (!json.is_object() || json.size() != 3) throw Unreadable("a record has a number n, a time t and what happened");
  record.number = read<std::uint64_t>(json.at("n"));
  record.time = read<Time>(json.at("t"));
  if (json.contains("command")) {
    record.what = read<Command>(json.at("command"));
  } else if (json.contains("event")) {
    record.what = read<Event>(json.at("event"));
  } else if (json.contains("recovered")) {
    record.what = Recovered{read<std::set<std::string>>(json.at("recovered"))};
  } else if (!json.contains("woken")) {
    throw Unreadable("a record that is not known");
  }
  return record;
}

}  // namespace

std::string write_snapshot(const Snapshot& snapshot) {
  const Json json{{"version", RegionState::kVersion}, {"number", snapshot.number}, {"state", write(snapshot.state)}};
  return json.dump(1) + "\n";
}

Result<Snapshot> read_snapshot(std::string_view text) {
  return catching<Snapshot>([&] {
    const Json json = Json::parse(text);
    const int version = read<int>(json.at("version"));
    if (version != RegionState::kVersion) {
      throw Unreadable(fmt::format("version {} is {} than the {} that this program knows", version,
                                   version > RegionState::kVersion ? "newer" : "older", RegionState::kVersion));
    }
    return Snapshot{read<std::uint64_t>(json.at("number")), read<RegionState>(json.at("state"))};
  });
}

std::string write_command(const Command& command) { return write(command).dump(); }

Result<Command> read_command(std::string_view text) {
  return catching<Command>([&] { return read<Command>(Json::parse(text)); });
}

std::string write_record(const LogRecord& record) {
  Json json{{"n", record.number}, {"t", write(record.time)}};
  if (const auto* command = std::get_if<Command>(&record.what)) {
    json["command"] = write(*command);
  } else if (const auto* event = std::get_if<Event>(&record.what)) {
    json["event"] = write(*event);
  } else if (const auto* recovered = std::get_if<Recovered>(&record.what)) {
    json["recovered"] = write(recovered->still_running);
  } else {
    json["woken"] = true;
  }
  return json.dump();
}

Result<LogRecord> read_record(std::string_view line) {
  return catching<LogRecord>([&] { return read_record_json(Json::parse(line)); });
}

}  // namespace rr::sim
