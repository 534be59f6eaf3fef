#include "deploy/aws/surroundings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <sstream>

#include "deploy/aws/metadata.h"
#include "deploy/settings/partition.h"

namespace rr::deploy {
namespace {

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string file_of(const Surroundings& surroundings, const char* variable, const char* usual) {
  const std::string said = surroundings.variable(variable);
  return said.empty() ? surroundings.variable("HOME") + usual : said;
}

std::string key_of(const Profiles& profiles, const std::string& profile, const std::string& key) {
  const auto found = profiles.find(profile);
  if (found == profiles.end()) return "";
  const auto value = found->second.find(key);
  return value == found->second.end() ? "" : value->second;
}

/// The name in AWS_ENDPOINT_URL_..., which is the service's id, and the first part of its host.
struct ServiceName {
  const char* scope;
  const char* variable;
  const char* host;
};
constexpr ServiceName kServices[] = {
    {"autoscaling", "AUTO_SCALING", "autoscaling"},
    {"ec2", "EC2", "ec2"},
    {"elasticloadbalancing", "ELASTIC_LOAD_BALANCING_V2", "elasticloadbalancing"},
    {"iam", "IAM", "iam"},
    {"logs", "CLOUDWATCH_LOGS", "logs"},
    {"monitoring", "CLOUDWATCH", "monitoring"},
    {"s3", "S3", "s3"},
    {"servicequotas", "SERVICE_QUOTAS", "servicequotas"},
    {"ssm", "SSM", "ssm"},
    {"sts", "STS", "sts"},
};

std::string own_host(const ServiceName& service, const std::string& region) {
  const auto partition = partition_of(region);
  RR_CHECK(partition, "find_region() lets no other through");
  if (std::string(service.scope) == "iam") return "https://" + partition->iam_host;
  return fmt::format("https://{}.{}.{}", service.host, region, partition->domain);
}

}  // namespace

void parse_profiles(const std::string& text, bool prefixed, Profiles& into) {
  std::istringstream lines(text);
  std::string section;
  for (std::string raw; std::getline(lines, raw);) {
    const std::string line = trimmed(raw);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') {
      section = trimmed(line.substr(1, line.find(']') - 1));
      if (prefixed && section.rfind("profile ", 0) == 0) {
        section = trimmed(section.substr(8));
      } else if (prefixed && section != "default") {
        section.clear();  // [sso-session ...], [services ...]: the AWS CLI reads those
      }
      continue;
    }
    const std::size_t equals = line.find('=');
    // What is indented belongs to a nested setting.
    if (section.empty() || equals == std::string::npos || raw[0] == ' ' || raw[0] == '\t') continue;
    into[section][trimmed(line.substr(0, equals))] = trimmed(line.substr(equals + 1));
  }
}

Profiles read_profiles(const Surroundings& surroundings) {
  Profiles profiles;
  if (const auto text = surroundings.read_file(file_of(surroundings, "AWS_CONFIG_FILE", "/.aws/config"))) {
    parse_profiles(*text, true, profiles);
  }
  if (const auto text =
          surroundings.read_file(file_of(surroundings, "AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials"))) {
    parse_profiles(*text, false, profiles);
  }
  return profiles;
}

std::string profile_name(const Surroundings& surroundings, const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  const std::string said = surroundings.variable("AWS_PROFILE");
  return said.empty() ? "default" : said;
}

Result<std::string> find_region(const Surroundings& surroundings, const Profiles& profiles, const std::string& profile,
                                const std::string& wanted) {
  for (const std::string& region : {wanted, surroundings.variable("AWS_REGION"),
                                    surroundings.variable("AWS_DEFAULT_REGION"), key_of(profiles, profile, "region")}) {
    if (region.empty()) continue;
    if (region.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
      return Error{
          fmt::format("region '{}': a region such as us-east-1 is right", region)};  // not a setting: an example
    if (!partition_of(region)) return Error{fmt::format("region {}: {}", region, kKnownPartitions)};
    return region;
  }
  if (const auto region = region_of_metadata(surroundings); region && partition_of(*region)) return *region;
  return Error{
      fmt::format("no region: --region, AWS_REGION, or `region` of profile {} in ~/.aws/config says which", profile)};
}

std::string endpoint_of(const Surroundings& surroundings, const Profiles& profiles, const std::string& profile,
                        const std::string& service, const std::string& region) {
  const auto* known = std::find_if(std::begin(kServices), std::end(kServices),
                                   [&](const ServiceName& one) { return service == one.scope; });
  RR_CHECK(known != std::end(kServices), "a service without a row");
  std::string url;
  if (surroundings.variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") != "true") {
    for (const std::string& said :
         {surroundings.variable(std::string("AWS_ENDPOINT_URL_") + known->variable),
          surroundings.variable("AWS_ENDPOINT_URL"), key_of(profiles, profile, "endpoint_url")}) {
      if (url.empty()) url = said;
    }
  }
  if (url.empty()) url = own_host(*known, region);
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

}  // namespace rr::deploy
