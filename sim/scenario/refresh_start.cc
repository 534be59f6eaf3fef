#include "sim/scenario/refresh_start.h"

#include <fmt/format.h>

#include <utility>

#include "sim/cloud/refresh_state.h"

namespace rr::sim {

Outcome start_refresh(const RegionState& region, const std::string& name, const ImageId& image,
                      StartInstanceRefresh start,
                      const std::function<Result<Reply, Refusal>(const Command&)>& command) {
  const Group& group = region.groups.at(name);
  start.group = group.settings.name;
  // What it would be refused for is found before anything is made for it.
  if (const auto wrong = wrong_preferences(start.preferences)) return Refusal{2, *wrong};
  for (const std::string& alarm : start.preferences.alarms) {
    if (!region.alarms.contains(alarm)) return Refusal{2, fmt::format("--alarm {}: there is no such alarm", alarm)};
  }
  const bool busy = group.active_refresh() != nullptr || (region.release && region.release->in_progress());
  if (busy) return command(start).error();
  const LaunchTemplate& launch_template = region.launch_templates.at(group.settings.launch_template.template_name);
  std::vector<std::string> said;
  if (const std::string& version = group.settings.launch_template.version; version.front() == '$') {
    GroupSettings pinned = group.settings;
    pinned.launch_template.version =
        std::to_string(version == "$Latest" ? launch_template.versions.back().number : launch_template.default_version);
    said.push_back(fmt::format("group {}: pinned from {} to version {}, so that the refresh can be rolled back",
                               start.group, version, pinned.launch_template.version));
    if (const auto done = command(UpdateAutoScalingGroup{pinned}); !done) return done.error();
  }
  const auto made = command(CreateLaunchTemplateVersion{launch_template.name, image, "instance refresh"});
  if (!made) return made.error();
  start.desired_configuration = LaunchTemplateSpecification{launch_template.name, std::to_string(made->number)};
  const auto begun = command(start);
  if (!begun) return begun.error();
  said.push_back(fmt::format("instance refresh {} to version {} ({}) has begun", begun->id, made->number, image.value));
  return said;
}

}  // namespace rr::sim
