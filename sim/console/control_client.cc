#include "sim/console/control_client.h"

#include <fmt/format.h>

#include <optional>

#include "lb/net/http_client.h"
#include "lb/net/loop.h"

namespace rr::sim {
namespace {

Error no_answer(const std::string& socket, const ClientFailure& failure) {
  return Error{fmt::format("{}: no answer: {}", socket, describe(failure))};
}

}  // namespace

Result<ControlAnswer> ask_tier(const std::string& socket, const std::string& method, const std::string& target,
                               const std::string& body, Duration timeout) {
  Loop loop;
  HttpClient::Settings settings;
  settings.timeout = timeout;
  settings.keep_alive = false;
  std::optional<Result<ControlAnswer>> answer;
  {
    HttpClient client(loop, Endpoint(UnixPath{socket}), settings);
    ClientRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.headers = {{"Host", "rr-sim"}};
    client.send(std::move(request), [&](Result<ClientResponse, ClientFailure> response) {
      answer = response ? Result<ControlAnswer>(ControlAnswer{response->status, std::move(response->body)})
                        : Result<ControlAnswer>(no_answer(socket, response.error()));
      loop.stop();
    });
    loop.run();
  }
  if (!answer) return Error{socket + ": no answer"};
  return *std::move(answer);
}

std::string query_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || c == '/';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace rr::sim
