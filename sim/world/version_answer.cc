#include "sim/world/version_answer.h"

#include <nlohmann/json.hpp>

namespace rr::sim {

namespace {

constexpr std::size_t kLongestCommit = 256;

std::string text_of(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string trimmed(const std::string& text) {
  constexpr const char* kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

void read_body(const std::string& body, VersionAnswered& answered) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (json.is_object()) {
    answered.commit = text_of(json, "commit");
    answered.served_by = text_of(json, "host");
    return;
  }
  // Text: the commit alone. A page is none.
  const std::string text = json.is_string() ? json.get<std::string>() : trimmed(body);
  if (text.size() <= kLongestCommit && text.find_first_of("\n<") == std::string::npos) answered.commit = text;
}

}  // namespace

ClientRequest version_question(const VersionFrom& from, const std::string& health_path) {
  ClientRequest request;
  request.target = from.kind == VersionFrom::Kind::kPath ? from.name : health_path;
  return request;
}

VersionAnswered read_version(const VersionFrom& from, std::optional<InstanceId> asked,
                             const Result<ClientResponse, ClientFailure>& answer) {
  VersionAnswered answered;
  answered.instance = std::move(asked);
  if (!answer) return answered;
  const ClientResponse& response = answer.value();
  answered.status = response.status;
  if (response.status != 200) return answered;
  switch (from.kind) {
    case VersionFrom::Kind::kPath:
      read_body(response.body, answered);
      break;
    case VersionFrom::Kind::kHeader:
      if (const auto value = response.header(from.name)) answered.commit = trimmed(std::string(*value));
      break;
    case VersionFrom::Kind::kNone:
      break;
  }
  return answered;
}

}  // namespace rr::sim
