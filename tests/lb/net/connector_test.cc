// Connecting: each way to fail has its name, and an abandoned attempt is silent.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lb/net/socket_address.h"
#include "lb/net/stream.h"
#include "tests/lb/net/loop_runner.h"

namespace rr {
namespace {

std::optional<ConnectFailure> failure_to(Loop& loop, const Endpoint& to, Duration timeout = std::chrono::seconds(10)) {
  std::optional<ConnectFailure> failure;
  bool done = false;
  Connector connector(loop, to, timeout, [&](auto made) {
    if (!made.ok()) failure = made.error();
    done = true;
  });
  EXPECT_FALSE(done) << "the callback came from within the constructor";
  EXPECT_TRUE(run_until(loop, [&] { return done; }));
  return failure;
}

/// A port on which nobody listens now, kept bound so that nobody begins to.
struct ClosedPort {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  Address address;
  ClosedPort() {
    const SocketAddress name = to_socket_address(Address::v4(127, 0, 0, 1, 0));
    EXPECT_EQ(::bind(fd, name.get(), name.length), 0);
    address = local_address_of(fd);
  }
  ~ClosedPort() { ::close(fd); }
};

TEST(ConnectorTest, AClosedPortRefuses) {
  Loop loop;
  const ClosedPort port;
  EXPECT_EQ(failure_to(loop, port.address), ConnectFailure::kRefused);
}

TEST(ConnectorTest, AUnixPathWithoutAListenerRefuses) {
  Loop loop;
  EXPECT_EQ(failure_to(loop, UnixPath{testing::TempDir() + "rr-net-nobody"}), ConnectFailure::kRefused);
  EXPECT_EQ(failure_to(loop, UnixPath{std::string(200, 'x')}), ConnectFailure::kOther);
}

TEST(ConnectorTest, ABroadcastAddressCannotBeConnectedTo) {
  Loop loop;
  const auto failure = failure_to(loop, Address::v4(255, 255, 255, 255, 9));
  EXPECT_TRUE(failure == ConnectFailure::kUnreachable || failure == ConnectFailure::kOther);
}

TEST(ConnectorTest, AnInheritedListenerIsNothingToConnectTo) {
  Loop loop;
  EXPECT_EQ(failure_to(loop, InheritedSocket{0}), ConnectFailure::kOther);
}

TEST(ConnectorTest, AFullQueueTimesOut) {
  Loop loop;
  // With a backlog of 0 the kernel completes one connection; the SYNs of the next are dropped.
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const SocketAddress name = to_socket_address(Address::v4(127, 0, 0, 1, 0));
  ASSERT_EQ(::bind(fd, name.get(), name.length), 0);
  ASSERT_EQ(::listen(fd, 0), 0);
  const RawClient first(local_address_of(fd));
  ASSERT_TRUE(first.connected());
  EXPECT_EQ(failure_to(loop, local_address_of(fd), 50 * kMillisecond), ConnectFailure::kTimedOut);
  ::close(fd);
}

TEST(ConnectorTest, ConnectsFromTheChosenSource) {
  Loop loop;
  auto listener = StreamListener::listen(loop, any_port());
  ASSERT_TRUE(listener.ok());
  std::optional<Stream> server, client;
  listener->start([&](Stream stream) { server.emplace(std::move(stream)); });
  Connector connector(
      loop, listener->endpoint(), kSecond, [&](auto made) { client.emplace(*std::move(made)); },
      Address::v4(127, 3, 2, 1, 0));
  RUN_UNTIL(loop, client && server);
  EXPECT_EQ(format_ip(server->peer()), "127.3.2.1");
}

TEST(ConnectorTest, ASourceThatIsNotOursIsALimit) {
  Loop loop;
  std::optional<ConnectFailure> failure;
  Connector connector(
      loop, Address::v4(127, 0, 0, 1, 9), kSecond, [&](auto made) { failure = made.error(); },
      Address::v4(192, 0, 2, 1, 0));
  RUN_UNTIL(loop, failure.has_value());
  EXPECT_EQ(failure, ConnectFailure::kLimit);
}

TEST(ConnectorTest, AnAbandonedAttemptIsSilent) {
  Loop loop;
  auto listener = StreamListener::listen(loop, any_port());
  ASSERT_TRUE(listener.ok());
  bool accepted = false;
  listener->start([&](Stream) { accepted = true; });
  {
    const Connector connector(loop, listener->endpoint(), kSecond, [](auto) { FAIL(); });
    const Connector refused(loop, InheritedSocket{0}, kSecond, [](auto) { FAIL(); });
  }
  const RawClient other(listener->endpoint());
  RUN_UNTIL(loop, accepted);
}

TEST(ConnectorTest, MayBeDestroyedInItsCallback) {
  Loop loop;
  auto listener = StreamListener::listen(loop, any_port());
  ASSERT_TRUE(listener.ok());
  listener->start([](Stream) {});
  std::optional<Connector> good, bad;
  int done = 0;
  const std::string text = "longer than what a string keeps within itself";
  std::string seen;
  good.emplace(loop, listener->endpoint(), kSecond, [&, text](auto made) {
    EXPECT_TRUE(made.ok());
    good.reset();
    seen = text;
    ++done;
  });
  bad.emplace(loop, InheritedSocket{0}, kSecond, [&, text](auto) {
    bad.reset();
    ++done;
  });
  RUN_UNTIL(loop, done == 2);
  EXPECT_EQ(seen, text);
}

TEST(ConnectorTest, NoDescriptorLeftIsALimit) {
  // In a child, as the limit is the whole process's.
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Loop loop;
    const int lowest_free = ::dup(0);
    const rlimit none{static_cast<rlim_t>(lowest_free), static_cast<rlim_t>(lowest_free)};
    ::close(lowest_free);
    setrlimit(RLIMIT_NOFILE, &none);
    std::optional<ConnectFailure> failure;
    const Connector connector(loop, Address::v4(127, 0, 0, 1, 9), Duration::zero(), [&](auto made) {
      if (!made.ok()) failure = made.error();
      loop.stop();
    });
    loop.run();
    _exit(failure == ConnectFailure::kLimit ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(ConnectorTest, EachFailureHasAText) {
  EXPECT_EQ(to_string(ConnectFailure::kRefused), "connection refused");
  EXPECT_EQ(to_string(ConnectFailure::kTimedOut), "connect timed out");
}

}  // namespace
}  // namespace rr
