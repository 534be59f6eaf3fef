// Credentials, regions, endpoints, attempts and pages, on a machine that is made of values.
#include "deploy/aws/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace rr::deploy {
namespace {

using testing::HasSubstr;

const Time kNow{std::chrono::seconds(1'764'000'000)};

struct Machine {
  std::map<std::string, std::string> files;
  std::vector<HttpRequest> sent;
  std::deque<Result<HttpResponse>> answers;  // when it is empty, nobody answers
  std::vector<std::vector<std::string>> ran;
  Result<std::string> tool = Error{"aws: not found"};
  Surroundings surroundings;
  Time now = kNow;

  Machine() {
    surroundings.environment = {{"HOME", "/home/me"}};
    surroundings.read_file = [this](const std::string& path) -> std::optional<std::string> {
      const auto file = files.find(path);
      return file == files.end() ? std::nullopt : std::optional(file->second);
    };
    surroundings.run = [this](const std::vector<std::string>& words) {
      ran.push_back(words);
      return tool;
    };
    surroundings.send = [this](const HttpRequest& request) -> Result<HttpResponse> {
      sent.push_back(request);
      if (answers.empty()) return Error{"nobody answers"};
      auto answer = std::move(answers.front());
      answers.pop_front();
      return answer;
    };
    surroundings.now = [this] { return now; };
  }

  CredentialSource source(const std::string& profile = "", bool asked_for = false) {
    return CredentialSource(surroundings, profile_name(surroundings, profile), asked_for, "eu-west-1");
  }
  Client client(const std::string& region = "eu-west-1") {
    surroundings.environment["AWS_ACCESS_KEY_ID"] = "AKID";
    surroundings.environment["AWS_SECRET_ACCESS_KEY"] = "secret";
    return Client(surroundings, "default", false, region, Rng(1), [](Duration) { return true; });
  }
};

HttpResponse ok(const std::string& body) { return {200, {}, body}; }

TEST(Credentials, OfTheEnvironmentComeFirst) {
  Machine machine;
  machine.surroundings.environment["AWS_ACCESS_KEY_ID"] = "AKID";
  machine.surroundings.environment["AWS_SECRET_ACCESS_KEY"] = "secret";
  machine.files["/home/me/.aws/credentials"] = "[default]\naws_access_key_id=OTHER\naws_secret_access_key=x\n";
  EXPECT_EQ(machine.source().get()->access_key_id, "AKID");
  EXPECT_EQ(machine.source("default", true).get()->access_key_id, "OTHER") << "a profile that was asked for wins";
}

TEST(Credentials, OfAProfile) {
  Machine machine;
  machine.surroundings.environment["AWS_PROFILE"] = "staging";
  machine.files["/home/me/.aws/credentials"] =
      "[default]\naws_access_key_id = WRONG\naws_secret_access_key = x\n\n# a comment\n[staging]\n"
      "aws_access_key_id = AKID\naws_secret_access_key=secret=with=equals\naws_session_token = t\n";
  const auto found = machine.source().get();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->access_key_id, "AKID");
  EXPECT_EQ(found->secret_access_key, "secret=with=equals");
  EXPECT_EQ(found->session_token, "t");
}

TEST(Credentials, ByTheCommandLineToolForWhatNeedsMoreThanAFile) {
  Machine machine;
  machine.files["/home/me/.aws/config"] = "[profile sso]\nsso_session = me\nregion = eu-north-1\n";
  machine.tool = std::string(R"({"Version":1,"AccessKeyId":"ASIA","SecretAccessKey":"s","SessionToken":"t",)"
                             R"("Expiration":"2025-11-24T17:00:00+00:00"})");
  EXPECT_EQ(machine.source("sso", true).get()->access_key_id, "ASIA");
  EXPECT_EQ(machine.ran.at(0), (std::vector<std::string>{"aws", "configure", "export-credentials", "--profile", "sso",
                                                         "--format", "process"}));
}

TEST(Credentials, ACommandLineToolThatIsTooOldIsNamed) {
  Machine machine;
  machine.surroundings.environment["AWS_EC2_METADATA_DISABLED"] = "true";
  machine.tool = Error{"aws: error: argument subcommand: Invalid choice, valid choices are:"};
  EXPECT_THAT(machine.source("sso", true).get().error().message,
              HasSubstr("the AWS CLI here has no `aws configure export-credentials`: version 2 has"));
}

TEST(Credentials, AreRenewedBeforeTheyExpire) {
  Machine machine;
  machine.files["/home/me/.aws/config"] = "[default]\nsso_session = me\n";
  const auto say = [&](const char* id, Time until) {
    machine.tool = std::string(R"({"AccessKeyId":")") + id + R"(","SecretAccessKey":"s","Expiration":")" +
                   format_iso8601(until, 0) + R"("})";
  };
  say("FIRST", kNow + std::chrono::minutes(10));
  CredentialSource source = machine.source();
  EXPECT_EQ(source.get()->access_key_id, "FIRST");
  say("SECOND", kNow + std::chrono::hours(1));
  EXPECT_EQ(source.get()->access_key_id, "FIRST");
  machine.now += std::chrono::minutes(6);  // four minutes are left, five are the margin
  EXPECT_EQ(source.get()->access_key_id, "SECOND");
}

TEST(Credentials, OfAWebIdentity) {
  Machine machine;
  machine.surroundings.environment["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/release";
  machine.surroundings.environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
  machine.files["/token"] = "the.token\n";
  machine.answers.push_back(ok(
      "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA</AccessKeyId>"
      "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration>"
      "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"));
  const auto found = machine.source().get();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->access_key_id, "ASIA");
  EXPECT_EQ(machine.sent.at(0).url, "https://sts.eu-west-1.amazonaws.com/");
  EXPECT_FALSE(machine.sent.at(0).signing) << "the token is the credential";
  EXPECT_THAT(machine.sent.at(0).body, HasSubstr("WebIdentityToken=the.token"));
}

TEST(Credentials, OfAWebIdentityThatIsRefusedSayWhy) {
  Machine machine;
  machine.surroundings.environment["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/release";
  machine.surroundings.environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
  machine.files["/token"] = "the.token";
  machine.answers.push_back(HttpResponse{403,
                                         {},
                                         "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized to "
                                         "assume</Message></Error></ErrorResponse>"});
  const auto found = machine.source().get();
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("Not authorized to assume"));
  EXPECT_THAT(found.error().message, testing::Not(HasSubstr("the.token")));
}

TEST(Credentials, OfAnInstanceNeedAToken) {
  Machine machine;
  machine.answers.push_back(ok("TOKEN"));
  machine.answers.push_back(ok("web-role"));
  machine.answers.push_back(
      ok(R"({"AccessKeyId":"ASIA","SecretAccessKey":"s","Token":"t","Expiration":"2030-01-01T00:00:00Z"})"));
  const auto found = machine.source().get();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->session_token, "t");
  EXPECT_EQ(machine.sent.at(0).method, "PUT");
  EXPECT_EQ(machine.sent.at(2).url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/web-role");
  EXPECT_EQ(machine.sent.at(2).headers.at(0),
            (std::pair<std::string, std::string>{"X-aws-ec2-metadata-token", "TOKEN"}));
}

TEST(Credentials, NowhereNamesEveryPlace) {
  Machine machine;
  machine.surroundings.environment["AWS_EC2_METADATA_DISABLED"] = "true";
  const auto found = machine.source().get();
  ASSERT_FALSE(found);
  for (const char* text : {"AWS_ACCESS_KEY_ID", "profile default", "instance role", "AWS CLI"}) {
    EXPECT_THAT(found.error().message, HasSubstr(text));
  }
  EXPECT_TRUE(machine.sent.empty());
}

TEST(Region, InItsOrder) {
  Machine machine;
  machine.surroundings.environment["AWS_EC2_METADATA_DISABLED"] = "true";
  machine.files["/home/me/.aws/config"] = "[default]\nregion = from-profile\n";
  const Profiles profiles = read_profiles(machine.surroundings);
  const auto region = [&](const std::string& wanted) {
    return *find_region(machine.surroundings, profiles, "default", wanted);
  };
  EXPECT_EQ(region(""), "from-profile");
  machine.surroundings.environment["AWS_DEFAULT_REGION"] = "from-default";
  EXPECT_EQ(region(""), "from-default");
  machine.surroundings.environment["AWS_REGION"] = "from-region";
  EXPECT_EQ(region(""), "from-region");
  EXPECT_EQ(region("asked-for"), "asked-for");
  Machine bare;
  bare.surroundings.environment["AWS_EC2_METADATA_DISABLED"] = "true";
  EXPECT_THAT(find_region(bare.surroundings, {}, "default", "").error().message, HasSubstr("AWS_REGION"));
}

TEST(Endpoint, InItsOrder) {
  Machine machine;
  const auto of = [&](const std::string& service, const std::string& region = "eu-west-1") {
    return endpoint_of(machine.surroundings, read_profiles(machine.surroundings), "default", service, region);
  };
  EXPECT_EQ(of("autoscaling"), "https://autoscaling.eu-west-1.amazonaws.com");
  EXPECT_EQ(of("iam"), "https://iam.amazonaws.com");
  EXPECT_EQ(of("ec2", "cn-north-1"), "https://ec2.cn-north-1.amazonaws.com.cn");
  machine.files["/home/me/.aws/config"] = "[default]\nendpoint_url = http://profile:1\n";
  EXPECT_EQ(of("ec2"), "http://profile:1");
  machine.surroundings.environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:5000/";
  EXPECT_EQ(of("ec2"), "http://127.0.0.1:5000");
  machine.surroundings.environment["AWS_ENDPOINT_URL_AUTO_SCALING"] = "http://127.0.0.1:6000";
  EXPECT_EQ(of("autoscaling"), "http://127.0.0.1:6000");
  EXPECT_EQ(of("ec2"), "http://127.0.0.1:5000");
  machine.surroundings.environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_EQ(of("ec2"), "https://ec2.eu-west-1.amazonaws.com");
}

/// Hosts and the region that IAM's requests are signed for, as botocore's endpoints.json has them.
TEST(Endpoint, OfEachPartition) {
  struct Case {
    const char* region;
    const char* ec2;
    const char* iam;
    const char* iam_region;
  };
  const Case cases[] = {
      {"eu-west-1", "https://ec2.eu-west-1.amazonaws.com", "https://iam.amazonaws.com", "us-east-1"},
      {"us-east-1", "https://ec2.us-east-1.amazonaws.com", "https://iam.amazonaws.com", "us-east-1"},
      {"cn-north-1", "https://ec2.cn-north-1.amazonaws.com.cn", "https://iam.cn-north-1.amazonaws.com.cn",
       "cn-north-1"},
      {"cn-northwest-1", "https://ec2.cn-northwest-1.amazonaws.com.cn", "https://iam.cn-north-1.amazonaws.com.cn",
       "cn-north-1"},
      {"us-gov-west-1", "https://ec2.us-gov-west-1.amazonaws.com", "https://iam.us-gov.amazonaws.com", "us-gov-west-1"},
      {"us-gov-east-1", "https://ec2.us-gov-east-1.amazonaws.com", "https://iam.us-gov.amazonaws.com", "us-gov-west-1"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.region);
    Machine machine;
    machine.answers = {ok("<R/>"), ok("<R/>")};
    Client client = machine.client(one.region);
    ASSERT_TRUE(client.call(query_call("iam", "GetRole", {{"RoleName", "r"}})));
    ASSERT_TRUE(client.call(query_call("ec2", "DescribeSubnets", {})));
    EXPECT_EQ(machine.sent.at(0).url, std::string(one.iam) + "/");
    EXPECT_EQ(machine.sent.at(0).signing->region, one.iam_region);
    EXPECT_EQ(machine.sent.at(1).url, std::string(one.ec2) + "/");
    EXPECT_EQ(machine.sent.at(1).signing->region, one.region);
  }
}

TEST(Region, OfAPartitionThatIsNotKnownIsRefused) {
  Machine machine;
  for (const char* region : {"us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "eusc-de-east-1"}) {
    EXPECT_THAT(find_region(machine.surroundings, {}, "default", region).error().message,
                HasSubstr(std::string(region) + ": a region of the partition aws, aws-cn or aws-us-gov is right"));
  }
}

const std::string kThrottled =
    "<ErrorResponse><Error><Code>Throttling</Code><Message>slow down</Message></Error></ErrorResponse>";

TEST(AwsClient, TriesAgainWhenThrottledAndWhenNobodyAnswers) {
  Machine machine;
  machine.answers = {HttpResponse{400, {}, kThrottled}, Error{"connection refused"}, HttpResponse{500, {}, "<html/>"},
                     ok("<R><GetCallerIdentityResult><Account>1</Account><Arn>a</Arn></GetCallerIdentityResult></R>")};
  const Event event = machine.client().perform(GetCallerIdentity{}, Places{});
  EXPECT_EQ(std::get<Identity>(std::get<Reply>(event)).account, "1");
  EXPECT_EQ(machine.sent.size(), 4u);
  EXPECT_EQ(machine.sent[0].signing->service, "sts");
}

TEST(AwsClient, GivesUpAfterItsAttemptsAndSaysWhere) {
  Machine machine;
  const Event event = machine.client().perform(GetCallerIdentity{}, Places{});
  const Failure& failure = std::get<Failure>(event);
  EXPECT_EQ(failure.kind, Failure::Kind::kTransient);
  EXPECT_THAT(failure.message, HasSubstr("https://sts.eu-west-1.amazonaws.com: nobody answers"));
  EXPECT_EQ(machine.sent.size(), 5u);
}

TEST(AwsClient, DoesNotRepeatWhatMayHaveHappened) {
  Machine machine;
  const Event lost = machine.client().perform(TerminateInstance{"i-1", true}, Places{});
  EXPECT_EQ(std::get<Failure>(lost).kind, Failure::Kind::kTransient);
  EXPECT_EQ(machine.sent.size(), 1u);
  machine.sent.clear();
  machine.answers = {HttpResponse{400, {}, kThrottled}, ok("<TerminateInstanceInAutoScalingGroupResponse/>")};
  EXPECT_TRUE(std::holds_alternative<Reply>(machine.client().perform(TerminateInstance{"i-1", true}, Places{})));
  EXPECT_EQ(machine.sent.size(), 2u) << "a throttled call did nothing";
}

TEST(AwsClient, LooksForNewCredentialsOnceWhenTheyAreExpired) {
  Machine machine;
  const HttpResponse expired{403, {}, "<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>"};
  machine.answers = {expired, expired};
  const Failure failure = std::get<Failure>(machine.client().perform(GetCallerIdentity{}, Places{}));
  EXPECT_EQ(failure.kind, Failure::Kind::kExpired);
  EXPECT_THAT(failure.message, HasSubstr("credentials of the environment"));
  EXPECT_EQ(machine.sent.size(), 2u);
}

TEST(AwsClient, PutsPagesTogether) {
  Machine machine;
  const auto page = [](const char* number, const std::string& next) {
    return ok("<R><launchTemplateVersionSet><item><versionNumber>" + std::string(number) +
              "</versionNumber></item></launchTemplateVersionSet>" +
              (next.empty() ? "" : "<nextToken>" + next + "</nextToken>") + "</R>");
  };
  machine.answers = {page("7", "more"), page("6", "")};
  const Event event = machine.client().perform(DescribeVersions{"lt-1"}, Places{});
  EXPECT_EQ(std::get<std::vector<TemplateVersion>>(std::get<Reply>(event)).size(), 2u);
  EXPECT_THAT(machine.sent.at(1).body, HasSubstr("NextToken=more"));
}

}  // namespace
}  // namespace rr::deploy
