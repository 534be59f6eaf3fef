// rr-sim: a two-zone AWS web tier on this machine. The table of commands; each has its own file.
#include <cstdio>
#include <string>
#include <vector>

#include "rr_version.h"
#include "sim/command_line.h"
#include "sim/commands.h"
#include "sim/console/screen.h"
#include "sim/world/fault.h"

namespace rr::sim {
namespace {

FlagSpec state_flag_spec() {
  return {"--state", 0, "DIR",
          "the tier's state folder\n(default: $XDG_STATE_HOME or ~/.local/state,\nround-robin/web)", ""};
}
FlagSpec speed_flag() {
  return {"--speed", 0, "N",
          "divide what the control plane waits for; nothing that\na request meets is divided (status tells)", "speed"};
}
FlagSpec ground_flag() { return {"--ground", 0, "KIND", "namespaces, plain or auto (default)", "ground"}; }

CommandSpec up_command() {
  return {
      .name = "up",
      .summary = "Starts the tier: two zones, two instances, one load-balancer node a zone.",
      .more =
          "In the foreground it shows the log of everything; Ctrl-C stops all of it in order, a second "
          "Ctrl-C at once. A state folder that a killed run left is taken over.\n"
          "Exit status: 0 stopped in order, 2 wrong input, 3 could not start, 130 stopped at once.",
      .flags =
          {
              {"--detach", 'd', "", "leave it running; returns when it answers", ""},
              {"--listen", 0, "ADDRESS", "the front (default 127.0.0.1:8080; port 0: any)", "listen"},
              {"--settings", 0, "FILE", "YAML file with all settings (rr-sim settings prints it)", ""},
              {"--set", 0, "KEY=VALUE", "one setting by its key; may be repeated", ""},
              state_flag_spec(),
              ground_flag(),
              speed_flag(),
              {"--app", 0, "CMD",
               "a program of yours in place of rr-webapp, run in the\ncurrent folder; it gets PORT, HOST and more in "
               "its\nenvironment, and {port} is substituted",
               "app.command"},
              {"--health-path", 0, "PATH", "what the health check asks for\n(default /healthz; with --app /)",
               "target_group.health_check.path"},
              {"--version-from", 0, "FROM",
               "where a release reads the commit: path[:/version],\nheader:NAME or none (with --app: none)",
               "app.version_from"},
              {"--commit", 0, "SHA", "of the first image (default: git's HEAD)", "app.commit"},
              {"--build", 0, "N", "of the first image (default: counted)", "app.build"},
              {"--load", 0, "RATE", "open-loop requests a second from the start", "load"},
              {"--seed", 0, "N", "decides ids and ties (default: random)", "seed"},
              {"--discard", 0, "", "remove the state folder when the tier stops", ""},
              {"--quiet", 0, "", "show events only, not what processes write", ""},
              {"--verbose", 0, "", "show health checks too", ""},
          },
      .examples = {{"rr-sim up", "AWS's own durations, http://127.0.0.1:8080/"},
                   {"rr-sim up -d --speed 10", "ten times as fast, in the background"},
                   {"rr-sim up --app 'node server.js' --health-path /", "a program of yours behind the balancer"},
                   {"rr-sim up --listen 127.0.0.1:0 --set target_group.deregistration_delay=5s",
                    "another port, another setting"}},
      .run = run_up,
  };
}

CommandSpec simple(std::string name, std::string arguments, std::string summary,
                   int (*run)(const CommandSpec&, const Arguments&), std::vector<FlagSpec> flags,
                   std::vector<std::pair<std::string, std::string>> examples) {
  CommandSpec c;
  c.name = std::move(name);
  c.arguments = std::move(arguments);
  c.summary = std::move(summary);
  c.flags = std::move(flags);
  c.flags.push_back(state_flag_spec());
  c.examples = std::move(examples);
  c.run = run;
  return c;
}

CommandSpec demo_command() {
  return {
      .name = "demo",
      .summary = "Shows all of it in less than a minute, and checks its own promises.",
      .more =
          "Round robin, a zone's death, the replacement, the way back, a release under load.\n"
          "Exit status: 0 every promise kept, 1 one was broken, 3 the tier could not start, 130 interrupted.",
      .flags = {{"--step", 0, "", "wait for a key before each act, and say what comes", ""},
                {"--keep", 0, "", "leave the tier running", ""},
                {"--speed", 0, "N", "divide what the control plane waits for (default 10)", ""},
                ground_flag()},
      .examples = {{"rr-sim demo", "all acts"},
                   {"rr-sim demo --step", "at your own pace"},
                   {"rr-sim demo --keep", "and go on by hand"}},
      .run = run_demo,
  };
}

void add_instance_commands(std::vector<CommandSpec>& all) {
  const FlagSpec replace{"--replace", 0, "", "keep the desired capacity: another one is launched", ""};
  all.push_back(simple("instance terminate", "ID", "Ends an instance of the group.", run_instance_terminate,
                       {{"--decrement", 0, "", "one less is desired: it is not replaced", ""}},
                       {{"rr-sim instance terminate i-0a1b", "another one takes its place"}}));
  all.push_back(simple("instance health", "ID HEALTH",
                       "Says whether an instance is healthy; unhealthy ones are replaced.", run_instance_health,
                       {{"--respect-grace-period", 0, "", "not while its grace period lasts", ""}},
                       {{"rr-sim instance health i-0a1b unhealthy", "as set-instance-health does"}}));
  all.push_back(simple("instance protect", "ID", "Protects an instance from being ended by a scale-in.",
                       run_instance_protect, {{"--off", 0, "", "protects it no more", ""}},
                       {{"rr-sim instance protect i-0a1b", ""}}));
  all.push_back(simple("instance standby", "ID", "Takes an instance out of service without ending it.",
                       run_instance_standby, {replace},
                       {{"rr-sim instance standby i-0a1b", "to look at it in peace"}}));
  all.push_back(simple("instance return", "ID", "Brings an instance back from standby.", run_instance_return, {},
                       {{"rr-sim instance return i-0a1b", ""}}));
  all.push_back(simple("instance detach", "ID", "Takes an instance out of the group; it runs on.", run_instance_detach,
                       {replace}, {{"rr-sim instance detach i-0a1b", ""}}));
  all.push_back(simple("instance attach", "ID", "Takes a detached instance into the group again.", run_instance_attach,
                       {}, {{"rr-sim instance attach i-0a1b", ""}}));
}

void add_group_commands(std::vector<CommandSpec>& all) {
  all.push_back(
      simple("group update", "", "Changes settings of the group, as UpdateAutoScalingGroup does.", run_group_update,
             {{"--set", 0, "KEY=VALUE",
               "one of auto_scaling_group's settings by its key, or\nlaunch_template_version; may be repeated", ""}},
             {{"rr-sim group update --set min_size=1 --set max_size=8", ""},
              {"rr-sim group update --set termination_policies=[OldestInstance]", ""},
              {"rr-sim group update --set launch_template_version='$Latest'", ""}}));
  all.push_back(simple("group suspend", "[PROCESSES]", "Suspends processes of the group, or all of them.",
                       run_group_suspend, {}, {{"rr-sim group suspend AZRebalance,ReplaceUnhealthy", ""}}));
  all.push_back(simple("group resume", "[PROCESSES]", "Resumes processes of the group, or all of them.",
                       run_group_resume, {}, {{"rr-sim group resume", "everything runs again"}}));
  all.push_back(simple("group activities", "", "What the group has done, and why, newest first.", run_group_activities,
                       {{"--json", 0, "", "as JSON", ""}}, {{"rr-sim group activities", "with each one's cause"}}));
  all.push_back(simple("hook put", "NAME TRANSITION", "Makes instances wait when launching, or when terminating.",
                       run_hook_put,
                       {{"--heartbeat", 0, "TIME", "how long they wait (default 1h)", ""},
                        {"--default", 0, "RESULT", "what becomes of it then: abandon (default) or\ncontinue", ""}},
                       {{"rr-sim hook put warm-cache launching --heartbeat 5m", ""}}));
  all.push_back(simple("hook delete", "NAME", "Nobody waits for that hook any more.", run_hook_delete, {},
                       {{"rr-sim hook delete warm-cache", ""}}));
  all.push_back(simple("hook complete", "NAME ID", "Lets a waiting instance go on, or ends it.", run_hook_complete,
                       {{"--result", 0, "RESULT", "continue (default) or abandon", ""}},
                       {{"rr-sim hook complete warm-cache i-0a1b", ""}}));
  all.push_back(simple("hook heartbeat", "NAME ID", "Lets a waiting instance wait as long again.", run_hook_heartbeat,
                       {}, {{"rr-sim hook heartbeat warm-cache i-0a1b", ""}}));
}

void add_scaling_commands(std::vector<CommandSpec>& all) {
  const FlagSpec as_json{"--json", 0, "", "as JSON", ""};
  all.push_back(simple("alarm put", "NAME METRIC THRESHOLD", "An alarm on one of the tier's metrics.", run_alarm_put,
                       {{"--comparison", 0, "HOW", "default: GreaterThanThreshold", ""},
                        {"--periods", 0, "N", "of a minute each, that are looked at (default 1)", ""},
                        {"--datapoints", 0, "M", "of them that must breach (default: all)", ""},
                        {"--missing", 0, "WHAT",
                         "a period without data is: missing (default),\nnotBreaching, "
                         "breaching or ignore",
                         ""}},
                       {{"rr-sim alarm put errors HTTPCode_ELB_5XX_Count 10 --periods 3 --datapoints 2", ""}}));
  all.push_back(
      simple("alarm list", "", "The alarms and their states.", run_alarm_list, {as_json}, {{"rr-sim alarm list", ""}}));
  all.push_back(simple("alarm set", "NAME STATE", "Sets an alarm's state until its next period.", run_alarm_set,
                       {{"--reason", 0, "TEXT", "", ""}}, {{"rr-sim alarm set errors ALARM", "to see what it does"}}));
  all.push_back(
      simple("alarm delete", "NAME", "Deletes an alarm.", run_alarm_delete, {}, {{"rr-sim alarm delete errors", ""}}));
  all.push_back(simple("policy put", "NAME", "A scaling policy: tracking a target, by steps, or simple.",
                       run_policy_put,
                       {{"--target", 0, "REQUESTS", "track so many requests per target and minute", ""},
                        {"--no-scale-in", 0, "", "only ever scale out", ""},
                        {"--alarm", 0, "NAME", "that triggers it (step and simple)", ""},
                        {"--steps", 0, "LIST", "LOWER:UPPER=N,... relative to the threshold", ""},
                        {"--by", 0, "N", "one change (simple)", ""},
                        {"--adjustment", 0, "TYPE",
                         "ChangeInCapacity (default), ExactCapacity or\n"
                         "PercentChangeInCapacity",
                         ""},
                        {"--min-magnitude", 0, "N", "least change with a percentage", ""},
                        {"--cooldown", 0, "TIME", "after a simple one (default: the group's)", ""}},
                       {{"rr-sim policy put track --target 1000", "as many instances as that needs"},
                        {"rr-sim policy put out --alarm busy --steps 0:100=1,100:=2", "one or two more"}}));
  all.push_back(
      simple("policy list", "", "The scaling policies.", run_policy_list, {as_json}, {{"rr-sim policy list", ""}}));
  all.push_back(simple("policy delete", "NAME", "Deletes a scaling policy.", run_policy_delete, {},
                       {{"rr-sim policy delete track", ""}}));
  all.push_back(simple("policy execute", "NAME", "Executes a step or a simple policy now.", run_policy_execute,
                       {{"--honor-cooldown", 0, "", "not while the group is in its cooldown", ""},
                        {"--metric-value", 0, "N", "with a step policy", ""},
                        {"--breach-threshold", 0, "N", "with a step policy", ""}},
                       {{"rr-sim policy execute out --metric-value 50 --breach-threshold 10", ""}}));
  all.push_back(simple("schedule put", "NAME", "Changes the group's capacity at a time, or again and again.",
                       run_schedule_put,
                       {{"--at", 0, "TIME", "once, or the first time; 2026-11-22T20:45:00Z", ""},
                        {"--until", 0, "TIME", "not after it", ""},
                        {"--cron", 0, "FIELDS", "minute hour day month weekday, in UTC", ""},
                        {"--min", 0, "N", "the group's min", ""},
                        {"--max", 0, "N", "the group's max", ""},
                        {"--desired", 0, "N", "the desired capacity", ""}},
                       {{"rr-sim schedule put morning --cron '0 8 * * 1-5' --desired 4", ""}}));
  all.push_back(
      simple("schedule list", "", "What is scheduled.", run_schedule_list, {as_json}, {{"rr-sim schedule list", ""}}));
  all.push_back(simple("schedule delete", "NAME", "It is scheduled no more.", run_schedule_delete, {},
                       {{"rr-sim schedule delete morning", ""}}));
}

void add_fault_commands(std::vector<CommandSpec>& all) {
  CommandSpec fault = simple("fault", "KIND TARGET",
                             "Does a fault to a zone, a node, an instance, a link or the control plane.", run_fault,
                             {{"--for", 0, "TIME", "it ends by itself after so long (default: when healed)", ""},
                              {"--amount", 0, "AMOUNT", "how much, for kinds that have one", ""}},
                             {{"rr-sim fault latency i-0a1b --amount 300ms --for 1m", ""},
                              {"rr-sim fault gray eu-west-1b --amount 20%", "one request of five fails"},
                              {"rr-sim fault refuse lb-eu-west-1a/i-0a1b", "one node, one target"},
                              {"rr-sim fault outage control-plane --for 30s", "the tier runs on"}});
  fault.more =
      "Targets: a zone or a node by name; an instance by id, host name or address; NODE/INSTANCE for "
      "the link between two; control-plane. Times and amounts are the clock's, whatever --speed.\n\nKinds:\n" +
      fault_table();
  fault.more.pop_back();
  all.push_back(std::move(fault));
  all.push_back(simple("faults", "", "The faults in force, and how long they will be.", run_faults,
                       {{"--json", 0, "", "as JSON", ""}}, {{"rr-sim faults", ""}}));
  all.push_back(simple("heal", "[TARGET]", "Ends every fault on a target, or all there are.", run_heal,
                       {{"--all", 0, "", "on every target", ""}},
                       {{"rr-sim heal eu-west-1b", ""}, {"rr-sim heal --all", "everything is well again"}}));
  all.push_back(simple("zonal-shift", "[ZONE]", "Shifts traffic away from a zone, as AWS's ARC does.", run_zonal_shift,
                       {{"--for", 0, "TIME", "1m to 72h (default 1h); again for the same zone: from now", ""},
                        {"--cancel", 0, "", "traffic goes there again", ""}},
                       {{"rr-sim zonal-shift eu-west-1b --for 1h", "a remedy, not a fault"}}));
  CommandSpec fis =
      simple("export-fis", "FILE", "Prints a list of faults as an AWS FIS experiment template.", run_export_fis,
             {{"--role", 0, "ARN", "the role that FIS takes", ""},
              {"--tag", 0, "KEY=VALUE",
               "what the experiment may touch carries it\n(default "
               "App=round-robin)",
               ""}},
             {{"rr-sim export-fis day.yaml --role arn:aws:iam::111122223333:role/fis", ""}});
  fis.flags.pop_back();  // no tier is asked
  fis.more =
      "FILE is YAML: a list `faults`, each with fault, target and, if wished, at, for and amount.\n"
      "What FIS cannot do is said and left out. Exit status: 0 made, 1 nothing is left, 2 wrong input.";
  all.push_back(std::move(fis));
}

std::vector<CommandSpec> make_commands() {
  std::vector<CommandSpec> all = {up_command(), demo_command()};
  all.push_back(
      simple("status", "", "What runs, how healthy it is, what the speed divides.", run_status,
             {{"--json", 0, "", "all of it as JSON", ""}},
             {{"rr-sim status", "the tier of the default state folder"}, {"rr-sim status --json", "for programs"}}));
  all.push_back(simple("az fail", "ZONE", "Takes the power from a zone, or freezes it: its instances and its node.",
                       run_az_fail, {{"--mode", 0, "MODE", "power (default) or hang", ""}},
                       {{"rr-sim az fail eu-west-1b", "power loss"},
                        {"rr-sim az fail eu-west-1b --mode hang", "everything in it is frozen"}}));
  all.push_back(simple("az heal", "ZONE", "Ends the fault of a zone.", run_az_heal, {},
                       {{"rr-sim az heal eu-west-1b", "power is back"}}));
  all.push_back(simple("instance fail", "ID", "Kills an instance, or freezes it.", run_instance_fail,
                       {{"--mode", 0, "MODE", "kill (default) or hang", ""}},
                       {{"rr-sim instance fail i-0a1b", "the beginning of an id will do"},
                        {"rr-sim instance fail ip-172-31-16-10 --mode hang", "so will its host name"}}));
  all.push_back(simple("instance heal", "ID", "Ends the fault of an instance.", run_instance_heal, {},
                       {{"rr-sim instance heal i-0a1b", "it goes on"}}));
  add_fault_commands(all);
  add_instance_commands(all);
  add_group_commands(all);
  add_scaling_commands(all);
  all.push_back(
      simple("scale", "N", "Sets the group's desired capacity.", run_scale, {}, {{"rr-sim scale 4", "two more"}}));
  all.push_back(simple("image build", "", "Makes an image: an immutable folder, named by its content. Prints its id.",
                       run_image_build,
                       {{"--commit", 0, "SHA", "default: git's HEAD", ""},
                        {"--build", 0, "N", "default: counted", ""},
                        {"--from", 0, "DIR", "folder of your own program, copied into the image", ""},
                        {"--app", 0, "CMD", "what runs there (default: the tier's)", ""}},
                       {{"rr-sim image build --commit 814d1293 --build 29", "rr-webapp as another version"},
                        {"rr-sim image build --from ./v2 --app 'node server.js'", "your program's next version"}}));
  all.push_back(
      simple("image list", "", "The images that there are.", run_image_list, {}, {{"rr-sim image list", ""}}));
  CommandSpec release = simple(
      "release", "", "Brings an image into service and follows it to the end.", run_release,
      {{"--image", 0, "AMI", "which one; the beginning of its id will do", ""},
       {"--strategy", 0, "NAME",
        "double (default): twice the group, wait, half of it\nagain; refresh: an instance refresh, for which the\n"
        "flags below are",
        ""}},
      {{"rr-sim release --image ami-0a1b2c3d4e5f60718 --strategy double", "2 -> 4 -> 2"},
       {"rr-sim release --image ami-0a1b --strategy refresh --auto-rollback",
        "one after the other, each new one before an old one ends"}});
  for (const FlagSpec& flag : refresh_flags()) release.flags.push_back(flag);
  release.more = "Exit status: 0 released, 10 rolled back, 1 neither, 2 wrong input, 3 no tier runs.";
  all.push_back(release);
  all.push_back(simple("refresh status", "", "The instance refreshes, newest first.", run_refresh_status,
                       {{"--json", 0, "", "all of them as JSON", ""}}, {{"rr-sim refresh status", ""}}));
  all.push_back(simple("refresh cancel", "", "Stops the instance refresh after the batch under way; undoes nothing.",
                       run_refresh_cancel, {{"--at-once", 0, "", "do not wait for the batch", ""}},
                       {{"rr-sim refresh cancel", "leaves both versions in service"}}));
  CommandSpec rollback =
      simple("refresh rollback", "", "Replaces what the instance refresh has launched, and follows it.",
             run_refresh_rollback, {}, {{"rr-sim refresh rollback", "back to the group's version"}});
  rollback.more = "Exit status: 10 rolled back, 1 refused or failed, 3 no tier runs.";
  all.push_back(rollback);
  all.push_back(simple("load", "RATE", "Sends open-loop requests to the front: RATE a second, or off.", run_load, {},
                       {{"rr-sim load 20", "status shows what became of them"}, {"rr-sim load off", ""}}));
  all.push_back(simple("logs", "ID", "What an instance or a node has written.", run_logs,
                       {{"--follow", 'f', "", "go on as it writes", ""}},
                       {{"rr-sim logs i-0a1b", ""}, {"rr-sim logs -f lb-eu-west-1a", "a node's access log"}}));
  all.push_back(simple(
      "session", "ID [-- CMD...]", "A shell in an instance's folder and environment, or a command there.", run_session,
      {}, {{"rr-sim session i-0a1b", "as SSM Session Manager does"}, {"rr-sim session i-0a1b -- env", "one command"}}));
  all.push_back(simple("down", "", "Stops the tier in order; cleans up what a killed one left.", run_down, {},
                       {{"rr-sim down", ""}}));
  for (const CommandSpec& command : virtual_commands()) all.push_back(command);
  for (const CommandSpec& command : scenario_commands()) all.push_back(command);
  CommandSpec settings = simple(
      "settings", "[FILE]", "Prints all settings with their defaults, as a file for up --settings.", run_settings, {},
      {{"rr-sim settings > tier.yaml", "to begin with"}, {"rr-sim settings tier.yaml", "checks a file"}});
  settings.flags.clear();
  all.push_back(settings);
  return all;
}

constexpr std::size_t kSummaryColumn = 27;

/// A line of an overview, or as many as the summary takes.
std::string overview_of(const CommandSpec& command) {
  std::string head = "  " + command.name + (command.arguments.empty() ? "" : " " + command.arguments);
  std::string summary = wrapped(command.summary, kColumns, std::string(kSummaryColumn, ' '));
  if (head.size() < kSummaryColumn) return head + summary.substr(head.size());
  return head + "\n" + summary;
}

int print_overview() {
  std::puts("rr-sim COMMAND [FLAGS]: a two-zone AWS web tier on this machine\n");
  for (const CommandSpec& command : all_commands()) std::puts(overview_of(command).c_str());
  std::puts(
      "\nrr-sim COMMAND --help tells more. Begin with: rr-sim demo, or\n"
      "rr-sim up --speed 10\n\n"
      "Exit status: 0 done, 1 refused, 2 wrong input, 3 the tier could not start or\n"
      "none runs, 10 a release was rolled back, 130 interrupted.");
  return 0;
}

/// The commands that begin with that word, "az" of "az fail" and "az heal"; none for a command of one word.
std::vector<CommandSpec> family_of(const std::string& word) {
  std::vector<CommandSpec> family;
  for (const CommandSpec& command : all_commands()) {
    if (command.name.starts_with(word + " ")) family.push_back(command);
  }
  return family;
}

int print_family(const std::string& word, const std::vector<CommandSpec>& family) {
  std::printf("rr-sim %s COMMAND [FLAGS]\n\n", word.c_str());
  for (const CommandSpec& command : family) std::puts(overview_of(command).c_str());
  std::printf("\nrr-sim %s --help tells more of one.\n", family.front().name.c_str());
  return 0;
}

int half_a_command(const std::string& word, const std::vector<CommandSpec>& family) {
  std::string members;
  for (const CommandSpec& command : family) {
    members += (members.empty() ? "" : ", ") + command.name.substr(word.size() + 1);
  }
  std::fprintf(stderr, "rr-sim: %s: a word is missing: %s; `rr-sim %s --help` tells more\n", word.c_str(),
               members.c_str(), word.c_str());
  return kExitUsage;
}

/// `lister`: what is to be asked for --help.
int unknown_command(const std::string& word, const std::string& lister) {
  std::vector<std::string> known;
  for (const CommandSpec& c : all_commands()) known.push_back(c.name);
  const auto meant = nearest(word, known);
  std::fprintf(stderr, "rr-sim: %s: there is no such command; %s`%s --help` lists them\n", word.c_str(),
               meant ? ("is " + *meant + " meant? ").c_str() : "", lister.c_str());
  return kExitUsage;
}

bool wants_help(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") return false;
    if (word == "--help" || word == "-h") return true;
  }
  return false;
}

int dispatch(const std::vector<std::string>& words) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") return print_overview();
  if (words[0] == "--version") {
    std::puts("rr-sim " RR_VERSION);
    return 0;
  }
  for (const std::size_t length : {std::size_t{2}, std::size_t{1}}) {
    if (words.size() < length) continue;
    const std::string name = length == 2 ? words[0] + " " + words[1] : words[0];
    for (const CommandSpec& command : all_commands()) {
      if (command.name != name) continue;
      const std::vector<std::string> rest(words.begin() + static_cast<std::ptrdiff_t>(length), words.end());
      if (wants_help(rest)) {
        std::fputs(command.help().c_str(), stdout);
        return 0;
      }
      const auto arguments = command.parse(rest);
      if (!arguments) return fail(command, kExitUsage, arguments.error().message);
      return command.run(command, *arguments);
    }
  }
  const std::vector<CommandSpec> family = family_of(words[0]);
  if (family.empty()) return unknown_command(words[0], "rr-sim");
  if (words.size() == 1) return half_a_command(words[0], family);
  if (wants_help({words[1]})) return print_family(words[0], family);
  return unknown_command(words[0] + " " + words[1], "rr-sim " + words[0]);
}

}  // namespace

const std::vector<CommandSpec>& all_commands() {
  static const std::vector<CommandSpec> all = make_commands();
  return all;
}

}  // namespace rr::sim

int main(int argc, char** argv) { return rr::sim::dispatch(std::vector<std::string>(argv + 1, argv + argc)); }
