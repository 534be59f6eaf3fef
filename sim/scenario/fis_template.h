#pragma once
// A list of faults as an experiment template of the AWS Fault Injection Service: the same game day, on AWS.
// https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
#include <string>
#include <string_view>
#include <vector>

#include "sim/world/fault.h"

namespace rr::sim {

/// One line of a list of faults: a fault, or a shift of traffic away from a zone.
struct FaultStep {
  Duration at{};  // after the experiment's begin
  bool zonal_shift = false;
  Fault fault;  // of a shift only its target, a zone, and how long it lasts
};

/// Reads YAML (or JSON, which is YAML):
///
///     faults:
///       - {fault: power-loss, target: eu-west-1b, for: 10m}
///       - {at: 5m, fault: zonal-shift, target: eu-west-1b, for: 25m}
///       - {fault: latency, target: i-0a1b2c3d, amount: 200ms, for: 5m}
///
/// The error has a line for each thing that is wrong, with file and line.
Result<std::vector<FaultStep>> read_fault_list(std::string_view text, const std::string& file);

struct FisSettings {
  std::string tag_key = "App";  // what the experiment may touch carries it
  std::string tag_value = "round-robin";
  std::string role_arn;  // empty: a placeholder, and it is said
  int target_port = 80;  // of the instances
};

struct FisTemplate {
  std::string json;                   // for: aws fis create-experiment-template --cli-input-json file://...
  std::vector<std::string> warnings;  // what it does not say, or says otherwise
  int actions = 0;
};
FisTemplate fis_template(const std::vector<FaultStep>& steps, const FisSettings& settings);

}  // namespace rr::sim
