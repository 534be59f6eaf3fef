#pragma once
// What a program may know of the machine that it runs on, as values and functions: so that where credentials come from
// can be tested without a machine.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deploy/aws/transport.h"
#include "lb/base/result.h"
#include "lb/base/time.h"

namespace rr::deploy {

struct Surroundings {
  std::map<std::string, std::string> environment;
  /// The content of a file; nothing when it is not there or not readable.
  std::function<std::optional<std::string>(const std::string& path)> read_file;
  /// Runs a program and gives its standard output; an error with the last line of its standard error otherwise.
  std::function<Result<std::string>(const std::vector<std::string>& words)> run;
  Send send;
  std::function<Time()> now;

  /// Of a variable; empty when it is not set.
  std::string variable(const std::string& name) const {
    const auto found = environment.find(name);
    return found == environment.end() ? "" : found->second;
  }
};

/// ~/.aws/config and ~/.aws/credentials, or where the environment says they are: profile -> key -> value.
using Profiles = std::map<std::string, std::map<std::string, std::string>>;
Profiles read_profiles(const Surroundings& surroundings);

/// "[default]" and "[profile staging]" of the config file (where `prefixed`), "[staging]" of the credentials file.
/// Lines that are no key or section are skipped, as the AWS CLI does.
void parse_profiles(const std::string& text, bool prefixed, Profiles& into);

/// --profile, AWS_PROFILE, or "default".
std::string profile_name(const Surroundings& surroundings, const std::string& wanted);

/// AWS_REGION, AWS_DEFAULT_REGION, the profile, the instance's metadata; `wanted` before them all. The error names
/// them.
Result<std::string> find_region(const Surroundings& surroundings, const Profiles& profiles, const std::string& profile,
                                const std::string& wanted);

/// Where a service is: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's endpoint_url, AWS's own host.
/// `service` as the credential scope has it ("autoscaling", "monitoring"). No slash at the end.
/// AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is honoured.
std::string endpoint_of(const Surroundings& surroundings, const Profiles& profiles, const std::string& profile,
                        const std::string& service, const std::string& region);

}  // namespace rr::deploy
