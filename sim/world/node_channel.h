#pragma once
// The control channel to one running node: says what is wanted until the node has it, and reads what it saw.
#include <cstdint>
#include <functional>
#include <string>

#include "lb/net/http_client.h"
#include "lb/net/timer.h"
#include "sim/world/node_document.h"

namespace rr::sim {

/// What a channel tells its owner.
class NodeChannelEvents {
 public:
  virtual void on_observation(const std::string& node, const Observation& seen, std::string text) = 0;
  /// The node refused its configuration: a bug of ours or a setting that slipped through. One line.
  virtual void on_refusal(const std::string& node, const std::string& why) = 0;

 protected:
  ~NodeChannelEvents() = default;
};

/// Lives as long as the node's process. A node that does not answer is just silent: it is asked again.
class NodeChannel {
 public:
  NodeChannel(Loop& loop, std::string node, const UnixPath& admin, NodeChannelEvents& events);

  /// The document that the node must have, and its generation. Repeat it as often as you like.
  void want(std::uint64_t generation, std::string document);
  /// How often it is asked what it saw.
  void set_interval(Duration interval) { interval_ = interval; }

 private:
  void next();
  void put();
  void observe();
  void take_put(const Result<ClientResponse, ClientFailure>& answer);
  void take_observation(const Result<ClientResponse, ClientFailure>& answer);

  std::string node_;
  NodeChannelEvents& events_;
  HttpClient client_;
  Timer timer_;
  Duration interval_;
  std::uint64_t wanted_ = 0;
  std::uint64_t asked_ = 0;  // of the PUT on its way
  std::uint64_t reached_ = 0;
  std::uint64_t refused_ = 0;
  std::string document_;
  std::uint64_t drains_cursor_ = 0;
};

}  // namespace rr::sim
