#pragma once
// A running tier's control socket: the commands of rr-sim as HTTP with JSON on a Unix socket that only its owner may
// use.
//
//   GET  /status                     the document of `rr-sim status --json`
//   GET  /journal?since=N            {"next":N,"lines":[{"time","entity","event"}]}
//   GET  /log-file?name=ID           {"file"}
//   GET  /session?instance=ID        {"command","environment","folder"}
//   POST /az/fail {zone,mode}   /az/heal {zone}   /instance/fail {instance,mode}   /instance/heal {instance}
//   GET  /instance?name=TEXT         {"id"}: by the beginning of its id, its host name or its address
//   POST /command {a command of the API, as the log has it}   {"id","number"}
//   POST /scale {capacity}   /images {image}   /release {image,strategy,start}   /load {rate}   /down
//
// A command answers {"said":[...]}; a refused one {"error":"one line","exit":2}.
#include <functional>
#include <memory>

#include "lb/base/result.h"
#include "lb/net/http_server.h"
#include "sim/scenario/tier.h"

namespace rr::sim {

class ControlServer {
 public:
  /// `on_down` is called when somebody wants the tier stopped, after the answer has been given.
  static Result<std::unique_ptr<ControlServer>> start(Loop& loop, Tier& tier, std::function<void()> on_down);

 private:
  ControlServer(Tier& tier, std::function<void()> on_down) : tier_(tier), on_down_(std::move(on_down)) {}
  void answer(const HttpRequest& request, const HttpServer::Responder& responder);

  Tier& tier_;
  std::function<void()> on_down_;
  std::optional<HttpServer> server_;
};

}  // namespace rr::sim
