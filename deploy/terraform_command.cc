// plan, apply, destroy and bootstrap: Terraform as a child process, given the settings; its output and exit code stay
// its own.
#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "deploy/commands.h"
#include "deploy/context.h"
#include "deploy/image_choice.h"
#include "deploy/rollout/rollout.h"
#include "deploy/settings/render.h"

namespace rr::deploy {
namespace {

/// A root of Terraform, ready to be run.
struct Root {
  std::string folder;
  std::string variables_file;
  std::vector<std::string> backend;  // flags of init
  std::map<std::string, std::string> variables;
  bool colours = false;
};

Result<std::string> need_checkout(const Context& context) {
  const auto checkout = find_checkout();
  if (!checkout) return Error{"this needs a checkout of the repository: terraform/ is part of it"};
  if (!find_program("terraform")) {
    return Error{"terraform is not installed; ci/tools installs the version that this repository is tested with"};
  }
  static_cast<void>(context);
  return *checkout;
}

/// The account, so that names with {account} are complete; a wrong one is refused before anything is begun.
Result<Settings> settled(Context& context) {
  const auto identity = ask<Identity>(context, GetCallerIdentity{});
  if (!identity) return identity.error();
  const std::string& wanted = context.settings.aws.account;
  if (!wanted.empty() && wanted != identity->account) {
    return Error{fmt::format("these credentials are of account {} ({}); the settings say {}", identity->account,
                             identity->arn, wanted)};
  }
  return in_account(context.settings, identity->account);
}

/// Terraform keeps its own files per environment, so that two environments of one checkout never meet.
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

int terraform(const Root& root, std::vector<std::string> words) {
  if (!root.colours) words.insert(words.begin() + 1, "-no-color");
  words.insert(words.begin(), {"terraform", "-chdir=" + root.folder});
  return run_attached(words, "", root.variables);
}

int init(const Root& root) {
  std::vector<std::string> words = {"init", "-input=false", "-reconfigure"};
  words.insert(words.end(), root.backend.begin(), root.backend.end());
  return terraform(root, std::move(words));
}

struct Opened {
  std::unique_ptr<Context> context;
  Settings settings;
  Root root;
};

Result<Opened> open_root(const Arguments& arguments, const std::string& below) {
  Opened opened;
  auto context = open_context(arguments);
  if (!context) return context.error();
  opened.context = std::move(*context);
  const auto checkout = need_checkout(*opened.context);
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

/// The first apply needs an image that serves: without one the group would replace its instances for ever. Later ones
/// need none, because releases own the image from then on.
Result<std::vector<std::string>> image_flags(Context& context, const Arguments& arguments) {
  const auto tier = find_tier(context, "");
  if (!tier) return tier.error();
  if (tier->group && !arguments.has("--image")) return std::vector<std::string>();
  auto chosen = choose_image(context, arguments.value("--image"));
  if (!chosen) return chosen.error();
  return std::vector<std::string>{"-var=initial_image_id=" + *chosen};
}

std::vector<std::string> with_variables(const Opened& opened, std::vector<std::string> words,
                                        const std::vector<std::string>& flags, const Arguments& arguments) {
  words.push_back("-input=false");
  words.push_back("-var-file=" + opened.root.variables_file);
  words.insert(words.end(), flags.begin(), flags.end());
  words.insert(words.end(), arguments.rest().begin(), arguments.rest().end());
  return words;
}

int run_plan(const CommandSpec& command, const Arguments& arguments) {
  auto opened = open_root(arguments, "");
  if (!opened) return fail(command, kRefused, opened.error().message);
  const auto image = image_flags(*opened->context, arguments);
  if (!image) return fail(command, kRefused, image.error().message);
  if (const int code = init(opened->root); code != 0) return code;
  std::vector<std::string> words = {"plan", "-lock=false"};
  if (arguments.has("--detailed-exit-code")) words.emplace_back("-detailed-exitcode");
  return terraform(opened->root, with_variables(*opened, words, *image, arguments));
}

int run_apply(const CommandSpec& command, const Arguments& arguments) {
  auto opened = open_root(arguments, "");
  if (!opened) return fail(command, kRefused, opened.error().message);
  const auto image = image_flags(*opened->context, arguments);
  if (!image) return fail(command, kRefused, image.error().message);
  if (const int code = init(opened->root); code != 0) return code;
  std::vector<std::string> words = {"apply"};
  if (arguments.has("--yes")) words.emplace_back("-auto-approve");
  return terraform(opened->root, with_variables(*opened, words, *image, arguments));
}

bool confirmed(Context& context, const std::string& what) {
  context.speaker.line(fmt::format("This removes {}. To go on, type the environment's name:", what), Colour::kYellow);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == context.settings.environment;
}

int run_destroy(const CommandSpec& command, const Arguments& arguments) {
  auto opened = open_root(arguments, "");
  if (!opened) return fail(command, kRefused, opened.error().message);
  Context& context = *opened->context;
  const auto lock = ask<Lock>(context, ReadLock{});
  if (!lock) return fail(command, kRefused, lock.error().message);
  // not a setting: the lease of a lock (deploy/rollout/plan.h)
  if (lock->job && !lock->holder_gone && lock->age < std::chrono::minutes(1)) {
    return fail(command, kRefused, fmt::format("{} of {} is under way", to_string(lock->job->kind), lock->job->owner));
  }
  if (!arguments.has("--yes") && !confirmed(context, "the whole tier " + context.names.tier)) {
    return fail(command, kRefused, "not confirmed; nothing was touched");
  }
  if (const int code = init(opened->root); code != 0) return code;
  if (const int code = terraform(opened->root, with_variables(*opened, {"destroy", "-auto-approve"}, {}, arguments));
      code != 0) {
    return code;
  }
  // What releases wrote themselves is nobody else's.
  for (const std::string& name :
       {context.names.release_parameter, context.names.lock_parameter, context.names.candidate_parameter}) {
    const auto gone = context.client->call(json_call("ssm", "DeleteParameter", nlohmann::json{{"Name", name}}.dump()));
    if (!gone && gone.error().code != "ParameterNotFound") fail(command, 0, gone.error().message);
  }
  if (!arguments.has("--all")) return 0;
  auto bootstrap = open_root(arguments, "/bootstrap");
  if (!bootstrap) return fail(command, kRefused, bootstrap.error().message);
  if (const int code = init(bootstrap->root); code != 0) return code;
  return terraform(bootstrap->root, with_variables(*bootstrap, {"destroy", "-auto-approve"}, {}, arguments));
}

/// The empty bucket that Terraform's state lies in, its own too. True when it was there.
Result<bool> make_bucket(Context& context, const std::string& bucket) {
  ApiCall create;
  create.service = "s3";
  create.action = "CreateBucket";
  create.request.method = "PUT";
  create.request.url = "/" + bucket;
  create.request.headers = {{"Content-Type", "application/xml"}, {"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}};
  // not a setting: the one region whose buckets have no location, by the S3 API
  if (context.client->region() != "us-east-1") {
    create.request.body = fmt::format(
        "<CreateBucketConfiguration "
        "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>{}</LocationConstraint>"
        "</CreateBucketConfiguration>",
        context.client->region());
  }
  const auto made = context.client->call(create);
  if (made) return false;
  if (made.error().code == "BucketAlreadyOwnedByYou") return true;
  if (made.error().code == "BucketAlreadyExists") {
    return Error{fmt::format("bucket {} belongs to somebody else: ci.state_bucket needs another name", bucket)};
  }
  return Error{made.error().message};
}

/// Auto Scaling and Elastic Load Balancing make their roles when they are used first, if whoever uses them may;
/// releases may not, so an administrator does.
void make_service_roles(Context& context) {
  for (const char* service : {"autoscaling.amazonaws.com", "elasticloadbalancing.amazonaws.com"}) {
    const auto made = context.client->call(query_call("iam", "CreateServiceLinkedRole", {{"AWSServiceName", service}}));
    if (made) {
      context.speaker.line(fmt::format("made the service-linked role of {}", service));
    } else if (made.error().code != "InvalidInput") {  // it is there
      context.speaker.line(fmt::format("the service-linked role of {}: {}", service, made.error().message),
                           Colour::kYellow);
    }
  }
}

int run_bootstrap(const CommandSpec& command, const Arguments& arguments) {
  auto opened = open_root(arguments, "/bootstrap");
  if (!opened) return fail(command, kRefused, opened.error().message);
  Context& context = *opened->context;
  if (arguments.has("--repo")) {
    opened->settings.ci.repository = arguments.value("--repo");
    if (opened->settings.ci.repository.find('/') == std::string::npos)
      return fail(command, kUsage, "--repo: ORG/NAME is right");
    if (const Status written = write_whole_file(opened->root.variables_file, render_terraform(opened->settings));
        !written) {
      return fail(command, kRefused, written.error().message);
    }
  }
  const auto there = make_bucket(context, opened->settings.ci.state_bucket);
  if (!there) return fail(command, kRefused, there.error().message);
  context.speaker.line(
      fmt::format("the state's bucket {} {}", opened->settings.ci.state_bucket, *there ? "is there" : "is made"));
  make_service_roles(context);
  if (const int code = init(opened->root); code != 0) return code;
  std::vector<std::string> words = {"apply"};
  if (arguments.has("--yes")) words.emplace_back("-auto-approve");
  if (const int code =
          terraform(opened->root, with_variables(*opened, words, {"-var=state_bucket_exists=true"}, arguments));
      code != 0) {
    return code;
  }
  context.speaker.line("Variables for CI (GitHub: Settings, Secrets and variables, Actions, Variables):",
                       Colour::kBlue);
  fmt::print("{}", render_ci(opened->settings));
  return 0;
}

CommandSpec spec(const char* name, const char* summary, std::vector<FlagSpec> flags,
                 int (*run)(const CommandSpec&, const Arguments&),
                 std::vector<std::pair<std::string, std::string>> examples) {
  CommandSpec c;
  c.name = name;
  c.arguments = {"ENVIRONMENT", "[-- TERRAFORM-FLAG...]"};
  c.summary = summary;
  c.more = "Terraform's output is shown as it comes, and its exit code is this command's.";
  c.flags = with_common_flags(std::move(flags));
  c.examples = std::move(examples);
  c.run = run;
  return c;
}

}  // namespace

std::vector<CommandSpec> terraform_commands() {
  const FlagSpec yes{"--yes", "", "do not ask"};
  const FlagSpec image{"--image", "AMI", "of the first instances (default: the one baked last)"};
  return {
      spec("bootstrap",
           "What an account needs once: the state's bucket, CI's roles, service-linked roles. Administrators only; "
           "repeatable.",
           {{"--repo", "ORG/NAME", "the repository that CI runs for (default: the settings')"}, yes}, run_bootstrap,
           {{"rr-deploy bootstrap production --repo acme/shop", "prints the variables for CI at the end"}}),
      spec("plan", "What `apply` would change. Takes no lock and changes nothing.",
           {image, {"--detailed-exit-code", "", "2 when there are changes"}}, run_plan,
           {{"rr-deploy plan production", ""}}),
      spec("apply", "Makes the tier as the settings say. Releases are not its business: the image stays what it is.",
           {image, yes}, run_apply, {{"rr-deploy apply production", "asks before it changes anything"}}),
      spec("destroy", "Removes the tier and what releases wrote down.",
           {yes, {"--all", "", "also what bootstrap made (the last environment of an account only)"}}, run_destroy,
           {{"rr-deploy destroy staging", "asks for the environment's name"}})};
}

}  // namespace rr::deploy
