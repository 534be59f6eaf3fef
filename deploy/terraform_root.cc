#include "deploy/terraform_root.h"

#include <fmt/format.h>

#include <filesystem>

#include "deploy/rollout/preflight.h"
#include "deploy/settings/render.h"
#include "deploy/tool.h"

namespace rr::deploy {
namespace {

Result<std::string> need_checkout() {
  const auto checkout = find_checkout();
  if (!checkout) return Error{"this needs a checkout of the repository: terraform/ is part of it"};
  if (const Status there = need_tool("terraform"); !there) return there.error();
  return *checkout;
}

/// The account, so that names with {account} are complete; a wrong one is refused before anything is begun.
Result<Settings> settled(Context& context) {
  const auto identity = ask<Identity>(context, GetCallerIdentity{});
  if (!identity) return identity.error();
  if (const auto problem = account_problem(context.settings.aws.account, *identity)) return Error{*problem};
  return in_account(context.settings, identity->account);
}

Result<Root> prepare(Context& context, const Settings& settings, const std::string& checkout, const std::string& below,
                     const std::string& key) {
  Root root;
  root.folder = checkout + "/terraform" + below;
  const std::string own = fmt::format("{}/build/terraform/{}{}", checkout, settings.environment, below);
  std::error_code error;
  std::filesystem::create_directories(own, error);
  if (error) return Error{fmt::format("{}: {}", own, error.message())};
  root.variables_file = own + "/terraform.tfvars.json";
  if (const Status written = write_whole_file(root.variables_file, render_terraform(settings)); !written)
    return written.error();
  root.variables = context.child_variables();
  root.colours = context.speaker.terminal() && context.surroundings.variable("NO_COLOR").empty();
  root.variables["TF_DATA_DIR"] = own + "/.terraform";
  root.variables["CHECKPOINT_DISABLE"] = "1";
  root.variables["TF_IN_AUTOMATION"] = "1";
  root.backend = {"-backend-config=bucket=" + settings.ci.state_bucket, "-backend-config=key=" + key,
                  "-backend-config=region=" + context.client->region()};
  // Of an endpoint on this machine buckets are no host names.
  if (context.client->endpoint("s3").find("amazonaws.com") == std::string::npos) {
    root.backend.emplace_back("-backend-config=use_path_style=true");
  }
  // backend_override.tf is how somebody without a bucket keeps the state in a file.
  if (std::filesystem::exists(root.folder + "/backend_override.tf")) root.backend.clear();
  return root;
}

}  // namespace

int terraform(const Root& root, std::vector<std::string> words) {
  // `state` has no such flag, and no colours.
  if (!root.colours && words.front() != "state") words.insert(words.begin() + 1, "-no-color");
  words.insert(words.begin(), {"terraform", "-chdir=" + root.folder});
  return run_attached(words, "", root.variables);
}

int init(const Root& root) {
  std::vector<std::string> words = {"init", "-input=false", "-reconfigure"};
  words.insert(words.end(), root.backend.begin(), root.backend.end());
  return terraform(root, std::move(words));
}

Result<Opened> open_root(const Arguments& arguments, const std::string& below) {
  Opened opened;
  auto context = open_context(arguments);
  if (!context) return context.error();
  opened.context = std::move(*context);
  const auto checkout = need_checkout();
  if (!checkout) return checkout.error();
  auto settings = settled(*opened.context);
  if (!settings) return settings.error();
  opened.settings = std::move(*settings);
  const std::string key = below.empty() ? opened.settings.ci.state_key : "bootstrap/" + opened.settings.ci.state_key;
  auto root = prepare(*opened.context, opened.settings, *checkout, below, key);
  if (!root) return root.error();
  opened.root = std::move(*root);
  return opened;
}

std::vector<std::string> with_variables(const Root& root, std::vector<std::string> words,
                                        const std::vector<std::string>& flags, const Arguments& arguments) {
  words.push_back("-input=false");
  words.push_back("-var-file=" + root.variables_file);
  words.insert(words.end(), flags.begin(), flags.end());
  words.insert(words.end(), arguments.rest().begin(), arguments.rest().end());
  return words;
}

}  // namespace rr::deploy
