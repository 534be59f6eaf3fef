#pragma once
// Asks the tier through its load balancer, again and again, beside whatever else happens.
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "deploy/rollout/facts.h"
#include "lb/base/result.h"
#include "lb/base/time.h"

namespace rr::deploy {

/// Where an answer says which version gave it.
struct VersionSource {
  enum class Kind { kPath, kHeader, kNone };
  Kind kind = Kind::kPath;
  std::string name = "/version";  // the path, or the header's name

  /// "path:/version", "header:X-Commit", "none".
  static Result<VersionSource> parse(const std::string& text);
};

struct Question {
  std::string url;         // of the tier, without a path
  std::string connect_to;  // "HOST:PORT" where the URL's name does not have to lead there (yet)
  VersionSource source;
  std::string path = "/";  // what is asked for where the version is in a header or nowhere
  // not a setting: a default that its makers overwrite
  Duration timeout = std::chrono::seconds(2);
};

/// One question over a connection of its own, as each viewer has one.
class Asker {
 public:
  explicit Asker(Question question);
  ~Asker();
  Answer ask();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

/// Asks every `interval` in a thread of its own until it is destroyed.
class Prober {
 public:
  Prober(Question question, Duration interval);
  ~Prober();
  /// The answers since the last call, in order.
  std::vector<Answer> take();

 private:
  void work(const Question& question, Duration interval);
  std::mutex mutex_;
  std::vector<Answer> answers_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace rr::deploy
