// pipeline: bake, apply, release, as CI runs them; each is this program again, so it is the same by hand.
#include <fmt/format.h>

#include "deploy/commands.h"
#include "deploy/context.h"
#include "deploy/rollout/rollout.h"
#include "deploy/tool.h"

namespace rr::deploy {
namespace {

/// The words that every step is given as well.
std::vector<std::string> common_words(const Arguments& arguments) {
  std::vector<std::string> words;
  for (const char* flag : {"--settings", "--name", "--region", "--profile"}) {
    if (arguments.has(flag)) words.insert(words.end(), {flag, arguments.value(flag)});
  }
  return words;
}

int step(Context& context, const Arguments& arguments, std::vector<std::string> words) {
  context.speaker.line("== rr-deploy " + words.front(), Colour::kBlue);
  words.insert(words.begin(), "/proc/self/exe");
  words.insert(words.begin() + 2, arguments.words()[0]);
  const auto common = common_words(arguments);
  words.insert(words.end(), common.begin(), common.end());
  return run_attached(words);
}

/// The instances were launched with the image and may not serve yet: this waits until they do, and proves it. The
/// release after it finds nothing to roll out, and writes the first line of the history.
int await_first_instances(Context& context, const Arguments& arguments) {
  std::string commit = context.surroundings.variable("CI_COMMIT");
  if (commit.empty()) {  // as packer/bake took it
    const auto head = run_and_collect({"git", "-C", find_checkout().value_or("."), "rev-parse", "HEAD"});
    if (head) commit = head->substr(0, head->find('\n'));
  }
  std::vector<std::string> words = {"verify", "--commit", commit};
  if (arguments.has("--url")) words.insert(words.end(), {"--url", arguments.value("--url")});
  return step(context, arguments, std::move(words));
}

int run_pipeline(const CommandSpec& command, const Arguments& arguments) {
  auto opened = open_context(arguments);
  if (!opened) return fail(command, kRefused, opened.error().message);
  // Of one that a later step needs, this would be told when the image is baked already.
  std::vector<const char*> tools = {"packer", "terraform"};
  std::vector<std::string> bake = {"bake"};
  if (arguments.has("--neutral")) {
    bake.emplace_back("--neutral");
  } else {
    tools.push_back("session-manager-plugin");
  }
  for (const char* tool : tools) {
    if (const Status there = need_tool(tool); !there) return fail(command, kRefused, there.error().message);
  }
  Context& context = **opened;
  const auto tier = find_tier(context, "");
  if (!tier) return fail(command, kRefused, tier.error().message);
  const bool first = !tier->group;
  if (first) {
    context.speaker.line("the first run: there is no tier yet, so apply makes it with the image that is baked now",
                         Colour::kBlue);
  }
  if (const int code = step(context, arguments, {"doctor"}); code != 0) return code == 1 ? kRefused : code;
  if (const int code = step(context, arguments, std::move(bake)); code != 0) return code;
  const auto baked = read_parameter(context, context.names.candidate_parameter);
  if (!baked || !*baked) return fail(command, 1, baked ? "the bake did not note its image" : baked.error().message);
  std::vector<std::string> apply = {"apply", "--yes"};
  if (first) apply.insert(apply.end(), {"--image", **baked});
  if (const int code = step(context, arguments, std::move(apply)); code != 0) return code;
  if (first) {
    if (const int code = await_first_instances(context, arguments); code != 0) return code;
  }
  std::vector<std::string> release = {"release", "--image", **baked};
  for (const char* flag : {"--strategy", "--report", "--junit", "--url"}) {
    if (arguments.has(flag)) release.insert(release.end(), {flag, arguments.value(flag)});
  }
  return step(context, arguments, std::move(release));
}

}  // namespace

std::vector<CommandSpec> pipeline_commands() {
  CommandSpec c;
  c.name = "pipeline";
  c.arguments = {"ENVIRONMENT"};
  c.summary = "All of it, as CI runs it: doctor, bake, apply, release. The first failure ends it, with its exit code.";
  c.flags = with_common_flags({{"--neutral", "", "bake with packer/neutral: any EC2 endpoint, any host with SSH"},
                               {"--strategy", "NAME", "of the release: refresh (default) or double"},
                               {"--url", "URL", "where the tier answers, in place of the load balancer's own name"},
                               {"--report", "FILE", "the release's result as JSON"},
                               {"--junit", "FILE", "the release's result as JUnit XML"}});
  c.examples = {{"rr-deploy pipeline production", "from this checkout to the released tier"}};
  c.run = run_pipeline;
  return {c};
}

}  // namespace rr::deploy
