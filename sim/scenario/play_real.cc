#include "sim/scenario/play_real.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "lb/net/loop.h"
#include "lb/net/signal_watcher.h"
#include "lb/net/timer.h"
#include "sim/scenario/image_builder.h"
#include "sim/scenario/tier.h"
#include "sim/world/ground.h"

namespace rr::sim {
namespace {

/// How often it is looked at whether a wait is over.
constexpr Duration kLook = std::chrono::milliseconds(10);

class ProcessStage final : public Stage {
 public:
  ProcessStage(const Scenario& scenario, const RealStage& wanted, StateLayout layout)
      : scenario_(scenario),
        wanted_(wanted),
        layout_(std::move(layout)),
        look_(loop_, [this] { look(); }),
        on_int_(loop_, SIGINT, [this] { end(Error{"interrupted"}); }),
        on_term_(loop_, SIGTERM, [this] { end(Error{"interrupted"}); }) {}

  Played play() {
    if (const Status started = start(); !started) {
      played_.failure = started.error();
      return std::move(played_);
    }
    look();
    loop_.run();
    tier_.reset();
    return std::move(played_);
  }

  const RegionState& region() const override { return tier_->region(); }
  Time now() const override { return tier_->now(); }
  const std::vector<JournalLine>& journal() const override { return lines_; }

  Status fault(const CauseFault& fault) override {
    return done(tier_->fault({fault.kind, fault.target, fault.amount, ""}));
  }
  Status heal(const std::string& target) override { return done(tier_->heal(target)); }
  Status scale(int capacity) override { return done(tier_->scale(capacity)); }
  Status refresh(const std::string& commit) override {
    ImageSource source;
    source.commit = commit;
    source.build = "2";
    source.name = "rr-webapp";
    source.program = wanted_.webapp_program;
    source.command = webapp_flags();
    const Result<Image> image = build_image(layout_.images(), source, loop_.now());
    if (!image) return image.error();
    if (const Status made = done(tier_->register_image(*image)); !made) return made;
    return done(tier_->refresh(image->id.value, StartInstanceRefresh{}));
  }

 private:
  static Status done(const Outcome& outcome) {
    if (!outcome) return Error{outcome.error().message};
    return Ok{};
  }

  Status start() {
    const Result<GroundChoice> ground = choose_ground(GroundKind::kPlain);
    if (!ground) return ground.error();
    TierOptions options;
    options.settings = scenario_.settings;
    options.settings.listen = Address::v4(127, 0, 0, 1, 0);
    options.settings.region.speed = wanted_.speed;
    options.settings.seed = wanted_.seed;
    options.settings.commit = "first";
    options.settings.build = "1";
    options.layout = layout_;
    options.caller_folder = layout_.folder;
    options.lb_program = wanted_.lb_program;
    options.webapp_program = wanted_.webapp_program;
    options.ground = *ground;
    TierEvents events;
    events.on_journal = [this](const JournalLine& line) { lines_.push_back(line); };
    events.on_diagnosis = [this](const std::string&, const std::string& sentence, const std::vector<std::string>&) {
      end(Error{sentence});
    };
    auto tier = Tier::start(loop_, std::move(options), std::move(events));
    if (!tier) return tier.error();
    tier_ = std::move(*tier);
    player_.emplace(scenario_, *this);
    return Ok{};
  }

  void look() {
    if (ending_) return;
    if (player_->go_on()) return end(player_->failure());
    look_.arm(kLook);
  }

  void end(std::optional<Error> failure) {
    if (ending_ || !tier_) return;
    ending_ = true;
    played_ = {player_->done(), lines_, std::move(failure)};
    tier_->stop(false, [this] { loop_.stop(); });
  }

  const Scenario& scenario_;
  const RealStage wanted_;
  StateLayout layout_;
  Loop loop_;
  Timer look_;
  SignalWatcher on_int_;
  SignalWatcher on_term_;
  std::vector<JournalLine> lines_;
  Played played_;
  std::unique_ptr<Tier> tier_;
  std::optional<Player> player_;
  bool ending_ = false;
};

}  // namespace

Played play_real(const Scenario& scenario, const RealStage& stage) {
  std::error_code none;
  std::string folder = std::filesystem::temp_directory_path(none) / "rr-play-XXXXXX";
  if (none || ::mkdtemp(folder.data()) == nullptr) {
    return {
        {}, {}, Error{fmt::format("TMPDIR, for the tier's folder: {}", none ? none.message() : std::strerror(errno))}};
  }
  const StateLayout layout(folder);
  Played played;
  {
    Result<StateLock> lock = StateLock::take(layout, "rr-sim scenario");
    if (!lock) return {{}, {}, lock.error()};
    played = ProcessStage(scenario, stage, layout).play();
  }
  remove_folder(folder);
  return played;
}

}  // namespace rr::sim
