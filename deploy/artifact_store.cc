#include "deploy/artifact_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "deploy/bundle.h"
#include "deploy/process.h"

namespace rr::deploy {
namespace {

// One upload in one request; S3 takes 5 GiB so, and this program holds it in memory.
constexpr std::uintmax_t kMostBytes = std::uintmax_t{512} << 20;

bool is_hash(const std::string& text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char letter) {
           return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
         });
}

bool is_plain(char letter) {
  return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         std::string_view("._-/").find(letter) != std::string_view::npos;
}

Result<std::string> hash_of(const std::string& file) {
  const auto output = run_and_collect({"sha256sum", "--", file});
  if (!output) return Error{fmt::format("{}: {}", file, output.error().message)};
  return output->substr(0, 64);
}

/// "/bucket/key" of "s3://bucket/key".
std::string path_of(const std::string& url) { return "/" + percent_encoded(url.substr(5), true); }

/// An object that lies there already. What is wrong with it, the instances would only find out one after another, until
/// the deadline.
Result<ArtifactLane> object_of(Context& context, const std::string& url) {
  const std::string name = std::filesystem::path(url).filename().string();
  const std::string hash = name.substr(0, name.find('.'));
  if (!is_hash(hash))
    return Error{fmt::format("{}: an object that is named by its SHA-256 is right, as this command names them", url)};
  // It goes into a script that runs on every instance.
  if (!std::all_of(url.begin() + 5, url.end(), is_plain))
    return Error{fmt::format("{}: letters, digits, '.', '_', '-' and '/' are right in its name", url)};
  const auto found = context.client->call(s3_call("HeadObject", "HEAD", path_of(url)));
  if (!found) return Error{fmt::format("{}: it cannot be read: {}", url, found.error().message)};
  return ArtifactLane{url, hash};
}

}  // namespace

Result<ArtifactLane> find_artifact(Context& context, const std::string& file) {
  if (file.rfind("s3://", 0) == 0) return object_of(context, file);
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error) return Error{fmt::format("--artifact {}: {}", file, error.message())};
  if (size > kMostBytes) return Error{fmt::format("--artifact {}: {} MiB at most is right", file, kMostBytes >> 20)};
  if (const Status right = check_bundle(context.settings, file); !right) return right.error();
  auto hash = hash_of(file);
  if (!hash) return hash.error();
  const auto identity = ask<Identity>(context, GetCallerIdentity{});
  if (!identity) return identity.error();
  const auto& where = in_account(context.settings, identity->account).artifacts;
  return ArtifactLane{fmt::format("s3://{}/{}/{}.tar.gz", where.bucket, where.prefix, *hash), *hash};
}

Status store_artifact(Context& context, const std::string& file, const ArtifactLane& artifact) {
  if (file == artifact.url) return Ok{};  // it lies there
  ApiCall put = s3_call("PutObject", "PUT", path_of(artifact.url));
  put.request.body = read_whole_file(file).value_or("");
  // not a setting: how long this client waits for an upload
  put.request.timeout = std::chrono::minutes(10);
  put.request.headers = {{"Content-Type", "application/gzip"}, {"x-amz-content-sha256", artifact.sha256}};
  const auto stored = context.client->call(put);
  if (!stored) return Error{fmt::format("{}: {}", artifact.url, stored.error().message)};
  return Ok{};
}

}  // namespace rr::deploy
