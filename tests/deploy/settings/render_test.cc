// Each tool gets the settings in its own form, and none of it differs from the file.
#include "deploy/settings/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "deploy/settings/schema.h"
#include "tests/deploy/settings/environments.h"

namespace rr::deploy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

TEST(Render, TerraformGetsEverySettingAndItReadsBackTheSame) {
  const Settings settings = environment("production");
  Json json = Json::parse(render_terraform(settings));
  EXPECT_EQ(json["target_group"]["health_check"]["interval"], 5);  // seconds
  EXPECT_EQ(json["verification"]["question_interval"], 0.25);      // seconds
  EXPECT_EQ(json["release"]["bake_time"], 120);                    // 2m
  EXPECT_EQ(json["names"]["tier"], "round-robin-production");
  json.erase("names");
  EXPECT_EQ(settings_from(json.dump(), ""), settings);
}

TEST(Render, TheSettingsFitIntoAStandardParameter) {
  // Parameter Store's standard tier takes 4096 bytes; Terraform keeps all but `names` there, without white space.
  for (const char* name : {"production", "local"}) {
    Json json = Json::parse(render_terraform(in_account(environment(name), "123456789012")));
    json.erase("names");
    EXPECT_LE(json.dump().size(), 4096U);
  }
}

TEST(Render, PackerGetsFlatValues) {
  const Json json = Json::parse(render_packer(environment("production")));
  EXPECT_EQ(json["base_image_parameter"], "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64");
  EXPECT_EQ(json["connect_timeout"], "300s");  // 5m
  EXPECT_EQ(json["port"], 8080);
  EXPECT_EQ(json["start_seconds"], 60);  // health_check_grace_period: 60s
  EXPECT_EQ(json["answer_seconds"], 2);  // target_group.health_check.timeout: 2s
  for (const auto& [key, value] : json.items()) EXPECT_FALSE(value.is_object()) << key;
}

TEST(Render, AnImageIsMadeWhereItsInstancesWillRun) {
  Settings settings = environment("production");
  EXPECT_EQ(Json::parse(render_packer(settings))["subnet_id"], "");
  settings.aws.subnet_ids = {"subnet-00000001", "subnet-00000002"};
  EXPECT_EQ(Json::parse(render_packer(settings))["subnet_id"], "subnet-00000001");
  settings.aws.instance_subnet_ids = {"subnet-00000003", "subnet-00000004"};
  EXPECT_EQ(Json::parse(render_packer(settings))["subnet_id"], "subnet-00000003");
}

TEST(Render, ThePortIsPutIntoTheCommand) {
  Settings settings = environment("production");
  settings.application.start_command = "node server.js --port {port} --also {port}";
  EXPECT_EQ(Json::parse(render_packer(settings))["start_command"], "node server.js --port 8080 --also 8080");
  EXPECT_THAT(render_unit(settings), HasSubstr("APP_START_COMMAND=\"node server.js --port 8080 --also 8080\"\n"));
}

TEST(Render, TheUnitsValuesAreQuotedAsSystemdReadsThem) {
  Settings settings = environment("production");
  settings.application.start_command = R"(sh -c "echo $HOME `id` \ end")";
  EXPECT_THAT(render_unit(settings), HasSubstr(R"(APP_START_COMMAND="sh -c \"echo \$HOME \`id\` \\ end\"")"
                                               "\n"));
  EXPECT_THAT(render_unit(settings), HasSubstr("PORT=\"8080\"\n"));
  // The load balancer's 60 s and 15 more.
  EXPECT_THAT(render_unit(settings), HasSubstr("KEEP_ALIVE_TIMEOUT=\"75\"\n"));
}

TEST(Render, CiGetsRolesAsArnsOnceTheAccountIsKnown) {
  const Settings settings = environment("production");
  EXPECT_THAT(render_ci(settings), HasSubstr("RR_DEPLOY_ROLE=round-robin-production-deploy\n"));
  const std::string known = render_ci(in_account(settings, "123456789012"));
  EXPECT_THAT(known, HasSubstr("RR_DEPLOY_ROLE=arn:aws:iam::123456789012:role/round-robin-production-deploy\n"));
  EXPECT_THAT(known, HasSubstr("RR_STATE_BUCKET=round-robin-production-state-123456789012\n"));
  EXPECT_THAT(known, Not(HasSubstr("{account}")));
  EXPECT_THAT(known, HasSubstr("RR_RELEASE_TIMEOUT_MINUTES=45\n"));
}

TEST(Render, TheRolesAreOfTheRegionsPartition) {
  Settings settings = in_account(environment("production"), "123456789012");
  for (const auto& [region, partition] :
       {std::pair{"cn-north-1", "aws-cn"}, {"us-gov-east-1", "aws-us-gov"}, {"us-east-1", "aws"}}) {
    settings.aws.region = region;
    EXPECT_THAT(render_ci(settings), HasSubstr(std::string("RR_PLAN_ROLE=arn:") + partition + ":iam::123456789012:"));
  }
}

TEST(Render, EveryReceiverHasItsWordAndItsText) {
  for (const char* word : {"terraform", "packer", "unit", "sim", "ci"}) {
    const auto receiver = parse_receiver(word);
    ASSERT_TRUE(receiver.has_value()) << word;
    EXPECT_EQ(to_string(*receiver), word);
    EXPECT_FALSE(render(environment("production"), *receiver).empty());
  }
  EXPECT_FALSE(parse_receiver("puppet").has_value());
}

/// A published file is as it would be made now; RR_WRITE_PUBLISHED=1 writes it instead.
void expect_published(const std::string& path, const std::string& text) {
  if (std::getenv("RR_WRITE_PUBLISHED") != nullptr) std::ofstream(std::string(RR_ROOT) + "/" + path) << text;
  EXPECT_EQ(file_of_repository(path), text) << path << " is out of date: RR_WRITE_PUBLISHED=1 test_deploy_settings";
}

TEST(Published, Schema) { expect_published("deploy/settings/schema.json", settings_schema()); }

TEST(Published, TerraformsVariables) { expect_published("terraform/variables.tf", terraform_variables()); }

TEST(Published, TerraformsValidations) {
  expect_published("terraform/modules/settings/variables.tf", terraform_validated_variables());
}

}  // namespace
}  // namespace rr::deploy
