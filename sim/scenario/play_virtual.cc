#include "sim/scenario/play_virtual.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/scenario/image_builder.h"
#include "sim/scenario/refresh_start.h"
#include "sim/scenario/tier.h"
#include "sim/virtual/virtual_run.h"

namespace rr::sim {
namespace {

constexpr Time kBeginning{std::chrono::seconds(1'700'000'000)};

RegionSettings at_aws_speed(RegionSettings settings) {
  settings.speed = 1;
  return settings;
}

VirtualWorldSettings world_of(const TierSettings& settings) {
  VirtualWorldSettings world;
  world.zones = settings.region.zones;
  world.links.same_zone.latency = std::chrono::microseconds(250);
  world.links.cross_zone.latency = std::chrono::microseconds(700);
  world.front = Front::kShared;  // as on the one machine that the processes are on
  return world;
}

class VirtualStage final : public Stage {
 public:
  VirtualStage(const Scenario& scenario, std::uint64_t seed)
      : scenario_(scenario),
        region_(kBeginning, at_aws_speed(scenario.settings.region), seed, &journal_),
        world_(world_of(scenario.settings), seed, &journal_),
        run_(kBeginning, region_, world_) {
    journal_.set_sink([this](const JournalLine& line) { lines_.push_back(line); });
    run_.report_metrics();
  }

  Played play() {
    Played played;
    played.failure = build();
    Player player(scenario_, *this);
    while (!played.failure && !player.go_on()) {
      (void)run_.run_until(*player.look_at(), [&] { return player.go_on(); });
    }
    if (!played.failure) played.failure = player.failure();
    world_.check(run_.now());
    for (const std::string& violation : world_.violations()) {
      if (!played.failure) played.failure = Error{fmt::format("{}: {}", scenario_.file, violation)};
    }
    played.steps = player.done();
    played.journal = std::move(lines_);
    return played;
  }

  const RegionState& region() const override { return region_.state(); }
  Time now() const override { return run_.now(); }
  const std::vector<JournalLine>& journal() const override { return lines_; }

  Status fault(const CauseFault& wish) override {
    const FaultKindRow& row = *find_fault_kind(wish.kind);
    const Fault fault{row.kind, target_named(wish.target), parse_amount(row, wish.amount).value(), std::nullopt};
    return world_.inject(run_.now(), fault);
  }
  Status heal(const std::string& target) override { return world_.heal(run_.now(), target_named(target)); }
  Status scale(int capacity) override { return command(SetDesiredCapacity{scenario_.settings.group.name, capacity}); }
  Status refresh(const std::string& commit) override {
    const Image image = image_of(commit);
    if (Status made = command(RegisterImage{image}); !made) return made;
    const auto send = [this](const Command& one) -> Result<Reply, Refusal> {
      Result<Reply, ApiError> reply = run_.command(one);
      if (!reply) return Refusal{1, fmt::format("{}: {}", reply.error().code, reply.error().message)};
      return *std::move(reply);
    };
    const Outcome begun =
        start_refresh(region_.state(), scenario_.settings.group.name, image.id, StartInstanceRefresh{}, send);
    if (!begun) return Error{begun.error().message};
    return Ok{};
  }

 private:
  Status command(const Command& one) {
    const Result<Reply, ApiError> reply = run_.command(one);
    if (!reply) return Error{fmt::format("{}: {}", reply.error().code, reply.error().message)};
    return Ok{};
  }

  /// Named by its contents, as built images are: so that no chance is drawn for it.
  static Image image_of(const std::string& commit) {
    Image image;
    image.id = ImageId("ami-" + sha256_hex(commit).substr(0, 17));
    image.commit = commit;
    image.build = "1";
    return image;
  }

  std::optional<Error> build() {
    const TierSettings& settings = scenario_.settings;
    const Image image = image_of("first");
    const std::vector<Command> commands = {
        RegisterImage{image},
        CreateLaunchTemplate{settings.group.launch_template.template_name, image.id, "version 1"},
        CreateAutoScalingGroup{settings.group, settings.desired_capacity},
    };
    for (const Command& one : commands) {
      if (Status done = command(one); !done) return done.error();
    }
    if (settings.load > 0) {
      ClientSettings clients;
      const double between = 1e9 / settings.load;
      clients.between = Distribution::deterministic(Duration(static_cast<Duration::rep>(between)));
      world_.add_clients(run_.now(), clients);
    }
    return std::nullopt;
  }

  FaultTarget target_named(const std::string& text) const {
    if (text == kControlPlaneName) return {FaultTargetKind::kControlPlane, ""};
    const auto& zones = scenario_.settings.region.zones;
    const auto same = [&](const Zone& zone) { return zone.name.value == text; };
    if (std::any_of(zones.begin(), zones.end(), same)) return {FaultTargetKind::kZone, text};
    if (region_.state().nodes.contains(text)) return {FaultTargetKind::kNode, text};
    return {FaultTargetKind::kInstance, text};
  }

  const Scenario& scenario_;
  Journal journal_;
  std::vector<JournalLine> lines_;
  Region region_;
  VirtualWorld world_;
  VirtualRun run_;
};

}  // namespace

Played play_virtual(const Scenario& scenario, std::uint64_t seed) { return VirtualStage(scenario, seed).play(); }

}  // namespace rr::sim
