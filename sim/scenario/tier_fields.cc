#include "sim/scenario/tier_fields.h"

#include <fmt/format.h>

#include "sim/scenario/version_from.h"
#include "sim/scenario/zone_list.h"

namespace rr::sim {
namespace {

SettingField listen_field() {
  return {"listen", "The front: where clients connect. Port 0: the kernel chooses, and it is printed.",
          [](const TierSettings& s) { return format_address(s.listen); },
          [](TierSettings& s, const std::string& text) -> Wrong {
            const Result<Address> read = parse_address(text);
            if (!read) return "a numeric address with a port is right, such as 127.0.0.1:8080";
            s.listen = *read;
            return std::nullopt;
          }};
}

SettingField ground_field() {
  return {"ground", "What the processes stand on: namespaces (a machine of its own for each instance), plain, or auto.",
          [](const TierSettings& s) { return s.ground ? std::string(to_string(*s.ground)) : std::string("auto"); },
          [](TierSettings& s, const std::string& text) -> Wrong {
            if (text == "auto") {
              s.ground.reset();
            } else if (text == "namespaces") {
              s.ground = GroundKind::kNamespaces;
            } else if (text == "plain") {
              s.ground = GroundKind::kPlain;
            } else {
              return "namespaces, plain or auto is right";
            }
            return std::nullopt;
          }};
}

}  // namespace

std::vector<SettingField> tier_fields() {
  return {
      listen_field(),
      ground_field(),
      {"speed", "Divides what the control plane waits for, and nothing that a request meets (status tells which).",
       [](const TierSettings& s) { return fmt::format("{}", s.region.speed); },
       [](TierSettings& s, const std::string& text) { return read_number(text, false, "10", s.region.speed); }},
      {"load", "Open-loop requests a second to the front, from the start. 0: none.",
       [](const TierSettings& s) { return fmt::format("{}", s.load); },
       [](TierSettings& s, const std::string& text) { return read_number(text, true, "20", s.load); }},
      {"seed", "Decides ids and ties; the same seed gives the same ids. random: another one each time.",
       [](const TierSettings& s) { return s.seed ? std::to_string(*s.seed) : std::string("random"); },
       [](TierSettings& s, const std::string& text) -> Wrong {
         if (text == "random") {
           s.seed.reset();
           return std::nullopt;
         }
         Wrong wrong =
             read_integer(text, 0, 1'000'000'000'000, [&](long v) { s.seed = static_cast<std::uint64_t>(v); });
         return wrong ? *wrong + ", or random" : wrong;
       }},
  };
}

std::vector<SettingField> app_fields() {
  return {
      plain_text("app.command",
                 "The user's own program, e.g. 'node server.js'; {port} is substituted. Empty: rr-webapp.",
                 [](TierSettings& s) -> std::string& { return s.app; }),
      plain_text("app.folder", "Where it runs. Empty: the folder that rr-sim is started in.",
                 [](TierSettings& s) -> std::string& { return s.app_folder; }),
      plain_text("app.commit", "Commit of the first image. Empty: HEAD of the current folder's git checkout.",
                 [](TierSettings& s) -> std::string& { return s.commit; }),
      plain_text("app.build", "Build number of the first image. Empty: counted in the state folder.",
                 [](TierSettings& s) -> std::string& { return s.build; }),
      {"app.version_from", "Where a release reads the commit from an answer: path[:/version], header:NAME, or none.",
       [](const TierSettings& s) { return format_version_from(s.version_from); },
       [](TierSettings& s, const std::string& text) -> Wrong {
         const Result<VersionFrom> read = parse_version_from(text);
         if (!read) return "path, path:/version, header:NAME or none is right";
         s.version_from = *read;
         return std::nullopt;
       }},
  };
}

std::vector<SettingField> region_fields() {
  using S = TierSettings;
  return {
      name("region.name", "", [](S& s) -> std::string& { return s.region.name; }),
      duration("region.launch_time", "EC2's pending until running: a measured average.",
               [](S& s) -> Duration& { return s.region.launch_time; }),
      duration("region.sweep_interval", "How often the group looks at the health of its instances (AWS does not say).",
               [](S& s) -> Duration& { return s.region.sweep_interval; }),
      duration("region.rebalance_interval",
               "How often a launch is tried in a zone that has too few (AWS does not say).",
               [](S& s) -> Duration& { return s.region.rebalance_interval; }),
      duration("region.launch_retry", "After a failed launch; doubles up to launch_retry_most.",
               [](S& s) -> Duration& { return s.region.launch_retry; }),
      duration("region.launch_retry_most", "", [](S& s) -> Duration& { return s.region.launch_retry_most; }),
      duration("region.node_check_interval", "The check that decides whether a node is in DNS, as Route 53's.",
               [](S& s) -> Duration& { return s.region.node_check_interval; }),
      integer("region.node_check_threshold", "Failures in a row until it leaves, passes until it is back.", 1, 10,
              [](S& s) -> int& { return s.region.node_check_threshold; }),
      duration("region.node_check_timeout", "", [](S& s) -> Duration& { return s.region.node_check_timeout; }),
      duration("region.node_start_retry", "Until a load-balancer node that died is started again; doubles up to _most.",
               [](S& s) -> Duration& { return s.region.node_start_retry; }),
      duration("region.node_start_retry_most", "", [](S& s) -> Duration& { return s.region.node_start_retry_most; }),
      duration("region.release_timeout", "For each phase of a release by doubling.",
               [](S& s) -> Duration& { return s.region.release_timeout; }),
      duration("region.release_question_interval", "Between two questions which commit is answered.",
               [](S& s) -> Duration& { return s.region.release_question_interval; }),
      duration("region.refresh_timeout", "An instance refresh that makes no progress for so long fails.",
               [](S& s) -> Duration& { return s.region.refresh_timeout; }),
      duration("region.terminated_visible", "How long a terminated instance is still shown.",
               [](S& s) -> Duration& { return s.region.terminated_visible; }),
      boolean("region.terminate_when_drained",
              "true: an instance ends as soon as its requests have ended, not after the whole deregistration delay.",
              [](S& s) -> bool& { return s.region.terminate_when_drained; }),
      zones_field(),
  };
}

}  // namespace rr::sim
