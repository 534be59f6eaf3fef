#include "deploy/image_choice.h"

#include <fmt/format.h>

#include "deploy/aws/xml.h"

namespace rr::deploy {
namespace {

/// Of this account, by the tags that a bake sets; empty when there is none.
Result<std::string> image_of_commit(Context& context, const std::string& commit) {
  const auto response =
      context.client->call(query_call("ec2", "DescribeImages",
                                      {{"Owner.1", "self"},
                                       {"Filter.1.Name", "tag:App"},
                                       {"Filter.1.Value.1", context.settings.name},
                                       {"Filter.2.Name", "tag:Commit"},
                                       {"Filter.2.Value.1", commit},
                                       {"Filter.3.Name", "architecture"},
                                       {"Filter.3.Value.1", context.settings.instance.architecture}}));
  if (!response) return Error{response.error().message};
  std::string newest, made;
  for (const Xml& image : Xml::parse(response->body).items("imagesSet")) {
    if (image.text("creationDate") < made) continue;
    made = image.text("creationDate");
    newest = image.text("imageId");
  }
  return newest;
}

}  // namespace

Result<std::string> choose_image(Context& context, const std::string& wanted) {
  if (!wanted.empty()) {
    if (wanted.rfind("ami-", 0) != 0)
      return Error{fmt::format("--image {}: an id such as ami-0a1b2c3d4e5f60718 is right", wanted)};
    return wanted;
  }
  const std::string commit = context.surroundings.variable("CI_COMMIT");
  if (!commit.empty()) {
    auto image = image_of_commit(context, commit);
    if (!image) return image.error();
    if (image->empty())
      return Error{fmt::format("there is no image of commit {} (CI_COMMIT): `rr-deploy bake {}` makes it", commit,
                               context.settings.environment)};
    return *image;
  }
  auto candidate = read_parameter(context, context.names.candidate_parameter);
  if (!candidate) return candidate.error();
  if (!*candidate) {
    return Error{fmt::format("which image? --image names it; CI_COMMIT is not set and {} was not written by a bake",
                             context.names.candidate_parameter)};
  }
  return **candidate;
}

Status check_image(Context& context, const std::string& id) {
  const auto images = ask<std::vector<Image>>(context, DescribeImages{{id}});
  if (!images) return images.error();
  if (images->empty()) return Error{fmt::format("there is no image {} in this account and region", id)};
  const std::string& right = context.settings.instance.architecture;
  const std::string& found = images->front().architecture;
  if (found == right) return Ok{};
  return Error{fmt::format("image {} is for {}, and instances are {} (instance.architecture)", id, found, right)};
}

}  // namespace rr::deploy
