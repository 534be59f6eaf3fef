#include "deploy/aws/credentials.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "deploy/aws/metadata.h"
#include "deploy/aws/xml.h"

namespace rr::deploy {
namespace {

constexpr Duration kMargin = std::chrono::minutes(5);

std::string text_of(const nlohmann::json& document, const char* key) {
  const auto found = document.find(key);
  return found != document.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<Time> time_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  // "2026-11-25T20:00:00+00:00" and "...Z" mean the same here.
  const std::size_t plus = text.find('+');
  const auto time = parse_iso8601(plus == std::string::npos ? text : text.substr(0, plus) + "Z");
  return time ? std::optional(*time) : std::nullopt;
}

std::string stripped(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace

std::optional<FoundCredentials> parse_credentials(const std::string& json, const std::string& source) {
  const auto document = nlohmann::json::parse(json, nullptr, false);
  if (!document.is_object()) return std::nullopt;
  FoundCredentials found;
  found.credentials.access_key_id = text_of(document, "AccessKeyId");
  found.credentials.secret_access_key = text_of(document, "SecretAccessKey");
  found.credentials.session_token = text_of(document, "SessionToken");
  if (found.credentials.session_token.empty()) found.credentials.session_token = text_of(document, "Token");
  found.credentials.source = source;
  found.expires = time_of(text_of(document, "Expiration"));
  if (found.credentials.access_key_id.empty() || found.credentials.secret_access_key.empty()) return std::nullopt;
  return found;
}

CredentialSource::CredentialSource(const Surroundings& surroundings, std::string profile, bool profile_asked_for,
                                   std::string region)
    : surroundings_(surroundings),
      profile_(std::move(profile)),
      profile_asked_for_(profile_asked_for),
      region_(std::move(region)),
      profiles_(read_profiles(surroundings)) {}

Result<Credentials> CredentialSource::get() {
  const bool old = found_ && found_->expires && *found_->expires - surroundings_.now() < kMargin;
  if (!found_ || old) {
    auto found = find();
    if (!found) return found.error();
    found_ = std::move(*found);
  }
  return found_->credentials;
}

Result<FoundCredentials> CredentialSource::find() const {
  // A profile that was named on the command line wins over the environment, as with the AWS CLI.
  if (!profile_asked_for_) {
    if (auto found = from_environment()) return *found;
    if (auto found = from_web_identity()) return std::move(*found);
  }
  if (auto found = from_profile_keys()) return *found;
  auto told = from_command_line_tool();
  if (told && told->ok()) return std::move(*told);
  if (auto found = from_container()) return *found;
  if (auto found = from_metadata()) return *found;
  const std::string tool =
      told ? told->error().message
           : "the AWS CLI is not installed (SSO and assumed roles need it: `apt-get install awscli`)";
  return Error{
      fmt::format("no credentials: not in the environment (AWS_ACCESS_KEY_ID), not in profile {} (~/.aws/credentials), "
                  "no instance role; {}",
                  profile_, tool)};
}

std::optional<FoundCredentials> CredentialSource::from_environment() const {
  FoundCredentials found;
  found.credentials = {surroundings_.variable("AWS_ACCESS_KEY_ID"), surroundings_.variable("AWS_SECRET_ACCESS_KEY"),
                       surroundings_.variable("AWS_SESSION_TOKEN"), "the environment"};
  found.expires = time_of(surroundings_.variable("AWS_CREDENTIAL_EXPIRATION"));
  if (found.credentials.access_key_id.empty() || found.credentials.secret_access_key.empty()) return std::nullopt;
  return found;
}

/// AssumeRoleWithWebIdentity (STS), as build services with OIDC want it. The token file is read each time: it is
/// renewed.
std::optional<Result<FoundCredentials>> CredentialSource::from_web_identity() const {
  const std::string role = surroundings_.variable("AWS_ROLE_ARN");
  const std::string file = surroundings_.variable("AWS_WEB_IDENTITY_TOKEN_FILE");
  if (role.empty() || file.empty()) return std::nullopt;
  const auto token = surroundings_.read_file(file);
  if (!token) return Error{fmt::format("AWS_WEB_IDENTITY_TOKEN_FILE: {} cannot be read", file)};
  std::string session = surroundings_.variable("AWS_ROLE_SESSION_NAME");
  if (session.empty()) session = "rr-deploy";
  HttpRequest request;
  request.method = "POST";
  request.url = endpoint_of(surroundings_, profiles_, profile_, "sts", region_) + "/";
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = fmt::format(
      "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={}&RoleSessionName={}&WebIdentityToken={}",
      percent_encoded(role), percent_encoded(session), percent_encoded(stripped(*token)));
  const auto response = surroundings_.send(request);
  if (!response) return Error{fmt::format("web identity for {}: {}", role, response.error().message)};
  const Xml document = Xml::parse(response->body);
  const Xml given = document.at("AssumeRoleWithWebIdentityResult").at("Credentials");
  if (response->status != 200 || given.text("AccessKeyId").empty()) {
    const std::string said = document.at("Error").text("Message");
    return Error{
        fmt::format("web identity for {}: {}", role, said.empty() ? fmt::format("HTTP {}", response->status) : said)};
  }
  FoundCredentials found;
  found.credentials = {given.text("AccessKeyId"), given.text("SecretAccessKey"), given.text("SessionToken"),
                       "web identity " + role};
  found.expires = time_of(given.text("Expiration"));
  return found;
}

std::optional<FoundCredentials> CredentialSource::from_profile_keys() const {
  const auto profile = profiles_.find(profile_);
  if (profile == profiles_.end()) return std::nullopt;
  const auto value = [&](const char* key) {
    const auto found = profile->second.find(key);
    return found == profile->second.end() ? std::string() : found->second;
  };
  if (!value("role_arn").empty()) return std::nullopt;  // the keys are those of whoever assumes it
  FoundCredentials found;
  found.credentials = {value("aws_access_key_id"), value("aws_secret_access_key"), value("aws_session_token"),
                       "profile " + profile_};
  if (found.credentials.access_key_id.empty() || found.credentials.secret_access_key.empty()) return std::nullopt;
  return found;
}

std::optional<Result<FoundCredentials>> CredentialSource::from_command_line_tool() const {
  if (!profile_asked_for_ && profiles_.count(profile_) == 0) return std::nullopt;  // nothing that it could know
  const auto output =
      surroundings_.run({"aws", "configure", "export-credentials", "--profile", profile_, "--format", "process"});
  if (!output && output.error().message.find("Invalid choice") != std::string::npos)
    return Error{"the AWS CLI here has no `aws configure export-credentials`: version 2 has"};
  if (!output) return Error{fmt::format("aws configure export-credentials: {}", output.error().message)};
  auto found = parse_credentials(*output, "profile " + profile_ + " by the AWS CLI");
  if (!found) return Error{"aws configure export-credentials gave no credentials"};
  return *found;
}

/// ECS, CodeBuild and EKS pod identities.
std::optional<FoundCredentials> CredentialSource::from_container() const {
  std::string url = surroundings_.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const std::string relative = surroundings_.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (!relative.empty()) url = "http://169.254.170.2" + relative;
  if (url.empty()) return std::nullopt;
  HttpRequest request;
  request.url = url;
  std::string token = surroundings_.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const auto file = surroundings_.read_file(surroundings_.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))) {
    token = stripped(*file);
  }
  if (!token.empty()) request.headers = {{"Authorization", token}};
  request.timeout = std::chrono::seconds(3);
  const auto response = surroundings_.send(request);
  if (!response || response->status != 200) return std::nullopt;
  return parse_credentials(response->body, "the container's role");
}

std::optional<FoundCredentials> CredentialSource::from_metadata() const {
  const auto document = role_of_metadata(surroundings_);
  return document ? parse_credentials(*document, "the instance's role") : std::nullopt;
}

}  // namespace rr::deploy
