#include "sim/scenario/control_server.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "sim/scenario/group_change.h"
#include "sim/scenario/status_document.h"
#include "sim/store/region_text.h"

namespace rr::sim {
namespace {
using nlohmann::json;

HttpResponse json_response(int status, const json& document) {
  HttpResponse response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}};
  response.body = document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  return response;
}

HttpResponse refused(const Refusal& refusal) {
  return json_response(refusal.exit == 2 ? 400 : 409, {{"error", refusal.message}, {"exit", refusal.exit}});
}

HttpResponse said(const Outcome& outcome) {
  return outcome ? json_response(200, {{"said", *outcome}}) : refused(outcome.error());
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string query_value(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == key) return unescaped(pair.substr(equals + 1));
  }
  return "";
}

std::string text_of(const json& body, const char* key) {
  const auto at = body.find(key);
  return at != body.end() && at->is_string() ? at->get<std::string>() : std::string();
}

HttpResponse journal(const Tier& tier, const std::string& since_text) {
  std::uint64_t since = 0;
  std::from_chars(since_text.data(), since_text.data() + since_text.size(), since);
  json lines = json::array();
  for (const JournalLine& line : tier.journal_since(since)) {
    lines.push_back({{"time", format_iso8601(line.time)}, {"entity", line.entity}, {"event", line.event}});
  }
  return json_response(200, {{"next", tier.journal_written()}, {"lines", lines}});
}

HttpResponse session(const Tier& tier, const std::string& instance) {
  const auto session = tier.session(instance);
  if (!session) return refused(session.error());
  return json_response(
      200, {{"command", session->command}, {"environment", session->environment}, {"folder", session->folder}});
}

HttpResponse log_file(const Tier& tier, const std::string& name) {
  const auto file = tier.log_file(name);
  return file ? json_response(200, {{"file", *file}}) : refused(file.error());
}

HttpResponse read(const Tier& tier, const HttpRequest& request) {
  const std::string path(request.path());
  if (path == "/status") return json_response(200, status_document(tier));
  if (path == "/faults") return json_response(200, faults_document(tier));
  if (path == "/journal") return journal(tier, query_value(request.query(), "since"));
  if (path == "/log-file") return log_file(tier, query_value(request.query(), "name"));
  if (path == "/session") return session(tier, query_value(request.query(), "instance"));
  if (path == "/instance") {
    const auto id = tier.find_instance(query_value(request.query(), "name"), true);
    return id ? json_response(200, {{"id", id->value}}) : refused(id.error());
  }
  return refused({2, path + ": there is no such thing to read"});
}

Image image_of(const json& body) {
  Image image;
  image.id = ImageId{text_of(body, "id")};
  image.name = text_of(body, "name");
  image.commit = text_of(body, "commit");
  image.build = text_of(body, "build");
  image.folder = text_of(body, "folder");
  const auto command = body.find("command");
  if (command != body.end() && command->is_array()) {
    for (const json& part : *command) image.command.push_back(part.is_string() ? part.get<std::string>() : "");
  }
  return image;
}

HttpResponse api_command(Tier& tier, const json& body) {
  const Result<Command> command = read_command(body.dump());
  if (!command) return refused({2, command.error().message});
  const auto reply = tier.command(*command);
  return reply ? json_response(200, {{"id", reply->id}, {"number", reply->number}}) : refused(reply.error());
}

HttpResponse update_group(Tier& tier, const json& body) {
  std::map<std::string, std::string> changes;
  for (const auto& [key, value] : body.items()) changes[key] = value.is_string() ? value.get<std::string>() : "";
  const GroupSettings& before = tier.region().groups.at(tier.options().settings.group.name).settings;
  const auto after = changed_group(before, changes);
  if (!after) return refused({2, after.error().message});
  const auto reply = tier.command(UpdateAutoScalingGroup{*after});
  if (!reply) return refused(reply.error());
  return json_response(200, {{"said", {fmt::format("group {}: updated, {} desired", reply->id, reply->number)}}});
}

HttpResponse release(Tier& tier, const json& body) {
  const std::string strategy = text_of(body, "strategy");
  if (strategy != "refresh") return said(tier.release(text_of(body, "image"), strategy));
  const Result<Command> start = read_command(body.value("start", json()).dump());
  const auto* refresh = start ? std::get_if<StartInstanceRefresh>(&*start) : nullptr;
  if (refresh == nullptr) return refused({2, "start: a StartInstanceRefresh is right"});
  return said(tier.refresh(text_of(body, "image"), *refresh));
}

HttpResponse act(Tier& tier, const std::string& path, const json& body) {
  if (path == "/fault") {
    return said(tier.fault({.kind = text_of(body, "kind"),
                            .target = text_of(body, "target"),
                            .amount = text_of(body, "amount"),
                            .lasts = text_of(body, "for")}));
  }
  if (path == "/heal") return said(body.contains("all") ? tier.heal_all() : tier.heal(text_of(body, "target")));
  if (path == "/az/fail") return said(tier.fail_zone(text_of(body, "zone"), text_of(body, "mode")));
  if (path == "/az/heal") return said(tier.heal_zone(text_of(body, "zone")));
  if (path == "/instance/fail") return said(tier.fail_instance(text_of(body, "instance"), text_of(body, "mode")));
  if (path == "/instance/heal") return said(tier.heal_instance(text_of(body, "instance")));
  if (path == "/group") return update_group(tier, body);
  if (path == "/release") return release(tier, body);
  if (path == "/command") return api_command(tier, body);
  if (path == "/images") return said(tier.register_image(image_of(body)));
  if (path == "/scale" && body.contains("capacity") && body["capacity"].is_number_integer()) {
    return said(tier.scale(body["capacity"].get<int>()));
  }
  if (path == "/load" && body.contains("rate") && body["rate"].is_number()) {
    return said(tier.set_load(body["rate"].get<double>()));
  }
  return refused({2, path + ": there is no such command, or it lacks its argument"});
}

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::start(Loop& loop, Tier& tier, std::function<void()> on_down) {
  std::unique_ptr<ControlServer> control(new ControlServer(tier, std::move(on_down)));
  const std::string path = tier.options().layout.control_socket();
  ::unlink(path.c_str());  // of a killed run; the lock says that nobody listens there
  const mode_t before = ::umask(0177);
  auto server =
      HttpServer::start(loop, Endpoint(UnixPath{path}), HttpServerSettings{},
                        [raw = control.get()](const HttpRequest& request, const HttpServer::Responder& responder) {
                          raw->answer(request, responder);
                        });
  ::umask(before);
  if (!server) return server.error();
  control->server_.emplace(*std::move(server));
  return control;
}

void ControlServer::answer(const HttpRequest& request, const HttpServer::Responder& responder) {
  const std::string path(request.path());
  if (request.method == "GET") return responder(read(tier_, request));
  if (request.method != "POST") return responder(refused({2, request.method + ": GET or POST is right"}));
  if (path == "/down") {
    responder(json_response(200, {{"said", {"stopping"}}}));
    on_down_();
    return;
  }
  const json body = json::parse(request.body.empty() ? "{}" : request.body, nullptr, false);
  if (!body.is_object()) return responder(refused({2, "the body is no JSON object"}));
  responder(act(tier_, path, body));
}

}  // namespace rr::sim
