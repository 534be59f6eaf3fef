// rr-deploy: builds, releases and takes back a tier on AWS. The table of commands; each noun has its own file.
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <vector>

#include "deploy/commands.h"
#include "deploy/rollout/rollout.h"
#include "rr_version.h"

namespace rr::deploy {
namespace {

std::vector<CommandSpec> all_commands() {
  std::vector<CommandSpec> all;
  for (auto* some : {pipeline_commands, doctor_commands, terraform_commands, destroy_commands, image_commands,
                     release_commands, watch_commands, status_commands, instance_commands, settings_commands}) {
    for (CommandSpec& command : some()) all.push_back(std::move(command));
  }
  return all;
}

int print_overview() {
  fmt::print(
      "rr-deploy COMMAND ENVIRONMENT [FLAGS]\n"
      "a two-zone tier on AWS, from the first bucket to the last rollback\n\n");
  for (const CommandSpec& command : all_commands())
    fmt::print("{}\n", wrapped(fmt::format("  {:<10} {}", command.name, command.summary), 13));
  fmt::print(
      "\n{}\n",
      wrapped("rr-deploy COMMAND --help tells more. An environment is a file: deploy/settings/ENVIRONMENT.yaml\n\n"
              "Exit status: 0 done, 1 the answer is no, 2 wrong use, 3 refused and nothing touched, 10 not "
              "released and all is as before, 11 it could not be taken back, 130 interrupted.",
              0));
  return 0;
}

int unknown_command(const std::string& word) {
  std::vector<std::string> known;
  for (const CommandSpec& command : all_commands()) known.push_back(command.name);
  const auto meant = nearest(word, known);
  fmt::print(stderr, "rr-deploy: {}: there is no such command; {}`rr-deploy --help` lists them\n", word,
             meant ? fmt::format("is {} meant? ", *meant) : "");
  return kUsage;
}

bool wants_help(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") return false;
    if (word == "--help" || word == "-h") return true;
  }
  return false;
}

int dispatch(const std::vector<std::string>& words) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") return print_overview();
  if (words[0] == "--version") {
    fmt::print("rr-deploy {}\n", RR_VERSION);
    return 0;
  }
  for (const CommandSpec& command : all_commands()) {
    if (command.name != words[0]) continue;
    const std::vector<std::string> rest(words.begin() + 1, words.end());
    if (wants_help(rest)) {
      fmt::print("{}", command.help());
      return 0;
    }
    const auto arguments = command.parse(rest);
    if (!arguments) return fail(command, kUsage, arguments.error().message);
    return command.run(command, *arguments);
  }
  return unknown_command(words[0]);
}

}  // namespace
}  // namespace rr::deploy

int main(int argc, char** argv) { return rr::deploy::dispatch(std::vector<std::string>(argv + 1, argv + argc)); }
