#include "webapp/app/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

#include "lb/http/characters.h"
#include "webapp/app/query.h"

namespace rr::webapp {
namespace {

constexpr std::array kRows = {
    SettingRow{"listen", "ADDRESS:PORT", "HOST and PORT",
               "where to listen (default 127.0.0.1:8080); port 0: any free one; unix:PATH and fd:N work too"},
    SettingRow{"commit", "SHA", "APP_COMMIT", "the commit that the image was built from"},
    SettingRow{"build", "NUMBER", "APP_BUILD", "the number of that build"},
    SettingRow{"host-name", "NAME", "RR_HOST_NAME", "the name shown in the page (default: the system's host name)"},
    SettingRow{"instance", "ID", "RR_INSTANCE_ID", "the instance's id"},
    SettingRow{"zone", "NAME", "RR_ZONE", "the availability zone"},
    SettingRow{"image", "ID", "RR_IMAGE_ID", "the image's id"},
    SettingRow{"keep-alive", "TIME", "KEEP_ALIVE_TIMEOUT",
               "how long an idle connection is kept (default 75s: longer than a load balancer's 60s, so that it never "
               "sends a request on a connection that is just being closed)"},
    SettingRow{"request-timeout", "TIME", "", "from a request's first byte to its last (default 60s); then 408"},
    SettingRow{"lame-duck", "TIME", "", "how long SIGTERM lets it go on serving, /healthz saying 503 (default 5s)"},
    SettingRow{"faults", "on|off", "", "whether /fault may spoil answers (default off)"},
    SettingRow{
        "log", "plain|json", "",
        "plain (default): messages as text on standard error, a line of JSON a request on standard output; json: "
        "all of it as JSON on standard output, with a level"},
    SettingRow{"max-body", "BYTES", "", "a larger request body gets 413 (default 1048576)"},
    SettingRow{"max-start-line", "BYTES", "", "a longer request line gets 414 (default 16384)"},
    SettingRow{"max-header", "BYTES", "", "a longer header line gets 431 (default 16384)"},
    SettingRow{"max-head", "BYTES", "", "a larger head altogether gets 431 (default 65536)"},
    SettingRow{"max-headers", "NUMBER", "", "more header lines get 431 (default 500)"},
    SettingRow{"max-connections", "NUMBER", "", "further connections are closed at once (default 10000)"},
};

/// A value and who gave it, for messages.
struct Given {
  std::string value;
  std::string source;  // "--commit" or "APP_COMMIT"
};

using Values = std::map<std::string, std::string>;

class Reader {
 public:
  Reader(const Values& flags, const Values& environment) : flags_(flags), environment_(environment) {}

  std::optional<Given> given(std::string_view flag) const {
    if (const auto at = flags_.find(std::string(flag)); at != flags_.end()) {
      return Given{at->second, "--" + at->first};
    }
    const auto row = std::find_if(kRows.begin(), kRows.end(), [&](const SettingRow& one) { return one.flag == flag; });
    return variable(std::string(row->environment));
  }

  /// An empty variable counts as none: units and shells often set one to nothing.
  std::optional<Given> variable(const std::string& name) const {
    const auto at = environment_.find(name);
    if (at == environment_.end() || at->second.empty()) return std::nullopt;
    return Given{at->second, name};
  }

 private:
  const Values& flags_;
  const Values& environment_;
};

Status read_text(const Reader& reader, std::string_view flag, std::string& out) {
  const std::optional<Given> given = reader.given(flag);
  if (!given) return Ok{};
  // It goes into a page, a log line and a JSON document.
  if (given->value.size() > 256 || has_control(given->value) || given->value.find('\t') != std::string::npos) {
    return Error{
        fmt::format("{}: write one line of at most 256 characters, without control characters", given->source)};
  }
  out = given->value;
  return Ok{};
}

Status read_duration(const Reader& reader, std::string_view flag, Duration least, Duration& out) {
  const std::optional<Given> given = reader.given(flag);
  if (!given) return Ok{};
  const Result<Duration> span = parse_duration(given->value);
  if (!span.ok() || *span < least || *span > std::chrono::hours(24)) {
    return Error{fmt::format("{} '{}': write a time from {} to 24h, like 75, 0.5 or 250ms", given->source, given->value,
                             format_duration(least))};
  }
  out = *span;
  return Ok{};
}

Status read_size(const Reader& reader, std::string_view flag, std::size_t least, std::size_t most, std::size_t& out) {
  const std::optional<Given> given = reader.given(flag);
  if (!given) return Ok{};
  const auto number = parse_whole_number(given->source, given->value, least, most);
  if (!number.ok()) return number.error();
  out = *number;
  return Ok{};
}

Status read_switch(const Reader& reader, std::string_view flag, bool& out) {
  const std::optional<Given> given = reader.given(flag);
  if (!given) return Ok{};
  const auto state = parse_switch(given->source, given->value);
  if (!state.ok()) return state.error();
  out = *state;
  return Ok{};
}

Status read_listen_flag(const Given& given, Settings& settings) {
  const Result<Endpoint> endpoint = parse_endpoint(given.value);
  if (!endpoint.ok()) {
    return Error{
        fmt::format("{} '{}': write an address and a port, like 127.0.0.1:8080 or [::1]:0 (or unix:PATH, fd:N)",
                    given.source, given.value)};
  }
  settings.listen = *endpoint;
  return Ok{};
}

Status read_host_and_port(const Reader& reader, Settings& settings) {
  const std::optional<Given> host = reader.variable("HOST");
  const std::optional<Given> port = reader.variable("PORT");
  if (!host && !port) return Ok{};
  std::uint64_t number = 8080;
  if (port) {
    const auto read = parse_whole_number("PORT", port->value, 0, 65535);
    if (!read.ok()) return read.error();
    number = *read;
  }
  const std::string name = host && host->value != "localhost" ? host->value : "127.0.0.1";
  const Result<Address> address = parse_ip(name, static_cast<std::uint16_t>(number));
  if (!address.ok()) return Error{fmt::format("HOST '{}': write an address, like 127.0.0.1 or ::", name)};
  settings.listen = *address;
  settings.listen_source = host && port ? "HOST and PORT" : (host ? "HOST" : "PORT");
  return Ok{};
}

Status read_listen(const Reader& reader, Settings& settings) {
  if (const auto flag = reader.given("listen")) return read_listen_flag(*flag, settings);
  return read_host_and_port(reader, settings);
}

Status read_identity(const Reader& reader, Identity& identity) {
  const std::pair<std::string_view, std::string*> texts[] = {
      {"commit", &identity.commit},     {"build", &identity.build}, {"host-name", &identity.host_name},
      {"instance", &identity.instance}, {"zone", &identity.zone},   {"image", &identity.image},
  };
  for (const auto& [flag, text] : texts) {
    const Status read = read_text(reader, flag, *text);
    if (!read.ok()) return read;
  }
  return Ok{};
}

Status read_times(const Reader& reader, Settings& settings) {
  Status read = read_duration(reader, "keep-alive", 10 * kMillisecond, settings.keep_alive);
  if (read.ok()) read = read_duration(reader, "request-timeout", 10 * kMillisecond, settings.request_timeout);
  if (read.ok()) read = read_duration(reader, "lame-duck", Duration::zero(), settings.lame_duck);
  return read;
}

Status read_limits(const Reader& reader, Settings& settings) {
  constexpr std::size_t kMostHead = 1024 * 1024;
  HttpLimits& limits = settings.limits;
  Status read = read_size(reader, "max-body", 0, std::size_t{1} << 30, settings.max_body);
  if (read.ok()) read = read_size(reader, "max-connections", 1, 1'000'000, settings.max_connections);
  if (read.ok()) read = read_size(reader, "max-start-line", 64, kMostHead, limits.start_line);
  if (read.ok()) read = read_size(reader, "max-header", 64, kMostHead, limits.header_line);
  if (read.ok()) read = read_size(reader, "max-head", 256, kMostHead, limits.head);
  if (read.ok()) read = read_size(reader, "max-headers", 1, 10'000, limits.headers);
  return read;
}

Status read_log(const Reader& reader, LogFormat& out) {
  const std::optional<Given> given = reader.given("log");
  if (!given) return Ok{};
  if (given->value != "plain" && given->value != "json") {
    return Error{fmt::format("{} '{}': write plain or json", given->source, given->value)};
  }
  out = given->value == "json" ? LogFormat::kJson : LogFormat::kPlain;
  return Ok{};
}

/// sd_notify(3), sd_watchdog_enabled(3).
Status read_supervisor(const Reader& reader, Settings& settings) {
  constexpr std::size_t kLongestName = 107;  // sockaddr_un holds 108 characters, one of them the path's end
  if (const auto given = reader.variable("NOTIFY_SOCKET")) {
    const std::string& name = given->value;
    if ((name[0] != '/' && name[0] != '@') || name.size() < 2 || name.size() > kLongestName) {
      return Error{fmt::format("NOTIFY_SOCKET '{}': an absolute path or @name of at most {} characters was expected",
                               name, kLongestName)};
    }
    settings.notify_socket = name;
  }
  if (const auto given = reader.variable("WATCHDOG_USEC")) {
    constexpr std::uint64_t kDay = 86'400'000'000;
    const auto microseconds = parse_whole_number("WATCHDOG_USEC", given->value, 1, kDay);
    if (!microseconds.ok()) return microseconds.error();
    settings.watchdog = std::chrono::microseconds(*microseconds);
  }
  return Ok{};
}

}  // namespace

std::span<const SettingRow> setting_rows() { return kRows; }

Result<Settings> read_settings(const std::map<std::string, std::string>& flags,
                               const std::map<std::string, std::string>& environment,
                               const std::string& system_host_name) {
  const Reader reader(flags, environment);
  Settings settings;
  settings.identity.host_name = system_host_name;
  settings.identity.commit = settings.identity.build = "unknown";
  Status read = read_listen(reader, settings);
  if (read.ok()) read = read_identity(reader, settings.identity);
  if (read.ok()) read = read_times(reader, settings);
  if (read.ok()) read = read_switch(reader, "faults", settings.faults);
  if (read.ok()) read = read_limits(reader, settings);
  if (read.ok()) read = read_log(reader, settings.log);
  if (read.ok()) read = read_supervisor(reader, settings);
  if (!read.ok()) return read.error();
  return settings;
}

}  // namespace rr::webapp
