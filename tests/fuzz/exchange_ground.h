#pragma once
// The world of the fuzz target `exchange`: a real Node on a real loop, of which this side plays the clients and the
// targets over loopback sockets. Nothing waits: the loop is run pass by pass, and what was sent has arrived by then.
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lb/http/request_parser.h"
#include "lb/net/loop.h"
#include "lb/proxy/node.h"

namespace rr::fuzz {

/// A socket of ours; never blocks.
class Plug {
 public:
  explicit Plug(int fd);
  ~Plug() { reset(); }
  Plug(const Plug&) = delete;
  Plug& operator=(const Plug&) = delete;

  static std::unique_ptr<Plug> connect(std::uint16_t port);

  void send(std::string_view bytes);
  /// Appends what has come to `received`.
  void receive();
  void finish_sending();
  void reset();
  bool open() const { return fd_ >= 0; }

  std::string received;
  bool ended = false;  // the other side closed or reset
  bool finished = false;

 private:
  int fd_;
};

/// One connection from the load balancer to our target, read as anybody would read it: head by head, body by body.
class BackEnd {
 public:
  explicit BackEnd(int fd) : plug(fd) {}

  Plug plug;
  /// The next request that has come whole, as its request line; crashes on what is not one well-formed message.
  std::optional<std::string> next_request();
  /// A head is complete whose body is not.
  bool inside_body() const { return body_ != Body::kNone; }
  /// The script speaks as the target.
  void say(std::string_view bytes);
  /// It said 101 to a request for another protocol: what comes now may be in that one.
  bool tunnel() const { return tunnel_; }
  bool victims = false;  // the last head that came on it was the victim's
  std::size_t heads = 0;
  std::string last_head;

 private:
  enum class Body : std::uint8_t { kNone, kLength, kChunked, kTrailers };
  bool read_head();
  bool read_chunk();
  bool read_trailers();

  Body body_ = Body::kNone;
  std::uint64_t left_ = 0;
  std::string request_line_;
  bool asked_for_tunnel_ = false;
  bool tunnel_ = false;
  std::string said_;  // since the last head
};

class Ground {
 public:
  static Ground& get();

  /// Plays one script (see exchange.cc) and judges what came of it.
  void play(std::string_view script);

 private:
  Ground();
  void configure();
  void become_healthy();
  void pass(int times);
  void look_at_targets();
  void serve(BackEnd& back);
  bool is_probe(const BackEnd& back) const;

  // The script's acts.
  void act(char what, std::string_view bytes);
  void send_as_attacker(std::string_view bytes);
  void send_as_target(std::string_view bytes);
  void new_attacker();
  void ask_as_victim();
  void finish_victim();
  void pass_deadlines();
  BackEnd* attackers_back();

  // The judgement.
  void judge_victim();
  void judge_attacker() const;
  void clear();

  struct Attacker {
    std::unique_ptr<Plug> plug;
    std::string sent;
  };

  Loop loop_;
  Node node_;
  int target_ = -1;
  std::uint16_t target_port_ = 0;
  std::vector<std::uint16_t> ports_;
  std::size_t balancer_ = 0;  // the one that this script meets
  std::list<BackEnd> backs_;
  std::vector<Attacker> attackers_;
  std::unique_ptr<Plug> victim_;
  std::string marker_;  // of the victim's open request; empty: there is none
  std::uint64_t runs_ = 0, asked_ = 0, forwarded_ = 0;
};

}  // namespace rr::fuzz
