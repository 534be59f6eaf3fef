#include "sim/world/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "sim/world/listening_socket.h"

namespace rr::sim {

namespace {

bool is_any(const Address& address) {
  return std::all_of(address.ip.begin(), address.ip.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool mentions_taken_port(const std::vector<std::string>& lines) {
  return std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    for (const std::string_view sign :
         {"EADDRINUSE", "ddress already in use", "ddress in use", "ort is already", "already in use", "is in use"}) {
      if (line.find(sign) != std::string::npos) return true;
    }
    return false;
  });
}

std::string port_advice(const ProgramFacts& facts) {
  if (!facts.own_program) return "let the image's command take its port from the environment variable PORT";
  return "read the port from the environment (Node.js: process.env.PORT) or write {port} in --app";
}

std::string ports_of(const std::vector<Address>& sockets) {
  std::set<std::uint16_t> ports;
  for (const Address& socket : sockets) ports.insert(socket.port);
  return fmt::format("port{} {}", ports.size() == 1 ? "" : "s", fmt::join(ports, ", "));
}

std::string seconds(Duration span) { return fmt::format("{:.1f} s", to_seconds(span)); }

std::string of_exit(const ProgramFacts& facts) {
  if (mentions_taken_port(facts.last_lines)) {
    if (!facts.fixed_ports.empty()) {
      const FixedPort& other = facts.fixed_ports.front();
      return fmt::format(
          "{} {}: it insists on port {}, which {} has already: {}, or use --ground namespaces, where each instance has "
          "all ports",
          facts.instance, facts.exit->describe(), other.port, other.instance, port_advice(facts));
    }
    return fmt::format("{} {}: its port is taken by another program, and it was told to use PORT {}: {}",
                       facts.instance, facts.exit->describe(), facts.port, port_advice(facts));
  }
  const std::string_view hint =
      facts.exit->signal == 0 && facts.exit->status == 0
          ? "a program behind the balancer must keep running: start it in the foreground, not as a daemon"
          : "its last lines say why";
  return fmt::format("{} {} {} after its start: {}", facts.instance, facts.exit->describe(), seconds(facts.ran), hint);
}

/// Where a program is looked for on the plain ground: its own loopback address, 127.0.0.1 and ::1.
bool is_looked_for(const Address& socket, const Address& logical) {
  if (socket.family == Address::Family::kV6) return socket.is_loopback();
  return socket == own_loopback(logical, socket.port) || socket == Address::v4(127, 0, 0, 1, socket.port);
}

/// It listens, but where nobody looks.
std::optional<std::string> of_place(const ProgramFacts& facts) {
  std::vector<Address> right_port;
  for (const Address& socket : facts.listening) {
    if (socket.port == facts.port) right_port.push_back(socket);
  }
  if (right_port.empty()) {
    return fmt::format("{} listens on {} and not on its PORT {}: {}", facts.instance, ports_of(facts.listening),
                       facts.port, port_advice(facts));
  }
  const bool everywhere = std::any_of(right_port.begin(), right_port.end(), is_any);
  const bool only_loopback =
      std::all_of(right_port.begin(), right_port.end(), [](const Address& socket) { return socket.is_loopback(); });
  if (facts.ground == GroundKind::kNamespaces && !everywhere && only_loopback) {
    return fmt::format("{} listens on {} only, where no load balancer reaches it: bind 0.0.0.0 (it is in HOST) or {}",
                       facts.instance, format_address(right_port.front()), format_ip(facts.logical));
  }
  const bool looked_for = std::any_of(right_port.begin(), right_port.end(),
                                      [&](const Address& socket) { return is_looked_for(socket, facts.logical); });
  if (facts.ground == GroundKind::kPlain && !everywhere && !looked_for) {
    return fmt::format("{} listens on {} only, where it is not looked for: bind the address in HOST, 127.0.0.1 or all",
                       facts.instance, format_address(right_port.front()));
  }
  return std::nullopt;
}

std::optional<std::string> of_health(const ProgramFacts& facts) {
  if (!facts.health || facts.health->state != TargetState::kUnhealthy) return std::nullopt;
  const std::string check = fmt::format("GET {}", facts.health_path);
  if (facts.health->reason == TargetReason::kResponseCodeMismatch && facts.health->last_status == 404) {
    return fmt::format("{} answers its health check {} with 404: name a path that it knows, such as --health-path /",
                       facts.instance, check);
  }
  if (facts.health->reason == TargetReason::kResponseCodeMismatch) {
    return fmt::format("{} answers its health check {} with {}: it must answer 200, or name another --health-path",
                       facts.instance, check, facts.health->last_status);
  }
  if (facts.health->reason == TargetReason::kTimeout && facts.reached) {
    return fmt::format("{} accepts connections but does not answer {} in time: is it busy or waiting for something?",
                       facts.instance, check);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> diagnose(const ProgramFacts& facts) {
  if (facts.start_failed) {
    return fmt::format("{} could not be started: {}{}", facts.instance, facts.start_error,
                       facts.own_program ? ": check the command in --app" : "");
  }
  if (facts.was_healthy) return std::nullopt;
  if (facts.exit) {
    if (facts.ran > kEarlyExit) return std::nullopt;
    return of_exit(facts);
  }
  if (facts.ran >= kTimeToListenRightly && !facts.listening.empty() && !facts.reached) {
    if (auto sentence = of_place(facts)) return sentence;
  }
  if (auto sentence = of_health(facts)) return sentence;
  if (facts.ran >= kTimeToListen && facts.listening.empty() && !facts.reached) {
    return fmt::format("{} has not listened on any port for {}: it should listen on its PORT {}; {}", facts.instance,
                       seconds(facts.ran), facts.port, port_advice(facts));
  }
  return std::nullopt;
}

}  // namespace rr::sim
