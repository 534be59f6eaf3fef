#include "deploy/artifact_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

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

/// What the instances would only find out one after another, until the deadline.
Status find_object(Context& context, const std::string& url) {
  const auto found = context.client->call(s3_call("HeadObject", "HEAD", "/" + percent_encoded(url.substr(5), true)));
  if (!found) return Error{fmt::format("{}: it cannot be read: {}", url, found.error().message)};
  return Ok{};
}

}  // namespace

Result<ArtifactLane> store_artifact(Context& context, const std::string& file) {
  if (file.rfind("s3://", 0) == 0) {
    const std::string name = std::filesystem::path(file).filename().string();
    const std::string hash = name.substr(0, name.find('.'));
    if (!is_hash(hash))
      return Error{
          fmt::format("{}: an object that is named by its SHA-256 is right, as this command names them", file)};
    // It goes into a script that runs on every instance.
    if (!std::all_of(file.begin() + 5, file.end(), is_plain))
      return Error{fmt::format("{}: letters, digits, '.', '_', '-' and '/' are right in its name", file)};
    if (const Status found = find_object(context, file); !found) return found.error();
    return ArtifactLane{file, hash};
  }
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error) return Error{fmt::format("--artifact {}: {}", file, error.message())};
  if (size > kMostBytes) return Error{fmt::format("--artifact {}: {} MiB at most is right", file, kMostBytes >> 20)};
  auto hash = hash_of(file);
  if (!hash) return hash.error();
  const auto identity = ask<Identity>(context, GetCallerIdentity{});
  if (!identity) return identity.error();
  const auto& where = in_account(context.settings, identity->account).artifacts;
  const std::string key = fmt::format("{}/{}.tar.gz", where.prefix, *hash);
  ApiCall put = s3_call("PutObject", "PUT", fmt::format("/{}/{}", where.bucket, percent_encoded(key, true)));
  put.request.body = read_whole_file(file).value_or("");
  // not a setting: how long this client waits for an upload
  put.request.timeout = std::chrono::minutes(10);
  put.request.headers = {{"Content-Type", "application/gzip"}, {"x-amz-content-sha256", *hash}};
  const auto stored = context.client->call(put);
  if (!stored) return Error{fmt::format("s3://{}/{}: {}", where.bucket, key, stored.error().message)};
  return ArtifactLane{fmt::format("s3://{}/{}", where.bucket, key), *hash};
}

}  // namespace rr::deploy
