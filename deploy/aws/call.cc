#include "deploy/aws/call.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "deploy/aws/xml.h"

namespace rr::deploy {
namespace {

struct Api {
  const char* service;
  const char* version;  // of the query protocol
  const char* target;   // of the JSON protocol
};
constexpr Api kApis[] = {
    {"autoscaling", "2011-01-01", ""}, {"ec2", "2016-11-15", ""},     {"elasticloadbalancing", "2015-12-01", ""},
    {"monitoring", "2010-08-01", ""},  {"sts", "2011-06-15", ""},     {"iam", "2010-05-08", ""},
    {"ssm", "", "AmazonSSM"},          {"logs", "", "Logs_20140328"}, {"servicequotas", "", "ServiceQuotasV20190624"},
};

const Api& api_of(const std::string& service) {
  const auto* found =
      std::find_if(std::begin(kApis), std::end(kApis), [&](const Api& api) { return service == api.service; });
  RR_CHECK(found != std::end(kApis), "a service without a row");
  return *found;
}

bool among(const std::string& code, std::initializer_list<const char*> codes) {
  return std::any_of(codes.begin(), codes.end(), [&](const char* one) { return code == one; });
}

/// "ExpiredTokenException" of "com.amazon.coral.service#ExpiredTokenException:http://...".
std::string bare_code(std::string code) {
  if (const std::size_t hash = code.find('#'); hash != std::string::npos) code = code.substr(hash + 1);
  return code.substr(0, code.find(':'));
}

struct Said {
  std::string code;
  std::string message;
};

Said said_in_json(const std::string& body) {
  const auto document = nlohmann::json::parse(body, nullptr, false);
  if (!document.is_object()) return {};
  const auto text = [&](std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
      if (document.contains(key) && document[key].is_string()) return document[key].get<std::string>();
    }
    return std::string();
  };
  return {bare_code(text({"__type", "code"})), text({"message", "Message"})};
}

/// <ErrorResponse><Error>, <Response><Errors><Error>, S3's <Error>.
Said said_in_xml(const std::string& body) {
  const Xml root = Xml::parse(body);
  for (const Xml& error : {root.at("Error"), root.at("Errors").at("Error"), root}) {
    if (!error.text("Code").empty()) return {error.text("Code"), error.text("Message")};
  }
  return {};
}

}  // namespace

ApiCall query_call(const std::string& service, const std::string& action, const Parameters& parameters) {
  ApiCall call;
  call.service = service;
  call.action = action;
  call.request.method = "POST";
  call.request.url = "/";
  call.request.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  call.request.body = fmt::format("Action={}&Version={}", action, api_of(service).version);
  for (const auto& [name, value] : parameters) {
    call.request.body += fmt::format("&{}={}", name, percent_encoded(value));
  }
  return call;
}

ApiCall json_call(const std::string& service, const std::string& action, const std::string& body) {
  ApiCall call;
  call.service = service;
  call.action = action;
  call.request.method = "POST";
  call.request.url = "/";
  call.request.headers = {{"Content-Type", "application/x-amz-json-1.1"},
                          {"X-Amz-Target", fmt::format("{}.{}", api_of(service).target, action)}};
  call.request.body = body;
  return call;
}

Failure::Kind kind_of(const std::string& code, int status) {
  if (among(code,
            {"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
             "RequestLimitExceeded", "TooManyRequestsException", "EC2ThrottledException", "SlowDown",
             "PriorRequestNotComplete", "TransactionInProgressException", "BandwidthLimitExceeded", "RequestTimeout",
             "RequestTimeoutException", "InternalFailure", "InternalError", "ServiceUnavailable", "Unavailable"})) {
    return Failure::Kind::kTransient;
  }
  if (among(code,
            {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "InvalidAccessKeyId",
             "UnrecognizedClientException", "AuthFailure", "SignatureDoesNotMatch", "InvalidSignatureException",
             "IncompleteSignature", "MissingAuthenticationToken", "TokenRefreshRequired"})) {
    return Failure::Kind::kExpired;
  }
  if (among(code,
            {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "OptInRequired", "NotAuthorized"})) {
    return Failure::Kind::kDenied;
  }
  // Auto Scaling says with a 500 that it is busy with the group; that is an answer, not a breakdown.
  if (among(code, {"ResourceContention", "ResourceContentionFault"})) return Failure::Kind::kRefused;
  return status >= 500 || status == 429 ? Failure::Kind::kTransient : Failure::Kind::kRefused;
}

ApiCall s3_call(const std::string& action, const std::string& method, const std::string& path) {
  ApiCall call;
  call.service = "s3";
  call.action = action;
  call.request.method = method;
  call.request.url = path;
  call.request.headers = {{"Content-Type", "application/xml"}, {"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}};
  return call;
}

Failure read_failure(const ApiCall& call, const HttpResponse& response) {
  const std::size_t first = response.body.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string::npos && response.body[first] == '{';
  const Said said = is_json ? said_in_json(response.body) : said_in_xml(response.body);
  Failure failure;
  failure.code = said.code;
  failure.kind = kind_of(said.code, response.status);
  if (said.code.empty()) {
    failure.message = fmt::format("{} of {} answered HTTP {} with nothing that AWS would say", call.action,
                                  call.service, response.status);
  } else {
    failure.message = fmt::format("{}: {}{}{}", call.action, said.code, said.message.empty() ? "" : ": ", said.message);
  }
  return failure;
}

void add_list(Parameters& parameters, const std::string& prefix, const std::vector<std::string>& items) {
  for (std::size_t at = 0; at < items.size(); ++at) {
    parameters.emplace_back(fmt::format("{}.{}", prefix, at + 1), items[at]);
  }
}

}  // namespace rr::deploy
