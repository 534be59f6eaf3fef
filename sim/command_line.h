#pragma once
// Command lines: what a command takes as data, from which parsing, --help and the words of errors come.
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lb/base/result.h"

namespace boost::program_options {
template <class Char>
class basic_parsed_options;
}

namespace rr::sim {

struct FlagSpec {
  std::string name;   // "--speed"
  char letter = 0;    // 'd' for -d
  std::string value;  // "N"; empty: a switch
  std::string help;
  std::string key;  // the setting that it sets, if it is one
};

class Arguments {
 public:
  bool has(const std::string& flag) const { return flags_.count(flag) != 0; }
  /// The last value given, or `otherwise`.
  std::string value(const std::string& flag, const std::string& otherwise = "") const;
  const std::vector<std::string>& values(const std::string& flag) const;
  const std::vector<std::string>& positional() const { return positional_; }
  /// What stood after "--".
  const std::vector<std::string>& rest() const { return rest_; }
  bool has_rest() const { return has_rest_; }

 private:
  friend struct CommandSpec;
  std::map<std::string, std::vector<std::string>> flags_;
  std::vector<std::string> positional_;
  std::vector<std::string> rest_;
  bool has_rest_ = false;
};

struct CommandSpec {
  std::string name{};       // "az fail"
  std::string arguments{};  // "ZONE": one word for each that is needed; "[ID]" may be left out; "[-- CMD...]" allows --
  std::string summary{};    // one line
  std::string more{};       // further paragraphs of its --help
  std::vector<FlagSpec> flags{};
  std::vector<std::pair<std::string, std::string>> examples{};  // command line, what it does
  int (*run)(const CommandSpec&, const Arguments&) = nullptr;

  /// The error is one line that names what is wrong and what would be right.
  Result<Arguments> parse(const std::vector<std::string>& words) const;
  std::string help() const;

 private:
  Error unknown_flag(const std::string& word) const;
  Result<boost::program_options::basic_parsed_options<char>> parse_options(const std::vector<std::string>& words) const;
};

/// The name among `known` that `word` was most likely meant to be, if any is near.
std::optional<std::string> nearest(const std::string& word, const std::vector<std::string>& known);

/// Prints "rr-sim COMMAND: message" on standard error and returns `exit`.
int fail(const CommandSpec& command, int exit, const std::string& message);

constexpr int kExitRefused = 1;
constexpr int kExitUsage = 2;
constexpr int kExitNotStarted = 3;
constexpr int kExitRolledBack = 10;
constexpr int kExitInterrupted = 130;

}  // namespace rr::sim
