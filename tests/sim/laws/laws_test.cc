// Each law of the table, measured: quickly here, and for minutes with RR_LAWS=full.
#include "sim/laws/law.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ostream>
#include <string>
#include <string_view>

#include "sim/laws/theory.h"

namespace rr::sim {

void PrintTo(const Law& law, std::ostream* out) { *out << law.name; }

namespace {

Effort effort() {
  const char* wanted = std::getenv("RR_LAWS");
  return wanted != nullptr && std::string_view(wanted) == "full" ? Effort::kFull : Effort::kQuick;
}

class EachLaw : public testing::TestWithParam<Law> {};

TEST_P(EachLaw, HoldsInTheVirtualWorld) {
  const std::vector<LawRow> rows = GetParam().measure(effort(), kLawSeed);
  EXPECT_FALSE(rows.empty());
  for (const LawRow& row : rows) {
    EXPECT_TRUE(row.holds()) << row.what << ", " << row.quantity << ": theory " << row.theory << ", measured "
                             << row.measured << ", tolerance " << row.tolerance << ", of " << row.samples;
  }
}

INSTANTIATE_TEST_SUITE_P(All, EachLaw, testing::ValuesIn(laws().begin(), laws().end()), [](const auto& one) {
  std::string name(one.param.name);
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
});

TEST(Theory, HasTheValuesOfTheLiterature) {
  EXPECT_NEAR(theory::mm1_sojourn(.8, 1), 5, 1e-12);
  // p99 of an exponential sojourn is ln 100 times its mean.
  EXPECT_NEAR(theory::exponential_percentile(5, .99), 23.026, 1e-3);
  EXPECT_NEAR(theory::erlang_c(1.6, 1, 2), .711111, 1e-6);
  EXPECT_NEAR(theory::mmc_sojourn(3.2, 1, 4), 1.745541, 1e-6);
  EXPECT_NEAR(theory::mmc_sojourn(90, 1, 100), 1.021694, 1e-6);
  EXPECT_NEAR(theory::mmck(.9, 1, 1, 10).refused, .050814, 1e-6);
  EXPECT_NEAR(theory::mmck(2.4, 1, 2, 12).sojourn, 4.312426, 1e-6);
  // rho 0.8 and cv^2 16: 0.8 * 17 / 0.4.
  EXPECT_NEAR(theory::mg1_wait(.8, 1, 16), 34, 1e-9);
  // Two servers at 0.5: the golden ratio.
  EXPECT_NEAR(theory::round_robin_sojourn(2, .5, 1), 1.6180340, 1e-7);
  EXPECT_NEAR(theory::round_robin_sojourn(10, .9, 1), 5.66028, 1e-5);
  EXPECT_NEAR(theory::choices_sojourn(.9, 1), 10, 1e-9);
  EXPECT_NEAR(theory::choices_sojourn(.9, 2), 2.6141, 1e-4);
  EXPECT_NEAR(theory::choices_sojourn(.99, 3), 3.8578, 1e-4);
}

}  // namespace
}  // namespace rr::sim
