// Requests and the answers that they get, as tables: no socket, no clock.
#include "webapp/app/routes.h"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "webapp/app/page.h"

namespace rr::webapp {
namespace {

using namespace std::chrono_literals;

Situation plain() {
  Situation situation;
  situation.identity = {.host_name = "ip-172-31-9-166",
                        .commit = "814d1293e6b73a8810435611c49a52a6033c3545",
                        .build = "28",
                        .instance = "i-0123456789abcdef0",
                        .zone = "eu-west-1a",
                        .image = "ami-0123456789abcdef0"};
  situation.uptime = 12345ms;
  return situation;
}

Situation with_faults(const Faults& faults) {
  Situation situation = plain();
  situation.faults_allowed = true;
  situation.faults = faults;
  return situation;
}

Answer ask(std::string_view method, std::string_view target, const Situation& situation = plain(),
           std::string_view body = {}, std::string_view type = {}) {
  Rng chance(1);
  return answer({.method = method, .target = target, .content_type = type, .body = body}, situation, chance);
}

std::string header(const Answer& answer, std::string_view name) {
  for (const auto& [key, value] : answer.headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(FrontPage, IsThisByteForByte) {
  const Answer made = ask("GET", "/");
  EXPECT_EQ(made.status, 200);
  EXPECT_EQ(header(made, "Content-Type"), "text/html");
  EXPECT_EQ(made.body,
            "<HTML><BODY><P>Hi there! I'm being served from ip-172-31-9-166</P><P>AMI built from commit "
            "814d1293e6b73a8810435611c49a52a6033c3545</P><P>Build number 28</P></BODY></HTML>");
}

TEST(FrontPage, EscapesWhatWouldBeMarkup) {
  Situation situation = plain();
  situation.identity.build = "<script>&";
  EXPECT_NE(ask("GET", "/", situation).body.find("Build number &lt;script&gt;&amp;</P>"), std::string::npos);
}

TEST(Version, TellsAllOfIt) {
  const auto document = nlohmann::json::parse(ask("GET", "/version").body);
  const nlohmann::json expected = {{"commit", "814d1293e6b73a8810435611c49a52a6033c3545"},
                                   {"build", "28"},
                                   {"instance", "i-0123456789abcdef0"},
                                   {"zone", "eu-west-1a"},
                                   {"image", "ami-0123456789abcdef0"},
                                   {"host", "ip-172-31-9-166"},
                                   {"uptime", 12.345}};
  EXPECT_EQ(document, expected);
  EXPECT_EQ(header(ask("GET", "/version"), "Content-Type"), "application/json");
}

TEST(Version, SaysNullWhereNothingIsKnown) {
  Situation situation = plain();
  situation.identity.zone.clear();
  EXPECT_TRUE(nlohmann::json::parse(ask("GET", "/version", situation).body)["zone"].is_null());
}

struct Row {
  std::string_view method;
  std::string_view target;
  int status;
  std::string_view body;  // "*": any
  std::string_view allow = "";
};

TEST(Routes, AnswerByMethodAndPath) {
  const std::string_view looking = "GET, HEAD, OPTIONS";
  const std::string_view echoing = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
  const Row table[] = {
      {"GET", "/healthz", 200, "ok\n"},
      {"HEAD", "/healthz", 200, "ok\n"},
      {"GET", "/?anything=1", 200, "*"},
      {"GET", "http://any.host/healthz?x", 200, "ok\n"},
      {"GET", "http://any.host", 200, "*"},
      {"GET", "/nothing", 404, "*"},
      {"GET", "/healthz/", 404, "*"},
      {"GET", "//", 404, "*"},
      {"GET", "/HEALTHZ", 404, "*"},
      {"POST", "/nothing", 404, "*"},
      {"POST", "/", 405, "*", looking},
      {"DELETE", "/healthz", 405, "*", looking},
      {"BREW", "/", 405, "*", looking},
      {"get", "/", 405, "*", looking},
      {"TRACE", "/echo", 405, "*", echoing},
      {"OPTIONS", "/version", 204, "", looking},
      {"OPTIONS", "/echo", 204, "", echoing},
      {"OPTIONS", "*", 204, "", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"},
      {"OPTIONS", "/nothing", 404, "*"},
      {"GET", "/delay?ms=0", 200, "waited 0 ms\n"},
      {"GET", "/delay?ms=50", 200, "waited 50 ms\n"},
      {"GET", "/delay?ms=3600000", 200, "*"},
      {"GET", "/delay?ms=3600001", 400, "ms '3600001': write a whole number from 0 to 3600000\n"},
      {"GET", "/delay?ms=-1", 400, "ms '-1': write a whole number from 0 to 3600000\n"},
      {"GET", "/delay?ms=5x", 400, "*"},
      {"GET", "/delay?ms=", 400, "*"},
      {"GET", "/delay", 400, "/delay takes ms and nothing else: /delay?ms=50\n"},
      {"GET", "/delay?s=1", 400, "*"},
      {"GET", "/delay?ms=1&ms=2", 400, "*"},
      {"GET", "/delay?ms=%3", 400, "*"},
      {"GET", "/delay?ms=%350", 200, "waited 50 ms\n"},
      {"GET", "/bytes?n=0", 200, ""},
      {"GET", "/bytes?n=3", 200, "012"},
      {"GET", "/bytes?n=67108865", 400, "n '67108865': write a whole number from 0 to 67108864\n"},
      {"GET", "/bytes?n=99999999999999999999", 400, "*"},
      {"GET", "/bytes", 400, "*"},
      {"GET", "/fault", 404, "there is nothing here; start rr-webapp with --faults on to have it\n"},
      {"GET", "/fault?hang=on", 404, "*"},
  };
  for (const Row& row : table) {
    const Answer made = ask(row.method, row.target);
    EXPECT_EQ(made.status, row.status) << row.method << " " << row.target;
    if (row.body != "*") {
      EXPECT_EQ(made.body, row.body) << row.method << " " << row.target;
    }
    EXPECT_EQ(header(made, "Allow"), row.allow) << row.method << " " << row.target;
    EXPECT_FALSE(made.hang);
    EXPECT_FALSE(made.faults.has_value());
  }
}

TEST(Routes, DelayIsToldAndNotWaited) { EXPECT_EQ(ask("GET", "/delay?ms=50").delay, 50ms); }

TEST(Routes, BytesAreAPattern) {
  const std::string body = ask("GET", "/bytes?n=1000").body;
  ASSERT_EQ(body.size(), 1000U);
  EXPECT_TRUE(body.starts_with("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123"));
  EXPECT_EQ(body.substr(0, 62), body.substr(62 * 15, 62));
  EXPECT_EQ(ask("GET", "/bytes?n=67108864").body.size(), 67108864U);
}

TEST(Routes, BytesToHeadAreOnlyCounted) {
  const Answer made = ask("HEAD", "/bytes?n=67108864");
  EXPECT_EQ(made.body, "");
  EXPECT_EQ(header(made, "Content-Length"), "67108864");
}

TEST(Routes, EchoGivesBackBodyAndType) {
  for (std::string_view method : {"POST", "PUT", "PATCH", "DELETE", "GET"}) {
    const Answer made = ask(method, "/echo", plain(), std::string_view("a\0b", 3), "text/x");
    EXPECT_EQ(made.body, std::string("a\0b", 3));
    EXPECT_EQ(header(made, "Content-Type"), "text/x");
  }
  EXPECT_EQ(header(ask("POST", "/echo", plain(), "a"), "Content-Type"), "application/octet-stream");
}

TEST(Stopping, TurnsHealthAtOnceAndNothingElse) {
  Situation situation = plain();
  situation.stopping = true;
  EXPECT_EQ(ask("GET", "/healthz", situation).status, 503);
  EXPECT_EQ(ask("GET", "/healthz", situation).body, "stopping\n");
  EXPECT_EQ(ask("GET", "/", situation).status, 200);
}

TEST(FaultRoute, ChangesWhatIsNamedAndShowsAll) {
  const Answer made = ask("GET", "/fault?slow=250ms&unhealthy=on", with_faults({.error_percent = 7}));
  ASSERT_TRUE(made.faults.has_value());
  EXPECT_EQ(*made.faults, (Faults{.slow = 250ms, .error_percent = 7, .unhealthy = true}));
  const nlohmann::json expected = {{"slow", 0.25}, {"error", 7}, {"status", 500}, {"hang", false}, {"unhealthy", true}};
  EXPECT_EQ(nlohmann::json::parse(made.body), expected);
}

TEST(FaultRoute, UndoesEach) {
  const Faults all{.slow = 1s, .error_percent = 50, .error_status = 503, .hang = true, .unhealthy = true};
  const std::pair<std::string_view, Faults> table[] = {
      {"/fault?slow=0", {.error_percent = 50, .error_status = 503, .hang = true, .unhealthy = true}},
      {"/fault?error=0", {.slow = 1s, .error_status = 503, .hang = true, .unhealthy = true}},
      {"/fault?hang=off", {.slow = 1s, .error_percent = 50, .error_status = 503, .unhealthy = true}},
      {"/fault?unhealthy=off", {.slow = 1s, .error_percent = 50, .error_status = 503, .hang = true}},
      {"/fault?all=off", {}},
      {"/fault?all=off&slow=2", {.slow = 2s}},
      {"/fault", all},
  };
  for (const auto& [target, expected] : table) {
    const Answer made = ask("POST", target, with_faults(all));
    EXPECT_EQ(made.status, 200) << target;
    EXPECT_EQ(made.faults, expected) << target;
    EXPECT_FALSE(made.hang) << target;
    EXPECT_EQ(made.delay, Duration::zero()) << target;
  }
}

TEST(FaultRoute, OnlyLooksForHead) { EXPECT_FALSE(ask("HEAD", "/fault?hang=on", with_faults({})).faults.has_value()); }

TEST(FaultRoute, RefusesWhatItDoesNotKnow) {
  for (std::string_view query : {"slow=fast", "slow=-1", "slow=3h", "error=101", "error=1.5", "status=200",
                                 "status=600", "hang=yes", "unhealthy=", "all=on", "speed=1", "hang"}) {
    const Answer made = ask("GET", "/fault?" + std::string(query), with_faults({}));
    EXPECT_EQ(made.status, 400) << query;
    EXPECT_FALSE(made.faults.has_value()) << query;
    EXPECT_NE(made.body.find(query.substr(0, query.find('='))), std::string::npos) << made.body;
  }
}

TEST(FaultInForce, SlowDelaysAllButItself) {
  const Situation situation = with_faults({.slow = 300ms});
  EXPECT_EQ(ask("GET", "/", situation).delay, 300ms);
  EXPECT_EQ(ask("GET", "/healthz", situation).delay, 300ms);
  EXPECT_EQ(ask("GET", "/delay?ms=50", situation).delay, 350ms);
  EXPECT_EQ(ask("GET", "/fault", situation).delay, Duration::zero());
}

TEST(FaultInForce, HangHoldsAllButItself) {
  const Situation situation = with_faults({.hang = true});
  EXPECT_TRUE(ask("GET", "/", situation).hang);
  EXPECT_TRUE(ask("GET", "/healthz", situation).hang);
  EXPECT_TRUE(ask("GET", "/nothing", situation).hang);
  EXPECT_FALSE(ask("GET", "/fault", situation).hang);
}

TEST(FaultInForce, UnhealthyTurnsHealthOnly) {
  const Situation situation = with_faults({.unhealthy = true});
  EXPECT_EQ(ask("GET", "/healthz", situation).status, 503);
  EXPECT_EQ(ask("GET", "/", situation).status, 200);
}

TEST(FaultInForce, ErrorsComeAtTheirRate) {
  Rng chance(42);
  const Situation situation = with_faults({.error_percent = 25, .error_status = 502});
  int errors = 0;
  for (int i = 0; i < 10'000; ++i) {
    const Answer made = answer({.method = "GET", .target = "/", .content_type = {}, .body = {}}, situation, chance);
    errors += made.status == 502 ? 1 : 0;
    EXPECT_EQ(answer({.method = "GET", .target = "/healthz", .content_type = {}, .body = {}}, situation, chance).status,
              200);
  }
  // 10,000 draws at 25 %: a deviation of sqrt(10,000 * 0.25 * 0.75) = 43; four of them are 173.
  EXPECT_NEAR(errors, 2500, 173);
}

TEST(FaultInForce, AllOrNoErrorsAtTheEnds) {
  Rng chance(7);
  for (int i = 0; i < 1000; ++i) {
    const Request request{.method = "GET", .target = "/", .content_type = {}, .body = {}};
    EXPECT_EQ(answer(request, with_faults({.error_percent = 100}), chance).status, 500);
    EXPECT_EQ(answer(request, with_faults({.error_percent = 0}), chance).status, 200);
  }
}

}  // namespace
}  // namespace rr::webapp
