// Streams over real loopback sockets: bytes arrive whole and in order, queues stay bounded when the reader is slow,
// every end is told once, and any callback may close or destroy the stream.
#include "lb/net/stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <vector>

#include "tests/lb/net/loop_runner.h"

namespace rr {
namespace {

constexpr std::size_t kMebibyte = 1024 * 1024;

std::string unix_path(const char* name) { return testing::TempDir() + "rr-net-" + std::to_string(getpid()) + name; }

/// The byte at a place of a stream that never repeats within a buffer's length.
char byte_at(std::size_t place) { return static_cast<char>((place * 2654435761U) >> 13); }

std::string bytes_from(std::size_t place, std::size_t count) {
  std::string out(count, '\0');
  for (std::size_t i = 0; i < count; ++i) out[i] = byte_at(place + i);
  return out;
}

/// Writes `total` bytes as fast as the stream takes them and never queues more than one piece.
struct Source {
  Stream& stream;
  std::size_t total;
  std::size_t sent = 0;
  std::size_t most_queued = 0;
  static constexpr std::size_t kPiece = 256 * 1024;

  void pump() {
    while (sent < total) {
      const std::string piece = bytes_from(sent, std::min(kPiece, total - sent));
      sent += piece.size();
      const std::size_t queued = stream.write(piece);
      most_queued = std::max(most_queued, queued);
      if (queued > 0) return;
    }
    stream.shutdown();
  }
};

/// Sends back what it gets, and reads no more while the other side is slow.
struct Echo final : StreamEvents {
  Stream& stream;
  std::size_t most_queued = 0;
  explicit Echo(Stream& to) : stream(to) {}
  void on_read(std::string_view bytes) override {
    const std::size_t queued = stream.write(bytes);
    most_queued = std::max(most_queued, queued);
    if (queued > 0) stream.pause(PauseReason::kPeerSlow);
  }
  void on_end(StreamEnd) override { stream.shutdown(); }
  void on_drained() override { stream.resume(PauseReason::kPeerSlow); }
};

struct Checker {
  std::size_t place = 0;
  bool right = true;
  void take(std::string_view bytes) {
    for (const char c : bytes) right = right && c == byte_at(place++);
  }
};

void echo_both_ways(const Endpoint& where) {
  Loop loop;
  Pair pair;
  pair.make(loop, where);
  Echo echo(*pair.server);
  pair.server->set_events(&echo);
  Source source{*pair.client, 64 * kMebibyte};
  Checker checker;
  std::size_t reads = 0;
  pair.at_client.on_bytes = [&](std::string_view bytes) {
    checker.take(bytes);
    pair.at_client.bytes.clear();
    // A reader with pauses of its own, so that both queues fill up again and again.
    if (++reads % 16 == 0) {
      pair.client->pause(PauseReason::kNotConnected);
      loop.post([&] { pair.client->resume(PauseReason::kNotConnected); });
    }
  };
  pair.at_client.on_empty = [&] { source.pump(); };
  source.pump();
  RUN_UNTIL(loop, !pair.at_client.ends.empty());
  EXPECT_EQ(pair.at_client.ends, "c");
  EXPECT_EQ(checker.place, 64 * kMebibyte);
  EXPECT_TRUE(checker.right);
  EXPECT_EQ(pair.client->bytes_written(), 64 * kMebibyte);
  EXPECT_EQ(pair.client->bytes_read(), 64 * kMebibyte);
  EXPECT_EQ(pair.server->bytes_written(), 64 * kMebibyte);
  EXPECT_GT(source.most_queued, 0U);              // the test did meet back-pressure,
  EXPECT_LE(source.most_queued, Source::kPiece);  // and no more than one piece waited:
  EXPECT_LE(echo.most_queued,
            32 * loop.read_buffer().size());  // a wake-up reads at most 32 buffers before it sees a pause
}

TEST(StreamTest, Echoes64MebibyteBothWaysWithBoundedQueues) { echo_both_ways(any_port()); }
TEST(StreamTest, EchoesOverAUnixSocket) { echo_both_ways(UnixPath{unix_path("echo")}); }
TEST(StreamTest, EchoesOverIpv6) { echo_both_ways(parse_address("[::1]:0").value()); }

TEST(StreamTest, ManyPiecesAreOneMessage) {
  Loop loop;
  Pair pair;
  pair.make(loop);
  std::vector<std::string> texts;
  std::vector<std::string_view> pieces;
  std::string all;
  for (int i = 0; i < 100; ++i) texts.push_back(std::to_string(i) + ",");  // more than one system call takes
  for (const std::string& text : texts) {
    pieces.push_back(text);
    all += text;
  }
  pieces.insert(pieces.begin() + 3, std::string_view());
  pair.client->write(pieces);
  RUN_UNTIL(loop, pair.at_server.bytes.size() >= all.size());
  EXPECT_EQ(pair.at_server.bytes, all);
}

/// One accepted stream that nobody has read yet, whose client has sent a byte; `then` is what is done with it.
struct Unread {
  Loop loop;
  std::optional<StreamListener> listener;
  std::optional<RawClient> client;
  std::optional<Stream> server;
  Recorder at_server;

  void make() {
    auto opened = StreamListener::listen(loop, any_port());
    ASSERT_TRUE(opened.ok());
    listener.emplace(*std::move(opened));
    listener->start([&](Stream stream) { server.emplace(std::move(stream)); });
    client.emplace(listener->endpoint());
    ASSERT_TRUE(client->send("a"));
    RUN_UNTIL(loop, server.has_value());
    server->set_events(&at_server);
  }
};

TEST(StreamTest, WhatCameWithTheConnectionIsReadAtOnceAndTheRestLater) {
  Unread unread;
  unread.make();
  unread.server->read_at_once();
  EXPECT_EQ(unread.at_server.bytes, "a");
  unread.server->start_reading_later();
  ASSERT_TRUE(unread.client->send("b"));
  RUN_UNTIL(unread.loop, unread.at_server.bytes == "ab");
  unread.client->reset();
  RUN_UNTIL(unread.loop, unread.at_server.ends == "r");
}

TEST(StreamTest, AnEndIsToldToWhoReadsLater) {
  Unread unread;
  unread.make();
  unread.server->read_at_once();
  unread.server->start_reading_later();
  unread.client->finish_sending();
  RUN_UNTIL(unread.loop, unread.at_server.ends == "c");
}

TEST(StreamTest, NothingToReadAtOnceIsNoEnd) {
  Unread unread;
  unread.make();
  unread.server->read_at_once();
  unread.server->read_at_once();
  EXPECT_EQ(unread.at_server.bytes, "a");
  EXPECT_EQ(unread.at_server.ends, "");
  unread.server->start_reading();
  ASSERT_TRUE(unread.client->send("b"));
  RUN_UNTIL(unread.loop, unread.at_server.bytes == "ab");
}

TEST(StreamTest, AStreamThatWasNeverWatchedIsPausedWritesAndCloses) {
  Unread unread;
  unread.make();
  unread.server->pause(PauseReason::kPeerSlow);
  unread.server->read_at_once();
  unread.server->start_reading_later();
  EXPECT_EQ(unread.at_server.bytes, "");
  const std::size_t queued = unread.server->write(std::string(64 * kMebibyte, 'x'));
  EXPECT_GT(queued, 0U);
  unread.server->resume(PauseReason::kPeerSlow);
  RUN_UNTIL(unread.loop, unread.at_server.bytes == "a");
  RUN_UNTIL(unread.loop, (unread.client->receive(), unread.at_server.drained == 1));
  unread.server->close();
  RUN_UNTIL(unread.loop, (unread.client->receive(), unread.client->ended));
  EXPECT_EQ(unread.client->received.size(), 64 * kMebibyte);
}

TEST(StreamTest, AStreamThatWasNeverWatchedClosesItsSocket) {
  for (const bool by_reset : {false, true}) {
    Unread unread;
    unread.make();
    unread.server->read_at_once();
    unread.server->start_reading_later();
    unread.server->write("answer");
    by_reset ? unread.server->reset() : unread.server->close();
    EXPECT_FALSE(unread.server->open());
    RUN_UNTIL(unread.loop, (unread.client->receive(), unread.client->ended));
    EXPECT_TRUE(by_reset || unread.client->received == "answer");
    EXPECT_EQ(unread.at_server.ends, "");
  }
}

TEST(StreamTest, NothingQueuedMakesNoDrained) {
  Loop loop;
  Pair pair;
  pair.make(loop);
  EXPECT_EQ(pair.client->write("hello"), 0U);
  EXPECT_EQ(pair.client->write(""), 0U);
  RUN_UNTIL(loop, pair.at_server.bytes == "hello");
  EXPECT_EQ(pair.at_client.drained, 0);
}

TEST(StreamTest, QueuedBytesMakeOneDrainedWhenAllAreWritten) {
  Loop loop;
  Pair pair;
  pair.make(loop);
  const std::string big(32 * kMebibyte, 'x');
  const std::size_t queued = pair.client->write(big);
  EXPECT_GT(queued, 0U);
  EXPECT_EQ(pair.client->write("end"), queued + 3);
  EXPECT_EQ(pair.client->bytes_written(), big.size() - queued);
  RUN_UNTIL(loop, pair.at_server.bytes.size() == big.size() + 3);
  RUN_UNTIL(loop, pair.at_client.drained > 0);
  EXPECT_EQ(pair.at_client.drained, 1);
  EXPECT_EQ(pair.client->queued(), 0U);
  EXPECT_TRUE(pair.at_server.bytes.ends_with("xend"));
}

TEST(StreamTest, AfterTheirFinWritingStillWorks) {
  Loop loop;
  Pair pair;
  pair.make(loop);
  pair.client->write("question");
  pair.client->shutdown();
  pair.client->write("dropped");
  RUN_UNTIL(loop, pair.at_server.ends == "c");
  EXPECT_EQ(pair.at_server.bytes, "question");
  pair.server->write("answer");
  pair.server->shutdown();
  RUN_UNTIL(loop, pair.at_client.ends == "c");
  EXPECT_EQ(pair.at_client.bytes, "answer");
}

TEST(StreamTest, FinFollowsWhatIsQueued) {
  Loop loop;
  Pair pair;
  pair.make(loop);
  const std::string big(16 * kMebibyte, 'x');
  EXPECT_GT(pair.client->write(big), 0U);
  pair.client->shutdown();
  RUN_UNTIL(loop, pair.at_server.ends == "c");
  EXPECT_EQ(pair.at_server.bytes.size(), big.size());
}

TEST(StreamTest, ResetIsToldAsResetOnce) {
  Loop loop;
  Pair pair;
  pair.make(loop);
  pair.client->reset();
  EXPECT_FALSE(pair.client->open());
  RUN_UNTIL(loop, !pair.at_server.ends.empty());
  EXPECT_EQ(pair.at_server.ends, "r");
  EXPECT_EQ(pair.server->write("into the void"), 0U);
  bool passed = false;
  loop.post([&] { loop.post([&] { passed = true; }); });
  RUN_UNTIL(loop, passed);
  EXPECT_EQ(pair.at_server.ends, "r");
}

TEST(StreamTest, AResetAfterShutdownIsStillAReset) {
  Loop loop;
  Pair pair;
  pair.make(loop);
  pair.client->shutdown();
  RUN_UNTIL(loop, pair.at_server.ends == "c");
  pair.client->reset();
  // Each write either is taken by the kernel or finds the connection dead.
  RUN_UNTIL(loop, (pair.server->write("x"), pair.at_server.ends == "cr"));
}

TEST(StreamTest, WritingToADeadStreamIsToldLaterAndOnce) {
  Loop loop;
  Pair pair;
  pair.make(loop);
  pair.server->pause(PauseReason::kPeerSlow);  // so that only the write can find out
  pair.client->reset();
  RUN_UNTIL(loop, (pair.server->write("x"), !pair.at_server.ends.empty()));
  EXPECT_EQ(pair.at_server.ends, "r");
  EXPECT_EQ(pair.server->write("y"), 0U);
  EXPECT_EQ(pair.server->queued(), 0U);
  EXPECT_EQ(pair.at_server.ends, "r");  // never from within write
}

TEST(StreamTest, ABrokenQueueIsToldAsReset) {
  Loop loop;
  Pair pair;
  pair.make(loop);
  pair.client->pause(PauseReason::kPeerSlow);
  EXPECT_GT(pair.server->write(std::string(32 * kMebibyte, 'x')), 0U);
  pair.client->reset();
  RUN_UNTIL(loop, !pair.at_server.ends.empty());
  EXPECT_EQ(pair.at_server.ends, "r");
  EXPECT_EQ(pair.at_server.drained, 0);
  EXPECT_EQ(pair.server->queued(), 0U);
}

TEST(StreamTest, AnAnswerThatCameBeforeTheResetIsReadBeforeTheEndIsTold) {
  Loop loop;
  Pair pair, trigger;
  pair.make(loop);
  trigger.make(loop);
  // The peer answers without reading what we sent, and closes: its kernel sends a reset behind the answer. All of it
  // happens within one callback of the poll phase, so our next write fails before the loop looks at the answer.
  pair.server->pause(PauseReason::kShutdown);
  pair.client->write("a request that is never read");
  trigger.at_server.on_bytes = [&](std::string_view) {
    pair.server->write("early answer");
    pair.server->close();
    pair.client->write("more");
    EXPECT_EQ(pair.at_client.bytes, "");
  };
  trigger.client->write("go");
  RUN_UNTIL(loop, !pair.at_client.ends.empty());
  EXPECT_EQ(pair.at_client.bytes, "early answer");
  EXPECT_EQ(pair.at_client.ends, "r");
}

TEST(StreamTest, APauseHoldsBytesAndTheEndAndEachReasonCounts) {
  Loop loop;
  Pair pair;
  pair.make(loop);
  pair.server->pause(PauseReason::kPeerSlow);
  pair.server->pause(PauseReason::kPipelined);
  pair.client->write("held");
  pair.client->shutdown();
  bool passed = false;
  int passes = 0;
  std::function<void()> again = [&] { ++passes < 20 ? loop.post(again) : void(passed = true); };
  loop.post(again);
  RUN_UNTIL(loop, passed);
  EXPECT_EQ(pair.at_server.bytes, "");
  pair.server->resume(PauseReason::kPeerSlow);
  EXPECT_TRUE(pair.server->paused());
  pair.server->resume(PauseReason::kPipelined);
  RUN_UNTIL(loop, pair.at_server.ends == "c");
  EXPECT_EQ(pair.at_server.bytes, "held");
}

TEST(StreamTest, TheEndWaitsWhenAReadPauses) {
  Loop loop;
  Pair pair;
  pair.make(loop);
  pair.at_server.on_bytes = [&](std::string_view) { pair.server->pause(PauseReason::kPeerSlow); };
  // With both directions ended the kernel reports a hang-up, of which libuv makes an end although we have paused.
  pair.server->shutdown();
  RUN_UNTIL(loop, pair.at_client.ends == "c");
  pair.client->write("x");
  pair.client->close();
  RUN_UNTIL(loop, pair.at_server.bytes == "x");
  bool passed = false;
  loop.post([&] { loop.post([&] { passed = true; }); });
  RUN_UNTIL(loop, passed);
  EXPECT_EQ(pair.at_server.ends, "");
  pair.server->resume(PauseReason::kPeerSlow);
  RUN_UNTIL(loop, pair.at_server.ends == "c");
}

// Which callback closes or destroys, and how.
enum class When { kRead, kClosed, kReset, kDrained, kLateReset };
struct Ending {
  When when;
  bool destroy;
};
class StreamEndingTest : public testing::TestWithParam<Ending> {};

TEST_P(StreamEndingTest, NothingComesAfterIt) {
  Loop loop;
  Pair pair;
  pair.make(loop);
  int calls_after = 0;
  bool ended = false;
  const auto act = [&] {
    if (ended) {
      ++calls_after;
      return;
    }
    ended = true;
    if (GetParam().destroy) {
      pair.server.reset();
    } else {
      pair.server->close();
      pair.server->close();
      EXPECT_EQ(pair.server->write("dropped"), 0U);
      pair.server->shutdown();
    }
  };
  const When when = GetParam().when;
  if (when == When::kRead) pair.at_server.on_bytes = [&](std::string_view) { act(); };
  if (when != When::kRead && when != When::kDrained) pair.at_server.on_ended = [&](StreamEnd) { act(); };
  if (when == When::kDrained) pair.at_server.on_empty = act;
  switch (when) {
    case When::kRead:
      pair.client->write("one");
      pair.client->shutdown();
      break;
    case When::kClosed:
      pair.client->shutdown();
      break;
    case When::kReset:
      pair.client->reset();
      break;
    case When::kDrained:
      EXPECT_GT(pair.server->write(std::string(16 * kMebibyte, 'x')), 0U);
      break;
    case When::kLateReset:
      pair.server->pause(PauseReason::kPeerSlow);
      pair.client->reset();
      break;
  }
  RUN_UNTIL(loop, (when == When::kLateReset && !ended ? void(pair.server->write("x")) : void(), ended));
  bool passed = false;
  loop.post([&] { loop.post([&] { passed = true; }); });
  RUN_UNTIL(loop, passed);
  EXPECT_EQ(calls_after, 0);
  EXPECT_FALSE(pair.server && pair.server->open());
}

INSTANTIATE_TEST_SUITE_P(EveryCallback, StreamEndingTest,
                         testing::Values(Ending{When::kRead, false}, Ending{When::kRead, true},
                                         Ending{When::kClosed, false}, Ending{When::kClosed, true},
                                         Ending{When::kReset, false}, Ending{When::kReset, true},
                                         Ending{When::kDrained, false}, Ending{When::kDrained, true},
                                         Ending{When::kLateReset, false}, Ending{When::kLateReset, true}));

TEST(StreamTest, DestroyingWithAWriteInFlightIsQuiet) {
  Loop loop;
  Pair pair;
  pair.make(loop);
  EXPECT_GT(pair.client->write(std::string(32 * kMebibyte, 'x')), 0U);
  pair.client.reset();
  RUN_UNTIL(loop, !pair.at_server.ends.empty());
  EXPECT_EQ(pair.at_client.ends, "");
  EXPECT_EQ(pair.at_client.drained, 0);
}

TEST(StreamTest, KnowsItsAddressesAndWhenItWasLastActive) {
  Loop loop;
  Pair pair;
  pair.make(loop);
  EXPECT_EQ(pair.client->local(), pair.server->peer());
  EXPECT_EQ(pair.client->peer(), pair.server->local());
  const Time before = pair.server->last_activity();
  RUN_UNTIL(loop, loop.now() > before + 2 * kMillisecond);
  pair.client->write("x");
  RUN_UNTIL(loop, pair.at_server.bytes == "x");
  EXPECT_GT(pair.server->last_activity(), before);
  EXPECT_GT(pair.client->last_activity(), before);
}

TEST(StreamTest, AllTcpStreamsSendSmallPiecesAtOnce) {
  Loop loop;
  Pair pair;
  pair.make(loop);
  // Two small writes without an answer between them: with Nagle's rule the second would wait for the first one's
  // acknowledgement, which the kernel delays by 40 ms.
  const Time began = loop.precise_now();
  for (int i = 0; i < 20; ++i) {
    const std::size_t want = pair.at_server.bytes.size() + 2;
    pair.client->write("a");
    pair.client->write("b");
    while (pair.at_server.bytes.size() < want) uv_run(loop.raw(), UV_RUN_ONCE);
  }
  EXPECT_LT(loop.precise_now() - began, 20 * 40 * kMillisecond);
}

}  // namespace
}  // namespace rr
