// The texts that are kept at AWS, and the small encodings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/aws/artifact.h"
#include "deploy/aws/record_text.h"
#include "deploy/aws/retry.h"
#include "deploy/aws/transport.h"

namespace rr::deploy {
namespace {

const Time kTime{std::chrono::seconds(1'764'000'000)};

TEST(RecordText, EveryFieldOfAJobComesBack) {
  Job job;
  job.id = "id";
  job.token = "token";
  job.owner = "me@here \"quoted\"";
  job.host = "host";
  job.process = "12 34";
  job.kind = JobKind::kRelease;
  job.strategy = Strategy::kDouble;
  job.lane = ArtifactLane{"s3://b/k", "abc"};
  job.from = {"6", "ami-6", "", "old", "27", kTime};
  job.to = {"7", "", "s3://b/k", "new", "28", std::nullopt};
  job.refresh_before = "refresh-1";
  job.turned = true;
  job.why = "an alarm";
  job.desired = 2;
  job.zones = 2;
  job.driven = std::chrono::seconds(70);
  job.leaving = {"i-1", "i-2"};
  job.suspended = {"AZRebalance"};
  job.started = kTime;
  const auto read = parse_job(job_text(job));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, job);
  job.strategy = Strategy::kRefresh;
  job.kind = JobKind::kRollback;
  job.lane = ImageLane{"ami-1"};
  job.turned = false;
  job.why.clear();
  job.desired = job.zones = 0;
  job.driven = Duration{};
  job.leaving.clear();
  job.suspended.clear();
  EXPECT_EQ(*parse_job(job_text(job)), job);
}

TEST(RecordText, EveryFieldOfARecordComesBack) {
  Record record;
  record.outcome = Outcome::kRolledBack;
  record.current = {"6", "ami-6", "", "old", "27", kTime};
  record.previous = Released{"5", "ami-5", "", "", "", std::nullopt};
  record.left = Released{"7", "ami-7", "", "new", "28", std::nullopt};
  record.why = "HTTP 500";
  record.by = "me";
  record.at = kTime;
  EXPECT_EQ(*parse_record(record_text(record)), record);
  record.previous.reset();
  record.left.reset();
  EXPECT_EQ(*parse_record(record_text(record)), record);
}

TEST(RecordText, WhatSomebodyElseWroteIsNamed) {
  EXPECT_THAT(parse_job("hello").error().message, testing::HasSubstr("not the JSON that rr-deploy writes: hello"));
  EXPECT_THAT(parse_record(R"({"format":99})").error().message, testing::HasSubstr("newer rr-deploy"));
  EXPECT_FALSE(parse_record("[]"));
  // Wrong types inside are read as missing, never as a crash.
  EXPECT_TRUE(parse_job(R"({"format":1,"lane":7,"leaving":"x","desired":"y","from":[]})"));
}

TEST(RecordText, ALockFitsIntoAParameter) {
  Job job;
  job.why = std::string(10'000, 'x');
  job.turned = true;
  job.leaving.assign(100, "i-0123456789abcdef0");
  job.strategy = Strategy::kDouble;
  EXPECT_LT(job_text(job).size(), 4096u);
}

TEST(Base64, RoundTrip) {
  // RFC 4648 section 10.
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(from_base64(base64(all)), all);
  EXPECT_EQ(from_base64("no base64!"), "");
}

TEST(Artifact, IsFoundInItsUserDataAndNowhereElse) {
  const ArtifactLane artifact{"s3://bucket/prefix/abc.tar.gz", std::string(64, 'c')};
  const std::string text = artifact_user_data(artifact, "rr-webapp.service");
  EXPECT_EQ(artifact_in(text), artifact);
  EXPECT_EQ(artifact_in(plain_user_data()), ArtifactLane{});
  EXPECT_THAT(text, testing::HasSubstr("/run/systemd/system/rr-webapp.service.d/hold.conf"));
  EXPECT_LT(text.size(), 16u * 1024) << "EC2's limit for user data";
}

TEST(PercentEncoded, AsSignaturesWantIt) {
  EXPECT_EQ(percent_encoded("a b/c~d+é"), "a%20b%2Fc~d%2B%C3%A9");
  EXPECT_EQ(percent_encoded("a/b c", true), "a/b%20c");
}

TEST(Retry, WaitsLongerEachTimeAndGivesUp) {
  Rng chance(7);
  Duration bound = std::chrono::milliseconds(300);
  for (int attempt = 1; attempt < kAttempts; ++attempt) {
    for (int draw = 0; draw < 100; ++draw) {
      const auto delay = delay_after(attempt, chance);
      ASSERT_TRUE(delay);
      EXPECT_GE(*delay, Duration{});
      EXPECT_LE(*delay, bound) << "attempt " << attempt;
    }
    bound = std::min<Duration>(bound * 2, kMostDelay);
  }
  EXPECT_FALSE(delay_after(kAttempts, chance));
}

}  // namespace
}  // namespace rr::deploy
