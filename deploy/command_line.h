#pragma once
// Command lines: what a command takes as data, from which parsing, --help and the words of errors come.
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lb/base/result.h"

namespace rr::deploy {

struct FlagSpec {
  std::string name;   // "--image"
  std::string value;  // "AMI"; empty: a switch
  std::string help;
  char letter = 0;  // 'f' for -f
};

class Arguments {
 public:
  bool has(const std::string& flag) const { return flags_.count(flag) != 0; }
  /// The last value given, or `otherwise`.
  std::string value(const std::string& flag, const std::string& otherwise = "") const;
  const std::vector<std::string>& words() const { return words_; }
  /// What stood after "--".
  const std::vector<std::string>& rest() const { return rest_; }

 private:
  friend struct CommandSpec;
  std::map<std::string, std::string> flags_;
  std::vector<std::string> words_;
  std::vector<std::string> rest_;
};

struct CommandSpec {
  std::string name;  // "release"
  std::vector<std::string>
      arguments;        // "ENVIRONMENT"; "[ID]" may be left out; "[-- WORDS]" allows what stands after --
  std::string summary;  // one line
  std::string more;     // further paragraphs of its --help
  std::vector<FlagSpec> flags;
  std::vector<std::pair<std::string, std::string>> examples;  // command line, what it does
  int (*run)(const CommandSpec&, const Arguments&) = nullptr;

  /// The error is one line that names what is wrong and what would be right.
  Result<Arguments> parse(const std::vector<std::string>& words) const;
  std::string help() const;
};

/// The text in lines of at most 80 columns, those after the first indented; its own line ends stay.
std::string wrapped(const std::string& text, std::size_t indent);

/// The name among `known` that `word` was most likely meant to be, if any is near.
std::optional<std::string> nearest(const std::string& word, const std::vector<std::string>& known);

/// Prints "rr-deploy COMMAND: message" on standard error and returns `code`.
int fail(const CommandSpec& command, int code, const std::string& message);

/// Where to, as whom, and how to speak: what every command about an environment takes.
std::vector<FlagSpec> with_common_flags(std::vector<FlagSpec> flags);

constexpr int kExitInterrupted = 130;

}  // namespace rr::deploy
