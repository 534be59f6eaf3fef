#pragma once
// The commands of a rollout in AWS's words, and AWS's answers as its replies.
#include <functional>
#include <optional>
#include <string>

#include "deploy/aws/call.h"
#include "deploy/rollout/command.h"

namespace rr::deploy {

/// What is the same for all calls about one tier.
struct Places {
  std::string release_parameter;
  std::string lock_parameter;
  std::string host;  // of this machine, to know a lock's holder that ran here
  /// Of a process that ran on this machine: whether it still does.
  std::function<bool(const std::string& process)> is_alive;
  std::string unit;  // of systemd, that serves the application: what an artifact replaces at boot
};

/// `page`: where an earlier answer to the same command went on.
ApiCall wording(const Command& command, const Places& places, const std::string& page = "");

/// An answer to it, or the part of it that one page has. `next_page` is empty when there is no other.
struct Understood {
  Reply reply;
  std::string next_page;
};
Result<Understood, Failure> understand(const Command& command, const Places& places, const HttpResponse& response);

/// A missing parameter is an answer, not a failure.
std::optional<Reply> understand_failure(const Command& command, const Failure& failure);

/// Puts a further page behind what there is.
void append(Reply& to, Reply more);

}  // namespace rr::deploy
