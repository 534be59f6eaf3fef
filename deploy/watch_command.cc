// watch and verify: what the load balancer answers, for people and for scripts.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "deploy/commands.h"
#include "deploy/context.h"
#include "deploy/rollout/rollout.h"

namespace rr::deploy {
namespace {

using Json = nlohmann::ordered_json;

/// With --url alone no AWS is needed: a tier on this machine is watched by the same words.
struct Watched {
  std::unique_ptr<Context> context;
  Question question;
};

Result<Watched> open_watched(const Arguments& arguments) {
  Watched watched;
  Tier tier;
  tier.url = arguments.value("--url");
  auto context = open_context(arguments, SettingsFirst::kCheckout, tier.url.empty() ? Calls::kAws : Calls::kNobody);
  if (!context) return context.error();
  watched.context = std::move(*context);
  if (tier.url.empty()) {
    auto found = find_tier(*watched.context, "");
    if (!found) return found.error();
    if (found->url.empty())
      return Error{fmt::format("{} has no load balancer: `rr-deploy apply` makes it", watched.context->names.tier)};
    tier = std::move(*found);
  }
  while (!tier.url.empty() && tier.url.back() == '/') tier.url.pop_back();
  watched.question = question_about(*watched.context, tier);
  return watched;
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

/// A colour for each commit, in the order of their coming, so that a rollout is seen at a glance.
class Colours {
 public:
  Colour of(const std::string& commit) {
    const auto [entry, fresh] = colours_.emplace(commit, Colour::kPlain);
    constexpr Colour kTurns[] = {Colour::kGreen, Colour::kBlue, Colour::kYellow};
    if (fresh) entry->second = kTurns[(colours_.size() - 1) % 3];
    return entry->second;
  }

 private:
  std::map<std::string, Colour> colours_;
};

Json answer_json(const Answer& answer, Time at) {
  return {{"at", format_iso8601(at, 3)}, {"status", answer.status},
          {"error", answer.error},       {"host", answer.instance},
          {"zone", answer.zone},         {"commit", answer.commit},
          {"build", answer.build},       {"seconds", to_seconds(answer.took)}};
}

void print_answer(Speaker& speaker, Colours& colours, const Answer& answer, Time at) {
  if (!is_good(answer)) {
    speaker.line(fmt::format("{}  {}", format_clock(at), cause_of(answer)), Colour::kRed);
    return;
  }
  speaker.line(
      fmt::format("{}  {:<22} {:<12} {}  build {:<6} {}", format_clock(at), or_dash(answer.instance),
                  or_dash(answer.zone), or_dash(short_commit(answer.commit)), or_dash(answer.build), answer.status),
      colours.of(answer.commit));
}

void print_summary(Speaker& speaker, const Tally& tally, const std::map<std::string, int>& by_host, Time began) {
  speaker.line(fmt::format("{} requests in {:.0f} s, {} failed; slowest {:.0f} ms", tally.answers(),
                           to_seconds(now() - began), tally.failed(), 1000 * to_seconds(tally.slowest())));
  for (const auto& [host, count] : by_host) speaker.line(fmt::format("  {:<24} {}", host, count));
  for (const auto& [version, count] : tally.versions()) speaker.line(fmt::format("  commit {:<48} {}", version, count));
  for (const auto& [cause, count] : tally.failures())
    speaker.line(fmt::format("  {:<24} {}", cause, count), Colour::kRed);
}

Result<std::uint64_t> count_of(const Arguments& arguments) {
  const std::string text = arguments.value("--count", "0");
  if (!is_numbered(text) || text.size() > 9) return Error{fmt::format("--count {}: a number is right", text)};
  return std::stoull(text);
}

int run_watch(const CommandSpec& command, const Arguments& arguments) {
  // not a setting: what a person sees by default
  const auto interval = parse_duration(arguments.value("--interval", "1s"));
  if (!interval) return fail(command, kUsage, "--interval: " + interval.error().message);
  const auto most = count_of(arguments);
  if (!most) return fail(command, kUsage, most.error().message);
  auto watched = open_watched(arguments);
  if (!watched) return fail(command, kRefused, watched.error().message);
  Speaker& speaker = watched->context->speaker;
  const bool json = watched->context->json;
  count_interrupts();
  Tally tally{Verification{}};
  std::map<std::string, int> by_host;
  Colours colours;
  Asker asker(watched->question);
  const Time began = now();
  while (interrupts() == 0 && (*most == 0 || tally.answers() < *most)) {
    const Time at = now();
    const Answer answer = asker.ask();
    tally.add(answer);
    if (!answer.instance.empty()) ++by_host[answer.instance];
    if (json) {
      fmt::print("{}\n", answer_json(answer, at).dump());
      std::fflush(stdout);
    } else {
      print_answer(speaker, colours, answer, at);
    }
    if (*most != 0 && tally.answers() >= *most) break;
    sleep_until_interrupt(std::max<Duration>(at + *interval - now(), Duration{}), 0);
  }
  if (interrupts() > 0 && speaker.terminal()) speaker.line("");  // the terminal has written ^C
  print_summary(speaker, tally, by_host, began);
  return tally.failed() == 0 ? 0 : 1;
}

// -- verify

/// The wanted commit: --commit, CI_COMMIT, else what the release record says.
Result<Released> wanted_version(Context& context, const Arguments& arguments) {
  Released wanted;
  wanted.commit = arguments.value("--commit", context.surroundings.variable("CI_COMMIT"));
  wanted.build = arguments.value("--build", "");
  if (!wanted.commit.empty()) return wanted;
  auto found = ask<RecordFound>(context, ReadRecord{});
  if (!found) return found.error();
  if (!found->record) return Error{"which commit? --commit says it; nothing was released yet"};
  return found->record->current;
}

int run_verify(const CommandSpec& command, const Arguments& arguments) {
  auto watched = open_watched(arguments);
  if (!watched) return fail(command, kRefused, watched.error().message);
  Context& context = *watched->context;
  auto wanted = wanted_version(context, arguments);
  if (!wanted) return fail(command, kRefused, wanted.error().message);
  const auto& settings = context.settings.verification;
  Verification rules;
  rules.answers = settings.consecutive_answers;
  rules.commits_known = watched->question.source.kind != VersionSource::Kind::kNone;
  rules.instances = watched->question.source.kind == VersionSource::Kind::kPath ? settings.minimum_instances : 0;
  Tally tally(rules);
  tally.expect(*wanted, {});
  count_interrupts();
  Asker asker(watched->question);
  const Time began = now();
  while (!tally.verified(rules.instances) && now() - began < settings.deadline && interrupts() == 0) {
    tally.add(asker.ask());
    context.speaker.progress(tally.shortfall(rules.instances));
    sleep_until_interrupt(settings.question_interval, 0);
  }
  const bool proven = tally.verified(rules.instances);
  const std::string said = fmt::format("{} {}: {}", watched->question.url,
                                       proven ? "answers " + wanted->commit : "does not prove " + wanted->commit,
                                       tally.shortfall(rules.instances));
  context.speaker.line(context.speaker.terminal() ? wrapped(said, 2) : said, proven ? Colour::kGreen : Colour::kRed);
  if (context.json) {
    fmt::print("{}\n", Json{{"verified", proven},
                            {"url", watched->question.url},
                            {"commit", wanted->commit},
                            {"answers", tally.answers()},
                            {"failed", tally.failed()},
                            {"versions", tally.versions()}}
                           .dump(2));
  }
  return proven ? 0 : 1;
}

}  // namespace

std::vector<CommandSpec> watch_commands() {
  const FlagSpec url{"--url", "URL", "where the tier answers, in place of the load balancer's own name"};
  CommandSpec watch;
  watch.name = "watch";
  watch.arguments = {"ENVIRONMENT"};
  watch.summary = "Asks the load balancer again and again and shows who answers which version; Ctrl-C gives the sums.";
  watch.more = "Exit status: 0, 1 when a request failed.";
  watch.flags = with_common_flags(
      // not a setting: it is said in a help text
      {url, {"--interval", "TIME", "between two requests (default 1s)"}, {"--count", "N", "stop after so many"}});
  watch.examples = {{"rr-deploy watch production", "while somebody releases"},
                    // not a setting: an example
                    {"rr-deploy watch production --interval 100ms --json", "a line of JSON an answer"}};
  watch.run = run_watch;
  CommandSpec verify;
  verify.name = "verify";
  verify.arguments = {"ENVIRONMENT"};
  verify.summary = "Proves through the load balancer that one commit serves, everywhere and alone.";
  verify.more = "Exit status: 0 proven, 1 not.";
  verify.flags = with_common_flags(
      {url, {"--commit", "SHA", "default: CI_COMMIT, else the released one"}, {"--build", "N", "of it"}});
  verify.examples = {{"rr-deploy verify production", "what was released last"}};
  verify.run = run_verify;
  return {watch, verify};
}

}  // namespace rr::deploy
