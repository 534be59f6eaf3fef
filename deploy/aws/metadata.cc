#include "deploy/aws/metadata.h"

namespace rr::deploy {
namespace {

std::string base_of(const Surroundings& surroundings) {
  const std::string said = surroundings.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  std::string base = said.empty() ? "http://169.254.169.254" : said;
  while (!base.empty() && base.back() == '/') base.pop_back();
  return base;
}

std::optional<std::string> ask(const Surroundings& surroundings, HttpRequest request) {
  request.connect_timeout = request.timeout = std::chrono::seconds(1);
  const auto response = surroundings.send(request);
  if (!response || response->status != 200 || response->body.empty()) return std::nullopt;
  return response->body;
}

std::optional<std::string> token_of(const Surroundings& surroundings) {
  if (surroundings.variable("AWS_EC2_METADATA_DISABLED") == "true") return std::nullopt;
  HttpRequest request;
  request.method = "PUT";
  request.url = base_of(surroundings) + "/latest/api/token";
  request.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}};
  return ask(surroundings, request);
}

std::optional<std::string> read(const Surroundings& surroundings, const std::string& token, const std::string& path) {
  HttpRequest request;
  request.url = base_of(surroundings) + "/latest/meta-data/" + path;
  request.headers = {{"X-aws-ec2-metadata-token", token}};
  return ask(surroundings, request);
}

}  // namespace

std::optional<std::string> region_of_metadata(const Surroundings& surroundings) {
  const auto token = token_of(surroundings);
  return token ? read(surroundings, *token, "placement/region") : std::nullopt;
}

std::optional<std::string> role_of_metadata(const Surroundings& surroundings) {
  const auto token = token_of(surroundings);
  if (!token) return std::nullopt;
  const auto role = read(surroundings, *token, "iam/security-credentials/");
  if (!role) return std::nullopt;
  return read(surroundings, *token, "iam/security-credentials/" + role->substr(0, role->find('\n')));
}

}  // namespace rr::deploy
