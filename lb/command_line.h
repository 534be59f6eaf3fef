#pragma once
// The command line of rr-lb as a value.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lb/base/address.h"
#include "lb/base/result.h"
#include "lb/base/time.h"
#include "lb/proxy/config.h"

namespace rr {

/// Which flag set which setting, so that an error about the setting can name the flag.
struct FlagOfField {
  std::string field;  // "health_check.interval"
  std::string flag;   // "--health-interval"
};

struct CommandLine {
  bool help = false;
  bool version = false;
  NodeConfig node;
  std::optional<Endpoint> admin;
  std::optional<std::string> access_log;  // a path, or "-"; so are the others
  std::optional<std::string> connection_log;
  std::optional<std::string> health_check_log;
  Duration stop_timeout = std::chrono::seconds(30);
  int workers = 1;
  std::vector<FlagOfField> flags;
  /// What a person should know: where the command line overrides the file.
  std::vector<std::string> notes;
  bool listen_from_flag = false;
  std::optional<FileText> file;  // that --config names

  /// The error with the flag's name in place of the setting's where a flag set it, else with its place in the file.
  std::string name_the_place(const SettingError& error) const;
};

/// Reads the words after the program's name, and the file that --config names. All errors at once, a line each.
Result<CommandLine, ConfigErrors> read_command_line(const std::vector<std::string>& words);

std::string help_text();

}  // namespace rr
