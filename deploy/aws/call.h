#pragma once
// One call of an AWS API as text, before it is signed and sent, and what its answer means. No connection here: both
// directions are functions, so every call is tested against recorded answers.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "deploy/aws/transport.h"
#include "deploy/rollout/command.h"
#include "lb/base/result.h"

namespace rr::deploy {

struct ApiCall {
  std::string service;  // as the credential scope has it
  std::string action;
  HttpRequest request;  // its url is only the path, "/"
  /// May be sent again when it is not known whether it arrived.
  bool repeatable = true;
};

using Parameters = std::vector<std::pair<std::string, std::string>>;

/// The query protocol (Auto Scaling, EC2, Elastic Load Balancing, CloudWatch, STS, IAM).
ApiCall query_call(const std::string& service, const std::string& action, const Parameters& parameters);
/// The JSON protocol (SSM, CloudWatch Logs, Service Quotas).
ApiCall json_call(const std::string& service, const std::string& action, const std::string& body);

/// S3, in path style (`path` begins with the bucket): that works with every bucket's name, and with endpoints that are
/// no AWS. The payload is not signed unless the caller sets x-amz-content-sha256.
ApiCall s3_call(const std::string& action, const std::string& method, const std::string& path);

/// What went wrong, out of an answer that is none of success: the three shapes of errors that AWS has, or the status
/// alone.
Failure read_failure(const ApiCall& call, const HttpResponse& response);
/// The kind of an error by its code and the status.
Failure::Kind kind_of(const std::string& code, int status);

/// "AutoScalingGroupNames.member.1" for the query protocol, "ImageId.1" for EC2's: adds a list's items.
void add_list(Parameters& parameters, const std::string& prefix, const std::vector<std::string>& items);

}  // namespace rr::deploy
