#pragma once
// What rr-sim and the keeper say to each other, over a SOCK_SEQPACKET pair: one message a packet, descriptors beside
// it.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lb/base/address.h"
#include "lb/base/result.h"
#include "sim/keeper/descriptor.h"

namespace rr::sim {

constexpr std::int64_t kNeverBoots = -1;

/// Starts a process. Descriptors beside it: the pipe that its output is copied to, then one for each of `numbers`.
struct StartProcess {
  std::string name;
  std::vector<std::string> command;
  std::map<std::string, std::string> environment;
  std::string folder;
  std::string log_file;
  Address logical;
  std::string host_name;
  std::vector<int> numbers;  // the passed descriptors' numbers in the child
  /// How long after the process's start its program starts, in milliseconds; kNeverBoots: it does not.
  std::int64_t boot_delay = 0;
  bool operator==(const StartProcess&) const = default;
};
struct SignalProcess {
  std::string name;
  int signal_number = 0;
  bool whole = false;  // every descendant too
  bool operator==(const SignalProcess&) const = default;
};
struct SetLink {
  std::string name;
  bool up = true;
  bool operator==(const SetLink&) const = default;
};
/// Takes connections of a listening socket (the descriptor beside it) to an address of the tier's own network, as long
/// as the named process runs.
struct OpenDoor {
  std::string name;
  Address target;
  bool operator==(const OpenDoor&) const = default;
};
using KeeperRequest = std::variant<StartProcess, SignalProcess, SetLink, OpenDoor>;

/// The keeper stands: sent once, before anything else. `error` says why it does not.
struct KeeperReady {
  std::string error;
  bool operator==(const KeeperReady&) const = default;
};
/// The answer to every request, in order. `error` is one line, empty when all went well.
struct KeeperReply {
  std::string error;
  int pid = 0;  // of a started process, as seen from outside
  bool operator==(const KeeperReply&) const = default;
};
struct ProcessEnded {
  std::string name;
  int status = 0;
  int signal = 0;
  bool operator==(const ProcessEnded&) const = default;
};
using KeeperEvent = std::variant<KeeperReady, KeeperReply, ProcessEnded>;

std::string encode(const KeeperRequest& request);
std::string encode(const KeeperEvent& event);
/// Nothing when the bytes are no message.
std::optional<KeeperRequest> decode_request(std::string_view bytes);
std::optional<KeeperEvent> decode_event(std::string_view bytes);

/// The most bytes that travel inside a packet; longer ones go as a memory file beside it, because a program's
/// environment alone may be larger than the kernel's socket buffer.
constexpr std::size_t kInlineMessage = 16 * 1024;

struct Packet {
  std::string bytes;
  std::vector<Descriptor> descriptors;
};

/// Sends one packet, waiting for room. The error is the system's; EPIPE when the other side has gone.
Status send_packet(int socket, const std::string& bytes, const std::vector<int>& descriptors);

enum class ReceiveOutcome : std::uint8_t { kPacket, kNothingNow, kClosed };
/// Takes one packet without waiting.
ReceiveOutcome receive_packet(int socket, Packet& packet);

}  // namespace rr::sim
