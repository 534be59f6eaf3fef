#pragma once
// What rr-webapp can be told, by flags and by its environment. A flag wins over the environment.
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "lb/base/address.h"
#include "lb/base/result.h"
#include "lb/base/time.h"
#include "lb/http/limits.h"
#include "webapp/app/identity.h"

namespace rr::webapp {

/// How messages and the request log are written. kPlain: messages as text on standard error, requests as JSON on
/// standard output. kJson: every line is JSON on standard output and has a level, for collectors that filter by it.
enum class LogFormat : std::uint8_t { kPlain, kJson };

struct Settings {
  Identity identity;
  Endpoint listen = Address::v4(127, 0, 0, 1, 8080);
  std::string listen_source = "--listen";  // who said so: "--listen", "HOST and PORT", for a message
  Duration keep_alive = std::chrono::seconds(75);
  Duration request_timeout = std::chrono::seconds(60);
  Duration lame_duck = std::chrono::seconds(5);
  std::size_t max_body = 1024 * 1024;
  std::size_t max_connections = 10'000;
  HttpLimits limits;
  bool faults = false;
  LogFormat log = LogFormat::kPlain;
  std::string notify_socket;  // NOTIFY_SOCKET: a path, or "@" and an abstract name; empty: no service manager listens
  Duration watchdog{};        // WATCHDOG_USEC: the service manager restarts a program that is silent for it; 0: none
};

/// One thing that can be told.
struct SettingRow {
  std::string_view flag;         // without "--"
  std::string_view argument;     // "TIME"
  std::string_view environment;  // empty: by the flag only
  std::string_view meaning;      // one line
};

std::span<const SettingRow> setting_rows();

/// Both maps hold only what was given; `environment` by variable name, HOST, PORT, NOTIFY_SOCKET and WATCHDOG_USEC
/// among them. `system_host_name` is shown where nothing else was said. The error names the flag or variable, the
/// value, and what would be right.
Result<Settings> read_settings(const std::map<std::string, std::string>& flags,
                               const std::map<std::string, std::string>& environment,
                               const std::string& system_host_name);

}  // namespace rr::webapp
