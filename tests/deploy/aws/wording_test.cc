// What is said to AWS, and what its answers are taken for. The answers are as botocore's models and recordings of AWS
// and moto's server have them, cut to what matters.
#include "deploy/aws/wording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "deploy/aws/artifact.h"
#include "deploy/aws/record_text.h"

namespace rr::deploy {
namespace {

using testing::HasSubstr;
using testing::Not;

Places places() {
  Places all;
  all.release_parameter = "/round-robin/production/release";
  all.lock_parameter = "/round-robin/production/lock";
  all.unit = "rr-webapp.service";
  all.host = "here";
  all.is_alive = [](const std::string& process) { return process == "alive"; };
  return all;
}

std::string body_of(const Command& command, const std::string& page = "") {
  return wording(command, places(), page).request.body;
}

template <class Kind>
Kind answer(const Command& command, const std::string& body) {
  HttpResponse response;
  response.status = 200;
  response.body = body;
  response.headers["x-rr-received"] = "1000.0";
  const auto understood = understand(command, places(), response);
  if (!understood) {
    ADD_FAILURE() << understood.error().message;
    return Kind{};
  }
  return std::get<Kind>(understood->reply);
}

TEST(Wording, StartsARefreshThatLaunchesBeforeItTerminates) {
  const ApiCall call = wording(StartRefresh{"web", "lt-1", "7", true, 15, 60, {"a", "b"}}, places());
  EXPECT_EQ(call.service, "autoscaling");
  EXPECT_FALSE(call.repeatable) << "a second one would be told that one is in progress";
  EXPECT_EQ(call.request.body,
            "Action=StartInstanceRefresh&Version=2011-01-01&AutoScalingGroupName=web&Strategy=Rolling"
            "&DesiredConfiguration.LaunchTemplate.LaunchTemplateId=lt-1&DesiredConfiguration.LaunchTemplate.Version=7"
            "&Preferences.MinHealthyPercentage=100&Preferences.MaxHealthyPercentage=200&Preferences.SkipMatching=true"
            "&Preferences.AutoRollback=true&Preferences.InstanceWarmup=15&Preferences.ScaleInProtectedInstances=Refresh"
            "&Preferences.StandbyInstances=Ignore&Preferences.BakeTime=60"
            "&Preferences.AlarmSpecification.Alarms.member.1=a&Preferences.AlarmSpecification.Alarms.member.2=b");
}

TEST(Wording, MakesAVersionOutOfTheBaseAndTheImage) {
  const CreateVersion create{"lt-1", "6", ImageLane{"ami-1"}, "abc build 28", "token-1", false};
  EXPECT_EQ(body_of(create),
            "Action=CreateLaunchTemplateVersion&Version=2016-11-15&LaunchTemplateId=lt-1&SourceVersion=6"
            "&VersionDescription=abc%20build%2028&ClientToken=token-1&LaunchTemplateData.ImageId=ami-1");
}

TEST(Wording, AnArtifactChangesTheUserDataOnlyAndAnImageAfterItTakesItAway) {
  CreateVersion create{"lt-1", "6",       ArtifactLane{"s3://bucket/a.tar.gz", std::string(64, 'a')},
                       "abc",  "token-1", false};
  EXPECT_THAT(body_of(create), Not(HasSubstr("ImageId")));
  EXPECT_THAT(body_of(create), HasSubstr("LaunchTemplateData.UserData="));
  create.lane = ImageLane{"ami-1"};
  create.drops_artifact = true;
  EXPECT_THAT(body_of(create), HasSubstr("LaunchTemplateData.UserData=" + percent_encoded(base64(plain_user_data()))));
}

TEST(Wording, TakesTheLockOnceOnlyAndRenewsItAgainAndAgain) {
  const ApiCall take = wording(WriteLock{Job{}, false}, places());
  EXPECT_FALSE(take.repeatable);
  EXPECT_EQ(nlohmann::json::parse(take.request.body)["Overwrite"], false);
  EXPECT_TRUE(wording(WriteLock{Job{}, true}, places()).repeatable);
}

TEST(Wording, AsksForTheNextPage) {
  EXPECT_THAT(body_of(DescribeVersions{"lt-1"}, "token=="), HasSubstr("&NextToken=token%3D%3D"));
}

TEST(Wording, OfOtherCalls) {
  EXPECT_THAT(body_of(TerminateInstance{"i-1", true}), HasSubstr("InstanceId=i-1&ShouldDecrementDesiredCapacity=true"));
  EXPECT_THAT(body_of(SetDesired{"web", 4}), HasSubstr("DesiredCapacity=4&HonorCooldown=false"));
  EXPECT_THAT(body_of(DeleteVersions{"lt-1", {"3", "4"}}),
              HasSubstr("LaunchTemplateVersion.1=3&LaunchTemplateVersion.2=4"));
  EXPECT_THAT(body_of(SuspendProcesses{"web", {"AZRebalance"}}), HasSubstr("ScalingProcesses.member.1=AZRebalance"));
  EXPECT_THAT(body_of(DescribeImages{{"ami-1", "ami-2"}}),
              HasSubstr("Filter.1.Name=image-id&Filter.1.Value.1=ami-1&Filter.1.Value.2=ami-2"));
  EXPECT_THAT(body_of(CancelRefresh{"web"}), HasSubstr("WaitForTransitioningInstances=false"));
}

TEST(Understanding, AGroup) {
  const auto found = answer<GroupFound>(DescribeGroup{"web"}, R"(<?xml version="1.0"?>
<DescribeAutoScalingGroupsResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">
 <DescribeAutoScalingGroupsResult><AutoScalingGroups><member>
  <AutoScalingGroupName>web</AutoScalingGroupName><MinSize>2</MinSize><MaxSize>4</MaxSize><DesiredCapacity>2</DesiredCapacity>
  <HealthCheckGracePeriod>60</HealthCheckGracePeriod><DefaultInstanceWarmup>15</DefaultInstanceWarmup>
  <LaunchTemplate><LaunchTemplateId>lt-1</LaunchTemplateId><LaunchTemplateName>web</LaunchTemplateName><Version>6</Version></LaunchTemplate>
  <TargetGroupARNs><member>arn:tg</member></TargetGroupARNs>
  <SuspendedProcesses><member><ProcessName>AZRebalance</ProcessName><SuspensionReason>x</SuspensionReason></member></SuspendedProcesses>
  <Tags><member><Key>Environment</Key><Value>production</Value></member></Tags>
  <Instances><member><InstanceId>i-1</InstanceId><InstanceType>t3.micro</InstanceType><AvailabilityZone>eu-west-1a</AvailabilityZone>
   <LifecycleState>InService</LifecycleState><HealthStatus>Healthy</HealthStatus><ProtectedFromScaleIn>true</ProtectedFromScaleIn>
   <LaunchTemplate><LaunchTemplateId>lt-1</LaunchTemplateId><Version>5</Version></LaunchTemplate></member></Instances>
 </member></AutoScalingGroups></DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>)");
  ASSERT_TRUE(found.group);
  Group expected;
  expected.name = "web";
  expected.min_size = 2;
  expected.max_size = 4;
  expected.desired = 2;
  expected.template_id = "lt-1";
  expected.template_name = "web";
  expected.version = "6";
  expected.warm_up = 15;
  expected.instances = {{"i-1", "eu-west-1a", "t3.micro", "InService", "Healthy", "5", true}};
  expected.suspended = {"AZRebalance"};
  expected.target_groups = {"arn:tg"};
  expected.tags = {{"Environment", "production"}};
  EXPECT_EQ(*found.group, expected);
}

TEST(Understanding, AGroupThatDoesNotExist) {
  EXPECT_FALSE(
      answer<GroupFound>(DescribeGroup{"web"},
                         "<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult><AutoScalingGroups/>"
                         "</DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>")
          .group);
}

TEST(Understanding, SomethingElseWithA200IsNoAnswer) {
  HttpResponse response;
  response.status = 200;
  for (const char* body : {"", "<html><body>Sign in</body></html>", "{}", "<DescribeAutoScalingGroupsResponse/>"}) {
    response.body = body;
    const auto understood = understand(DescribeGroup{"web"}, places(), response);
    ASSERT_FALSE(understood) << body;
    EXPECT_EQ(understood.error().kind, Failure::Kind::kTransient);
  }
}

TEST(Understanding, RefreshesInEveryStatus) {
  for (const char* status : {"Pending", "InProgress", "Successful", "Failed", "Cancelling", "Cancelled",
                             "RollbackInProgress", "RollbackFailed", "RollbackSuccessful", "Baking"}) {
    const auto refreshes = answer<std::vector<Refresh>>(
        DescribeRefreshes{"web"},
        "<R><DescribeInstanceRefreshesResult><InstanceRefreshes><member><InstanceRefreshId>r-1</"
        "InstanceRefreshId><Status>" +
            std::string(status) +
            "</Status><StatusReason>because</StatusReason><PercentageComplete>50</PercentageComplete>"
            "<InstancesToUpdate>1</InstancesToUpdate><DesiredConfiguration><LaunchTemplate><Version>7</Version></"
            "LaunchTemplate>"
            "</DesiredConfiguration></member></InstanceRefreshes></DescribeInstanceRefreshesResult></R>");
    ASSERT_EQ(refreshes.size(), 1u);
    EXPECT_STREQ(to_string(refreshes[0].status), status);
    EXPECT_EQ(refreshes[0].percent, 50);
    EXPECT_EQ(refreshes[0].version, "7");
  }
  EXPECT_TRUE(is_active(refresh_status("SomethingOf2030")))
      << "what is not known to have ended must not be started again";
}

TEST(Understanding, VersionsWithAnArtifactInTheirUserData) {
  const ArtifactLane artifact{"s3://bucket/a.tar.gz", std::string(64, 'b')};
  const auto versions = answer<std::vector<TemplateVersion>>(
      DescribeVersions{"lt-1"},
      "<DescribeLaunchTemplateVersionsResponse><launchTemplateVersionSet><item><versionNumber>7</versionNumber>"
      "<versionDescription>abc</versionDescription><createTime>2026-11-25T20:00:00.000Z</createTime>"
      "<defaultVersion>false</defaultVersion><launchTemplateData><imageId>ami-1</imageId><instanceType>t3.micro</"
      "instanceType>"
      "<userData>" +
          base64(artifact_user_data(artifact, "rr-webapp.service")) +
          "</userData></launchTemplateData></item></launchTemplateVersionSet></"
          "DescribeLaunchTemplateVersionsResponse>");
  ASSERT_EQ(versions.size(), 1u);
  EXPECT_EQ(versions[0].number, 7);
  EXPECT_EQ(versions[0].image, "ami-1");
  EXPECT_EQ(versions[0].artifact, artifact.url);
  EXPECT_EQ(versions[0].artifact_sha256, artifact.sha256);
  EXPECT_EQ(format_iso8601(*versions[0].created, 0), "2026-11-25T20:00:00Z");
}

TEST(Understanding, PagesBelongTogether) {
  Reply whole = std::vector<Alarm>{{"a", "OK"}};
  append(whole, std::vector<Alarm>{{"b", "ALARM"}});
  EXPECT_EQ(std::get<std::vector<Alarm>>(whole), (std::vector<Alarm>{{"a", "OK"}, {"b", "ALARM"}}));
}

TEST(Understanding, ImagesTargetsAndTypes) {
  const auto images = answer<std::vector<Image>>(
      DescribeImages{{"ami-1"}},
      "<DescribeImagesResponse><imagesSet><item><imageId>ami-1</imageId><imageState>available</imageState>"
      "<architecture>arm64</architecture><tagSet><item><key>Commit</key><value>abc</value></item></tagSet></item></"
      "imagesSet>"
      "</DescribeImagesResponse>");
  EXPECT_EQ(images, (std::vector<Image>{{"ami-1", "available", "arm64", {{"Commit", "abc"}}}}));
  const auto targets = answer<std::vector<Target>>(
      DescribeTargetHealth{"arn:tg"},
      "<R><DescribeTargetHealthResult><TargetHealthDescriptions><member><Target><Id>i-1</Id></Target><TargetHealth>"
      "<State>unhealthy</State><Reason>Target.Timeout</Reason></TargetHealth></member></TargetHealthDescriptions>"
      "</DescribeTargetHealthResult></R>");
  EXPECT_EQ(targets, (std::vector<Target>{{"i-1", "unhealthy", "Target.Timeout"}}));
  const auto type = answer<Architectures>(
      DescribeInstanceType{"t4g.micro"},
      "<R><instanceTypeSet><item><processorInfo><supportedArchitectures><item>arm64</item></supportedArchitectures>"
      "</processorInfo></item></instanceTypeSet></R>");
  EXPECT_EQ(type.names, std::vector<std::string>{"arm64"});
}

TEST(Understanding, TheLocksAgeIsByTheServersClock) {
  Job job;
  job.id = "j";
  job.host = "here";
  job.process = "alive";
  const auto parameter = [&] {
    return nlohmann::json{{"Parameter", {{"Value", job_text(job)}, {"LastModifiedDate", 990.5}}}}.dump();
  };
  // 1000.0 when the answer was sent, 990.5 when it was written.
  EXPECT_EQ(answer<Lock>(ReadLock{}, parameter()).age, std::chrono::milliseconds(9500));
  EXPECT_FALSE(answer<Lock>(ReadLock{}, parameter()).holder_gone);
  job.process = "dead";
  EXPECT_TRUE(answer<Lock>(ReadLock{}, parameter()).holder_gone);
  job.host = "elsewhere";
  EXPECT_FALSE(answer<Lock>(ReadLock{}, parameter()).holder_gone) << "nobody here can know";
}

TEST(Understanding, ARefreshsAgeIsByTheServersClock) {
  // 1000.0 when the answer was sent, 1970-01-01T00:10:00Z (600) when it was started.
  const auto refreshes = answer<std::vector<Refresh>>(
      DescribeRefreshes{"web"},
      "<R><DescribeInstanceRefreshesResult><InstanceRefreshes><member><InstanceRefreshId>r</InstanceRefreshId>"
      "<Status>InProgress</Status><StartTime>1970-01-01T00:10:00Z</StartTime></member><member>"
      "<Status>Successful</Status></member></InstanceRefreshes></DescribeInstanceRefreshesResult></R>");
  ASSERT_EQ(refreshes.size(), 2u);
  EXPECT_EQ(refreshes[0].age, std::chrono::seconds(400));
  EXPECT_EQ(refreshes[1].age, Duration{});
}

TEST(Understanding, TheRecordThatTerraformMakesIsNone) {
  EXPECT_FALSE(answer<RecordFound>(ReadRecord{}, R"({"Parameter": {"Value": "{}"}})").record);
}

TEST(Understanding, AMissingParameterIsAnAnswer) {
  const Failure missing{Failure::Kind::kRefused, "ParameterNotFound", ""};
  EXPECT_EQ(understand_failure(ReadLock{}, missing), Reply{Lock{}});
  EXPECT_EQ(understand_failure(ReadRecord{}, missing), Reply{RecordFound{}});
  EXPECT_EQ(understand_failure(DeleteLock{}, missing), Reply{Done{}});
  EXPECT_FALSE(understand_failure(DescribeGroup{"web"}, missing));
}

struct ErrorCase {
  const char* name;
  int status;
  const char* body;
  Failure::Kind kind;
  const char* code;
};

class EachError : public testing::TestWithParam<ErrorCase> {};
INSTANTIATE_TEST_SUITE_P(
    Call, EachError,
    testing::Values(ErrorCase{"query", 400,
                              "<ErrorResponse><Error><Type>Sender</Type><Code>InstanceRefreshInProgress</"
                              "Code><Message>m</Message></Error></ErrorResponse>",
                              Failure::Kind::kRefused, "InstanceRefreshInProgress"},
                    ErrorCase{"ec2", 400,
                              "<Response><Errors><Error><Code>InvalidAMIID.NotFound</Code><Message>m</Message></"
                              "Error></Errors></Response>",
                              Failure::Kind::kRefused, "InvalidAMIID.NotFound"},
                    ErrorCase{"json", 400, R"({"__type":"com.amazonaws.ssm#ParameterNotFound","message":"m"})",
                              Failure::Kind::kRefused, "ParameterNotFound"},
                    ErrorCase{"s3", 403, "<Error><Code>AccessDenied</Code><Message>m</Message></Error>",
                              Failure::Kind::kDenied, "AccessDenied"},
                    ErrorCase{"throttled", 400, "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>",
                              Failure::Kind::kTransient, "Throttling"},
                    ErrorCase{"throttledEc2", 503,
                              "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>",
                              Failure::Kind::kTransient, "RequestLimitExceeded"},
                    ErrorCase{"expired", 403, "<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>",
                              Failure::Kind::kExpired, "ExpiredToken"},
                    ErrorCase{"expiredJson", 400, R"({"__type":"ExpiredTokenException"})", Failure::Kind::kExpired,
                              "ExpiredTokenException"},
                    ErrorCase{"busy", 500,
                              "<ErrorResponse><Error><Code>ResourceContention</Code></Error></ErrorResponse>",
                              Failure::Kind::kRefused, "ResourceContention"},
                    ErrorCase{"broken", 502, "<html>Bad Gateway</html>", Failure::Kind::kTransient, ""},
                    ErrorCase{"denied", 403,
                              "<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>",
                              Failure::Kind::kDenied, "UnauthorizedOperation"}),
    [](const auto& one) { return std::string(one.param.name); });

TEST_P(EachError, IsUnderstood) {
  ApiCall call;
  call.service = "autoscaling";
  call.action = "Act";
  const Failure failure = read_failure(call, {GetParam().status, {}, GetParam().body});
  EXPECT_EQ(failure.kind, GetParam().kind);
  EXPECT_EQ(failure.code, GetParam().code);
  EXPECT_THAT(failure.message, HasSubstr("Act"));
}

}  // namespace
}  // namespace rr::deploy
