#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/world/ground_choice.h"
#include "sim/world/instance_files.h"
#include "sim/world/line_splitter.h"
#include "sim/world/listening_socket.h"
#include "sim/world/node_document.h"
#include "sim/world/process_environment.h"
#include "sim/world/socket_table.h"
#include "sim/world/version_answer.h"

namespace rr::sim {
namespace {

TEST(WhyNot, NamesWhoStandsBehindIt) {
  const std::string refused = "creating namespaces: Operation not permitted";
  struct Row {
    NamespaceLimits limits;
    std::string said;
  };
  const std::vector<Row> rows{
      {{.apparmor_restricts = 1}, "apparmor_restrict_unprivileged_userns=1"},
      {{.unprivileged_clone = 0}, "unprivileged_userns_clone=0"},
      {{.most_user_namespaces = 0}, "max_user_namespaces=0"},
      {{.in_container = true, .root = true}, "seccomp"},
      {{.seccomp = true}, "seccomp"},
  };
  for (const Row& row : rows) {
    const std::string reason = why_not(refused, row.limits);
    EXPECT_NE(reason.find(row.said), std::string::npos) << reason;
    EXPECT_TRUE(reason.starts_with(refused));
  }
  EXPECT_EQ(why_not(refused, {.apparmor_restricts = 1, .root = true}), refused) << "root is not restricted by it";
}

TEST(LineSplitter, LinesWhateverThePieces) {
  const std::string output = "one\ntwo\r\n\nfour";
  for (std::size_t piece = 1; piece <= output.size(); ++piece) {
    LineSplitter splitter;
    std::vector<std::string> lines;
    const auto take = [&](std::string_view line) { lines.emplace_back(line); };
    for (std::size_t at = 0; at < output.size(); at += piece) splitter.take(output.substr(at, piece), take);
    splitter.finish(take);
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "", "four"})) << piece;
  }
}

TEST(LineSplitter, ALongLineIsCut) {
  LineSplitter splitter;
  std::vector<std::size_t> sizes;
  const auto take = [&](std::string_view line) { sizes.push_back(line.size()); };
  splitter.take(std::string(LineSplitter::kLongestLine, 'x'), take);
  splitter.take("y\n", take);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{LineSplitter::kLongestLine, 1}));
}

TEST(SocketTable, ReadsTheKernelsText) {
  const std::string v4 =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 x\n"
      "   1: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 x\n"
      "   2: garbage\n";
  EXPECT_EQ(parse_socket_table(v4, Address::Family::kV4),
            (std::vector<TableSocket>{{Address::v4(127, 0, 0, 1, 8080), 4711}}));
  const std::string v6 =
      "heading\n"
      "   0: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 99 1 x\n";
  const auto sockets = parse_socket_table(v6, Address::Family::kV6);
  ASSERT_EQ(sockets.size(), 1U);
  EXPECT_EQ(format_address(sockets[0].address), "[::1]:3000");
}

TEST(ListeningSocket, IsExclusive) {
  const auto first = open_listening_socket(Address::v4(127, 0, 0, 1, 0));
  ASSERT_TRUE(first.ok());
  const auto second = open_listening_socket(first.value().address);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().message, format_address(first.value().address) + " is in use by another program");
}

TEST(ListeningSocket, AFreePortIsOneThatNobodyHas) {
  const auto port = find_free_port(0);
  ASSERT_TRUE(port.ok());
  const auto taken = open_listening_socket(Address::v4(127, 0, 0, 1, port.value()));
  ASSERT_TRUE(taken.ok());
  const auto next = find_free_port(port.value() - 10'240U);
  ASSERT_TRUE(next.ok());
  EXPECT_NE(next.value(), port.value());
}

TEST(Environment, OfAnInstance) {
  LaunchInstance launch;
  launch.instance = InstanceId("i-1");
  launch.zone = ZoneName("eu-west-1a");
  launch.image.id = ImageId("ami-1");
  launch.image.commit = "abc";
  launch.image.build = "28";
  launch.address = Address::v4(172, 31, 16, 10, 8080);
  launch.host_name = "ip-172-31-16-10";
  Environment plain;
  add_instance(plain, launch, GroundKind::kPlain, 20'000);
  const Environment expected{{"PORT", "20000"},         {"HOST", "127.31.16.10"},           {"RR_INSTANCE_ID", "i-1"},
                             {"RR_ZONE", "eu-west-1a"}, {"RR_IMAGE_ID", "ami-1"},           {"APP_COMMIT", "abc"},
                             {"APP_BUILD", "28"},       {"RR_HOST_NAME", "ip-172-31-16-10"}};
  EXPECT_EQ(plain, expected);
  Environment machine;
  add_instance(machine, launch, GroundKind::kNamespaces, 8080);
  EXPECT_EQ(machine.at("HOST"), "0.0.0.0");
  EXPECT_EQ(substituted({"serve", "--at={host}:{port}", "{port}{port}"}, plain),
            (std::vector<std::string>{"serve", "--at=127.31.16.10:20000", "2000020000"}));
}

TEST(NodeDocument, SaysWhatIsWanted) {
  ConfigureNode wanted;
  wanted.node = "lb-a";
  wanted.accepting = false;
  wanted.load_balancer.listeners = {{"http", 80, ForwardAction{{{"web", 1}}}}};
  TargetGroupSettings group;
  group.name = "web";
  group.health_check.path = "/healthz";
  group.health_check.interval = std::chrono::milliseconds(200);
  wanted.load_balancer.target_groups = {group};
  wanted.load_balancer.cookie_key = std::string(64, 'a');
  wanted.targets.put("web", {"i-1", Address::v4(172, 31, 16, 10, 8080), {}, "a"});
  NodeSockets sockets;
  sockets.zonal_port = 80;  // taken by the listener: it must get another
  const auto json = nlohmann::json::parse(
      desired_document(wanted, 7, sockets, [](const TargetSpec&) { return Address::v4(127, 31, 16, 10, 20'000); }));
  EXPECT_EQ(json["generation"], 7);
  const auto& balancer = json["load_balancers"][0];
  EXPECT_EQ(balancer["cookie_key"], std::string(64, 'a'));
  ASSERT_EQ(balancer["listeners"].size(), 2U);
  EXPECT_EQ(balancer["listeners"][0]["sockets"], nlohmann::json::array({"fd:3"}));
  EXPECT_EQ(balancer["listeners"][0]["accepting"], false);
  EXPECT_EQ(balancer["listeners"][1]["sockets"], nlohmann::json::array({"fd:4"}));
  EXPECT_EQ(balancer["listeners"][1]["accepting"], true);
  EXPECT_EQ(balancer["listeners"][1]["port"], 81);
  const auto& target = balancer["target_groups"][0]["targets"][0];
  EXPECT_EQ(target["address"], "172.31.16.10:8080");
  EXPECT_EQ(target["wire"], "127.31.16.10:20000");
  EXPECT_EQ(balancer["target_groups"][0]["health_check"]["interval"], "200ms");
}

TEST(NodeDocument, ReadsWhatTheNodeSaw) {
  const auto seen = parse_observation(R"({"generation":3,"drains_cursor":9,
      "drains":[{"cursor":9,"id":"i-0","port":8080,"outcome":"completed"}],
      "load_balancers":[{"target_groups":[{"name":"web","targets":[
        {"id":"i-1","port":8080,"state":"unhealthy","reason":"Target.ResponseCodeMismatch",
         "description":"Health checks failed with these codes: [404]"},
        {"id":"i-2","port":8080,"state":"healthy","reason":"","description":""},
        {"id":"i-3","port":8080,"state":"of a later version"}]}]}]})");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->generation, 3U);
  EXPECT_EQ(seen->drains_cursor, 9U);
  EXPECT_EQ(seen->drained, std::vector<std::string>{"i-0"});
  ASSERT_EQ(seen->targets.size(), 2U);
  EXPECT_EQ(seen->targets[0].health, (Health{TargetState::kUnhealthy, TargetReason::kResponseCodeMismatch, 404}));
  EXPECT_EQ(seen->targets[1].health, (Health{TargetState::kHealthy, TargetReason::kNone, 0}));
  for (const char* broken : {"", "[]", "{}", "{\"generation\":"}) EXPECT_FALSE(parse_observation(broken)) << broken;
}

TEST(VersionAnswer, FromPathHeaderOrNot) {
  ClientResponse json{200, {{"X-Commit", " c2 "}}, R"({"commit":"c1","host":"ip-1"})"};
  const VersionFrom path{VersionFrom::Kind::kPath, "/version"};
  EXPECT_EQ(read_version(path, std::nullopt, json), (VersionAnswered{std::nullopt, 200, "c1", "ip-1"}));
  EXPECT_EQ(read_version({VersionFrom::Kind::kHeader, "x-commit"}, InstanceId("i-1"), json),
            (VersionAnswered{InstanceId("i-1"), 200, "c2", ""}));
  EXPECT_EQ(read_version({VersionFrom::Kind::kNone, ""}, std::nullopt, json),
            (VersionAnswered{std::nullopt, 200, "", ""}));
  EXPECT_EQ(read_version(path, std::nullopt, ClientResponse{200, {}, "c3\n"}).commit, "c3");
  EXPECT_EQ(read_version(path, std::nullopt, ClientResponse{200, {}, "<html>c3</html>"}).commit, "");
  EXPECT_EQ(read_version(path, std::nullopt, ClientResponse{503, {}, "c3"}),
            (VersionAnswered{std::nullopt, 503, "", ""}));
  EXPECT_EQ(read_version(path, std::nullopt, ClientFailure{}).status, 0);
  EXPECT_EQ(version_question(path, "/healthz").target, "/version");
  EXPECT_EQ(version_question({VersionFrom::Kind::kHeader, "x"}, "/healthz").target, "/healthz");
}

TEST(InstanceFiles, AnInstanceHasACopyAndItsLogIsKeptForAWhile) {
  namespace fs = std::filesystem;
  const fs::path base = fs::temp_directory_path() / ("rr-files-" + std::to_string(::getpid()));
  fs::create_directories(base / "image" / "sub");
  std::ofstream(base / "image" / "sub" / "settings") << "image";
  auto files = InstanceFiles::open(base / "state");
  ASSERT_TRUE(files.ok());
  const auto folder = files.value().make_instance("i-0", base / "image");
  ASSERT_TRUE(folder.ok());
  std::ofstream(fs::path(folder.value()) / "sub" / "settings") << "changed";
  std::string text;
  std::ifstream(base / "image" / "sub" / "settings") >> text;
  EXPECT_EQ(text, "image") << "an image does not change by what an instance of it does";
  for (std::size_t index = 0; index <= InstanceFiles::kKeptLogs; ++index) {
    const std::string name = "i-" + std::to_string(index);
    std::ofstream(files.value().log_file(name)) << "line";
    files.value().end_instance(name);
  }
  EXPECT_FALSE(fs::exists(folder.value()));
  EXPECT_FALSE(fs::exists(files.value().log_file("i-0"))) << "one more than is kept";
  EXPECT_TRUE(fs::exists(files.value().log_file("i-1")));
  EXPECT_FALSE(InstanceFiles::open(base / std::string(100, 'x')).ok()) << "no room for a socket's name";
  fs::remove_all(base);
}

TEST(InstanceFiles, LinksStayLinks) {
  namespace fs = std::filesystem;
  const fs::path base = fs::temp_directory_path() / ("rr-links-" + std::to_string(::getpid()));
  fs::create_directories(base / "image" / "2-abc");
  std::ofstream(base / "image" / "2-abc" / "program") << "second";
  fs::create_directory_symlink("2-abc", base / "image" / "current");
  fs::create_symlink("2-abc/program", base / "image" / "program");
  fs::create_symlink("nowhere", base / "image" / "dangling");
  auto files = InstanceFiles::open(base / "state");
  ASSERT_TRUE(files.ok());
  const auto folder = files.value().make_instance("i-0", base / "image");
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  for (const auto& [link, target] :
       {std::pair{"current", "2-abc"}, std::pair{"program", "2-abc/program"}, std::pair{"dangling", "nowhere"}}) {
    EXPECT_EQ(fs::read_symlink(fs::path(folder.value()) / link), target);
  }
  std::string text;
  std::ifstream(fs::path(folder.value()) / "current" / "program") >> text;
  EXPECT_EQ(text, "second");
  fs::remove_all(base);
}

}  // namespace
}  // namespace rr::sim
