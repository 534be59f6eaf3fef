#pragma once
// Calls AWS: endpoint, signature, attempts, pages.
#include <functional>
#include <string>

#include "deploy/aws/call.h"
#include "deploy/aws/credentials.h"
#include "deploy/aws/surroundings.h"
#include "deploy/aws/wording.h"
#include "lb/base/rng.h"

namespace rr::deploy {

class Client {
 public:
  /// `sleep` waits between attempts; false: it was told to stop.
  Client(const Surroundings& surroundings, std::string profile, bool profile_asked_for, std::string region, Rng chance,
         std::function<bool(Duration)> sleep);

  /// The event that a rollout is told: a reply (all pages of it) or why there is none.
  Event perform(const Command& command, const Places& places);

  /// Any other call. A success is HTTP 2xx.
  Result<HttpResponse, Failure> call(const ApiCall& call);

  const std::string& region() const { return region_; }
  std::string endpoint(const std::string& service) const;

 private:
  Result<HttpResponse, Failure> attempt(const ApiCall& call);

  const Surroundings& surroundings_;
  std::string profile_;
  std::string region_;
  Profiles profiles_;
  CredentialSource credentials_;
  Rng chance_;
  std::function<bool(Duration)> sleep_;
};

}  // namespace rr::deploy
