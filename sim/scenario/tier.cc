#include "sim/scenario/tier.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "sim/cloud/tempo.h"
#include "sim/scenario/cookie_key.h"
#include "sim/scenario/image_builder.h"
#include "sim/scenario/refresh_start.h"
#include "sim/scenario/tier_state.h"

namespace rr::sim {
namespace {

constexpr std::size_t kLastLines = 20;
constexpr auto kReadyCheck = std::chrono::milliseconds(100);
/// A tier that answers but does not get all its instances healthy counts as up after this long.
constexpr auto kReadyAnyway = std::chrono::seconds(10);

bool terminated(const Instance& instance) {
  return instance.lifecycle == LifecycleState::kTerminated || instance.ec2 == InstanceState::kTerminated;
}

}  // namespace

// ---- start

Status Tier::State::open_world() {
  auto ground = make_ground(loop, options.ground.kind, options.layout.world());
  if (!ground) return ground.error();
  const TierSettings& s = options.settings;
  ProcessWorldSettings settings;
  settings.state_folder = options.layout.world();
  settings.lb_program = options.lb_program;
  settings.front = s.listen;
  settings.zones = s.region.zones;
  settings.version_from = s.version_from;
  settings.health_path = s.target_group().health_check.path;
  settings.own_program = s.region.own_program;
  settings.app_folder = s.region.own_program ? options.caller_folder : "";
  settings.speed = s.region.speed;
  settings.target_port = s.region.target_port;
  auto made = ProcessWorld::start(loop, std::move(settings), std::move(*ground));
  if (!made) return made.error();
  world = std::move(*made);
  world->on_event([this](Time, const Event& event) {
    if (driver) driver->event(event);
  });
  world->on_line([this](const ProcessLine& line) { take_output(line); });
  world->on_diagnosis([this](const std::string& name, const std::string& sentence) { take_diagnosis(name, sentence); });
  return Ok{};
}

Status Tier::State::open_region() {
  const std::string folder = options.layout.region();
  options.recover = options.recover && RegionLog::exists(folder);
  if (options.recover) {
    auto opened = RegionLog::open(folder, &journal);
    if (!opened) return opened.error();
    log = std::move(opened->log);
    region = std::make_unique<Region>(std::move(opened->region));
  } else {
    const Time now = loop.now();
    const auto seed = options.settings.seed.value_or(static_cast<std::uint64_t>(now.time_since_epoch().count()));
    // Never of the seed: whoever has the key can make cookies.
    options.settings.region.load_balancer.cookie_key = draw_cookie_key();
    region = std::make_unique<Region>(now, options.settings.region, seed, &journal);
    auto created = RegionLog::create(folder, region->state());
    if (!created) return created.error();
    log = std::move(*created);
    region->set_recorder(log.get());
  }
  // Only now: what was replayed has been shown before.
  journal.set_sink([this](const JournalLine& line) { take_line(line); });
  driver = std::make_unique<Driver>(loop, *region, *world);
  driver->on_step([this](Time now) { after_step(now); });
  return Ok{};
}

Result<Image> Tier::State::first_image() {
  const TierSettings& s = options.settings;
  ImageSource source;
  source.commit = !s.commit.empty() ? s.commit : git_commit(options.caller_folder);
  source.build = !s.build.empty() ? s.build : std::to_string(next_build_number(options.layout));
  if (s.region.own_program) {
    source.name = s.app;
    source.run_in = options.caller_folder;
    source.command = shell_command(s.app);
  } else {
    source.name = "rr-webapp";
    source.program = options.webapp_program;
    source.command = webapp_flags();
  }
  return build_image(options.layout.images(), source, loop.now());
}

Status Tier::State::make_first_image_and_group() {
  Result<Image> image = first_image();
  if (!image) return image.error();
  const GroupSettings& group = options.settings.group;
  const std::vector<Command> commands = {
      RegisterImage{*image},
      CreateLaunchTemplate{group.launch_template.template_name, image->id, "version 1"},
      CreateAutoScalingGroup{group, options.settings.desired_capacity},
  };
  for (const Command& one : commands) {
    const auto reply = driver->command(one);
    if (!reply) return Error{fmt::format("{}: {}", reply.error().code, reply.error().message)};
  }
  return Ok{};
}

Result<std::unique_ptr<Tier>> Tier::start(Loop& loop, TierOptions options, TierEvents events) {
  auto state = std::make_unique<State>(loop, std::move(options), std::move(events));
  state->started = loop.now();
  state->journal_file.open(state->options.layout.journal(), std::ios::app);
  if (Status status = state->open_world(); !status) return status.error();
  if (Status status = state->open_region(); !status) return status.error();
  if (!state->options.recover) {
    if (Status status = state->make_first_image_and_group(); !status) return status.error();
  }
  state->take_up_faults();
  state->driver->start(state->options.recover);
  if (state->options.recover) state->note("tier", "recovered: goes on where the killed rr-sim was");
  state->ready_timer.arm(kReadyCheck);
  state->metric_timer.arm(Tempo(state->region->state().settings).waits(kMetricPeriod));
  return std::unique_ptr<Tier>(new Tier(std::move(state)));
}

Tier::Tier(std::unique_ptr<State> state) : state_(std::move(state)) { state_->tier = this; }

Tier::~Tier() {
  state_->load.reset();
  state_->ready_client.reset();
  state_->driver.reset();
  state_->world->on_faults(nullptr);  // what ends with it is nobody's business any more
  state_->world.reset();
}

// ---- what happens

void Tier::State::note(std::string_view entity, std::string_view event) {
  take_line(JournalLine{loop.now(), std::string(entity), std::string(event)});
}

void Tier::State::take_line(const JournalLine& line) {
  constexpr std::size_t kKept = 20'000;
  shown.push_back(line);
  if (shown.size() > kKept) {
    shown.erase(shown.begin(), shown.begin() + kKept / 2);
    forgotten += kKept / 2;
  }
  journal_file << format_iso8601(line.time) << ' ' << line.entity << ' ' << line.event << std::endl;
  if (events.on_journal) events.on_journal(line);
}

void Tier::State::take_output(const ProcessLine& line) {
  if (events.on_line) events.on_line(line);
}

void Tier::State::take_diagnosis(const std::string& name, const std::string& sentence) {
  const auto process = world->process(name);
  if (events.on_diagnosis) {
    events.on_diagnosis(name, sentence,
                        process ? last_lines(process->log_file, kLastLines) : std::vector<std::string>{});
  }
}

bool Tier::State::hit_processes_gone(const Incident& incident) const {
  for (const ProcessStatus& process : world->processes()) {
    const bool hit = incident.zone ? process.zone == *incident.zone : process.name == incident.target;
    if (hit && process.pid != 0 && !process.frozen) return false;
  }
  return true;
}

void Tier::State::after_step(Time now) {
  for (Incident& incident : incidents) {
    if (!incident.done && hit_processes_gone(incident)) incident.done = now;
    follow_incident(incident, region->state(), now);
  }
  follow_release();
}

// Noted at every step: a look now and then could miss the moment between the last launch and the first termination.
void Tier::State::follow_release() {
  const auto& release = region->state().release;
  if (!release || release->ended) return;
  if (release_started != release->started) most_in_service = 0;
  release_started = release->started;
  most_in_service = std::max(most_in_service, healthy_in_service(region->state()));
}

// Up means: it has answered through the front, with all its instances or, after a while, with those it has.
void Tier::State::check_ready() {
  if (ready || stopping) return;
  int desired = 0;
  for (const auto& [name, group] : region->state().groups) desired += group.desired_capacity;
  const int healthy = healthy_in_service(region->state());
  const bool enough = healthy >= desired || (first_answer && loop.now() - *first_answer > kReadyAnyway);
  if (first_answer && enough) {
    ready = true;
    ready_client.reset();
    // Only now: what is sent to a tier that is not up yet would only count its launch times.
    if (options.settings.load > 0) start_load(options.settings.load);
    if (events.on_ready) events.on_ready();
    return;
  }
  if (!first_answer && healthy > 0 && (ready_client == nullptr || !ready_client->busy())) ask_front();
  ready_timer.arm(kReadyCheck);
}

void Tier::State::ask_front() {
  HttpClient::Settings settings;
  settings.keep_alive = false;
  ready_client = std::make_unique<HttpClient>(loop, Endpoint(world->front()), settings);
  ready_client->send(ClientRequest{}, [this](Result<ClientResponse, ClientFailure> answer) {
    const bool from_program = answer && answer->status != 502 && answer->status != 503 && answer->status != 504;
    if (from_program && !first_answer) first_answer = loop.now();
  });
}

/// The period that ends now, as one event a metric; alarms are the region's.
void Tier::State::report_metrics() {
  if (stopping) return;
  metric_timer.arm(Tempo(region->state().settings).waits(kMetricPeriod));
  std::vector<NodeCounters> counters;
  for (const auto& [name, node] : region->state().nodes) {
    if (!node.running) continue;
    if (auto one = parse_node_counters(name, world->observed(name))) counters.push_back(*std::move(one));
  }
  for (const MetricReported& metric : reduction.reduce(region->state(), counters)) driver->event(metric);
}

// A front that listens on every address is reached at the loopback one.
Address Tier::State::reachable_front() const {
  const Address front = world->front();
  const bool any = std::all_of(front.ip.begin(), front.ip.end(), [](std::uint8_t byte) { return byte == 0; });
  if (!any) return front;
  if (front.family == Address::Family::kV4) return Address::v4(127, 0, 0, 1, front.port);
  Address loopback = front;
  loopback.ip.back() = 1;
  return loopback;
}

// ---- reading

const TierOptions& Tier::options() const { return state_->options; }
const RegionState& Tier::region() const { return state_->region->state(); }
ProcessWorld& Tier::world() { return *state_->world; }
const ProcessWorld& Tier::world() const { return *state_->world; }
const std::vector<Incident>& Tier::incidents() const { return state_->incidents; }
int Tier::most_in_service_while_releasing() const { return state_->most_in_service; }
Address Tier::front() const { return state_->world->front(); }
std::string Tier::url() const { return fmt::format("http://{}/", format_address(state_->reachable_front())); }
Time Tier::started() const { return state_->started; }
Time Tier::now() const { return state_->driver->now(); }
bool Tier::ready() const { return state_->ready; }
double Tier::load_rate() const { return state_->load ? state_->load->rate() : 0; }
const LoadStatistics* Tier::load() const { return state_->load ? &state_->load->statistics() : nullptr; }
LoadStatistics Tier::take_recent_load() { return state_->load ? state_->load->take_recent() : LoadStatistics{}; }

std::map<std::string, std::uint64_t> Tier::requests_by_target() const {
  std::map<std::string, std::uint64_t> out;
  for (const auto& [name, node] : region().nodes) {
    const auto seen = nlohmann::json::parse(state_->world->observed(name), nullptr, false);
    if (!seen.is_object()) continue;
    for (const auto& balancer : seen.value("load_balancers", nlohmann::json::array())) {
      for (const auto& group : balancer.value("target_groups", nlohmann::json::array())) {
        for (const auto& target : group.value("targets", nlohmann::json::array())) {
          out[target.value("id", "")] += target.value("requests", std::uint64_t{0});
        }
      }
    }
  }
  return out;
}

std::vector<JournalLine> Tier::journal_since(std::uint64_t since) const {
  const std::uint64_t skip = since > state_->forgotten ? since - state_->forgotten : 0;
  if (skip >= state_->shown.size()) return {};
  return {state_->shown.begin() + static_cast<std::ptrdiff_t>(skip), state_->shown.end()};
}
std::uint64_t Tier::journal_written() const { return state_->forgotten + state_->shown.size(); }

Result<InstanceId, Refusal> Tier::find_instance(const std::string& text, bool must_live) const {
  std::vector<std::string> names;
  std::vector<InstanceId> fitting;
  for (const auto& [id, one] : region().instances) {
    if (must_live && terminated(one)) continue;
    names.push_back(id.value);
    const bool begins = text.size() >= 3 && id.value.rfind(text, 0) == 0;
    if (id.value == text) return id;
    if (begins || one.host_name == text || format_ip(one.address) == text) fitting.push_back(id);
  }
  if (fitting.size() == 1) return fitting.front();
  if (fitting.size() > 1) {
    return Refusal{
        2, fmt::format("{}: more than one instance begins so; the whole id is right: {}", text, joined_names(names))};
  }
  const auto known = region().instances.find(InstanceId{text});
  if (known != region().instances.end()) {
    return Refusal{2, fmt::format("{}: is terminated; there are: {}", text, joined_names(names))};
  }
  return Refusal{2, fmt::format("{}: there is no such instance; there are: {}", text, joined_names(names))};
}

Result<std::string, Refusal> Tier::log_file(const std::string& name) const {
  std::string wanted = name;
  if (region().nodes.count(name) == 0) {
    const auto id = find_instance(name, false);
    if (!id) {
      std::vector<std::string> nodes;
      for (const auto& [node, one] : region().nodes) nodes.push_back(node);
      return Refusal{2, id.error().message + "; nodes: " + joined_names(nodes)};
    }
    wanted = id->value;
  }
  const auto process = state_->world->process(wanted);
  if (!process || process->log_file.empty()) return Refusal{1, fmt::format("{}: has not written anything yet", wanted)};
  return process->log_file;
}

Result<ProcessWorld::Session, Refusal> Tier::session(const std::string& instance) const {
  const auto id = find_instance(instance, true);
  if (!id) return id.error();
  auto session = state_->world->session(id->value);
  if (!session) return Refusal{1, session.error().message};
  return *std::move(session);
}

// ---- commands

namespace {

Refusal refusal_of(const ApiError& error) {
  return Refusal{error.code == "ValidationError" ? 2 : 1, fmt::format("{}: {}", error.code, error.message)};
}

}  // namespace

Outcome Tier::scale(int capacity) {
  const std::string& group = state_->options.settings.group.name;
  const auto reply = state_->driver->command(SetDesiredCapacity{group, capacity});
  if (!reply) return refusal_of(reply.error());
  return std::vector<std::string>{fmt::format("group {}: desired capacity is {} now", group, capacity)};
}

Outcome Tier::register_image(Image image) {
  image.created = now();
  const std::string id = image.id.value;
  if (region().images.count(image.id) == 0) {
    const auto reply = state_->driver->command(RegisterImage{std::move(image)});
    if (!reply) return refusal_of(reply.error());
  }
  return std::vector<std::string>{id};
}

Result<ImageId, Refusal> Tier::State::find_image(const std::string& text) const {
  std::vector<std::string> names;
  std::vector<ImageId> fitting;
  for (const auto& [id, image] : region->state().images) {
    names.push_back(fmt::format("{} (commit {}, build {})", id.value, image.commit.substr(0, 8), image.build));
    if (id.value == text || (text.size() > 4 && id.value.rfind(text, 0) == 0)) fitting.push_back(id);
  }
  if (fitting.size() == 1) return fitting.front();
  return Refusal{2, fmt::format("--image {}: there is no such image; there are: {}", text, joined_names(names))};
}

Result<Reply, Refusal> Tier::command(const Command& command) {
  auto reply = state_->driver->command(command);
  if (!reply) return refusal_of(reply.error());
  return *std::move(reply);
}

Outcome Tier::release(const std::string& text, const std::string& strategy) {
  if (strategy == "ReplaceRootVolume") {
    return Refusal{2, "--strategy ReplaceRootVolume: is not offered, an instance here has no volume; refresh is right"};
  }
  if (strategy != "double") return Refusal{2, fmt::format("--strategy {}: double or refresh is right", strategy)};
  const auto image = state_->find_image(text);
  if (!image) return image.error();
  const auto reply = command(StartDoubleRelease{state_->options.settings.group.name, *image});
  if (!reply) return reply.error();
  return std::vector<std::string>{fmt::format("release of {} has begun", image->value)};
}

Outcome Tier::refresh(const std::string& text, StartInstanceRefresh start) {
  const auto image = state_->find_image(text);
  if (!image) return image.error();
  return start_refresh(region(), state_->options.settings.group.name, *image, std::move(start),
                       [this](const Command& one) { return command(one); });
}

Outcome Tier::set_load(double rate) {
  if (rate <= 0) {
    if (state_->load) state_->load->stop([] {});
    return std::vector<std::string>{"load is off"};
  }
  state_->start_load(rate);
  return std::vector<std::string>{fmt::format("load: {} requests a second to {}", rate, url())};
}

void Tier::State::start_load(double rate) {
  if (load && load->rate() > 0) return load->set_rate(rate);
  LoadSettings settings;
  settings.rate = rate;
  load = std::make_unique<OpenLoopLoad>(loop, reachable_front(), settings);
  load->start();
}

void Tier::stop(bool at_once, std::function<void()> on_stopped) {
  State& s = *state_;
  if (!s.stopping) {
    s.stopping = true;
    s.ready_timer.disarm();
    s.metric_timer.disarm();
    if (s.load) s.load->stop([] {});
    s.driver->stop();
    s.note("tier", "stopping");
  }
  s.world->stop(at_once, std::move(on_stopped));
}

}  // namespace rr::sim
