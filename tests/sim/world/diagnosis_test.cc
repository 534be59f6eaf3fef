#include "sim/world/diagnosis.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace rr::sim {
namespace {

constexpr std::uint16_t kPort = 20'123;

ProgramFacts plain_program() {
  ProgramFacts facts;
  facts.instance = "i-1";
  facts.own_program = true;
  facts.port = kPort;
  facts.logical = Address::v4(172, 31, 16, 10, 8080);
  facts.ran = kTimeToListen;
  facts.health_path = "/healthz";
  return facts;
}

ProgramFacts machine_program() {
  ProgramFacts facts = plain_program();
  facts.ground = GroundKind::kNamespaces;
  facts.port = 8080;
  return facts;
}

struct Row {
  std::string name;
  std::function<ProgramFacts()> facts;
  std::vector<std::string> said;  // pieces of the sentence; none: nothing is wrong (yet)
};

ProgramFacts with(ProgramFacts facts, const std::function<void(ProgramFacts&)>& change) {
  change(facts);
  return facts;
}

Health unhealthy(TargetReason reason, int status = 0) { return {TargetState::kUnhealthy, reason, status}; }

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows{
      {"silent too early to tell",
       [] { return with(plain_program(), [](auto& f) { f.ran = kTimeToListen - kMillisecond; }); },
       {}},
      {"silent", [] { return plain_program(); }, {"has not listened on any port for 15.0 s", "PORT 20123"}},
      {"listens elsewhere, too early to tell",
       [] {
         return with(plain_program(), [](auto& f) {
           f.listening = {Address::v4(0, 0, 0, 0, 3000)};
           f.ran = kTimeToListenRightly - kMillisecond;
         });
       },
       {}},
      {"ignores PORT",
       [] {
         return with(plain_program(), [](auto& f) {
           f.listening = {Address::v4(0, 0, 0, 0, 3000)};
           f.ran = kTimeToListenRightly;
         });
       },
       {"i-1 listens on port 3000 and not on its PORT 20123", "process.env.PORT", "{port} in --app"}},
      {"ignores PORT, two ports, an image of ours",
       [] {
         return with(plain_program(), [](auto& f) {
           f.listening = {Address::v4(0, 0, 0, 0, 3000), Address::v4(127, 0, 0, 1, 9229)};
           f.own_program = false;
         });
       },
       {"ports 3000, 9229", "the image's command"}},
      {"reached, a debugging port beside",
       [] {
         return with(plain_program(), [](auto& f) {
           f.listening = {Address::v4(0, 0, 0, 0, kPort), Address::v4(127, 0, 0, 1, 9229)};
           f.reached = true;
         });
       },
       {}},
      {"plain, an address where nobody looks",
       [] { return with(plain_program(), [](auto& f) { f.listening = {Address::v4(192, 168, 1, 5, kPort)}; }); },
       {"listens on 192.168.1.5:20123 only", "HOST"}},
      {"plain, another loopback address",
       [] { return with(plain_program(), [](auto& f) { f.listening = {Address::v4(127, 0, 0, 2, kPort)}; }); },
       {"listens on 127.0.0.2:20123 only"}},
      {"plain, its own loopback address will be found",
       [] { return with(plain_program(), [](auto& f) { f.listening = {Address::v4(127, 31, 16, 10, kPort)}; }); },
       {}},
      {"plain, loopback will be found",
       [] { return with(plain_program(), [](auto& f) { f.listening = {Address::v4(127, 0, 0, 1, kPort)}; }); },
       {}},
      {"namespaces, loopback only",
       [] { return with(machine_program(), [](auto& f) { f.listening = {Address::v4(127, 0, 0, 1, 8080)}; }); },
       {"listens on 127.0.0.1:8080 only", "bind 0.0.0.0", "172.31.16.10"}},
      {"namespaces, all addresses",
       [] { return with(machine_program(), [](auto& f) { f.listening = {Address::v4(0, 0, 0, 0, 8080)}; }); },
       {}},
      {"namespaces, ignores PORT",
       [] { return with(machine_program(), [](auto& f) { f.listening = {Address::v4(0, 0, 0, 0, 3000)}; }); },
       {"listens on port 3000 and not on its PORT 8080"}},
      {"404",
       [] {
         return with(plain_program(), [](auto& f) {
           f.reached = true;
           f.health = unhealthy(TargetReason::kResponseCodeMismatch, 404);
         });
       },
       {"answers its health check GET /healthz with 404", "--health-path /"}},
      {"503",
       [] {
         return with(plain_program(), [](auto& f) {
           f.reached = true;
           f.health = unhealthy(TargetReason::kResponseCodeMismatch, 503);
         });
       },
       {"GET /healthz with 503", "200"}},
      {"never answers",
       [] {
         return with(plain_program(), [](auto& f) {
           f.reached = true;
           f.health = unhealthy(TargetReason::kTimeout);
         });
       },
       {"does not answer GET /healthz in time"}},
      {"was healthy once",
       [] {
         return with(plain_program(), [](auto& f) {
           f.was_healthy = true;
           f.health = unhealthy(TargetReason::kResponseCodeMismatch, 503);
         });
       },
       {}},
      {"exits early",
       [] {
         return with(plain_program(), [](auto& f) {
           f.exit = ProcessExit{1, 0};
           f.ran = std::chrono::milliseconds(340);
         });
       },
       {"i-1 exited with status 1 0.3 s after its start", "last lines"}},
      {"exits with success",
       [] {
         return with(plain_program(), [](auto& f) {
           f.exit = ProcessExit{0, 0};
           f.ran = std::chrono::milliseconds(340);
         });
       },
       {"exited with status 0", "foreground"}},
      {"crashes",
       [] {
         return with(plain_program(), [](auto& f) {
           f.exit = ProcessExit{0, 11};
           f.ran = kEarlyExit;
         });
       },
       {"killed by signal 11 (SIGSEGV)"}},
      {"exits late",
       [] {
         return with(plain_program(), [](auto& f) {
           f.exit = ProcessExit{1, 0};
           f.ran = kEarlyExit + kMillisecond;
         });
       },
       {}},
      {"the second one that insists on a port",
       [] {
         return with(plain_program(), [](auto& f) {
           f.exit = ProcessExit{1, 0};
           f.ran = kSecond;
           f.last_lines = {"Error: listen EADDRINUSE: address already in use :::3000"};
           f.fixed_ports = {{"i-0", 3000}};
         });
       },
       {"it insists on port 3000, which i-0 has already", "--ground namespaces"}},
      {"a port that another program has",
       [] {
         return with(plain_program(), [](auto& f) {
           f.exit = ProcessExit{1, 0};
           f.ran = kSecond;
           f.last_lines = {"OSError: [Errno 98] Address already in use"};
         });
       },
       {"its port is taken by another program"}},
      {"no such command",
       [] {
         return with(plain_program(), [](auto& f) {
           f.start_failed = true;
           f.start_error = "cannot run nodde: No such file or directory";
         });
       },
       {"cannot run nodde", "--app"}},
  };
  return kRows;
}

TEST(Diagnosis, Table) {
  for (const Row& row : rows()) {
    const auto sentence = diagnose(row.facts());
    EXPECT_EQ(sentence.has_value(), !row.said.empty()) << row.name << ": " << sentence.value_or("nothing");
    if (!sentence) continue;
    for (const std::string& piece : row.said) {
      EXPECT_NE(sentence->find(piece), std::string::npos) << row.name << ": " << *sentence;
    }
    EXPECT_EQ(sentence->find('\n'), std::string::npos) << row.name;
  }
}

}  // namespace
}  // namespace rr::sim
