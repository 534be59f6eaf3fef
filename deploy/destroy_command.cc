// destroy: the tier, what releases wrote down, and with --all what bootstrap made.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "deploy/bucket.h"
#include "deploy/commands.h"
#include "deploy/rollout/rollout.h"
#include "deploy/terraform_root.h"

namespace rr::deploy {
namespace {

bool confirmed(Context& context, const std::string& what) {
  context.speaker.line(fmt::format("This removes {}. To go on, type the environment's name:", what), Colour::kYellow);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == context.settings.environment;
}

/// What is in the state's bucket beside this environment's own states (and their locks): somebody else's.
Result<std::set<std::string>> foreign_objects(Context& context, const Settings& settings) {
  const auto versions = list_versions(context, settings.ci.state_bucket);
  if (!versions) return versions.error();
  const std::string& key = settings.ci.state_key;
  const std::set<std::string> own = {key, key + ".tflock", "bootstrap/" + key, "bootstrap/" + key + ".tflock"};
  std::set<std::string> foreign;
  for (const ObjectVersion& one : *versions) {
    if (own.count(one.key) == 0) foreign.insert(one.key);
  }
  return foreign;
}

/// Why it must not be begun; nothing when it may.
std::optional<std::string> reason_against(Context& context, const Opened& opened, bool all, bool bucket) {
  const auto lock = ask<Lock>(context, ReadLock{});
  if (!lock) return lock.error().message;
  if (lock->job && !lock->holder_gone && lock->age < context.settings.release.lock_timeout)
    return fmt::format("{} of {} is under way", to_string(lock->job->kind), lock->job->owner);
  if (!all || !bucket) return std::nullopt;
  const auto foreign = foreign_objects(context, opened.settings);
  if (!foreign) return foreign.error().message;
  if (foreign->empty()) return std::nullopt;
  return fmt::format("bucket {} holds what is not this environment's: {}; --all would remove it",
                     opened.settings.ci.state_bucket, fmt::join(*foreign, ", "));
}

int destroy_tier(const CommandSpec& command, const Arguments& arguments, const Opened& opened) {
  Context& context = *opened.context;
  if (const int code = init(opened.root); code != 0) return code;
  if (const int code = terraform(opened.root, with_variables(opened.root, {"destroy", "-auto-approve"}, {}, arguments));
      code != 0) {
    return code;
  }
  // What releases wrote themselves is nobody else's.
  for (const std::string& name :
       {context.names.release_parameter, context.names.lock_parameter, context.names.candidate_parameter}) {
    const auto gone = context.client->call(json_call("ssm", "DeleteParameter", nlohmann::json{{"Name", name}}.dump()));
    if (!gone && gone.error().code != "ParameterNotFound") fail(command, 0, gone.error().message);
  }
  return 0;
}

/// The bucket cannot be destroyed by a root whose state lies in it: it is forgotten first, and removed last of all.
int destroy_bootstrap(const CommandSpec& command, const Arguments& arguments, bool bucket) {
  auto opened = open_root(arguments, "/bootstrap");
  if (!opened) return fail(command, kRefused, opened.error().message);
  const Root& root = opened->root;
  Context& context = *opened->context;
  if (const int code = init(root); code != 0) return code;
  const auto known = run_and_collect({"env", "TF_DATA_DIR=" + root.variables.at("TF_DATA_DIR"), "terraform",
                                      "-chdir=" + root.folder, "state", "list"});
  if (!known) return fail(command, kRefused, known.error().message);
  if (known->find("module.state.") != std::string::npos) {
    if (const int code = terraform(root, {"state", "rm", "module.state"}); code != 0) return code;
  }
  if (const int code = terraform(
          root, with_variables(root, {"destroy", "-auto-approve"}, {"-var=state_bucket_exists=false"}, arguments));
      code != 0) {
    return code;
  }
  if (!bucket) return 0;
  const std::string& name = opened->settings.ci.state_bucket;
  if (const Status removed = remove_bucket(context, name); !removed) return fail(command, 1, removed.error().message);
  context.speaker.line(fmt::format("bucket {} and the states in it are removed", name));
  return 0;
}

int run_destroy(const CommandSpec& command, const Arguments& arguments) {
  auto opened = open_root(arguments, "");
  if (!opened) return fail(command, kRefused, opened.error().message);
  Context& context = *opened->context;
  const bool all = arguments.has("--all");
  const auto bucket = bucket_is_there(context, opened->settings.ci.state_bucket);
  if (!bucket) return fail(command, kRefused, bucket.error().message);
  if (!*bucket && !opened->root.backend.empty()) {
    return fail(command, kRefused,
                fmt::format("there is no bucket {} for these credentials, so there is no state to "
                            "destroy anything by",
                            opened->settings.ci.state_bucket));
  }
  if (const auto reason = reason_against(context, *opened, all, *bucket)) return fail(command, kRefused, *reason);
  const std::string what = fmt::format("the whole tier {}{}", context.names.tier,
                                       all ? ", CI's roles, and the bucket with Terraform's state" : "");
  if (!arguments.has("--yes") && !confirmed(context, what)) {
    return fail(command, kRefused, "not confirmed; nothing was touched");
  }
  if (const int code = destroy_tier(command, arguments, *opened); code != 0) return code;
  return all ? destroy_bootstrap(command, arguments, *bucket) : 0;
}

}  // namespace

std::vector<CommandSpec> destroy_commands() {
  CommandSpec c;
  c.name = "destroy";
  c.arguments = {"ENVIRONMENT", "[-- TERRAFORM-FLAG...]"};
  c.summary = "Removes the tier and what releases wrote down.";
  c.more =
      "Terraform's output is shown as it comes, and its exit code is this command's. What it does not remove: images "
      "and their snapshots, and the service-linked roles, which are the account's.";
  c.flags = with_common_flags(
      {{"--yes", "", "do not ask"}, {"--all", "", "also what bootstrap made: CI's roles and the state's bucket"}});
  c.examples = {{"rr-deploy destroy staging", "asks for the environment's name"}};
  c.run = run_destroy;
  return {c};
}

}  // namespace rr::deploy
