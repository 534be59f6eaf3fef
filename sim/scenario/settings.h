#pragma once
// Everything that can be set about a tier, and the one file it is written in. A flag and a key of the file go through
// the same field, so they accept and refuse the same values in the same words.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/address.h"
#include "lb/base/result.h"
#include "sim/cloud/region.h"
#include "sim/world/ground.h"
#include "sim/world/process_world.h"

namespace rr::sim {

struct TierSettings {
  Address listen = Address::v4(127, 0, 0, 1, 8080);
  std::optional<GroundKind> ground;  // none: the best that the kernel allows
  double load = 0;                   // open-loop requests a second from the start
  std::string app;                   // command of the user's own program; empty: rr-webapp
  std::string app_folder;            // where it runs; empty: the current folder
  std::string commit;                // of the first image; empty: from git, else "unknown"
  std::string build;                 // of the first image; empty: the state folder's counter
  VersionFrom version_from;
  std::optional<std::uint64_t> seed;  // none: another one each time
  int desired_capacity = 2;
  RegionSettings region;  // with one listener and one target group
  GroupSettings group;

  /// The tier as it is when nothing is said: two zones, two instances.
  TierSettings();
  TargetGroupSettings& target_group() { return region.load_balancer.target_groups.front(); }
  const TargetGroupSettings& target_group() const { return region.load_balancer.target_groups.front(); }
};

/// Collects settings from a file and from flags (flags win, in whatever order they come) and checks the whole.
class SettingsReader {
 public:
  /// Reads a YAML file. The error reads "tier.yaml:7: speed: fast: a number above 0 is right, such as 10".
  Status read_file(const std::string& file);
  /// Reads YAML that is already in memory; `name` stands in the error for the file's name.
  Status read_text(const std::string& text, const std::string& name);
  /// One value by its key ("target_group.health_check.path"); `said_as` stands in the error for the key
  /// ("--health-path").
  Status set(std::string_view key, const std::string& value, const std::string& said_as);
  /// The same for a key that a person has typed (--set KEY=VALUE): an unknown one is an error.
  Status set_by_name(const std::string& key, const std::string& value);
  /// All of it, checked as a whole (lb/policy's validate() and what concerns several keys). The error names the file's
  /// line or the flag that the broken value came from.
  Result<TierSettings> finish() const;

 private:
  TierSettings settings_;
  std::map<std::string, std::string> origin_;  // "file:line: key" or "--flag", by key
  std::map<std::string, std::string> flags_;   // raw values that were set by flags, to win over a file read later
};

/// The settings as a YAML file with a comment for every key: what `rr-sim settings` prints and the state folder keeps.
std::string write_settings(const TierSettings& settings);

}  // namespace rr::sim
