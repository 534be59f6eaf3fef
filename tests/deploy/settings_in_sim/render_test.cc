// What rr-sim is given of the settings, it takes, and it is the same tier.
#include <gtest/gtest.h>

#include "deploy/settings/render.h"
#include "sim/scenario/settings.h"
#include "sim/scenario/version_from.h"
#include "tests/deploy/settings/environments.h"

namespace rr::deploy {
namespace {

TEST(Render, TheSimulatorTakesItAndRunsTheSameTier) {
  for (const char* name : {"production", "local"}) {
    const Settings settings = environment(name);
    sim::SettingsReader reader;
    const Status read = reader.read_text(render_simulator(settings), "rendered.yaml");
    ASSERT_TRUE(read.ok()) << read.error().message;
    const auto tier = reader.finish();
    ASSERT_TRUE(tier.ok()) << tier.error().message;
    EXPECT_EQ(tier->region.name, settings.aws.region);
    EXPECT_EQ(static_cast<int>(tier->region.zones.size()), settings.aws.zones);
    EXPECT_EQ(tier->region.zones.front().name.value, settings.aws.region + "a");
    EXPECT_EQ(tier->region.target_port, settings.application.port);
    EXPECT_EQ(tier->target_group().health_check.interval, settings.target_group.health_check.interval);
    EXPECT_EQ(tier->target_group().deregistration_delay, settings.target_group.deregistration_delay);
    EXPECT_EQ(tier->group.max_size, settings.auto_scaling_group.max_size);
    EXPECT_EQ(tier->group.maintenance_policy->max_healthy_percentage, 200);
    EXPECT_EQ(tier->group.health_check_grace_period, settings.auto_scaling_group.health_check_grace_period);
    EXPECT_TRUE(tier->app.empty());
  }
}

TEST(Render, TheSimulatorRunsAProgramOfTheUsers) {
  Settings settings = environment("local");
  settings.application.folder = "examples/node app";
  settings.application.start_command = "node 'server.js' --port {port}";
  settings.application.version_from = "header:X-Version";
  sim::SettingsReader reader;
  const Status read = reader.read_text(render_simulator(settings), "rendered.yaml");
  ASSERT_TRUE(read.ok()) << read.error().message;
  const auto tier = reader.finish();
  ASSERT_TRUE(tier.ok()) << tier.error().message;
  EXPECT_EQ(tier->app, "node 'server.js' --port {port}");
  EXPECT_EQ(tier->app_folder, "examples/node app");
  EXPECT_EQ(sim::format_version_from(tier->version_from), "header:X-Version");
}

}  // namespace
}  // namespace rr::deploy
