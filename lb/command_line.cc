#include "lb/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <charconv>
#include <fstream>
#include <functional>
#include <sstream>

#include "lb/net/loop.h"
#include "lb/proxy/crew.h"

namespace rr {
namespace {

namespace po = boost::program_options;
using Texts = std::vector<std::string>;

po::options_description options() {
  po::options_description listening("Listening"), targets("Targets and their health"), process("Process");
  const auto text = [] { return po::value<std::string>(); };
  listening.add_options()("listen,l", po::value<Texts>()->composing(),
                          "ADDRESS:PORT, unix:PATH or fd:N (inherited); may be repeated")(
      "idle-timeout", text(), "seconds of silence after which a connection is closed (60)")(
      "client-keep-alive", text(), "seconds after which a client's connection takes its last request (3600)")(
      "connect-timeout", text(), "seconds to wait for a connection to a target (10)")(
      "explain", po::value<std::string>()->implicit_value("loopback", ""),
      "tell why an answer is the load balancer's own in X-RR-Explain: to loopback peers, =everyone or =nobody "
      "(nobody)")("network-delay", text(),
                  "how late a target's close is heard of: one time, or two as SAME_ZONE,CROSS_ZONE (0)");
  targets.add_options()("target,t", po::value<Texts>()->composing(), "ADDRESS:PORT; may be repeated")(
      "health-path", text(), "path of the health check (/)")(
      "health-port", text(), "its port, if not the target's own")("health-interval", text(),
                                                                  "seconds between two checks, 5 to 300 (30)")(
      "health-timeout", text(), "seconds to wait for the answer, 2 to 120 (5)")(
      "healthy-threshold", text(), "successes in a row that bring an unhealthy target back, 2 to 10 (5)")(
      "unhealthy-threshold", text(), "failures in a row that eject a target, 2 to 10 (2)")(
      "matcher", text(), "status codes that count as success: 200, 200,202 or 200-299 (200)")(
      "unrestricted", po::bool_switch(), "permit times below AWS's minimum, down to 0.01 s")(
      "algorithm", text(), "round_robin or weighted_random (round_robin)")(
      "deregistration-delay", text(), "seconds that a removed target has to finish its requests, 0 to 3600 (300)");
  process.add_options()("config,c", text(), "YAML file; the command line wins where both speak")(
      "admin", text(), "ADDRESS:PORT, unix:PATH or fd:N of the admin interface")(
      "workers", text(), "threads that serve requests, 1 to 64, or auto: one for each processor (1)")(
      "access-log", text(), "file of the access log, or - for standard output; opened anew on SIGHUP")(
      "connection-log", text(), "file of the connection log, likewise")("health-check-log", text(),
                                                                        "file of the health-check log, likewise")(
      "stop-timeout", text(), "seconds that requests in progress have after SIGTERM (30)")(
      "version", po::bool_switch(), "print the version")("help,h", po::bool_switch(), "print this");
  po::options_description all;
  all.add(listening).add(targets).add(process);
  return all;
}

/// "4", or "auto": as many as there are processors that this process may use.
Result<int> parse_workers(const std::string& text) {
  if (text == "auto") return std::clamp(processors(), 1, kMostWorkers);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= 1 && number <= kMostWorkers) return number;
  return Error{fmt::format("'{}': 1 to {}, or auto", text, kMostWorkers)};
}

/// Values of the command line, read with complaints that name the flag.
class Flags {
 public:
  Flags(const po::variables_map& values, CommandLine& line, ConfigErrors& errors)
      : values_(values), line_(line), errors_(errors) {}

  bool has(const char* flag) const { return values_.count(flag) > 0; }
  template <class Parse, class Out>
  void read(const char* flag, const char* field, Parse parse, Out& out) {
    if (*field != '\0' && (has(flag) || no_file_)) line_.flags.push_back({field, std::string("--") + flag});
    if (!has(flag)) return;
    auto result = parse(values_[flag].as<std::string>());
    if (result) {
      out = std::move(*result);
    } else {
      errors_.push_back(fmt::format("--{}: {}", flag, result.error().message));
    }
  }
  void read_duration(const char* flag, const char* field, Duration& out) {
    read(
        flag, field, [](const std::string& text) { return parse_duration(text); }, out);
  }
  void read_number(const char* flag, const char* field, int& out) {
    read(
        flag, field,
        [](const std::string& text) -> Result<int> {
          int number = 0;
          const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
          if (error != std::errc() || end != text.data() + text.size()) {
            return Error{fmt::format("'{}' is not a whole number", text)};
          }
          return number;
        },
        out);
  }
  void read_network_delay(LoadBalancerSettings& out) {
    if (!has("network-delay")) return;
    const std::string both = text("network-delay");
    const std::size_t comma = both.find(',');
    const auto same = parse_duration(both.substr(0, comma));
    const auto cross = comma == std::string::npos ? same : parse_duration(both.substr(comma + 1));
    if (!same || !cross) {
      errors_.push_back("--network-delay: " + (same ? cross : same).error().message);
      return;
    }
    out.network_delay_same_zone = *same;
    out.network_delay_cross_zone = *cross;
    line_.flags.push_back({"network_delay_same_zone", "--network-delay"});
    line_.flags.push_back({"network_delay_cross_zone", "--network-delay"});
  }
  Texts texts(const char* flag) const { return has(flag) ? values_[flag].as<Texts>() : Texts{}; }
  std::string text(const char* flag) const { return values_[flag].as<std::string>(); }
  bool on(const char* flag) const { return values_[flag].as<bool>(); }

  /// Then every setting is a flag's, given or not.
  void there_is_no_file() { no_file_ = true; }

 private:
  const po::variables_map& values_;
  CommandLine& line_;
  ConfigErrors& errors_;
  bool no_file_ = false;
};

constexpr std::array kSettingFlags{"listen",
                                   "target",
                                   "idle-timeout",
                                   "client-keep-alive",
                                   "connect-timeout",
                                   "explain",
                                   "network-delay",
                                   "health-path",
                                   "health-port",
                                   "health-interval",
                                   "health-timeout",
                                   "healthy-threshold",
                                   "unhealthy-threshold",
                                   "matcher",
                                   "algorithm",
                                   "deregistration-delay"};

bool sets_something(const Flags& flags) {
  return flags.on("unrestricted") ||
         std::any_of(kSettingFlags.begin(), kSettingFlags.end(), [&](const char* flag) { return flags.has(flag); });
}

/// What the command line describes when there is no file: one load balancer, one listener, one target group.
LoadBalancerConfig blank() {
  LoadBalancerConfig config;
  ListenerSettings listener;
  TargetGroupSettings group;
  listener.default_action = ForwardAction{{ForwardTarget{group.name, 1}}};
  config.settings.listeners.push_back(std::move(listener));
  config.settings.target_groups.push_back(std::move(group));
  ListenerBinding binding;
  binding.port_from_socket = true;
  config.bindings.push_back(std::move(binding));
  config.targets.emplace_back();
  return config;
}

void read_sockets(const Flags& flags, LoadBalancerConfig& config, CommandLine& line, ConfigErrors& errors) {
  const Texts texts = flags.texts("listen");
  if (texts.empty()) return;
  line.listen_from_flag = true;
  ListenerBinding& binding = config.bindings.front();
  binding.sockets.clear();
  for (const std::string& text : texts) {
    auto endpoint = parse_endpoint(text);
    if (endpoint) {
      binding.sockets.push_back(std::move(*endpoint));
    } else {
      errors.push_back("--listen: " + endpoint.error().message);
    }
  }
  if (binding.sockets.empty() || !binding.port_from_socket) return;
  const auto* address = std::get_if<Address>(&binding.sockets.front());
  if (address != nullptr && address->port != 0) config.settings.listeners.front().port = address->port;
}

void read_targets(const Flags& flags, LoadBalancerConfig& config, ConfigErrors& errors) {
  const Texts texts = flags.texts("target");
  if (!texts.empty()) config.targets.front().clear();
  for (const std::string& text : texts) {
    auto target = parse_target(text);
    if (target) {
      config.targets.front().push_back(std::move(*target));
    } else {
      errors.push_back("--target: " + target.error().message);
    }
  }
}

void read_settings(Flags& flags, LoadBalancerConfig& config) {
  LoadBalancerSettings& balancer = config.settings;
  TargetGroupSettings& group = balancer.target_groups.front();
  HealthCheck& check = group.health_check;
  const auto as_text = [](const std::string& text) { return Result<std::string>(text); };
  if (flags.on("unrestricted")) balancer.unrestricted = check.unrestricted = true;
  flags.read_duration("idle-timeout", "idle_timeout", balancer.idle_timeout);
  flags.read_duration("client-keep-alive", "client_keep_alive", balancer.client_keep_alive);
  flags.read_duration("connect-timeout", "connect_timeout", balancer.connect_timeout);
  flags.read(
      "explain", "explain",
      [](const std::string& text) -> Result<ExplainTo> {
        const auto who = parse_explain_to(text);
        if (!who) return Error{fmt::format("'{}': nobody, loopback or everyone", text)};
        return *who;
      },
      balancer.explain);
  flags.read_network_delay(balancer);
  flags.read("health-path", "health_check.path", as_text, check.path);
  int port = 0;
  flags.read_number("health-port", "health_check.port", port);
  if (flags.has("health-port")) check.port = static_cast<std::uint16_t>(port > 0 && port < 65536 ? port : 0);
  flags.read_duration("health-interval", "health_check.interval", check.interval);
  flags.read_duration("health-timeout", "health_check.timeout", check.timeout);
  flags.read_number("healthy-threshold", "health_check.healthy_threshold", check.healthy_threshold);
  flags.read_number("unhealthy-threshold", "health_check.unhealthy_threshold", check.unhealthy_threshold);
  flags.read(
      "matcher", "health_check.matcher", [](const std::string& text) { return Matcher::parse(text); }, check.matcher);
  flags.read(
      "algorithm", "algorithm",
      [](const std::string& text) -> Result<Algorithm> {
        const auto algorithm = parse_algorithm(text);
        if (!algorithm) return Error{fmt::format("'{}': round_robin or weighted_random", text)};
        return *algorithm;
      },
      group.algorithm);
  flags.read_duration("deregistration-delay", "deregistration_delay", group.deregistration_delay);
}

void read_file(const std::string& path, CommandLine& line, ConfigErrors& errors) {
  std::ifstream file(path);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) {
    errors.push_back(fmt::format("--config: {} cannot be read", path));
    return;
  }
  auto config = read_config_file(path, text.str());
  if (!config) {
    errors.insert(errors.end(), config.error().begin(), config.error().end());
    return;
  }
  line.file = std::move(config->file);
  line.node = std::move(config->node);
  if (config->stop_timeout) line.stop_timeout = *config->stop_timeout;
  if (config->workers) {
    const auto workers = parse_workers(*config->workers);
    if (workers) {
      line.workers = *workers;
    } else {
      errors.push_back(line.file->place_of("workers") + "workers: " + workers.error().message);
    }
  }
  line.access_log = config->access_log;
  line.connection_log = config->connection_log;
  line.health_check_log = config->health_check_log;
  if (!config->admin) return;
  auto admin = parse_endpoint(*config->admin);
  if (admin) {
    line.admin = *admin;
  } else {
    errors.push_back(line.file->place_of("admin") + "admin: " + admin.error().message);
  }
}

/// The load balancer that the flags speak of: the only one of the file, or a new one.
LoadBalancerConfig* meant(CommandLine& line, ConfigErrors& errors) {
  std::vector<LoadBalancerConfig>& balancers = line.node.load_balancers;
  if (balancers.empty()) balancers.push_back(blank());
  LoadBalancerConfig& only = balancers.front();
  if (balancers.size() == 1 && only.bindings.size() == 1 && only.targets.size() == 1) return &only;
  errors.push_back(
      "--config: the file has several load balancers, listeners or target groups: the command line cannot "
      "say which one it means, so change the file");
  return nullptr;
}

void read_flags(Flags& flags, CommandLine& line, ConfigErrors& errors) {
  if (sets_something(flags)) {
    const bool from_file = !line.node.load_balancers.empty();
    if (!from_file) flags.there_is_no_file();
    if (LoadBalancerConfig* config = meant(line, errors)) {
      read_settings(flags, *config);
      read_sockets(flags, *config, line, errors);
      read_targets(flags, *config, errors);
      if (config->bindings.front().sockets.empty() && errors.empty()) {
        errors.push_back("--listen is missing: write the address to listen on, like --listen 127.0.0.1:8080");
      }
      if (from_file) line.notes.push_back("the command line overrides the configuration file where both speak");
    }
  }
  std::optional<Endpoint> admin;
  Endpoint endpoint;
  flags.read(
      "admin", "", [](const std::string& text) { return parse_endpoint(text); }, endpoint);
  if (flags.has("admin")) line.admin = endpoint;
  if (flags.has("access-log")) line.access_log = flags.text("access-log");
  if (flags.has("connection-log")) line.connection_log = flags.text("connection-log");
  if (flags.has("health-check-log")) line.health_check_log = flags.text("health-check-log");
  flags.read_duration("stop-timeout", "", line.stop_timeout);
  flags.read(
      "workers", "", [](const std::string& text) { return parse_workers(text); }, line.workers);
  if (line.node.load_balancers.empty() && !line.admin && errors.empty()) {
    errors.push_back("nothing to do: give --listen and --target, --config, or --admin to be configured later (--help)");
  }
}

}  // namespace

std::string CommandLine::name_the_place(const SettingError& error) const {
  for (const FlagOfField& one : flags) {
    const std::string field = one.field + ": ";
    const std::size_t at = error.message.find(field);
    if (at != std::string::npos) return one.flag + ": " + error.message.substr(at + field.size());
  }
  return file ? file->place_of(error.field) + error.message : error.message;
}

Result<CommandLine, ConfigErrors> read_command_line(const std::vector<std::string>& words) {
  po::variables_map values;
  try {
    // No guessing: an abbreviated flag would change its meaning when a longer one is added.
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    const auto described = options();
    const po::positional_options_description nothing;
    po::store(po::command_line_parser(words).options(described).style(style).positional(nothing).run(), values);
    po::notify(values);
  } catch (const po::too_many_positional_options_error&) {
    return ConfigErrors{"every argument is a flag: one without -- does not belong here (--help lists the flags)"};
  } catch (const po::error& e) {
    return ConfigErrors{fmt::format("{} (--help lists the flags)", e.what())};
  }
  CommandLine line;
  ConfigErrors errors;
  Flags flags(values, line, errors);
  line.help = flags.on("help");
  line.version = flags.on("version");
  if (line.help || line.version) return line;
  if (flags.has("config")) read_file(flags.text("config"), line, errors);
  if (errors.empty()) read_flags(flags, line, errors);
  if (!errors.empty()) return errors;
  return line;
}

std::string help_text() {
  std::ostringstream out;
  out << "rr-lb: an HTTP/1.1 load balancer that behaves as AWS's Application Load Balancer\n\n"
         "usage: rr-lb --listen ADDRESS:PORT --target ADDRESS:PORT [--target ...] [flags]\n"
         "       rr-lb explain [--json] < ACCESS_LOG   (why each 5xx; its own --help)\n"
      << options() << R"(
Times are seconds (10, 0.5) or a number with ms, s, m or h. Port 0 lets the
kernel choose; the port is printed.

examples:
  rr-lb --listen 127.0.0.1:8080 --target 127.0.0.1:9001 \
        --target 127.0.0.1:9002 --health-path /healthz --health-interval 10 \
        --admin 127.0.0.1:0 --access-log -
  rr-lb --config rr-lb.yaml
  rr-lb --admin unix:/run/rr-lb.sock          (configured later: PUT /desired)

SIGTERM or SIGINT: requests in progress finish, then exit 0; a second one: at
once. SIGHUP: opens the logs anew and reads the configuration file again if it
has changed; one with a mistake is refused, and the old one stays.

Exit: 0 after a stop, 1 after a forced one, 2 for a mistake on the command line
or in the file, 3 when it cannot start.
)";
  return out.str();
}

}  // namespace rr
