#include "lb/proxy/crew.h"

#include <fmt/format.h>

#include <future>
#include <thread>
#include <utility>

#include "lb/net/mailbox.h"

namespace rr {

/// To the first worker.
struct Crew::Mail {
  explicit Mail(Loop& loop)
      : box(loop, [](std::vector<std::function<void()>> calls) {
          for (const auto& call : calls) call();
        }) {}
  Mailbox<std::function<void()>> box;
};

struct Crew::Follower {
  Follower(Node& first, Mail& to_first, Rng random, bool access_log, bool connection_log)
      : first_(first), to_first_(to_first), random_(random), access_log_(access_log), connection_log_(connection_log) {
    const auto ready = std::make_shared<std::promise<Mailbox<Task>*>>();
    thread_ = std::thread([this, ready] { run(*ready); });
    box_ = ready->get_future().get();
  }
  ~Follower() {
    box_->send([](Node& node) {
      node.stop();
      node.loop().stop();
    });
    thread_.join();
  }
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  void send(Task task) { box_->send(std::move(task)); }

 private:
  // What is sent to the first worker must not need this follower: it may be gone when the mail is read.
  void run(std::promise<Mailbox<Task>*>& ready) {
    Loop loop;
    Node node(loop, random_, logs(), NodeRole::kFollows);
    node.journal().set_sink([this](const JournalLine& line) {
      to_first_.box.send([&first = first_, line] { first.journal().write(line.time, line.entity, line.event); });
    });
    node.set_on_drain_ended([this](DrainEnded drain) {
      to_first_.box.send([&first = first_, drain = std::move(drain)] { first.add_drain(drain); });
    });
    Mailbox<Task> box(loop, [&node](std::vector<Task> tasks) {
      for (const Task& task : tasks) task(node);
    });
    ready.set_value(&box);
    loop.run();
  }

  NodeLogs logs() {
    NodeLogs logs;
    if (access_log_) {
      logs.access.emplace(LogFile::handing_over([this](std::string lines) {
        to_first_.box.send([&first = first_, lines = std::move(lines)] { first.append_access_log(lines); });
      }));
    }
    if (connection_log_) {
      logs.connection.emplace(LogFile::handing_over([this](std::string lines) {
        to_first_.box.send([&first = first_, lines = std::move(lines)] { first.append_connection_log(lines); });
      }));
    }
    return logs;
  }

  Node& first_;
  Mail& to_first_;
  Rng random_;
  bool access_log_, connection_log_;
  Mailbox<Task>* box_ = nullptr;  // lives in the thread until it is joined
  std::thread thread_;
};

Crew::Crew(Loop& loop, std::vector<Rng> random, NodeLogs logs) : mail_(std::make_unique<Mail>(loop)) {
  const std::size_t followers = random.size() - 1;
  const bool access_log = logs.access.has_value(), connection_log = logs.connection.has_value();
  first_ = std::make_unique<Node>(loop, random.front(), std::move(logs), NodeRole::kLeads, followers);
  for (std::size_t i = 0; i < followers; ++i) {
    followers_.push_back(std::make_unique<Follower>(*first_, *mail_, random[i + 1], access_log, connection_log));
  }
  if (followers == 0) return;
  first_->set_on_health([this](const HealthNews& news) { tell_all([news](Node& node) { node.adopt(news); }); });
  first_->on_config = [this](std::vector<NodeConfig> configs) {
    for (std::size_t i = 0; i < followers_.size(); ++i) {
      followers_[i]->send([config = std::move(configs[i])](Node& node) {
        const auto applied = node.apply(config);
        if (applied) return;
        node.journal().write(node.loop().now(), "worker",
                             "has not taken the configuration: " + applied.error().errors.front().message);
      });
    }
  };
}

Crew::~Crew() {
  followers_.clear();
  mail_->box.deliver();  // the last lines of their logs
}

std::size_t Crew::workers() const { return followers_.size() + 1; }

void Crew::tell_all(const Task& task) {
  for (const auto& follower : followers_) follower->send(task);
}

std::uint64_t Crew::await(std::size_t missing, std::function<void()> on_done) {
  awaited_[++last_awaited_] = {missing, std::move(on_done)};
  return last_awaited_;
}

void Crew::one_is_done(std::uint64_t awaited) {
  const auto found = awaited_.find(awaited);
  if (--found->second.missing > 0) return;
  const std::function<void()> done = std::move(found->second.on_done);
  awaited_.erase(found);
  done();
}

void Crew::ask_all(const std::function<void(std::size_t, Node&)>& task, std::function<void()> on_done) {
  if (followers_.empty()) return on_done();
  const std::uint64_t awaited = await(followers_.size(), std::move(on_done));
  for (std::size_t i = 0; i < followers_.size(); ++i) {
    followers_[i]->send([this, task, i, awaited](Node& node) {
      task(i, node);
      mail_->box.send([this, awaited] { one_is_done(awaited); });
    });
  }
}

void Crew::report(ReportErrors errors, std::function<void(const NodeReport&)> on_report) {
  // Each follower writes its own element, and the first worker reads them when all have.
  const auto theirs = std::make_shared<std::vector<NodeReport>>(followers_.size());
  ask_all([theirs, errors](std::size_t follower, Node& node) { (*theirs)[follower] = report_of(node, errors); },
          [this, theirs, errors, on_report = std::move(on_report)] {
            NodeReport sum = report_of(*first_, errors);
            for (const NodeReport& one : *theirs) sum.add(one);
            on_report(sum);
          });
}

void Crew::when_all_have_followed(std::function<void()> on_followed) {
  ask_all([](std::size_t, Node&) {}, std::move(on_followed));
}

void Crew::drain(Duration limit, std::function<void()> on_done) {
  const std::uint64_t awaited = await(workers(), std::move(on_done));
  tell_all([this, limit, awaited](Node& node) {
    node.drain(limit, [this, awaited] { mail_->box.send([this, awaited] { one_is_done(awaited); }); });
  });
  first_->drain(limit, [this, awaited] { one_is_done(awaited); });
}

}  // namespace rr
