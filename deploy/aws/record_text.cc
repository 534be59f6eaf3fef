#include "deploy/aws/record_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace rr::deploy {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

Json time_json(const std::optional<Time>& time) { return time ? Json(format_iso8601(*time, 0)) : Json(nullptr); }

std::string text_of(const Json& document, const char* key) {
  const auto found = document.find(key);
  return found != document.end() && found->is_string() ? found->get<std::string>() : "";
}

int number_of(const Json& document, const char* key) {
  const auto found = document.find(key);
  return found != document.end() && found->is_number_integer() ? found->get<int>() : 0;
}

std::optional<Time> time_of(const Json& document, const char* key) {
  const auto time = parse_iso8601(text_of(document, key));
  return time ? std::optional(*time) : std::nullopt;
}

std::vector<std::string> texts_of(const Json& document, const char* key) {
  std::vector<std::string> texts;
  if (!document.contains(key) || !document[key].is_array()) return texts;
  for (const Json& one : document[key]) {
    if (one.is_string()) texts.push_back(one.get<std::string>());
  }
  return texts;
}

Json released_json(const Released& released) {
  Json document = {{"version", released.version}, {"ami", released.image}};
  if (!released.artifact.empty()) document["artifact"] = released.artifact;
  document["commit"] = released.commit;
  document["build"] = released.build;
  document["at"] = time_json(released.at);
  return document;
}

Released released_of(const Json& parent, const char* key) {
  Released released;
  if (!parent.contains(key) || !parent[key].is_object()) return released;
  const Json& document = parent[key];
  released.version = text_of(document, "version");
  released.image = text_of(document, "ami");
  released.artifact = text_of(document, "artifact");
  released.commit = text_of(document, "commit");
  released.build = text_of(document, "build");
  released.at = time_of(document, "at");
  return released;
}

Json lane_json(const Lane& lane) {
  if (const auto* image = std::get_if<ImageLane>(&lane)) return {{"image", image->image}};
  const auto& artifact = std::get<ArtifactLane>(lane);
  return {{"artifact", artifact.url}, {"sha256", artifact.sha256}};
}

Lane lane_of(const Json& parent) {
  if (!parent.contains("lane") || !parent["lane"].is_object()) return ImageLane{};
  const Json& document = parent["lane"];
  if (document.contains("artifact")) return ArtifactLane{text_of(document, "artifact"), text_of(document, "sha256")};
  return ImageLane{text_of(document, "image")};
}

Result<Json> document_of(const std::string& text, const char* what) {
  Json document = Json::parse(text, nullptr, false);
  if (!document.is_object())
    return Error{fmt::format("the {} is not the JSON that rr-deploy writes: {:.60}", what, text)};
  const auto format = document.find("format");
  if (format == document.end() || !format->is_number_integer() || format->get<int>() > kVersion) {
    return Error{fmt::format("the {} was written by a newer rr-deploy: use that one", what)};
  }
  return document;
}

}  // namespace

std::string job_text(const Job& job) {
  Json document = {{"format", kVersion},
                   {"job", job.id},
                   {"token", job.token},
                   {"kind", to_string(job.kind)},
                   {"strategy", to_string(job.strategy)},
                   {"owner", job.owner},
                   {"host", job.host},
                   {"process", job.process},
                   {"started", time_json(job.started)},
                   {"lane", lane_json(job.lane)},
                   {"from", released_json(job.from)},
                   {"to", released_json(job.to)}};
  if (!job.refresh_before.empty()) document["refresh_before"] = job.refresh_before;
  if (job.turned) {
    document["turned"] = true;
    document["why"] = job.why.substr(0, 300);
  }
  if (job.strategy == Strategy::kDouble) {
    document["desired"] = job.desired;
    document["zones"] = job.zones;
    document["driven_seconds"] = std::chrono::duration_cast<std::chrono::seconds>(job.driven).count();
    document["leaving"] = job.leaving;
    document["suspended"] = job.suspended;
  }
  return document.dump();
}

Result<Job> parse_job(const std::string& text) {
  const auto read = document_of(text, "lock");
  if (!read) return read.error();
  const Json& document = *read;
  Job job;
  job.id = text_of(document, "job");
  job.token = text_of(document, "token");
  job.kind = text_of(document, "kind") == to_string(JobKind::kRollback) ? JobKind::kRollback : JobKind::kRelease;
  job.strategy = text_of(document, "strategy") == to_string(Strategy::kDouble) ? Strategy::kDouble : Strategy::kRefresh;
  job.owner = text_of(document, "owner");
  job.host = text_of(document, "host");
  job.process = text_of(document, "process");
  job.started = time_of(document, "started");
  job.lane = lane_of(document);
  job.from = released_of(document, "from");
  job.to = released_of(document, "to");
  job.turned = document.value("turned", Json(false)) == Json(true);
  job.why = text_of(document, "why");
  job.refresh_before = text_of(document, "refresh_before");
  job.desired = number_of(document, "desired");
  job.zones = number_of(document, "zones");
  job.driven = std::chrono::seconds(number_of(document, "driven_seconds"));
  job.leaving = texts_of(document, "leaving");
  job.suspended = texts_of(document, "suspended");
  return job;
}

std::string record_text(const Record& record) {
  Json document = {
      {"format", kVersion}, {"outcome", to_string(record.outcome)}, {"current", released_json(record.current)}};
  document["previous"] = record.previous ? released_json(*record.previous) : Json(nullptr);
  if (record.left) document["left"] = released_json(*record.left);
  if (!record.why.empty()) document["why"] = record.why.substr(0, 500);
  document["by"] = record.by;
  document["at"] = time_json(record.at);
  return document.dump();
}

Result<Record> parse_record(const std::string& text) {
  const auto read = document_of(text, "release record");
  if (!read) return read.error();
  const Json& document = *read;
  Record record;
  const std::string outcome = text_of(document, "outcome");
  for (const Outcome one : {Outcome::kReleased, Outcome::kRolledBack, Outcome::kBroken}) {
    if (outcome == to_string(one)) record.outcome = one;
  }
  record.current = released_of(document, "current");
  if (document.contains("previous") && document["previous"].is_object())
    record.previous = released_of(document, "previous");
  if (document.contains("left") && document["left"].is_object()) record.left = released_of(document, "left");
  record.why = text_of(document, "why");
  record.by = text_of(document, "by");
  record.at = time_of(document, "at");
  return record;
}

}  // namespace rr::deploy
