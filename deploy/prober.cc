#include "deploy/prober.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "deploy/aws/transport.h"

namespace rr::deploy {
namespace {

std::string text_of(const nlohmann::json& document, const char* key) {
  const auto found = document.find(key);
  if (found == document.end()) return "";
  if (found->is_string()) return found->get<std::string>();
  return found->is_number() ? found->dump() : "";
}

void read_version(const Question& question, const HttpResponse& response, Answer& answer) {
  if (question.source.kind == VersionSource::Kind::kHeader) {
    std::string name = question.source.name;
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char letter) { return std::tolower(letter); });
    const auto found = response.headers.find(name);
    if (found != response.headers.end()) answer.commit = found->second;
    return;
  }
  const auto document = nlohmann::json::parse(response.body, nullptr, false);
  if (!document.is_object()) return;
  answer.commit = text_of(document, "commit");
  answer.build = text_of(document, "build");
  answer.zone = text_of(document, "zone");
  for (const char* key : {"instance", "host"}) {
    if (answer.instance.empty()) answer.instance = text_of(document, key);
  }
}

}  // namespace

Result<VersionSource> VersionSource::parse(const std::string& text) {
  if (text == "none") return VersionSource{Kind::kNone, ""};
  if (text == "path") return VersionSource{};
  if (text.rfind("path:/", 0) == 0) return VersionSource{Kind::kPath, text.substr(5)};
  if (text.rfind("header:", 0) == 0 && text.size() > 7) return VersionSource{Kind::kHeader, text.substr(7)};
  return Error{fmt::format("{}: path:/PATH, header:NAME or none is right", text)};
}

struct Asker::Inside {
  Question question;
  Transport transport;
};

Asker::Asker(Question question) : inside_(std::make_unique<Inside>()) { inside_->question = std::move(question); }
Asker::~Asker() = default;

Answer Asker::ask() {
  const Question& question = inside_->question;
  HttpRequest request;
  request.url =
      question.url + (question.source.kind == VersionSource::Kind::kPath ? question.source.name : question.path);
  request.timeout = request.connect_timeout = question.timeout;
  request.connect_to = question.connect_to;
  request.reuse = false;
  const auto began = std::chrono::steady_clock::now();
  const auto response = inside_->transport.send(request);
  Answer answer;
  answer.took = std::chrono::steady_clock::now() - began;
  if (!response) {
    answer.error = response.error().message;
    return answer;
  }
  answer.status = response->status;
  read_version(question, *response, answer);
  return answer;
}

Prober::Prober(Question question, Duration interval)
    : thread_([this, question = std::move(question), interval] { work(question, interval); }) {}

Prober::~Prober() {
  stopping_ = true;
  thread_.join();
}

std::vector<Answer> Prober::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

/// At a steady rate while answers are quick; a slow answer is waited for, so that a slow tier is not asked ever more.
void Prober::work(const Question& question, Duration interval) {
  Asker asker(question);
  while (!stopping_) {
    const auto next = std::chrono::steady_clock::now() + interval;
    Answer answer = asker.ask();
    {
      const std::lock_guard lock(mutex_);
      answers_.push_back(std::move(answer));
    }
    while (!stopping_ && std::chrono::steady_clock::now() < next) {
      // not a setting: how soon this program ends
      std::this_thread::sleep_for(std::min<Duration>(next - std::chrono::steady_clock::now(), 50 * kMillisecond));
    }
  }
}

}  // namespace rr::deploy
