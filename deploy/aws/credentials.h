#pragma once
// Where credentials come from, in the order of AWS's own tools: the environment, web identity, the profile's keys, then
// everything that needs more than a file (SSO, assumed roles, credential processes) by asking the AWS CLI, then the
// instance's role. None is ever printed.
#include <optional>
#include <string>

#include "deploy/aws/surroundings.h"

namespace rr::deploy {

struct FoundCredentials {
  Credentials credentials;
  std::optional<Time> expires;
};

class CredentialSource {
 public:
  CredentialSource(const Surroundings& surroundings, std::string profile, bool profile_asked_for, std::string region);

  /// Kept until five minutes before they expire. The error names every place that was looked at.
  Result<Credentials> get();
  /// AWS says that they are not valid (any more): the next get() looks anew.
  void forget() { found_.reset(); }

 private:
  Result<FoundCredentials> find() const;
  std::optional<FoundCredentials> from_environment() const;
  std::optional<Result<FoundCredentials>> from_web_identity() const;
  std::optional<FoundCredentials> from_profile_keys() const;
  std::optional<Result<FoundCredentials>> from_command_line_tool() const;
  std::optional<FoundCredentials> from_container() const;
  std::optional<FoundCredentials> from_metadata() const;

  const Surroundings& surroundings_;
  std::string profile_;
  bool profile_asked_for_;
  std::string region_;
  Profiles profiles_;
  std::optional<FoundCredentials> found_;
};

/// What `aws configure export-credentials`, a container's or an instance's metadata say: AccessKeyId, SecretAccessKey,
/// SessionToken or Token, Expiration.
std::optional<FoundCredentials> parse_credentials(const std::string& json, const std::string& source);

}  // namespace rr::deploy
