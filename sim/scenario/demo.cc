#include "sim/scenario/demo.h"

#include <fmt/format.h>

#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "lb/net/http_client.h"
#include "sim/console/screen.h"
#include "sim/console/status_view.h"
#include "sim/scenario/demo_record.h"
#include "sim/scenario/demo_report.h"
#include "sim/scenario/demo_stage.h"
#include "sim/scenario/image_builder.h"
#include "sim/scenario/load.h"

namespace rr::sim {
namespace {
using nlohmann::json;
using namespace std::chrono_literals;

constexpr double kLoad = 40;        // requests a second
constexpr auto kPatience = 90s;     // for anything that the tier should do by itself
constexpr auto kLogFlush = 1500ms;  // until a node's access log has what it did
constexpr auto kSettle = 1500ms;    // what an act is given after its end
constexpr std::size_t kNewConnections = 20;
constexpr std::size_t kKeptRequests = 10;

std::optional<Duration> span_of(const json& object, const char* key) {
  if (!object.contains(key) || !object[key].is_object()) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(object[key]["seconds"].get<double>()));
}

// The tier's spans count from when it got the command, which is when it was sent.
std::optional<Time> time_of(const json& object, const char* key, Time began) {
  const auto span = span_of(object, key);
  return span ? std::optional(began + *span) : std::nullopt;
}

// By the requests' traces, what the logs of the nodes outside that zone say.
std::map<std::string, NodeRecord> read_access_logs(const json& status, const std::string& dead_zone,
                                                   const std::set<std::string>& dead_addresses) {
  std::map<std::string, NodeRecord> out;
  for (const json& node : status["nodes"]) {
    if (node["zone"] == dead_zone) continue;
    std::ifstream log(node.value("log", ""));
    for (std::string line; std::getline(log, line);) {
      const auto entry = read_access_log_line(line);
      if (!entry) continue;
      out[entry->trace_root] = NodeRecord{node["name"].get<std::string>(), entry->target, entry->elb_status,
                                          dead_addresses.count(entry->target) != 0};
    }
  }
  return out;
}

class Demo {
 public:
  explicit Demo(const DemoOptions& options) : options_(options), stage_(options) {
    stage_.on_turn([this] { show_load(); });
  }
  int play();

 private:
  // traffic
  std::optional<PageOrigin> get(HttpClient& client, std::string* body);
  void show_answer(const std::string& label, const std::string& host, std::string& shown);
  void begin_phase(const std::string& name) { record_.begin_phase(name, stage_.now()); }
  void start_load();
  void show_load();
  void stop_load();

  // the acts
  bool round_robin();
  bool over_new_connections();
  bool over_a_kept_connection();
  bool zone_dies();
  bool is_detected();
  bool is_replaced(Time began);
  bool zone_comes_back();
  bool release();
  bool release_image(const std::string& commit);
  void take_release();
  void count_answers_since(Time released, const std::string& commit);

  // the end
  int finish();
  bool leave_tier();
  void stop_tier();

  DemoOptions options_;
  DemoStage stage_;
  std::unique_ptr<OpenLoopLoad> load_;
  DemoRecord record_;
  std::optional<ZoneFailure> zone_failure_;
  DemoFacts facts_;
  std::string dead_zone_;
  std::set<std::string> dead_addresses_;
};

// ---- traffic

std::optional<PageOrigin> Demo::get(HttpClient& client, std::string* body) {
  std::optional<PageOrigin> page;
  bool done = false;
  ClientRequest request;
  request.headers = {{"User-Agent", "rr-sim-demo"}};
  client.send(std::move(request), [&](Result<ClientResponse, ClientFailure> answer) {
    done = true;
    LoadSample sample;
    sample.cause =
        answer ? (answer->status == 200 ? RequestCause::kAnswered : RequestCause::kOtherError) : RequestCause::kClosed;
    if (answer) {
      page = read_page(answer->body);
      if (body != nullptr) *body = answer->body;
    }
    facts_.phases.front().statistics.add(sample);
    if (failed(sample.cause)) facts_.other_failures.push_back("in the first act");
    stage_.loop().stop();
  });
  stage_.wait([&] { return done; }, 10s);
  return page;
}

void Demo::show_answer(const std::string& label, const std::string& host, std::string& shown) {
  const std::string letter = stage_.zone_letter(host);
  shown += stage_.ink().paint(letter == "a" ? Ink::kCyan : Ink::kMagenta, letter) + " ";
  stage_.screen().bottom(label + shown);
  stage_.pause(80ms);
}

void Demo::start_load() {
  LoadSettings settings;
  settings.rate = kLoad;
  load_ = std::make_unique<OpenLoopLoad>(stage_.loop(), stage_.front(), settings);
  load_->on_sample([this](const LoadSample& sample) { record_.add(sample, stage_.zone_letter(sample.host).front()); });
  begin_phase("steady load");
  load_->start();
}

void Demo::show_load() {
  if (load_ == nullptr || load_->rate() <= 0) return;
  stage_.screen().bottom(fmt::format("  {}/s  {}", load_->rate(), record_.line(stage_.ink())));
}

void Demo::stop_load() {
  if (load_ == nullptr) return;
  bool stopped = false;
  load_->stop([&] {
    stopped = true;
    stage_.loop().stop();
  });
  stage_.wait([&] { return stopped; }, 15s);
  stage_.screen().bottom("");
}

// ---- the acts

bool Demo::round_robin() {
  stage_.title(1, "Round robin over two zones",
               "Every answer says which instance gave it. Each zone's load-balancer node gives one request to each "
               "instance in turn.");
  if (!stage_.wait_for_key()) return false;
  facts_.phases.push_back({"round robin", {}});
  if (!over_new_connections() || !over_a_kept_connection()) return false;
  stage_.say(fmt::format(
      "Over one connection kept to one node they alternate strictly. New connections do not, because each node "
      "keeps its own turn, as AWS's do; the shares are equal: {}.",
      format_shares(facts_.new_connections)));
  return stage_.goes_on();
}

bool Demo::over_new_connections() {
  const std::string label = "  new connections:      ";
  const std::string url = stage_.status()["url"].get<std::string>();
  stage_.say_command(fmt::format("while true; do curl -s {}; echo; sleep 1; done", url));
  std::string shown;
  HttpClient::Settings fresh;
  fresh.keep_alive = false;
  for (std::size_t i = 0; i < kNewConnections && stage_.goes_on(); ++i) {
    HttpClient client(stage_.loop(), Endpoint(stage_.front()), fresh);
    std::string body;
    const auto page = get(client, &body);
    if (!page) continue;
    if (i == 0) stage_.screen().line(wrapped(body, 80, "  "));
    ++facts_.new_connections[page->host];
    show_answer(label, page->host, shown);
  }
  stage_.screen().bottom("");
  stage_.screen().line(label + shown);
  return stage_.goes_on();
}

bool Demo::over_a_kept_connection() {
  const std::string label = "  one kept, one node:   ";
  if (stage_.status()["nodes"].empty()) return false;
  const auto zonal = parse_address(stage_.status()["nodes"][0].value("zonal", ""));
  if (!zonal) return false;
  std::string shown;
  HttpClient kept(stage_.loop(), Endpoint(*zonal), HttpClient::Settings{});
  for (std::size_t i = 0; i < kKeptRequests && stage_.goes_on(); ++i) {
    const auto page = get(kept, nullptr);
    if (!page) continue;
    facts_.kept_connection.push_back(page->host);
    show_answer(label, page->host, shown);
  }
  stage_.screen().bottom("");
  stage_.screen().line(label + shown);
  return true;
}

bool Demo::zone_dies() {
  dead_zone_ = stage_.status()["zones"].back()["name"].get<std::string>();
  const std::string other = stage_.status()["zones"].front()["name"].get<std::string>();
  stage_.title(2, fmt::format("Zone {} loses power", dead_zone_),
               fmt::format("Its instance and its load-balancer node are gone at once, under {} requests a second. "
                           "Nobody is told: health checks must find out. Answers have to keep coming from {}.",
                           kLoad, other));
  if (!stage_.wait_for_key()) return false;
  start_load();
  stage_.pause(1s);
  for (const json& one : stage_.status()["instances"]) {
    if (one["zone"] == dead_zone_) dead_addresses_.insert(one["address"].get<std::string>());
  }
  stage_.say_command("rr-sim az fail " + dead_zone_);
  const Time began = stage_.now();
  record_.begin_zone_phase(fmt::format("zone {} is down", dead_zone_.back()), began);
  stage_.count_from(began);
  stage_.narrate(true);
  if (!stage_.command("/az/fail", {{"zone", dead_zone_}, {"mode", "power"}})) return false;
  if (!is_detected()) return stage_.goes_on();
  stage_.title(3, "The lost instance is replaced",
               fmt::format("The group wants two instances and has one. Launches in {} fail, so the new one comes up "
                           "in {}.",
                           dead_zone_, other));
  if (!stage_.wait_for_key()) return false;
  return is_replaced(began);
}

bool Demo::is_detected() {
  const bool detected = stage_.wait(
      [this] { return stage_.incident() != nullptr && (*stage_.incident())["time_to_detect"].is_object(); }, kPatience);
  if (!detected) return false;
  facts_.time_to_detect = span_of(*stage_.incident(), "time_to_detect");
  stage_.happened(fmt::format("no request goes to zone {} any more; so far {} were answered, {} failed, {} wait",
                              dead_zone_.back(), record_.answered(), record_.failed(), load_->outstanding()));
  return true;
}

// And keeps when what was found out, for the verdict on the requests that failed.
bool Demo::is_replaced(Time began) {
  const bool replaced = stage_.wait(
      [this] {
        const json& incident = *stage_.incident();
        return incident["time_to_replace"].is_object() && incident["time_to_remove_node"].is_object();
      },
      kPatience);
  const json& incident = *stage_.incident();
  if (replaced) {
    facts_.time_to_replace = span_of(incident, "time_to_replace");
    facts_.time_to_remove_node = span_of(incident, "time_to_remove_node");
  }
  ZoneFailure failure;
  failure.began = began;
  failure.targets_ejected = time_of(incident, "time_to_detect", began);
  failure.node_removed = time_of(incident, "time_to_remove_node", began);
  failure.done = time_of(incident, "time_to_hit", began).value_or(began);
  zone_failure_ = failure;
  stage_.pause(kSettle);
  return stage_.goes_on();
}

bool Demo::zone_comes_back() {
  stage_.title(4, fmt::format("Zone {} heals", dead_zone_),
               "Its node comes back into DNS, and the group balances its zones again: it launches there before it ends "
               "one here.");
  if (!stage_.wait_for_key()) return false;
  stage_.say_command("rr-sim az heal " + dead_zone_);
  begin_phase(fmt::format("zone {} comes back", dead_zone_.back()));
  stage_.count_from(stage_.now());
  if (!stage_.command("/az/heal", {{"zone", dead_zone_}})) return false;
  const bool balanced = stage_.wait([this] { return (*stage_.incident())["time_to_balance"].is_object(); }, kPatience);
  if (!balanced) return stage_.goes_on();
  const json& incident = *stage_.incident();
  facts_.least_in_service_while_balancing = incident["least_in_service"].get<int>();
  facts_.time_to_balance = span_of(incident, "time_to_balance");
  return stage_.goes_on();
}

bool Demo::release() {
  const std::string commit = made_up_commit(DemoStage::kFirstCommit);
  stage_.title(5, "A new version is released, 2 -> 4 -> 2, under load",
               "The group is doubled with the new image; when the new ones are healthy and answer the new commit, it "
               "is halved again. No request may fail.");
  if (!stage_.wait_for_key()) return false;
  begin_phase("release 2 -> 4 -> 2");
  if (!release_image(commit)) return stage_.goes_on();
  stage_.wait(
      [this] {
        const json& release = stage_.status()["release"];
        return release.is_object() && release["ended"].get<bool>();
      },
      kPatience);
  if (!stage_.goes_on()) return false;
  take_release();
  begin_phase("after the release");
  const Time released = stage_.now();
  stage_.pause(kSettle);
  stop_load();
  stage_.pause(kLogFlush);
  count_answers_since(released, commit);
  return stage_.goes_on();
}

// Builds the image, has the tier know it, and begins. False: it could not be built, or the tier refused.
bool Demo::release_image(const std::string& commit) {
  const std::string build = std::to_string(DemoStage::kFirstBuild + 1);
  stage_.say_command(fmt::format("rr-sim image build --commit {} --build {}", commit.substr(0, 12), build));
  ImageSource source;
  source.name = "rr-webapp";
  source.program = find_program("rr-webapp");
  source.command = webapp_flags();
  source.commit = commit;
  source.build = build;
  const auto image = build_image(stage_.layout().images(), source, stage_.loop().now());
  if (!image) {
    facts_.release_outcome = image.error().message;
    return false;
  }
  if (!stage_.command("/images", {{"id", image->id.value},
                                  {"name", image->name},
                                  {"commit", image->commit},
                                  {"build", image->build},
                                  {"folder", image->folder},
                                  {"command", image->command}})) {
    return false;
  }
  stage_.say_command(fmt::format("rr-sim release --image {} --strategy double", image->id.value));
  stage_.count_from(stage_.now());
  return stage_.command("/release", {{"image", image->id.value}, {"strategy", "double"}});
}

void Demo::take_release() {
  const json& release = stage_.status()["release"];
  facts_.released = release["released"].get<bool>();
  facts_.release_outcome = release["outcome"].get<std::string>();
  facts_.time_to_release = span_of(release, "took");
  facts_.most_in_service_while_releasing = release["most_in_service"].get<int>();
  stage_.happened((facts_.released ? "released: " : "not released: ") + facts_.release_outcome,
                  facts_.released ? Ink::kGreen : Ink::kRed);
}

void Demo::count_answers_since(Time released, const std::string& commit) {
  for (const LoadSample& sample : record_.samples()) {
    if (failed(sample.cause) || sample.scheduled < released) continue;
    ++facts_.answers_after_release;
    facts_.old_answers_after_release += sample.commit == commit ? 0 : 1;
  }
}

// ---- the end

int Demo::finish() {
  stage_.narrate(false);
  facts_.speed = options_.speed;
  facts_.desired = 2;
  // All has been answered by now, and the nodes' logs are written.
  if (zone_failure_) {
    record_.judge(*zone_failure_, read_access_logs(stage_.status(), dead_zone_, dead_addresses_), facts_);
  }
  record_.tell(facts_);  // behind the first row, which is the first act's own
  if (load_) facts_.phases.back().statistics.not_sent = load_->statistics().not_sent;
  Screen& screen = stage_.screen();
  screen.bottom("");
  screen.line("");
  for (const std::string& line : demo_table(facts_)) {
    const bool head = line.find("REQUESTS") != std::string::npos || line.find("MEASURED") != std::string::npos;
    screen.line(head ? stage_.ink().paint(Ink::kBold, line) : line);
  }
  screen.line("");
  const auto broken = broken_promises(facts_);
  for (const std::string& one : broken) screen.line(stage_.ink().paint(Ink::kRed, "BROKEN: " + one));
  if (broken.empty()) screen.line(stage_.ink().paint(Ink::kGreen, "Every promise was kept."));
  return broken.empty() ? 0 : 1;
}

// Says what can be done with it. False: it does not run any more.
bool Demo::leave_tier() {
  const std::string flag = state_flag(stage_.layout());
  if (!stage_.leave_tier()) return false;
  Screen& screen = stage_.screen();
  screen.line("");
  screen.line("The tier runs on. Try:");
  screen.line("  while true; do curl -s " + stage_.status()["url"].get<std::string>() + "; echo; sleep 1; done");
  for (const char* one :
       {"status", "load 20", "az fail eu-west-1a --mode hang", "az heal eu-west-1a", "scale 3", "image list"}) {
    screen.line(fmt::format("  rr-sim {}{}", one, flag));
  }
  screen.line(fmt::format("  rr-sim down{}     (stops it)", flag));
  return true;
}

void Demo::stop_tier() {
  stage_.screen().bottom("");
  load_.reset();
  stage_.stop_tier();
}

int Demo::play() {
  if (!stage_.start_tier()) {
    const int exit = stage_.ended() == DemoStage::Ended::kInterrupted ? 130 : 3;
    stop_tier();
    return exit;
  }
  const bool whole = round_robin() && zone_dies() && zone_comes_back() && release();
  if (stage_.ended() == DemoStage::Ended::kInterrupted) {
    stage_.screen().bottom("");
    stage_.screen().line("interrupted; stopping the tier");
    stop_tier();
    return 130;
  }
  if (stage_.ended() == DemoStage::Ended::kTierGone) {
    stage_.screen().line("rr-sim demo: the tier has gone:");
    stage_.say_last_output();
    stop_tier();
    return 3;
  }
  if (!whole && facts_.phases.empty()) facts_.phases.push_back({"round robin", {}});
  const int exit = finish();
  if (!options_.keep || !leave_tier()) stop_tier();
  return exit;
}

}  // namespace

int play_demo(const DemoOptions& options) {
  Demo demo(options);
  return demo.play();
}

}  // namespace rr::sim
