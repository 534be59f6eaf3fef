// bake and prune: images come, and old ones go.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "deploy/aws/xml.h"
#include "deploy/commands.h"
#include "deploy/context.h"
#include "deploy/rollout/preflight.h"
#include "deploy/rollout/rollout.h"
#include "deploy/tool.h"

namespace rr::deploy {
namespace {

/// The id of "eu-west-1:ami-0a1b" in Packer's manifest, of its last build.
Result<std::string> image_of_manifest(const std::string& path) {
  const auto text = read_whole_file(path);
  const auto document = nlohmann::json::parse(text.value_or(""), nullptr, false);
  if (!document.is_object() || !document.contains("builds") || document["builds"].empty()) {
    return Error{fmt::format("{}: not the manifest that Packer writes", path)};
  }
  const std::string artifact = document["builds"].back().value("artifact_id", "");
  const std::string image = artifact.substr(artifact.rfind(':') + 1);
  if (image.rfind("ami-", 0) != 0) return Error{fmt::format("{}: {} is no image", path, artifact)};
  return image;
}

/// Another account's images are nobody's business here: they are neither made there nor removed.
Status check_account(Context& context) {
  const auto identity = ask<Identity>(context, GetCallerIdentity{});
  if (!identity) return identity.error();
  if (const auto problem = account_problem(context.settings.aws.account, *identity)) return Error{*problem};
  return Ok{};
}

int run_bake(const CommandSpec& command, const Arguments& arguments) {
  auto opened = open_context(arguments);
  if (!opened) return fail(command, kRefused, opened.error().message);
  Context& context = **opened;
  const auto checkout = find_checkout();
  if (!checkout) return fail(command, kRefused, "this needs a checkout of the repository: packer/ is part of it");
  // Packer itself would miss the plugin only when the instance is there.
  std::vector<const char*> tools = {"packer"};
  if (!arguments.has("--neutral")) tools.push_back("session-manager-plugin");
  for (const char* tool : tools) {
    if (const Status there = need_tool(tool); !there) return fail(command, kRefused, there.error().message);
  }
  if (const Status right = check_account(context); !right) return fail(command, kRefused, right.error().message);
  std::vector<std::string> words = {*checkout + "/packer/bake", context.settings.environment};
  for (const char* flag : {"--commit", "--build"}) {
    if (arguments.has(flag)) words.insert(words.end(), {flag, arguments.value(flag)});
  }
  if (arguments.has("--neutral")) words.emplace_back("--neutral");
  if (!arguments.rest().empty()) words.emplace_back("--");
  words.insert(words.end(), arguments.rest().begin(), arguments.rest().end());
  if (const int code = run_attached(words, *checkout, context.child_variables()); code != 0) return code;
  const auto image =
      image_of_manifest(fmt::format("{}/build/bake/{}/manifest.json", *checkout, context.settings.environment));
  if (!image) return fail(command, 1, image.error().message);
  if (const Status written = write_parameter(context, context.names.candidate_parameter, *image); !written) {
    return fail(command, 1, fmt::format("{} is baked, but could not be noted: {}", *image, written.error().message));
  }
  context.speaker.line(
      fmt::format("{} is baked; `rr-deploy release {}` brings it into service", *image, context.settings.environment),
      Colour::kGreen);
  if (context.json) fmt::print("{}\n", nlohmann::json{{"ami", *image}}.dump());
  return 0;
}

// -- prune

struct Baked {
  std::string id;
  std::string made;
  std::vector<std::string> snapshots;
};

/// This environment's images, newest first.
Result<std::vector<Baked>> baked_images(Context& context) {
  const auto response = context.client->call(query_call("ec2", "DescribeImages",
                                                        {{"Owner.1", "self"},
                                                         {"Filter.1.Name", "tag:App"},
                                                         {"Filter.1.Value.1", context.settings.name},
                                                         {"Filter.2.Name", "tag:Environment"},
                                                         {"Filter.2.Value.1", context.settings.environment}}));
  if (!response) return Error{response.error().message};
  std::vector<Baked> images;
  for (const Xml& item : Xml::parse(response->body).items("imagesSet")) {
    Baked baked{item.text("imageId"), item.text("creationDate"), {}};
    for (const Xml& device : item.items("blockDeviceMapping")) {
      const std::string snapshot = device.at("ebs").text("snapshotId");
      if (!snapshot.empty()) baked.snapshots.push_back(snapshot);
    }
    images.push_back(std::move(baked));
  }
  std::sort(images.begin(), images.end(), [](const Baked& a, const Baked& b) { return a.made > b.made; });
  return images;
}

/// What a running instance, the record, or a version that stays still needs.
Result<std::set<std::string>> images_in_use(Context& context, const Tier& tier) {
  std::set<std::string> used;
  const auto record = ask<RecordFound>(context, ReadRecord{});
  if (!record) return record.error();
  if (record->record) {
    used.insert(record->record->current.image);
    if (record->record->previous) used.insert(record->record->previous->image);
  }
  const auto candidate = read_parameter(context, context.names.candidate_parameter);
  if (!candidate) return candidate.error();
  if (*candidate) used.insert(**candidate);
  if (!tier.group || tier.group->template_id.empty()) return used;
  auto versions = ask<std::vector<TemplateVersion>>(context, DescribeVersions{tier.group->template_id});
  if (!versions) return versions.error();
  for (const TemplateVersion& version : *versions) {
    const std::string number = std::to_string(version.number);
    const bool runs = std::any_of(tier.group->instances.begin(), tier.group->instances.end(),
                                  [&](const Instance& instance) { return instance.version == number; });
    if (runs || number == tier.group->version || version.is_default) used.insert(version.image);
  }
  return used;
}

Status remove(Context& context, const Baked& image) {
  const auto gone = context.client->call(query_call("ec2", "DeregisterImage", {{"ImageId", image.id}}));
  if (!gone) return Error{gone.error().message};
  for (const std::string& snapshot : image.snapshots) {
    const auto deleted = context.client->call(query_call("ec2", "DeleteSnapshot", {{"SnapshotId", snapshot}}));
    if (!deleted) return Error{deleted.error().message};
  }
  return Ok{};
}

int run_prune(const CommandSpec& command, const Arguments& arguments) {
  auto opened = open_context(arguments);
  if (!opened) return fail(command, kRefused, opened.error().message);
  Context& context = **opened;
  if (const Status right = check_account(context); !right) return fail(command, kRefused, right.error().message);
  const auto tier = find_tier(context, "");
  if (!tier) return fail(command, kRefused, tier.error().message);
  const auto used = images_in_use(context, *tier);
  if (!used) return fail(command, kRefused, used.error().message);
  const auto images = baked_images(context);
  if (!images) return fail(command, kRefused, images.error().message);
  if (images->empty()) context.speaker.line("this environment has no images: nothing to prune");
  const auto keep = static_cast<std::size_t>(context.settings.release.keep_images);
  int code = 0;
  for (std::size_t at = 0; at < images->size(); ++at) {
    const Baked& image = (*images)[at];
    const bool stays = at < keep || used->count(image.id) != 0;
    context.speaker.line(fmt::format(
        "{}  {}  {}", image.id, image.made,
        stays ? (at < keep ? "stays" : "stays: in use") : (arguments.has("--dry-run") ? "would go" : "goes")));
    if (stays || arguments.has("--dry-run")) continue;
    if (const Status removed = remove(context, image); !removed) code = fail(command, 1, removed.error().message);
  }
  return code;
}

}  // namespace

std::vector<CommandSpec> image_commands() {
  CommandSpec bake;
  bake.name = "bake";
  bake.arguments = {"ENVIRONMENT", "[-- PACKER-FLAG...]"};
  bake.summary = "Makes an image of this checkout with Packer and notes it as the next to be released.";
  bake.more = "Packer's output is shown as it comes, and its exit code is this command's.";
  bake.flags = with_common_flags({{"--commit", "SHA", "default: CI_COMMIT, else this checkout's"},
                                  {"--build", "N", "default: CI_BUILD, else counted"},
                                  {"--neutral", "", "packer/neutral: any EC2 endpoint, any host with SSH"}});
  bake.examples = {{"rr-deploy bake production", ""}};
  bake.run = run_bake;
  CommandSpec prune;
  prune.name = "prune";
  prune.arguments = {"ENVIRONMENT"};
  prune.summary = "Removes old images and their snapshots: never one in use, never the way back.";
  prune.flags = with_common_flags({{"--dry-run", "", "say what would go"}});
  prune.examples = {{"rr-deploy prune production --dry-run", ""}};
  prune.run = run_prune;
  return {bake, prune};
}

}  // namespace rr::deploy
