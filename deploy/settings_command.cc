#include <fmt/format.h>

#include <cstdio>

#include "deploy/commands.h"
#include "deploy/context.h"
#include "deploy/rollout/rollout.h"
#include "deploy/settings/render.h"
#include "deploy/settings/schema.h"

namespace rr::deploy {
namespace {

/// "production" is this checkout's file of it, anything with a slash or a dot is a path.
std::string path_of(const std::string& word) {
  if (word.find('/') != std::string::npos || word.find('.') != std::string::npos) return word;
  return fmt::format("{}/deploy/settings/{}.yaml", find_checkout().value_or("."), word);
}

int print_all(const CommandSpec& command, const ConfigErrors& errors) {
  for (const std::string& error : errors) fail(command, kUsage, error);
  return kUsage;
}

int run_settings(const CommandSpec& command, const Arguments& arguments) {
  const std::string& verb = arguments.words()[0];
  if (verb == "schema") {
    fmt::print("{}", settings_schema());
    return 0;
  }
  if (verb != "render" && verb != "check")
    return fail(command, kUsage, fmt::format("{}: render, check or schema is right", verb));
  if (arguments.words().size() < 2) return fail(command, kUsage, "ENVIRONMENT is missing");
  const std::string path = path_of(arguments.words()[1]);
  const auto text = read_whole_file(path);
  if (!text) return fail(command, kUsage, fmt::format("{}: there is no such file, or it cannot be read", path));
  auto settings = read_settings(*text, path);
  if (!settings) return print_all(command, settings.error());
  if (verb == "check") {
    fmt::print("{}: in order\n", path);
    return 0;
  }
  const std::string wanted = arguments.value("--for");
  const auto receiver = parse_receiver(wanted);
  if (!receiver)
    return fail(command, kUsage, fmt::format("--for {}: terraform, packer, unit, sim or ci is right", wanted));
  if (arguments.has("--account")) settings = in_account(*settings, arguments.value("--account"));
  fmt::print("{}", render(*settings, *receiver));
  return 0;
}

}  // namespace

std::vector<CommandSpec> settings_commands() {
  CommandSpec c;
  c.name = "settings";
  c.arguments = {"render|check|schema", "[ENVIRONMENT]"};
  c.summary = "Prints an environment's settings in the form that a tool reads, or checks them. Needs no AWS.";
  c.flags = {{"--for", "TOOL", "render: terraform, packer, unit, sim or ci"},
             {"--account", "ID", "render: what {account} stands for"}};
  c.examples = {{"rr-deploy settings render --for terraform production", "the tfvars"},
                {"rr-deploy settings check production", "every error at once"},
                {"rr-deploy settings schema", "JSON schema, for editors"}};
  c.run = run_settings;
  return {c};
}

}  // namespace rr::deploy
