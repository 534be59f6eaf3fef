#include "webapp/self_test.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "lb/net/http_client.h"
#include "lb/net/loop.h"
#include "webapp/app/page.h"
#include "webapp/service.h"

namespace rr::webapp {
namespace {

Status right_health(const Settings&, const std::string& body) {
  return body == "ok\n" ? Status(Ok{}) : Error{fmt::format("/healthz says '{}'", body)};
}

Status right_version(const Settings& settings, const std::string& body) {
  const auto document = nlohmann::json::parse(body, nullptr, false);
  const auto says = [&](const char* name, const std::string& text) {
    return document.is_object() && document.contains(name) && document[name] == text;
  };
  if (says("commit", settings.identity.commit) && says("build", settings.identity.build)) return Ok{};
  return Error{fmt::format("/version says {}, not commit {} and build {}", body, settings.identity.commit,
                           settings.identity.build)};
}

Status right_page(const Settings& settings, const std::string& body) {
  return body == page(settings.identity) ? Status(Ok{}) : Error{fmt::format("/ says {}", body)};
}

struct Question {
  const char* target;
  Status (*judge)(const Settings& settings, const std::string& body);
};
constexpr std::array kQuestions = {Question{"/healthz", right_health}, Question{"/version", right_version},
                                   Question{"/", right_page}};

/// Asks one question after the other and stops the loop at the end or at the first wrong answer.
class Questioner {
 public:
  Questioner(Loop& loop, const Endpoint& to, const Settings& settings)
      : loop_(loop), settings_(settings), client_(loop, to, {}) {}

  void ask_next() {
    client_.send({.target = kQuestions[next_].target}, [this](auto answer) { judge(std::move(answer)); });
  }
  const Status& outcome() const { return outcome_; }

 private:
  void judge(Result<ClientResponse, ClientFailure> answer) {
    const Question& question = kQuestions[next_];
    if (!answer.ok()) {
      outcome_ = Error{fmt::format("{} was not answered: {}", question.target, describe(answer.error()))};
    } else if (answer->status != 200) {
      outcome_ = Error{fmt::format("{} was answered with {}", question.target, answer->status)};
    } else {
      outcome_ = question.judge(settings_, answer->body);
    }
    if (outcome_.ok() && ++next_ < kQuestions.size()) {
      ask_next();
    } else {
      loop_.stop();
    }
  }

  Loop& loop_;
  const Settings& settings_;
  HttpClient client_;
  std::size_t next_ = 0;
  Status outcome_ = Error{"interrupted"};
};

}  // namespace

Status self_test(Settings settings) {
  settings.listen = Address::v4(127, 0, 0, 1, 0);
  settings.notify_socket.clear();
  Loop loop;
  Service service(loop, settings);
  const Status started = service.start();
  if (!started.ok()) return started;
  Questioner questioner(loop, service.endpoint(), settings);
  questioner.ask_next();
  loop.run();
  return questioner.outcome();
}

}  // namespace rr::webapp
