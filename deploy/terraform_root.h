#pragma once
// A root of Terraform in this checkout, given the settings; run as a child process, whose output and exit code stay its
// own.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "deploy/context.h"

namespace rr::deploy {

/// Ready to be run. Terraform keeps its own files per environment, so that two environments of one checkout never meet.
struct Root {
  std::string folder;
  std::string variables_file;
  std::vector<std::string> backend;  // flags of init
  std::map<std::string, std::string> variables;
  bool colours = false;
};

struct Opened {
  std::unique_ptr<Context> context;
  Settings settings;  // with the account in their names
  Root root;
};

/// `below`: "" for the tier, "/bootstrap". Refused: no checkout, no terraform, another account than the settings'.
Result<Opened> open_root(const Arguments& arguments, const std::string& below);

/// Terraform's exit code.
int terraform(const Root& root, std::vector<std::string> words);
int init(const Root& root);

/// The words of a command with the settings' variables, `flags`, and what stands behind --.
std::vector<std::string> with_variables(const Root& root, std::vector<std::string> words,
                                        const std::vector<std::string>& flags, const Arguments& arguments);

}  // namespace rr::deploy
