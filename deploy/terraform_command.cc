// plan, apply and bootstrap: what there is comes to be as the settings say.
#include <fmt/format.h>

#include "deploy/bucket.h"
#include "deploy/commands.h"
#include "deploy/image_choice.h"
#include "deploy/rollout/rollout.h"
#include "deploy/settings/render.h"
#include "deploy/terraform_root.h"

namespace rr::deploy {
namespace {

/// The first apply needs an image that serves: without one the group would replace its instances for ever. Later ones
/// need none, because releases own the image from then on.
Result<std::vector<std::string>> image_flags(Context& context, const Arguments& arguments) {
  const auto tier = find_tier(context, "");
  if (!tier) return tier.error();
  if (tier->group && !arguments.has("--image")) return std::vector<std::string>();
  auto chosen = choose_image(context, arguments.value("--image"));
  if (!chosen) return chosen.error();
  if (const Status fits = check_image(context, *chosen); !fits) return fits.error();
  return std::vector<std::string>{"-var=initial_image_id=" + *chosen};
}

int run_plan(const CommandSpec& command, const Arguments& arguments) {
  auto opened = open_root(arguments, "");
  if (!opened) return fail(command, kRefused, opened.error().message);
  const auto image = image_flags(*opened->context, arguments);
  if (!image) return fail(command, kRefused, image.error().message);
  if (const int code = init(opened->root); code != 0) return code;
  std::vector<std::string> words = {"plan", "-lock=false"};
  if (arguments.has("--detailed-exit-code")) words.emplace_back("-detailed-exitcode");
  return terraform(opened->root, with_variables(opened->root, words, *image, arguments));
}

int run_apply(const CommandSpec& command, const Arguments& arguments) {
  auto opened = open_root(arguments, "");
  if (!opened) return fail(command, kRefused, opened.error().message);
  const auto image = image_flags(*opened->context, arguments);
  if (!image) return fail(command, kRefused, image.error().message);
  if (const int code = init(opened->root); code != 0) return code;
  std::vector<std::string> words = {"apply"};
  if (arguments.has("--yes")) words.emplace_back("-auto-approve");
  return terraform(opened->root, with_variables(opened->root, words, *image, arguments));
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
  if (arguments.has("--repo") && arguments.value("--repo").find('/') == std::string::npos)
    return fail(command, kUsage, fmt::format("--repo {}: ORG/NAME is right", arguments.value("--repo")));
  auto opened = open_root(arguments, "/bootstrap");
  if (!opened) return fail(command, kRefused, opened.error().message);
  Context& context = *opened->context;
  if (arguments.has("--repo")) {
    opened->settings.ci.repository = arguments.value("--repo");
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
          terraform(opened->root, with_variables(opened->root, words, {"-var=state_bucket_exists=true"}, arguments));
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
           {image, yes}, run_apply, {{"rr-deploy apply production", "asks before it changes anything"}})};
}

}  // namespace rr::deploy
