#pragma once
// AWS is several clouds that share nothing, called partitions; a region belongs to one. Names of hosts and ARNs differ.
#include <optional>
#include <string>

namespace rr::deploy {

struct Partition {
  std::string name;        // of ARNs: "aws", "aws-cn", "aws-us-gov"
  std::string domain;      // of its services' hosts
  std::string iam_host;    // IAM is one for the whole partition,
  std::string iam_region;  // and its requests are signed for the region where it is at home
};

/// As botocore's endpoints.json has them. Nothing for a region of the isolated partitions (us-iso-..., us-isob-...,
/// eu-isoe-..., us-isof-...) and of the European sovereign one (eusc-...), which nobody could ever try this in.
std::optional<Partition> partition_of(const std::string& region);

/// What is wrong with such a region, without its name.
extern const char* const kKnownPartitions;

/// "arn:aws-cn:iam::123456789012:role/tier"; of a region without a known partition as if it were of the largest.
std::string role_arn(const std::string& region, const std::string& account, const std::string& role);

}  // namespace rr::deploy
