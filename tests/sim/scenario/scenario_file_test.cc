// What a scenario's file may say, and what is said about one that is wrong.
#include "sim/scenario/scenario_file.h"

#include <gtest/gtest.h>

namespace rr::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(ScenarioFile, SaysWhatATierIsAndWhatIsDoneToIt) {
  const auto read = parse_scenario(
      "# A comment.\n"
      "tier:\n"
      "  target_group:\n"
      "    deregistration_delay: 5\n"
      "steps:\n"
      "  - wait: settled\n"
      "  - fault: latency eu-west-1a#1 300ms\n"
      "  - wait: 90s\n"
      "  - heal: eu-west-1a#1\n"
      "  - wait: 1 in service in eu-west-1b\n"
      "  - wait: 2 in service\n"
      "  - scale: 4\n"
      "  - refresh: abc\n"
      "  - wait: refreshed\n",
      "a.yaml");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->settings.target_group().deregistration_delay, seconds(5));
  const std::vector<StepAction> expected = {WaitSettled{},
                                            CauseFault{"latency", "eu-west-1a#1", "300ms"},
                                            WaitFor{seconds(90)},
                                            HealTarget{"eu-west-1a#1"},
                                            WaitInService{1, ZoneName("eu-west-1b")},
                                            WaitInService{2, std::nullopt},
                                            ScaleTo{4},
                                            RefreshTo{"abc"},
                                            WaitRefreshed{}};
  std::vector<StepAction> found;
  for (const Step& step : read->steps) found.push_back(step.action);
  EXPECT_EQ(found, expected);
  EXPECT_EQ(read->steps[2].line, 8);
  EXPECT_EQ(read->steps[2].said, "wait: 90s");
}

TEST(ScenarioFile, SaysInOneLineWhatIsWrongAndWhere) {
  const struct {
    const char* text;
    const char* says;
  } wrong[] = {
      {"steps: [", "a.yaml:1: this is not YAML"},
      {"- a\n", "a.yaml:1: a scenario has `tier` and `steps`"},
      {"step:\n  - wait: settled\n", "a.yaml:1: step: a scenario has `tier` and `steps`"},
      {"tier:\n", "a.yaml: steps: a list of what is done is right"},
      {"steps: []\n", "a.yaml: steps: a list of what is done is right"},
      {"steps:\n  - settled\n", "a.yaml:2: a step is one word with a value"},
      {"steps:\n  - wait: settled\n    heal: a\n", "a.yaml:2: a step is one word with a value"},
      {"steps:\n  - sleep: 3s\n", "a.yaml:2: sleep: is no step; wait, fault, heal, scale and refresh are"},
      {"steps:\n  - wait: soon\n", "a.yaml:2: wait: soon: settled, refreshed, N in service"},
      {"steps:\n  - wait: 0s\n", "a.yaml:2: wait: 0s: settled"},
      {"steps:\n  - wait: 101 in service\n", "a.yaml:2: wait: 101 in service: settled"},
      {"steps:\n  - wait: 1 in service in eu-west-1z\n", "a.yaml:2: wait: eu-west-1z: is no zone of this tier"},
      {"steps:\n  - fault: hang\n", "a.yaml:2: fault: hang: KIND TARGET [AMOUNT] is right"},
      {"steps:\n  - fault: flood eu-west-1a\n", "a.yaml:2: fault: flood: there is no such fault"},
      {"steps:\n  - fault: gray eu-west-1a 300%\n", "a.yaml:2: fault: 300%"},
      {"steps:\n  - heal: a b\n", "a.yaml:2: heal: a b: one target is right"},
      {"steps:\n  - scale: 101\n", "a.yaml:2: scale: 101: a whole number from 0 to 100 is right"},
      {"steps:\n  - scale: many\n", "a.yaml:2: scale: many: a whole number"},
      {"steps:\n  - refresh: a b\n", "a.yaml:2: refresh: a b: a commit is right"},
      {"# one\ntier:\n  sped: 3\nsteps:\n  - wait: settled\n", "a.yaml:3: sped: is no setting"},
      {"tier: 3\nsteps:\n  - wait: settled\n", "a.yaml:1: tier: settings are right"},
      {"tier: {load: 3}\nsteps:\n  - wait: settled\n", "a.yaml:1: tier: its settings are right below it"},
  };
  for (const auto& one : wrong) {
    const auto read = parse_scenario(one.text, "a.yaml");
    ASSERT_FALSE(read.ok()) << one.text;
    EXPECT_EQ(read.error().message.rfind(one.says, 0), 0u) << read.error().message << "\nnot " << one.says;
    EXPECT_EQ(read.error().message.find('\n'), std::string::npos);
  }
  EXPECT_EQ(read_scenario("/nowhere/a.yaml").error().message, "/nowhere/a.yaml: cannot be read");
}

// 100 is right, 101 is not: above.
TEST(ScenarioFile, TakesTheLargestCapacity) { EXPECT_TRUE(parse_scenario("steps:\n  - scale: 100\n", "a.yaml").ok()); }

}  // namespace
}  // namespace rr::sim
