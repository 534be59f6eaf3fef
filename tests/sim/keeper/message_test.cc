#include "sim/keeper/message.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <string>

namespace rr::sim {
namespace {

StartProcess some_start() {
  StartProcess start;
  start.name = "i-1";
  start.command = {"node", "server.js", ""};
  start.environment = {{"PORT", "8080"}, {"EMPTY", ""}};
  start.folder = "/srv";
  start.log_file = "/srv/log";
  start.logical = Address::v4(172, 31, 16, 10, 8080);
  start.host_name = "ip-172-31-16-10";
  start.numbers = {3, 4};
  return start;
}

TEST(Message, EveryRequestComesBackAsItWas) {
  const std::array<KeeperRequest, 4> requests{some_start(), SignalProcess{"i-1", 15, true}, SetLink{"i-1", false},
                                              OpenDoor{"i-1", Address::v4(172, 31, 16, 10, 80)}};
  for (const KeeperRequest& request : requests) EXPECT_EQ(decode_request(encode(request)), request);
}

TEST(Message, EveryEventComesBackAsItWas) {
  const std::array<KeeperEvent, 3> events{KeeperReady{"no"}, KeeperReply{"", 4711}, ProcessEnded{"i-1", 3, 9}};
  for (const KeeperEvent& event : events) EXPECT_EQ(decode_event(encode(event)), event);
}

TEST(Message, EveryCutIsRefused) {
  const std::string whole = encode(KeeperRequest{some_start()});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_request(std::string_view(whole).substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_request(whole + "x"));
}

TEST(Message, LargerThanASocketBufferArrivesWhole) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
  const Descriptor here(ends[0]), there(ends[1]);
  for (const std::size_t size : {kInlineMessage, kInlineMessage + 1, std::size_t{2'000'000}}) {
    const std::string bytes(size, 'x');
    ASSERT_TRUE(send_packet(here.get(), bytes, {0}).ok());
    Packet packet;
    ASSERT_EQ(receive_packet(there.get(), packet), ReceiveOutcome::kPacket);
    EXPECT_EQ(packet.bytes, bytes);
    EXPECT_EQ(packet.descriptors.size(), 1U);
  }
}

TEST(Message, AClosedSocketSaysSo) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
  Descriptor here(ends[0]);
  const Descriptor there(ends[1]);
  Packet packet;
  EXPECT_EQ(receive_packet(there.get(), packet), ReceiveOutcome::kNothingNow);
  here.reset();
  EXPECT_EQ(receive_packet(there.get(), packet), ReceiveOutcome::kClosed);
  EXPECT_FALSE(send_packet(there.get(), "x", {}).ok());
}

}  // namespace
}  // namespace rr::sim
