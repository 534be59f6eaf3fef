#pragma once
// The workers of a process: a loop, a thread and a node each. The first one is the caller's; it leads. The others
// follow: they take its configuration and what its health checks find out by mail, and tell what they count when they
// are asked. Nothing on a request's way is shared between them, so nothing is locked there.
//
// Each worker has its own turn (round robin is exact among the requests of one worker), its own connections to targets
// and its own clients: the kernel gives a new connection to one of them (SO_REUSEPORT), and there it stays.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "lb/proxy/node.h"
#include "lb/proxy/node_report.h"

namespace rr {

/// More than any machine's processors that this was tried on.
constexpr int kMostWorkers = 64;

class Crew {
 public:
  /// A random sequence for each worker. Logs are the first worker's: the others hand their lines over to it.
  Crew(Loop& loop, std::vector<Rng> random, NodeLogs logs);
  /// Ends the other threads; what is open in them is cut.
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  Node& first() { return *first_; }
  std::size_t workers() const;

  /// What all workers have counted, as one; in the first one's loop, at once where there is no other.
  void report(ReportErrors errors, std::function<void(const NodeReport&)> on_report);
  /// Calls back once every worker has taken what the first one has told it until now.
  void when_all_have_followed(std::function<void()> on_followed);
  /// Node::drain of every worker; calls back once, after the last.
  void drain(Duration limit, std::function<void()> on_done);

 private:
  struct Follower;
  using Task = std::function<void(Node&)>;
  void tell_all(const Task& task);
  /// Runs it in each follower's thread, and then `on_done` here.
  void ask_all(const std::function<void(std::size_t follower, Node&)>& task, std::function<void()> on_done);
  /// Calls back after so many one_is_done() of the number that it returns.
  std::uint64_t await(std::size_t missing, std::function<void()> on_done);
  void one_is_done(std::uint64_t awaited);

  struct Mail;
  struct Awaited {
    std::size_t missing = 0;
    std::function<void()> on_done;
  };
  std::unique_ptr<Mail> mail_;  // from the followers
  // What is to be called stays in this thread, its destruction too: the followers know the number only.
  std::map<std::uint64_t, Awaited> awaited_;
  std::uint64_t last_awaited_ = 0;
  std::unique_ptr<Node> first_;
  std::vector<std::unique_ptr<Follower>> followers_;
};

}  // namespace rr
