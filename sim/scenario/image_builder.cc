#include "sim/scenario/image_builder.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

namespace rr::sim {
namespace fs = std::filesystem;
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    RR_CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1, "SHA-256 is not available");
  }
  void add(std::string_view bytes) {
    RR_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "SHA-256 failed");
  }
  // A field with its length before it, so that two fields never read as one.
  void add_field(std::string_view bytes) {
    add(fmt::format("{}:", bytes.size()));
    add(bytes);
  }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    RR_CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1, "SHA-256 failed");
    std::string out;
    for (unsigned i = 0; i < size; ++i) out += fmt::format("{:02x}", digest[i]);
    return out;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

Result<Ok> add_file(Sha256& hash, const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Error{fmt::format("{}: cannot be read: {}", file.string(), std::strerror(errno))};
  std::error_code error;
  hash.add(fmt::format("{}:", fs::file_size(file, error)));
  std::array<char, 65536> buffer{};
  while (stream.read(buffer.data(), buffer.size()) || stream.gcount() > 0) {
    hash.add({buffer.data(), static_cast<std::size_t>(stream.gcount())});
  }
  return Ok{};
}

bool is_executable(const fs::path& file) { return ::access(file.c_str(), X_OK) == 0; }

// Every entry by its path, in order: kind, whether it can be executed, contents.
Result<Ok> add_folder(Sha256& hash, const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    entries.push_back(at->path());
  }
  if (error) return Error{fmt::format("{}: cannot be read: {}", folder.string(), error.message())};
  std::sort(entries.begin(), entries.end());
  for (const fs::path& entry : entries) {
    hash.add_field(entry.lexically_relative(folder).string());
    if (fs::is_symlink(entry)) {
      hash.add_field("link to " + fs::read_symlink(entry, error).string());
    } else if (fs::is_directory(entry)) {
      hash.add_field("folder");
    } else if (fs::is_regular_file(entry)) {
      hash.add_field(is_executable(entry) ? "program" : "file");
      if (auto status = add_file(hash, entry); !status) return status;
    } else {
      return Error{fmt::format("{}: is neither file, folder nor link: an image cannot hold it", entry.string())};
    }
  }
  return Ok{};
}

Result<std::string> content_hash(const ImageSource& source) {
  Sha256 hash;
  if (!source.program.empty()) {
    hash.add_field("program");
    if (auto status = add_file(hash, source.program); !status) return status.error();
  } else if (!source.folder.empty()) {
    hash.add_field("folder");
    if (auto status = add_folder(hash, source.folder); !status) return status.error();
  } else {
    hash.add_field("in place");
    hash.add_field(source.run_in);
  }
  for (const std::string& part : source.command) hash.add_field(part);
  hash.add_field(source.commit);
  hash.add_field(source.build);
  return hash.hex();
}

// Nothing in an image is ever written again.
void make_read_only(const fs::path& folder) {
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->is_symlink(error)) continue;
    const bool runs = at->is_directory(error) || is_executable(at->path());
    ::chmod(at->path().c_str(), runs ? 0555 : 0444);
  }
  ::chmod(folder.c_str(), 0555);
}

// Copied beside its place and moved there when whole: a half image is never seen.
Result<Ok> place(const ImageSource& source, const fs::path& folder) {
  std::error_code error;
  const fs::path half = folder.string() + ".half";
  fs::remove_all(half, error);
  fs::create_directories(half, error);
  if (!error && !source.program.empty()) {
    fs::copy_file(source.program, half / fs::path(source.program).filename(), error);
  } else if (!error && !source.folder.empty()) {
    fs::copy(source.folder, half, fs::copy_options::recursive | fs::copy_options::copy_symlinks, error);
  }
  if (error) return Error{fmt::format("{}: cannot be copied into an image: {}", folder.string(), error.message())};
  fs::rename(half, folder, error);
  if (error) return Error{fmt::format("{}: cannot be made: {}", folder.string(), error.message())};
  make_read_only(folder);
  return Ok{};
}

Status check_source(const ImageSource& source) {
  if (!source.program.empty() && !is_executable(source.program)) {
    return Error{
        fmt::format("{}: is no program; build it (cmake --build build), or give --from DIR --app CMD", source.program)};
  }
  if (!source.folder.empty() && !fs::is_directory(source.folder)) {
    return Error{fmt::format("--from {}: is no folder; the folder that holds the program is right", source.folder)};
  }
  return Ok{};
}

}  // namespace

Result<Image> build_image(const std::string& images, const ImageSource& source, Time now) {
  if (Status status = check_source(source); !status) return status.error();
  const Result<std::string> hash = content_hash(source);
  if (!hash) return hash.error();
  Image image;
  image.id = ImageId{"ami-" + hash->substr(0, 17)};
  image.name = source.name;
  image.commit = source.commit;
  image.build = source.build;
  image.command = source.command;
  image.created = now;
  if (source.program.empty() && source.folder.empty()) {
    image.folder = source.run_in;
    return image;
  }
  const fs::path folder = fs::path(images) / image.id.value;
  image.folder = folder.string();
  if (!source.program.empty()) {
    image.command.insert(image.command.begin(), (folder / fs::path(source.program).filename()).string());
  }
  std::error_code error;
  fs::create_directories(images, error);
  if (fs::exists(folder, error)) return image;
  if (Status status = place(source, folder); !status) return status.error();
  return image;
}

std::string git_commit(const std::string& folder) {
  const std::string command = fmt::format("git -C '{}' rev-parse HEAD 2>/dev/null", [&] {
    std::string quoted;
    for (const char c : folder) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted;
  }());
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), &::pclose);
  std::array<char, 128> line{};
  if (!pipe || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) return "unknown";
  std::string commit(line.data());
  while (!commit.empty() && (commit.back() == '\n' || commit.back() == '\r')) commit.pop_back();
  const bool hex = commit.size() >= 40 && commit.find_first_not_of("0123456789abcdef") == std::string::npos;
  return hex ? commit : "unknown";
}

std::string find_program(const std::string& name) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (!error && is_executable(self.parent_path() / name)) return (self.parent_path() / name).string();
  const char* path = std::getenv("PATH");
  std::stringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path candidate = fs::path(folder) / name;
    if (!folder.empty() && is_executable(candidate)) return fs::absolute(candidate, error).string();
  }
  return "";
}

std::vector<std::string> webapp_flags() { return {"--lame-duck", "0.2"}; }

std::vector<std::string> shell_command(const std::string& command) { return {"/bin/sh", "-c", command}; }

std::string sha256_hex(const std::string& bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.hex();
}

std::string made_up_commit(const std::string& from) { return sha256_hex("the commit after " + from).substr(0, 40); }

}  // namespace rr::sim
