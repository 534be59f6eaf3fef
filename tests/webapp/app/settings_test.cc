// Flags and environment: who wins, and what is refused with which words.
#include "webapp/app/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "webapp/app/request_log.h"

namespace rr::webapp {
namespace {

using namespace std::chrono_literals;
using Values = std::map<std::string, std::string>;

Result<Settings> read(const Values& flags, const Values& environment = {}) {
  return read_settings(flags, environment, "the-machine");
}

TEST(Settings, HaveDefaults) {
  const Settings settings = read({}).value();
  EXPECT_EQ(format_endpoint(settings.listen), "127.0.0.1:8080");
  EXPECT_EQ(settings.identity, (Identity{.host_name = "the-machine",
                                         .commit = "unknown",
                                         .build = "unknown",
                                         .instance = "",
                                         .zone = "",
                                         .image = ""}));
  EXPECT_EQ(settings.keep_alive, 75s);
  EXPECT_EQ(settings.lame_duck, 5s);
  EXPECT_EQ(settings.max_body, 1048576U);
  EXPECT_FALSE(settings.faults);
  EXPECT_EQ(settings.log, LogFormat::kPlain);
  EXPECT_EQ(settings.notify_socket, "");
  EXPECT_EQ(settings.watchdog, Duration::zero());
}

TEST(Settings, OfTheServiceManagerComeFromItsVariables) {
  const Settings settings =
      read({}, {{"NOTIFY_SOCKET", "/run/systemd/notify"}, {"WATCHDOG_USEC", "10000000"}, {"KEEP_ALIVE_TIMEOUT", "90"}})
          .value();
  EXPECT_EQ(settings.notify_socket, "/run/systemd/notify");
  EXPECT_EQ(settings.watchdog, 10s);
  EXPECT_EQ(settings.keep_alive, 90s);
  EXPECT_EQ(read({}, {{"NOTIFY_SOCKET", "@abstract"}}).value().notify_socket, "@abstract");
  EXPECT_EQ(read({}, {{"WATCHDOG_USEC", "1"}}).value().watchdog, 1us);
  EXPECT_EQ(read({}, {{"WATCHDOG_USEC", "86400000000"}}).value().watchdog, 24h);
}

TEST(Settings, TheLongestNameOfASocketIsTaken) {
  const std::string longest = "/" + std::string(106, 's');  // 107: sun_path's 108 less the end
  EXPECT_EQ(read({}, {{"NOTIFY_SOCKET", longest}}).value().notify_socket, longest);
  EXPECT_FALSE(read({}, {{"NOTIFY_SOCKET", longest + "s"}}).ok());
}

TEST(Settings, ComeFromTheEnvironment) {
  const Settings settings = read({}, {{"APP_COMMIT", "abc"},
                                      {"APP_BUILD", "28"},
                                      {"RR_HOST_NAME", "ip-172-31-16-10"},
                                      {"RR_INSTANCE_ID", "i-1"},
                                      {"RR_ZONE", "eu-west-1a"},
                                      {"RR_IMAGE_ID", "ami-1"},
                                      {"HOST", "::1"},
                                      {"PORT", "9001"}})
                                .value();
  EXPECT_EQ(settings.identity, (Identity{.host_name = "ip-172-31-16-10",
                                         .commit = "abc",
                                         .build = "28",
                                         .instance = "i-1",
                                         .zone = "eu-west-1a",
                                         .image = "ami-1"}));
  EXPECT_EQ(format_endpoint(settings.listen), "[::1]:9001");
  EXPECT_EQ(settings.listen_source, "HOST and PORT");
}

TEST(Settings, OfFlagsWin) {
  const Settings settings =
      read({{"commit", "flag"}, {"listen", "127.0.0.2:1"}, {"zone", "z"}},
           {{"APP_COMMIT", "env"}, {"PORT", "no number"}, {"HOST", "no address"}, {"RR_ZONE", "y"}})
          .value();
  EXPECT_EQ(settings.identity.commit, "flag");
  EXPECT_EQ(settings.identity.zone, "z");
  EXPECT_EQ(format_endpoint(settings.listen), "127.0.0.2:1");
  EXPECT_EQ(settings.listen_source, "--listen");
}

TEST(Settings, AnEmptyVariableIsNone) {
  const Settings settings = read({}, {{"APP_COMMIT", ""}, {"PORT", ""}, {"HOST", ""}}).value();
  EXPECT_EQ(settings.identity.commit, "unknown");
  EXPECT_EQ(format_endpoint(settings.listen), "127.0.0.1:8080");
}

TEST(Settings, PortAloneAndHostAlone) {
  EXPECT_EQ(format_endpoint(read({}, {{"PORT", "9"}}).value().listen), "127.0.0.1:9");
  EXPECT_EQ(read({}, {{"PORT", "9"}}).value().listen_source, "PORT");
  EXPECT_EQ(format_endpoint(read({}, {{"HOST", "0.0.0.0"}}).value().listen), "0.0.0.0:8080");
  EXPECT_EQ(format_endpoint(read({}, {{"HOST", "localhost"}, {"PORT", "0"}}).value().listen), "127.0.0.1:0");
}

TEST(Settings, TakeEveryFlag) {
  const Settings settings = read({{"keep-alive", "0.5"},
                                  {"request-timeout", "250ms"},
                                  {"lame-duck", "0"},
                                  {"faults", "on"},
                                  {"max-body", "0"},
                                  {"max-connections", "1"},
                                  {"max-start-line", "64"},
                                  {"max-header", "65"},
                                  {"max-head", "256"},
                                  {"max-headers", "1"},
                                  {"log", "json"}})
                                .value();
  EXPECT_EQ(settings.log, LogFormat::kJson);
  EXPECT_EQ(settings.keep_alive, 500ms);
  EXPECT_EQ(settings.request_timeout, 250ms);
  EXPECT_EQ(settings.lame_duck, 0s);
  EXPECT_TRUE(settings.faults);
  EXPECT_EQ(settings.max_body, 0U);
  EXPECT_EQ(settings.max_connections, 1U);
  EXPECT_EQ(settings.limits.start_line, 64U);
  EXPECT_EQ(settings.limits.header_line, 65U);
  EXPECT_EQ(settings.limits.head, 256U);
  EXPECT_EQ(settings.limits.headers, 1U);
}

TEST(Settings, RefusalsNameSourceValueAndWhatWouldBeRight) {
  struct Row {
    Values flags;
    Values environment;
    std::string_view message;
  };
  const Row table[] = {
      {{{"listen", "localhost"}},
       {},
       "--listen 'localhost': write an address and a port, like 127.0.0.1:8080 or [::1]:0 (or unix:PATH, fd:N)"},
      {{{"listen", "127.0.0.1:65536"}}, {}, "--listen '127.0.0.1:65536': write an address and a port"},
      {{}, {{"PORT", "http"}}, "PORT 'http': write a whole number from 0 to 65535"},
      {{}, {{"PORT", "65536"}}, "PORT '65536': write a whole number from 0 to 65535"},
      {{}, {{"HOST", "my.host"}}, "HOST 'my.host': write an address, like 127.0.0.1 or ::"},
      {{{"keep-alive", "0"}}, {}, "--keep-alive '0': write a time from 10ms to 24h, like 75, 0.5 or 250ms"},
      {{{"keep-alive", "25h"}}, {}, "--keep-alive '25h': write a time from 10ms to 24h"},
      {{{"lame-duck", "-1"}}, {}, "--lame-duck '-1': write a time from 0"},
      {{{"request-timeout", "soon"}}, {}, "--request-timeout 'soon': write a time"},
      {{{"faults", "yes"}}, {}, "--faults 'yes': write on or off"},
      {{{"max-body", "1MB"}}, {}, "--max-body '1MB': write a whole number from 0 to 1073741824"},
      {{{"max-headers", "0"}}, {}, "--max-headers '0': write a whole number from 1 to 10000"},
      {{{"commit", "a\nb"}}, {}, "--commit: write one line of at most 256 characters, without control characters"},
      {{{"log", "text"}}, {}, "--log 'text': write plain or json"},
      {{}, {{"NOTIFY_SOCKET", "run/notify"}}, "NOTIFY_SOCKET 'run/notify': an absolute path or @name of at most 107"},
      {{}, {{"NOTIFY_SOCKET", "@"}}, "NOTIFY_SOCKET '@': an absolute path or @name"},
      {{}, {{"WATCHDOG_USEC", "0"}}, "WATCHDOG_USEC '0': write a whole number from 1 to 86400000000"},
      {{}, {{"WATCHDOG_USEC", "10s"}}, "WATCHDOG_USEC '10s': write a whole number"},
      {{}, {{"KEEP_ALIVE_TIMEOUT", "long"}}, "KEEP_ALIVE_TIMEOUT 'long': write a time"},
      {{}, {{"RR_ZONE", std::string(257, 'z')}}, "RR_ZONE: write one line of at most 256 characters"},
  };
  for (const Row& row : table) {
    const auto settings = read(row.flags, row.environment);
    ASSERT_FALSE(settings.ok()) << row.message;
    EXPECT_THAT(settings.error().message, testing::StartsWith(std::string(row.message)));
    EXPECT_EQ(settings.error().message.find('\n'), std::string::npos);
  }
}

TEST(RequestLog, IsOneLineOfJson) {
  // 2026-04-25 16:45:16 UTC is 20568 days, 16 h, 45 min and 16 s after the epoch.
  const Time time{std::chrono::hours(24 * 20568 + 16) + 45min + 16s + 1234us};
  EXPECT_EQ(log_line({.time = time,
                      .method = "GET",
                      .path = "/?a=\"b\"",
                      .status = 200,
                      .bytes = 1234,
                      .duration = 1500us,
                      .peer = "127.0.0.1:5",
                      .instance = "i-1",
                      .trace_id = "Root=1-a-b"}),
            "{\"time\":\"2026-04-25T16:45:16.001234Z\",\"method\":\"GET\",\"path\":\"/?a=\\\"b\\\"\",\"status\":200,"
            "\"bytes\":1234,\"duration\":0.0015,\"peer\":\"127.0.0.1:5\",\"instance\":\"i-1\","
            "\"trace_id\":\"Root=1-a-b\"}\n");
}

TEST(RequestLog, HasALevelWhereLinesHaveOne) {
  LoggedRequest request{.time = {},
                        .method = "GET",
                        .path = "/",
                        .status = 200,
                        .bytes = 0,
                        .duration = {},
                        .peer = "",
                        .instance = "",
                        .trace_id = ""};
  EXPECT_THAT(log_line(request, level_of(200)),
              testing::StartsWith("{\"time\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"info\",\"method\":\"GET\""));
  EXPECT_THAT(log_line(request, Level::kError), testing::HasSubstr("\"level\":\"error\""));
  EXPECT_EQ(log_line(request).find("level"), std::string::npos);
}

TEST(RequestLog, OnlyWhatThisProgramFailedIsAnError) {
  for (const auto& [status, level] :
       {std::pair{0, Level::kInfo}, std::pair{200, Level::kInfo}, std::pair{404, Level::kInfo},
        std::pair{499, Level::kInfo}, std::pair{500, Level::kError}, std::pair{503, Level::kError}}) {
    EXPECT_EQ(level_of(status), level) << status;
  }
}

TEST(RequestLog, MessagesAreLinesToo) {
  EXPECT_EQ(message_line({}, Level::kError, "a \"b\"\n"),
            "{\"time\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"error\",\"message\":\"a \\\"b\\\"\\n\"}\n");
}

TEST(RequestLog, SurvivesBytesThatAreNoText) {
  const std::string line = log_line({.time = {},
                                     .method = "",
                                     .path = "",
                                     .status = 400,
                                     .bytes = 0,
                                     .duration = {},
                                     .peer = "",
                                     .instance = "",
                                     .trace_id = "\xFF\n"});
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_NE(line.find("\"method\":null,\"path\":null"), std::string::npos) << line;
}

}  // namespace
}  // namespace rr::webapp
