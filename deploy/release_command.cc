// release and rollback: the machine of deploy/rollout between AWS, the load balancer and a person.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "deploy/artifact_store.h"
#include "deploy/aws/xml.h"
#include "deploy/commands.h"
#include "deploy/context.h"
#include "deploy/image_choice.h"
#include "deploy/report.h"
#include "deploy/rollout/rollout.h"

namespace rr::deploy {
namespace {

Colour colour_of(Note::Kind kind) {
  switch (kind) {
    case Note::Kind::kStep:
      return Colour::kBlue;
    case Note::Kind::kChange:
      return Colour::kPlain;
    case Note::Kind::kWarning:
      return Colour::kYellow;
    case Note::Kind::kProblem:
      return Colour::kRed;
  }
  return Colour::kPlain;
}

// Columns: what clock_of() takes.
constexpr std::size_t kBesideTheClock = 10;

std::string clock_of(Time began, Time at) { return fmt::format("{:>6.1f} s  ", to_seconds(at - began)); }

/// One run of the machine in real time.
class Driver {
 public:
  /// `prepare` is called once, after preflight and before anything else is changed; its error ends the run.
  Driver(Context& context, Plan plan, Tier tier, std::function<Status()> prepare)
      : context_(context), tier_(std::move(tier)), prepare_(std::move(prepare)), rollout_(std::move(plan), now()) {
    report_.environment = context.settings.environment;
    report_.url = tier_.url;
    report_.began = now();
  }

  int run();
  const Report& report() const { return report_; }
  const Rollout& rollout() const { return rollout_; }

 private:
  void take(Step step);
  Event perform(const Command& command);
  void hear(Prober& prober);
  void show_progress();

  Context& context_;
  Tier tier_;
  std::function<Status()> prepare_;
  Rollout rollout_;
  Report report_;
  std::optional<Command> command_;
  std::optional<Verdict> verdict_;
};

void Driver::take(Step step) {
  for (Note& note : step.notes) {
    const std::string line = clock_of(report_.began, now()) + note.text;
    context_.speaker.long_line(line, kBesideTheClock, colour_of(note.kind));
    report_.notes.emplace_back(now(), std::move(note));
  }
  if (step.command) command_ = std::move(step.command);
  if (step.verdict) verdict_ = std::move(step.verdict);
}

/// The lock is the first thing that a job changes.
Event Driver::perform(const Command& command) {
  if (prepare_ && std::holds_alternative<WriteLock>(command)) {
    if (const Status prepared = std::exchange(prepare_, nullptr)(); !prepared)
      return Failure{Failure::Kind::kRefused, "", prepared.error().message};
  }
  return context_.client->perform(command, context_.places);
}

void Driver::hear(Prober& prober) {
  for (Answer& answer : prober.take()) {
    if (verdict_) return;
    take(rollout_.handle(std::move(answer), now()));
  }
}

void Driver::show_progress() {
  const Progress progress = rollout_.progress();
  const Tally& tally = rollout_.tally();
  context_.speaker.progress(fmt::format("{}{} {}  {}/{} healthy  {} answers, {} failed", clock_of(report_.began, now()),
                                        bar(progress.percent), to_string(progress.phase), progress.healthy,
                                        progress.targets, tally.answers(), tally.failed()));
}

/// The exit code.
int Driver::run() {
  count_interrupts();
  int seen = 0;
  Question question = question_about(context_, tier_);
  question.timeout = context_.settings.probe.answer_timeout;
  Prober prober(std::move(question), context_.settings.probe.interval);
  take(rollout_.handle(Wake{}, now()));
  while (!verdict_) {
    hear(prober);
    if (verdict_) break;
    if (interrupts() > seen) {
      if (++seen > 1) {
        context_.speaker.line(
            "stopped; what was begun goes on at AWS. The same command takes it up again, rollback goes back",
            Colour::kRed);
        verdict_ = Verdict{kExitInterrupted, "interrupted twice"};
        break;
      }
      take(rollout_.handle(Interrupt{}, now()));
    } else if (command_) {
      const Command command = *std::exchange(command_, std::nullopt);
      take(rollout_.handle(perform(command), now()));
    } else {
      show_progress();
      const auto wake = rollout_.next_wake();
      const Duration pause =
          // not a setting: how often the line of progress moves
          wake ? std::clamp<Duration>(*wake - now(), Duration{}, 200 * kMillisecond) : 200 * kMillisecond;
      sleep_until_interrupt(pause, seen);
      take(rollout_.handle(Wake{}, now()));
    }
  }
  report_.ended = now();
  report_.verdict = *verdict_;
  return verdict_->code;
}

void apply_settings(Plan& plan, const Settings& settings) {
  plan.account = settings.aws.account;
  plan.warm_up = settings.auto_scaling_group.default_instance_warmup;
  plan.bake = settings.release.bake_time;
  plan.drain = settings.target_group.deregistration_delay;
  plan.poll = settings.release.poll_interval;
  plan.deadline = settings.release.deadline;
  plan.patience = settings.release.patience;
  plan.lease = settings.release.lock_timeout;
  plan.keep_versions = settings.release.keep_versions;
  plan.verification.answers = settings.verification.consecutive_answers;
  plan.verification.instances = settings.verification.minimum_instances;
  plan.verification.limit = settings.verification.deadline;
  plan.verification.allowed_failures = settings.probe.allowed_failures;
  const auto source = VersionSource::parse(settings.application.version_from);
  plan.verification.commits_known = source && source->kind != VersionSource::Kind::kNone;
  // A header names the version and not who gave it.
  if (source && source->kind != VersionSource::Kind::kPath) plan.verification.instances = 0;
}

/// The alarms that end a release, by the beginning of their names.
Result<std::vector<std::string>> release_alarms(Context& context) {
  const auto response = context.client->call(
      query_call("monitoring", "DescribeAlarms", {{"AlarmNamePrefix", context.names.alarm_prefix}}));
  if (!response) return Error{response.error().message};
  std::vector<std::string> names;
  for (const Xml& alarm : Xml::parse(response->body).at("DescribeAlarmsResult").items("MetricAlarms")) {
    names.push_back(alarm.text("AlarmName"));
  }
  // More are not taken by an instance refresh (API reference, AlarmSpecification).
  if (names.size() > 10) names.resize(10);
  return names;
}

/// What is wrong whatever the settings and AWS say.
std::optional<std::string> misuse(const Arguments& arguments) {
  const std::string strategy = arguments.value("--strategy", "refresh");
  if (strategy != "refresh" && strategy != "double")
    return fmt::format("--strategy {}: refresh or double is right", strategy);
  const std::string to = arguments.value("--to", "1");
  if (!is_numbered(to)) return fmt::format("--to {}: a version's number is right; `rr-deploy history` has them", to);
  if (arguments.has("--image") && arguments.has("--artifact")) return "--image and --artifact: one of them is right";
  return std::nullopt;
}

Result<Plan> plan_of(Context& context, const Arguments& arguments, JobKind kind, const Tier& tier) {
  Plan plan;
  apply_settings(plan, context.settings);
  plan.kind = kind;
  plan.group = context.names.tier;
  plan.target_group = tier.target_group;
  plan.token = random_token();
  plan.owner = owner_name(context.surroundings);
  plan.host = machine_name();
  plan.process = process_name();
  plan.strategy = arguments.value("--strategy") == "double" ? Strategy::kDouble : Strategy::kRefresh;
  if (kind == JobKind::kRollback) {
    if (arguments.has("--to")) plan.to = arguments.value("--to");
    return plan;
  }
  plan.force = arguments.has("--force");
  plan.commit = arguments.value("--commit");
  plan.build = arguments.value("--build");
  if (arguments.has("--artifact")) {
    if (plan.commit.empty()) plan.commit = context.surroundings.variable("CI_COMMIT");
    if (plan.build.empty()) plan.build = context.surroundings.variable("CI_BUILD");
    if (plan.commit.empty() && plan.verification.commits_known) {
      return Error{"--artifact needs --commit (or CI_COMMIT): that commit has to answer in the end"};
    }
  }
  return plan;
}

/// What is to be released: an image's id, or an object that can be fetched, or is going to be.
Result<Lane> lane_of(Context& context, const Arguments& arguments) {
  if (arguments.has("--artifact")) {
    auto artifact = find_artifact(context, arguments.value("--artifact"));
    if (!artifact) return artifact.error();
    return Lane{*artifact};
  }
  auto image = choose_image(context, arguments.value("--image"));
  if (!image) return image.error();
  return Lane{ImageLane{*image}};
}

/// What is done when preflight is through: an artifact comes to lie where instances fetch it.
std::function<Status()> preparation(Context& context, const Arguments& arguments, const Lane& lane) {
  if (!arguments.has("--artifact")) return nullptr;
  return [&context, file = arguments.value("--artifact"), artifact = std::get<ArtifactLane>(lane)] {
    return store_artifact(context, file, artifact);
  };
}

int finish(const CommandSpec& command, Context& context, const Arguments& arguments, const Driver& driver) {
  const Report& report = driver.report();
  const Tally& tally = driver.rollout().tally();
  const Colour colour = report.verdict.code == kReleased ? Colour::kGreen : Colour::kRed;
  const std::string last = clock_of(report.began, report.ended) + report.verdict.reason;
  context.speaker.long_line(last, kBesideTheClock, colour);
  if (tally.answers() > 0) {
    context.speaker.line(fmt::format("          {} requests through the load balancer, {} failed; slowest {:.0f} ms",
                                     tally.answers(), tally.failed(), 1000 * to_seconds(tally.slowest())));
  }
  const std::string json = report_json(report, driver.rollout());
  if (context.json) fmt::print("{}", json);
  for (const auto& [flag, text] :
       {std::pair{"--report", json}, std::pair{"--junit", report_junit(report, driver.rollout())}}) {
    if (!arguments.has(flag)) continue;
    if (const Status written = write_whole_file(arguments.value(flag), text); !written) {
      fail(command, 0, fmt::format("{}: {}", flag, written.error().message));
    }
  }
  return report.verdict.code;
}

int run_job(const CommandSpec& command, const Arguments& arguments, JobKind kind) {
  if (const auto wrong = misuse(arguments)) return fail(command, kUsage, *wrong);
  auto context =
      open_context(arguments, kind == JobKind::kRollback ? SettingsFirst::kStored : SettingsFirst::kCheckout);
  if (!context) return fail(command, kRefused, context.error().message);
  auto tier = find_tier(**context, arguments.value("--url"));
  if (!tier) return fail(command, kRefused, tier.error().message);
  auto plan = plan_of(**context, arguments, kind, *tier);
  if (!plan) return fail(command, kUsage, plan.error().message);
  if (kind == JobKind::kRelease) {
    auto lane = lane_of(**context, arguments);
    if (!lane) return fail(command, kRefused, lane.error().message);
    plan->lane = std::move(*lane);
    auto alarms = release_alarms(**context);
    if (!alarms) return fail(command, kRefused, alarms.error().message);
    plan->alarms = std::move(*alarms);
  }
  if (tier->url.empty() && tier->group) {
    return fail(command, kRefused,
                fmt::format("group {} has no load balancer, through which its answers could be verified (--url names "
                            "another way to it)",
                            tier->group->name));
  }
  if (!tier->url.empty()) (*context)->speaker.line(tier->url);
  auto prepare = preparation(**context, arguments, plan->lane);
  Driver driver(**context, std::move(*plan), std::move(*tier), std::move(prepare));
  driver.run();
  return finish(command, **context, arguments, driver);
}

int run_release(const CommandSpec& command, const Arguments& arguments) {
  return run_job(command, arguments, JobKind::kRelease);
}
int run_rollback(const CommandSpec& command, const Arguments& arguments) {
  return run_job(command, arguments, JobKind::kRollback);
}

std::vector<FlagSpec> job_flags(std::vector<FlagSpec> own) {
  own.push_back(
      {"--strategy", "NAME", "refresh (default): an instance refresh; double: twice the group, wait, half of it"});
  own.push_back({"--url", "URL", "where the tier answers, in place of the load balancer's own name"});
  own.push_back({"--report", "FILE", "the result as JSON"});
  own.push_back({"--junit", "FILE", "the result as JUnit XML"});
  return with_common_flags(std::move(own));
}

constexpr const char* kExitCodes =
    "Exit status: 0 done, 2 wrong use, 3 refused in preflight and nothing touched, 10 not released and all is as "
    "before, 11 it could not be taken back, 130 interrupted twice.";

}  // namespace

std::vector<CommandSpec> release_commands() {
  CommandSpec release;
  release.name = "release";
  release.arguments = {"ENVIRONMENT"};
  release.summary =
      "Brings an image or an artifact into service, proves it through the load balancer, or takes it back by itself.";
  release.more = std::string(
                     "Ctrl-C goes back; a second one leaves everything as it is. Killed at any moment, the same "
                     "command takes it up again.\n") +
                 kExitCodes;
  release.flags = job_flags({{"--image", "AMI", "default: the image of CI_COMMIT, else the one that was baked last"},
                             {"--artifact", "FILE", "a bundle (packer/bake --only-bundle) or an s3:// URL: no bake"},
                             {"--commit", "SHA", "that must answer in the end (default: the image's tag Commit)"},
                             {"--build", "N", "the same of the build"},
                             {"--force", "", "although targets are unhealthy or alarms fire"}});
  release.examples = {
      {"rr-deploy release production", "the image of this commit, or the last one baked"},
      {"rr-deploy release production --image ami-0a1b2c3d4e5f60718 --junit release.xml", "a certain one"},
      {"rr-deploy release production --artifact bundle.tar.gz --commit $(git rev-parse HEAD)", "the fast lane"}};
  release.run = run_release;
  CommandSpec rollback;
  rollback.name = "rollback";
  rollback.arguments = {"ENVIRONMENT"};
  rollback.summary =
      "Goes back to the release before, whatever is broken. Needs credentials and the environment's name, no checkout.";
  rollback.more =
      std::string(
          "It takes the lock from a running release, resumes suspended processes and waits for no bake time. Repeated "
          "it does nothing more. Settings come from Parameter Store.\n") +
      kExitCodes;
  rollback.flags =
      job_flags({{"--to", "N", "a certain version of the launch template (`rr-deploy history` has them)"}});
  rollback.examples = {{"rr-deploy rollback production", "to what served before"},
                       {"rr-deploy rollback production --to 12", "further back"}};
  rollback.run = run_rollback;
  return {release, rollback};
}

}  // namespace rr::deploy
