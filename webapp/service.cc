#include "webapp/service.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <utility>

#include "lb/base/request_view.h"
#include "rr_version.h"
#include "webapp/app/request_log.h"

namespace rr::webapp {
namespace {

/// A second signal means it: nothing is finished or flushed. 128 + the signal's number, as shells have it.
[[noreturn]] void end_at_once(int signal_number) { std::_Exit(128 + signal_number); }

/// Lines are not held back: whoever supervises the program follows them.
void write_line(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

HttpServerSettings server_settings(const Settings& settings) {
  return {.limits = settings.limits,
          .max_body = settings.max_body,
          .keep_alive = settings.keep_alive,
          .request_timeout = settings.request_timeout,
          .max_connections = settings.max_connections};
}

HttpResponse to_response(Answer answer) {
  answer.headers.emplace_back("Server", "rr-webapp/" RR_VERSION);
  return {
      .status = answer.status, .headers = std::move(answer.headers), .body = std::move(answer.body), .close = false};
}

}  // namespace

void say(LogFormat format, Time now, Level level, std::string_view message) {
  switch (format) {
    case LogFormat::kPlain:
      fmt::print(stderr, "rr-webapp: {}\n", message);
      return;
    case LogFormat::kJson:
      write_line(message_line(now, level, message));
      return;
  }
}

Service::Service(Loop& loop, const Settings& settings)
    : loop_(loop),
      settings_(settings),
      started_(loop.now()),
      chance_(std::random_device{}()),
      supervisor_(loop, settings.notify_socket, settings.watchdog,
                  [this](std::string_view trouble) { say(Level::kError, trouble); }),
      delay_(loop, [this] { answer_due(); }),
      lame_duck_(loop, [this] { drain(); }),
      terminate_(loop, SIGTERM, [this] { on_terminate(); }),
      interrupt_(loop, SIGINT, [this] { on_interrupt(); }) {}

Status Service::start() {
  auto server = HttpServer::start(
      loop_, settings_.listen, server_settings(settings_),
      [this](const HttpRequest& request, HttpServer::Responder responder) { handle(request, responder); });
  if (!server.ok()) return server.error();
  server_.emplace(*std::move(server));
  server_->on_exchange([this](const HttpExchange& exchange) { log(exchange); });
  const std::string where = fmt::format("listening on {}", format_endpoint(endpoint()));
  say(Level::kInfo, where);
  supervisor_.ready(where);
  return Ok{};
}

void Service::say(Level level, std::string_view message) const {
  webapp::say(settings_.log, loop_.now(), level, message);
}

Situation Service::situation() const {
  return {.identity = settings_.identity,
          .uptime = loop_.now() - started_,
          .stopping = phase_ != Phase::kServing,
          .faults_allowed = settings_.faults,
          .faults = faults_};
}

void Service::handle(const HttpRequest& request, const HttpServer::Responder& responder) {
  const Request asked{.method = request.method,
                      .target = request.target,
                      .content_type = request.header("Content-Type").value_or(std::string_view()),
                      .body = request.body};
  Answer made = answer(asked, situation(), chance_);
  // While draining nothing hangs: it would never come to its end.
  if (made.hang && phase_ != Phase::kDraining) {
    hold(request, responder);
    return;
  }
  const bool let_go = made.faults && faults_.hang && !made.faults->hang;
  if (made.faults) faults_ = *made.faults;
  const Duration delay = made.delay;
  if (delay > Duration::zero()) {
    answer_later(delay, to_response(std::move(made)), responder);
  } else {
    responder(to_response(std::move(made)));
  }
  if (let_go) answer_hanging();
}

void Service::answer_later(Duration delay, HttpResponse response, const HttpServer::Responder& responder) {
  forget_gone();
  delayed_.emplace(loop_.now() + delay, Delayed{responder, std::move(response)});
  delay_.arm_at(delayed_.begin()->first);
}

void Service::answer_due() {
  while (!delayed_.empty() && delayed_.begin()->first <= loop_.now()) {
    const auto one = delayed_.extract(delayed_.begin());
    one.mapped().responder(std::move(one.mapped().response));
  }
  if (!delayed_.empty()) delay_.arm_at(delayed_.begin()->first);
}

void Service::hold(const HttpRequest& request, const HttpServer::Responder& responder) {
  forget_gone();
  hanging_.push_back({request, responder});
}

void Service::forget_gone() {
  if (delayed_.size() + hanging_.size() < forget_at_) return;
  std::erase_if(delayed_, [](const auto& one) { return one.second.responder.client_gone(); });
  std::erase_if(hanging_, [](const Hanging& one) { return one.responder.client_gone(); });
  forget_at_ = std::max(kForgetFrom, 2 * (delayed_.size() + hanging_.size()));
}

void Service::answer_hanging() {
  const std::vector<Hanging> waiting = std::exchange(hanging_, {});
  for (const Hanging& one : waiting) handle(one.request, one.responder);
}

void Service::log(const HttpExchange& exchange) const {
  std::string_view trace_id;
  for (const auto& [name, value] : exchange.request_headers) {
    if (equals_ignoring_case(name, "X-Amzn-Trace-Id")) trace_id = value;
  }
  const std::string peer = format_address(exchange.peer);
  const auto level = settings_.log == LogFormat::kJson ? std::optional(level_of(exchange.status)) : std::nullopt;
  write_line(log_line({.time = exchange.began,
                       .method = exchange.method,
                       .path = exchange.target,
                       .status = exchange.status,
                       .bytes = exchange.bytes_out,
                       .duration = exchange.took,
                       .peer = peer,
                       .instance = settings_.identity.instance,
                       .trace_id = trace_id},
                      level));
}

void Service::on_terminate() {
  if (phase_ != Phase::kServing) end_at_once(SIGTERM);
  const std::string what = fmt::format("SIGTERM: /healthz says 503 now, requests are served for {} more",
                                       format_duration(settings_.lame_duck));
  say(Level::kInfo, what);
  supervisor_.stopping(what);
  phase_ = Phase::kLameDuck;
  server_->announce_close(false);
  lame_duck_.arm(settings_.lame_duck);
}

void Service::on_interrupt() {
  if (phase_ != Phase::kServing) end_at_once(SIGINT);
  supervisor_.stopping("SIGINT: finishing what is in flight");
  drain();
}

void Service::drain() {
  phase_ = Phase::kDraining;
  for (const Hanging& one : std::exchange(hanging_, {})) one.responder.abort();
  server_->drain([this] { loop_.stop(); });
  // After it: whoever reads this line may rely on it.
  say(Level::kInfo, fmt::format("accepting no more; {} requests in flight", server_->in_progress()));
}

}  // namespace rr::webapp
