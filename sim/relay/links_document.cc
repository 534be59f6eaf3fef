#include "sim/relay/links_document.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace rr::sim {

namespace {

using Json = nlohmann::json;

Json faults_json(const WireFaults& faults) {
  return {{"latency_ns", faults.latency.count()}, {"jitter_ns", faults.jitter.count()},
          {"loss_percent", faults.loss_percent},  {"reset_percent", faults.reset_percent},
          {"gray_percent", faults.gray_percent},  {"refuse", faults.refuse},
          {"blackhole", faults.blackhole}};
}

double percent_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<double>() : 0;
}

Duration span_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return Duration(found != json.end() && found->is_number_integer() ? found->get<Duration::rep>() : 0);
}

bool flag_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_boolean() && found->get<bool>();
}

WireFaults faults_of(const Json& json) {
  return {.latency = span_of(json, "latency_ns"),
          .jitter = span_of(json, "jitter_ns"),
          .loss_percent = percent_of(json, "loss_percent"),
          .reset_percent = percent_of(json, "reset_percent"),
          .gray_percent = percent_of(json, "gray_percent"),
          .refuse = flag_of(json, "refuse"),
          .blackhole = flag_of(json, "blackhole")};
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::string write_links(const std::vector<LinkSpec>& links) {
  Json list = Json::array();
  for (const LinkSpec& link : links) {
    Json json = faults_json(link.faults);
    json["name"] = link.name;
    json["target"] = format_address(link.target);
    list.push_back(std::move(json));
  }
  return Json{{"links", std::move(list)}}.dump();
}

Result<std::vector<LinkSpec>> read_links(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("links") || !json["links"].is_array()) {
    return Error{"a JSON object with \"links\" is right"};
  }
  std::vector<LinkSpec> links;
  for (const Json& one : json["links"]) {
    if (!one.is_object()) return Error{"links: an object each is right"};
    const auto target = parse_address(text_of(one, "target"));
    const std::string name = text_of(one, "name");
    if (name.empty() || !target) {
      return Error{fmt::format("link '{}': a name and a target with its port are right", name)};
    }
    links.push_back({name, *target, faults_of(one)});
  }
  return links;
}

std::string write_ports(const std::map<std::string, Address>& ports, std::size_t connections) {
  Json json = Json::object();
  for (const auto& [name, address] : ports) json[name] = format_address(address);
  return Json{{"ports", std::move(json)}, {"connections", connections}}.dump();
}

std::optional<std::map<std::string, Address>> read_ports(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("ports") || !json["ports"].is_object()) return std::nullopt;
  std::map<std::string, Address> ports;
  for (const auto& [name, address] : json["ports"].items()) {
    const auto parsed = parse_address(address.is_string() ? address.get<std::string>() : "");
    if (!parsed) return std::nullopt;
    ports.emplace(name, *parsed);
  }
  return ports;
}

}  // namespace rr::sim
