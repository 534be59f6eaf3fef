// Listening: exclusively, on inherited sockets that others share, and without dying of a lack of descriptors.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <deque>
#include <fstream>
#include <thread>

#include "lb/net/socket_address.h"
#include "lb/net/stream.h"
#include "tests/lb/net/loop_runner.h"

namespace rr {
namespace {

std::string unix_path(const char* name) { return testing::TempDir() + "rr-net-" + std::to_string(getpid()) + name; }

/// A listening socket as a parent process opens it, with ports of its own choosing.
int open_shared(Address& address) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const SocketAddress name = to_socket_address(Address::v4(127, 0, 0, 1, 0));
  EXPECT_EQ(::bind(fd, name.get(), name.length), 0);
  EXPECT_EQ(::listen(fd, 128), 0);
  address = local_address_of(fd);
  return fd;
}

TEST(StreamListenerTest, ReportsTheChosenPortAndHoldsItExclusively) {
  Loop loop;
  auto listener = StreamListener::listen(loop, any_port());
  ASSERT_TRUE(listener.ok());
  const Endpoint endpoint = listener->endpoint();
  EXPECT_NE(std::get<Address>(endpoint).port, 0);
  auto second = StreamListener::listen(loop, endpoint);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().message, format_endpoint(endpoint) + " is in use by another program");
}

/// TCP_NODELAY of this process's socket whose other end is at that address; -1: there is none.
int nodelay_towards(const Address& peer) {
  for (int fd = 3; fd < 1024; ++fd) {
    SocketAddress name;
    name.length = sizeof name.storage;
    if (getpeername(fd, name.get(), &name.length) != 0 || name.storage.ss_family != AF_INET) continue;
    if (from_socket_address(name) != peer) continue;
    int value = -1;
    socklen_t length = sizeof value;
    getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &length);
    return value;
  }
  return -1;
}

TEST(StreamListenerTest, WhatItTakesSendsAtOnce) {
  // Of its own socket, where the kernel hands the option down, and of one that was opened by somebody else.
  Loop loop;
  Address address;
  auto own = StreamListener::listen(loop, any_port());
  auto inherited = StreamListener::listen(loop, InheritedSocket{open_shared(address)});
  for (auto* listener : {&own, &inherited}) {
    ASSERT_TRUE(listener->ok());
    std::optional<Stream> served;
    (*listener)->start([&](Stream stream) { served.emplace(std::move(stream)); });
    const RawClient client((*listener)->endpoint());
    RUN_UNTIL(loop, served.has_value());
    EXPECT_EQ(nodelay_towards(served->peer()), 1);
  }
}

TEST(StreamListenerTest, APortThatJustServedCanBeBoundAgainAtOnce) {
  Loop loop;
  std::optional<Result<StreamListener>> listener = StreamListener::listen(loop, any_port());
  const Endpoint endpoint = (*listener)->endpoint();
  std::optional<Stream> served;
  (*listener)->start([&](Stream stream) { served.emplace(std::move(stream)); });
  const RawClient client(endpoint);
  RUN_UNTIL(loop, served.has_value());
  served.reset();  // our side closes first: its end lingers in the kernel
  listener.reset();
  EXPECT_TRUE(StreamListener::listen(loop, endpoint).ok());
}

TEST(StreamListenerTest, SaysWhyAnAddressIsOfNoUse) {
  Loop loop;
  auto foreign = StreamListener::listen(loop, Address::v4(192, 0, 2, 1, 0));
  ASSERT_FALSE(foreign.ok());
  EXPECT_EQ(foreign.error().message, "192.0.2.1:0 is not an address of this machine");
  auto folder = StreamListener::listen(loop, UnixPath{"/nonexistent/folder/socket"});
  ASSERT_FALSE(folder.ok());
  EXPECT_EQ(folder.error().message, "unix:/nonexistent/folder/socket: the folder does not exist");
  auto closed = StreamListener::listen(loop, InheritedSocket{9999});
  ASSERT_FALSE(closed.ok());
  EXPECT_EQ(closed.error().message, "fd:9999 is no open socket: Bad file descriptor");
  EXPECT_FALSE(StreamListener::listen(loop, UnixPath{std::string(108, 'x')}).ok());
}

TEST(StreamListenerTest, AUnixPathOfTheLongestKindWorksAndOneMoreDoesNot) {
  Loop loop;
  const std::string folder = unix_path("long");
  ASSERT_EQ(::mkdir(folder.c_str(), 0700), 0);
  const std::string longest = folder + "/" + std::string(107 - folder.size() - 1, 'x');  // sun_path holds 107 and a 0
  EXPECT_TRUE(StreamListener::listen(loop, UnixPath{longest}).ok());
  EXPECT_FALSE(StreamListener::listen(loop, UnixPath{longest + "x"}).ok());
  EXPECT_EQ(::rmdir(folder.c_str()), 0);  // and its file has gone with it
}

TEST(StreamListenerTest, AStaleUnixSocketIsReplacedALiveOneAndAFileAreNot) {
  Loop loop;
  const std::string path = unix_path("stale");
  {
    // What a killed program leaves: a socket file that nobody listens on.
    auto dead = StreamListener::listen(loop, UnixPath{path});
    ASSERT_TRUE(dead.ok());
    ASSERT_EQ(::rename(path.c_str(), (path + ".kept").c_str()), 0);
  }
  ASSERT_EQ(::rename((path + ".kept").c_str(), path.c_str()), 0);
  auto listener = StreamListener::listen(loop, UnixPath{path});
  ASSERT_TRUE(listener.ok()) << listener.error().message;
  auto second = StreamListener::listen(loop, UnixPath{path});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().message, "unix:" + path + " is in use by another program");
  const std::string file = unix_path("file");
  std::ofstream(file) << "precious";
  EXPECT_FALSE(StreamListener::listen(loop, UnixPath{file}).ok());
  EXPECT_EQ(::access(file.c_str(), F_OK), 0);
  ::unlink(file.c_str());
}

TEST(StreamListenerTest, RemovesItsOwnUnixSocketAndNoOther) {
  Loop loop;
  const std::string path = unix_path("own");
  { auto listener = StreamListener::listen(loop, UnixPath{path}); }
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
  {
    auto listener = StreamListener::listen(loop, UnixPath{path});
    ::unlink(path.c_str());
    std::ofstream(path) << "somebody else's";
  }
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  ::unlink(path.c_str());
}

TEST(StreamListenerTest, StopAndStartLoseNoQueuedConnection) {
  Loop loop;
  auto listener = StreamListener::listen(loop, any_port());
  ASSERT_TRUE(listener.ok());
  int accepted = 0;
  const auto count = [&](Stream) { ++accepted; };
  listener->start(count);
  listener->stop();
  EXPECT_FALSE(listener->accepting());
  std::deque<RawClient> clients;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(clients.emplace_back(listener->endpoint()).connected());
  int passes = 0;
  std::function<void()> again = [&] {
    if (++passes < 20) loop.post(again);
  };
  loop.post(again);
  RUN_UNTIL(loop, passes == 20);
  EXPECT_EQ(accepted, 0);
  listener->start(count);
  RUN_UNTIL(loop, accepted == 20);
}

TEST(StreamListenerTest, MayBeStoppedRestartedOrDestroyedInItsCallback) {
  Loop loop;
  std::optional<StreamListener> listener(StreamListener::listen(loop, any_port()).value());
  std::deque<RawClient> clients;
  for (int i = 0; i < 6; ++i) clients.emplace_back(listener->endpoint());
  const std::string text = "longer than what a string keeps within itself";
  std::string log;
  listener->start([&, text](Stream) {
    listener->stop();
    loop.post([&] {
      listener->start([&, text](Stream) {
        listener->start([&, text](Stream) {
          listener.reset();
          log += "destroyed " + text;
        });
        log += "replaced ";
      });
    });
    log += "stopped ";
  });
  RUN_UNTIL(loop, !listener.has_value());
  EXPECT_EQ(log, "stopped replaced destroyed " + text);
}

TEST(StreamListenerTest, OneSocketSharedByTwoLoopsServesEveryConnectionOnce) {
  Address address;
  const int first = open_shared(address);
  const int second = ::dup(first);
  constexpr int kConnections = 400;
  std::atomic<int> accepted = 0;
  std::array<int, 2> by{};
  const auto serve = [&](std::size_t which, int fd) {
    Loop loop;
    auto listener = StreamListener::listen(loop, InheritedSocket{fd});
    ASSERT_TRUE(listener.ok()) << listener.error().message;
    EXPECT_EQ(std::get<Address>(listener->endpoint()), address);
    listener->start([&](Stream stream) {
      stream.write("x");
      ++by[which];
      ++accepted;
    });
    EXPECT_TRUE(run_until(loop, [&] { return accepted == kConnections; }));
  };
  std::thread one([&] { serve(0, first); });
  std::thread two([&] { serve(1, second); });
  int answered = 0;
  for (int i = 0; i < kConnections; ++i) {
    RawClient client(address);
    char byte = 0;
    if (::recv(client.fd(), &byte, 1, 0) == 1) ++answered;  // waits: served by exactly one of them
  }
  one.join();
  two.join();
  EXPECT_EQ(answered, kConnections);
  EXPECT_EQ(by[0] + by[1], kConnections);
}

TEST(StreamListenerTest, AnotherProcessTakesWhatAStoppedListenerLeaves) {
  Address address;
  const int fd = open_shared(address);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Loop loop;
    auto listener = StreamListener::listen(loop, InheritedSocket{fd});
    if (!listener.ok()) _exit(1);
    int served = 0;
    std::deque<Stream> open;
    listener->start([&](Stream stream) {
      stream.write("child");
      open.push_back(std::move(stream));
      if (++served == 10) loop.stop();
    });
    loop.run();
    _exit(0);
  }
  Loop loop;
  auto listener = StreamListener::listen(loop, InheritedSocket{fd});
  ASSERT_TRUE(listener.ok());
  listener->start([](Stream) { FAIL() << "accepted after stop()"; });
  listener->stop();
  for (int i = 0; i < 10; ++i) {
    RawClient client(address);
    char byte = 0;
    uv_run(loop.raw(), UV_RUN_NOWAIT);
    EXPECT_EQ(::recv(client.fd(), &byte, 1, 0), 1);
    EXPECT_EQ(byte, 'c');
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(StreamListenerTest, AWakeUpForAConnectionThatSomebodyElseTookIsHarmless) {
  Address address;
  const int fd = open_shared(address);
  const int other = ::dup(fd);
  Loop loop;
  auto listener = StreamListener::listen(loop, InheritedSocket{fd});
  ASSERT_TRUE(listener.ok());
  int accepted = 0;
  listener->start([&](Stream) { ++accepted; });
  const RawClient taken(address);
  const int stolen = ::accept(other, nullptr, nullptr);
  ASSERT_GE(stolen, 0);
  // In the callback the first connection is there and the second is taken by the other holder.
  const RawClient mine(address);
  RUN_UNTIL(loop, accepted == 1);
  ::close(stolen);
  ::close(other);
}

TEST(StreamListenerTest, TakesASocketThatIsBoundButDoesNotListenYetAndAUnixOne) {
  Loop loop;
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const SocketAddress name = to_socket_address(Address::v4(127, 0, 0, 1, 0));
  ASSERT_EQ(::bind(fd, name.get(), name.length), 0);
  auto tcp = StreamListener::listen(loop, InheritedSocket{fd});
  ASSERT_TRUE(tcp.ok());
  EXPECT_TRUE(RawClient(tcp->endpoint()).connected());
  EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);

  sockaddr_un unix_name{};
  unix_name.sun_family = AF_UNIX;
  const std::string path = unix_path("inherited");
  path.copy(unix_name.sun_path, sizeof unix_name.sun_path - 1);
  const int local = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(local, reinterpret_cast<const sockaddr*>(&unix_name), sizeof unix_name), 0);
  ASSERT_EQ(::listen(local, 8), 0);
  {
    auto listener = StreamListener::listen(loop, InheritedSocket{local});
    ASSERT_TRUE(listener.ok());
    EXPECT_EQ(listener->endpoint(), Endpoint(UnixPath{path}));
    bool accepted = false;
    listener->start([&](Stream stream) {
      accepted = true;
      EXPECT_EQ(stream.peer(), Address{});
    });
    const RawClient client(listener->endpoint());
    RUN_UNTIL(loop, accepted);
  }
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);  // whoever made the file removes it
  ::unlink(path.c_str());
}

TEST(StreamListenerTest, ANewSocketTakesThePortOfOneThatLeaves) {
  // 127.0.0.1:P gives way to 0.0.0.0:P: an ordinary bind is refused, the other one is not, there is no moment without a
  // listener, and afterwards nobody may share the port, whatever he asks for.
  Loop loop;
  auto old = std::make_unique<StreamListener>(*StreamListener::listen(loop, any_port()));
  int at_old = 0, at_new = 0;
  old->start([&](Stream) { ++at_old; });
  const std::uint16_t port = std::get<Address>(old->endpoint()).port;
  const Endpoint everywhere(Address::v4(0, 0, 0, 0, port));
  EXPECT_FALSE(StreamListener::listen(loop, everywhere).ok());
  const StreamListener* const leaving[] = {old.get()};
  auto moved = StreamListener::listen_beside(loop, everywhere, leaving);
  ASSERT_TRUE(moved.ok()) << moved.error().message;
  moved->start([&](Stream) { ++at_new; });
  const RawClient first(old->endpoint());
  RUN_UNTIL(loop, at_old == 1);
  const Endpoint here = old->endpoint();
  const auto may_share = [&](const Endpoint& endpoint) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
    const SocketAddress name = to_socket_address(std::get<Address>(endpoint));
    const bool bound = ::bind(fd, name.get(), name.length) == 0;
    ::close(fd);
    return bound;
  };
  EXPECT_FALSE(may_share(everywhere));
  EXPECT_FALSE(may_share(here));
  old.reset();
  const RawClient second(here);
  RUN_UNTIL(loop, at_new == 1);
  EXPECT_FALSE(may_share(here));
  EXPECT_EQ(at_old, 1);
  // And back: the wider one makes room for the narrower one.
  const StreamListener* const wide[] = {&*moved};
  EXPECT_FALSE(StreamListener::listen(loop, here).ok());
  EXPECT_TRUE(StreamListener::listen_beside(loop, here, wide).ok());
}

TEST(StreamListenerTest, RunningOutOfDescriptorsNeitherEndsNorSpinsIt) {
  // In a child, as the limit is the whole process's. Story: the limit leaves no descriptor; a client waits in the
  // queue; the listener pauses; then one is free and the client is served.
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Loop loop;
    auto listener = StreamListener::listen(loop, any_port());
    if (!listener.ok()) _exit(2);
    int accepted = 0;
    listener->start([&](Stream) { ++accepted; });
    const RawClient client(listener->endpoint());
    const int spare = ::dup(0);
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = static_cast<rlim_t>(spare) + 1;
    setrlimit(RLIMIT_NOFILE, &limit);
    std::vector<int> holes;  // what lies free below
    for (int hole = ::dup(0); hole >= 0; hole = ::dup(0)) holes.push_back(hole);
    // 20 turns of the loop: it must wait most of the time, so they take at least as long as two pauses.
    const Time began = loop.precise_now();
    int turns = 0;
    while (loop.precise_now() - began < std::chrono::milliseconds(120)) {
      uv_run(loop.raw(), UV_RUN_ONCE);
      ++turns;
    }
    if (accepted != 0) _exit(3);
    if (turns > 20) _exit(4);  // a spinning loop makes thousands
    ::close(spare);
    if (!run_until(loop, [&] { return accepted == 1; })) _exit(5);
    _exit(0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace rr
