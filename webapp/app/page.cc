#include "webapp/app/page.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace rr::webapp {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

nlohmann::ordered_json text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return text;
}

}  // namespace

std::string page(const Identity& identity) {
  return fmt::format(
      "<HTML><BODY><P>Hi there! I'm being served from {}</P><P>AMI built from commit {}</P><P>Build number {}</P>"
      "</BODY></HTML>",
      escaped(identity.host_name), escaped(identity.commit), escaped(identity.build));
}

std::string version_document(const Identity& identity, double uptime_seconds) {
  nlohmann::ordered_json document;
  document["commit"] = text_or_null(identity.commit);
  document["build"] = text_or_null(identity.build);
  document["instance"] = text_or_null(identity.instance);
  document["zone"] = text_or_null(identity.zone);
  document["image"] = text_or_null(identity.image);
  document["host"] = text_or_null(identity.host_name);
  document["uptime"] = std::round(uptime_seconds * 1000) / 1000;
  return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace rr::webapp
