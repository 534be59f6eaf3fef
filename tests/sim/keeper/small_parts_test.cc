#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "sim/keeper/log_file.h"
#include "sim/keeper/netlink.h"
#include "sim/keeper/private_world.h"
#include "sim/keeper/process_tree.h"

namespace rr::sim {
namespace {

TEST(ProcessTree, ReadsAStatLineWhateverTheNameHolds) {
  pid_t parent = 0;
  char state = 0;
  ASSERT_TRUE(parse_stat("12 (a) b) (c) S 7 12 12 0 -1", parent, state));
  EXPECT_EQ(parent, 7);
  EXPECT_EQ(state, 'S');
  for (const char* broken : {"", "12", "12 (name", "12 (name)", "12 (name) S", "12 (name) S x"}) {
    EXPECT_FALSE(parse_stat(broken, parent, state)) << broken;
  }
}

TEST(ProcessTree, FindsAChild) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  const std::vector<pid_t> found = children(::getpid());
  EXPECT_NE(std::find(found.begin(), found.end(), child), found.end());
  EXPECT_TRUE(kill_descendants(::getpid()));
  EXPECT_TRUE(children(::getpid()).empty());
}

TEST(PrivateWorld, KeepsOfTmpWhatTheProcessNeeds) {
  StartProcess start;
  start.folder = "/tmp/state/instances/i-1";
  start.command = {"/tmp/tools/node", "/home/me/server.js", "/tmp/data.json"};
  start.environment = {{"PATH", "/usr/bin:/tmp/venv/bin:/tmp"}};
  EXPECT_EQ(kept_in_tmp(start), (std::vector<std::string>{"/tmp/data.json", "/tmp/state", "/tmp/tools", "/tmp/venv"}));
  start = {};
  start.folder = "/tmp";
  EXPECT_EQ(kept_in_tmp(start), std::vector<std::string>{"/tmp"});
  start.folder = "/tmpfiles/x";
  EXPECT_TRUE(kept_in_tmp(start).empty());
}

TEST(PrivateWorld, GatewayIsTheFirstHostOfTheNetwork) {
  EXPECT_EQ(gateway_of(Address::v4(172, 31, 47, 9, 8080)), Address::v4(172, 31, 0, 1, 0));
}

TEST(Netlink, AnAddressAlwaysHasTheSameMac) {
  const MacAddress mac = mac_of(Address::v4(172, 31, 16, 10, 80));
  EXPECT_EQ(mac, mac_of(Address::v4(172, 31, 16, 10, 8080)));
  EXPECT_NE(mac, mac_of(Address::v4(172, 31, 16, 11, 80)));
  EXPECT_EQ(mac[0] & 3, 2) << "locally administered, not a group";
}

TEST(LogFile, IsBoundedByTwiceTheLimit) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("rr-log-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::string path = folder / "i-1.log";
  LogFile log(path, 10);
  const auto text = [](const std::string& name) {
    std::stringstream all;
    all << std::ifstream(name).rdbuf();
    return all.str();
  };
  log.append("12345");
  log.append("67890");  // exactly the limit
  EXPECT_EQ(text(path), "1234567890");
  log.append("a");
  EXPECT_EQ(text(path), "a");
  EXPECT_EQ(text(path + ".1"), "1234567890");
  LogFile again(path, 10);  // a restarted process goes on where the one before ended
  again.append("bcdefghij");
  again.append("k");
  EXPECT_EQ(text(path + ".1"), "abcdefghij");
  EXPECT_EQ(text(path), "k");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace rr::sim
