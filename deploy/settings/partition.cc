#include "deploy/settings/partition.h"

#include <fmt/format.h>

namespace rr::deploy {

const char* const kKnownPartitions = "a region of the partition aws, aws-cn or aws-us-gov is right";

std::optional<Partition> partition_of(const std::string& region) {
  const auto begins = [&](const char* prefix) { return region.starts_with(prefix); };
  // not a setting: where IAM is at home, by partition
  if (begins("cn-")) return Partition{"aws-cn", "amazonaws.com.cn", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"};
  // not a setting: likewise
  if (begins("us-gov-")) return Partition{"aws-us-gov", "amazonaws.com", "iam.us-gov.amazonaws.com", "us-gov-west-1"};
  if (begins("us-iso") || begins("eu-iso") || begins("eusc-")) return std::nullopt;
  // not a setting: likewise
  return Partition{"aws", "amazonaws.com", "iam.amazonaws.com", "us-east-1"};
}

std::string role_arn(const std::string& region, const std::string& account, const std::string& role) {
  const auto partition = partition_of(region);
  return fmt::format("arn:{}:iam::{}:role/{}", partition ? partition->name : "aws", account, role);
}

}  // namespace rr::deploy
