#include "sim/world/instance_files.h"

#include <fmt/format.h>
#include <sys/un.h>

#include <filesystem>

namespace rr::sim {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLinkedFrom = 1024 * 1024;

Error failed(const std::string& what, const std::error_code& error) {
  return Error{fmt::format("{}: {}", what, error.message())};
}

bool is_program(const fs::directory_entry& entry) {
  const fs::perms executable = fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;
  std::error_code error;
  return (entry.status(error).permissions() & executable) != fs::perms::none && entry.file_size(error) >= kLinkedFrom;
}

void bring(const fs::directory_entry& entry, const fs::path& to, std::error_code& error) {
  if (entry.is_symlink()) return fs::copy_symlink(entry.path(), to, error);
  if (entry.is_directory()) {
    fs::create_directory(to, error);
    return;
  }
  if (!entry.is_regular_file()) return;  // sockets and pipes are nobody's contents
  if (is_program(entry)) {
    fs::create_hard_link(entry.path(), to, error);
    if (!error) return;
    error.clear();  // another file system
  }
  fs::copy_file(entry.path(), to, error);
}

Status copy_folder(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::recursive_directory_iterator entries(from, error);
  if (error) return failed(from.string(), error);
  for (; entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    if (error) return failed(from.string(), error);
    bring(*entries, to / entries->path().lexically_relative(from), error);
    if (error) return failed(fmt::format("copying {} to {}", entries->path().string(), to.string()), error);
  }
  return Ok{};
}

Result<std::string> make_fresh(const std::string& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  fs::create_directories(folder, error);
  if (error) return failed(folder, error);
  return folder;
}

}  // namespace

Result<InstanceFiles> InstanceFiles::open(const std::string& state_folder) {
  std::error_code error;
  const fs::path state = fs::absolute(state_folder, error);
  fs::remove_all(state / "instances", error);
  for (const char* name : {"instances", "nodes", "logs"}) {
    fs::create_directories(state / name, error);
    if (error) return failed((state / name).string(), error);
  }
  constexpr std::size_t kLongestName = 40;
  if (state.string().size() + kLongestName > sizeof(sockaddr_un::sun_path)) {
    return Error{fmt::format("the state folder {} has too long a name for its sockets: choose one of at most {} bytes",
                             state.string(), sizeof(sockaddr_un::sun_path) - kLongestName)};
  }
  return InstanceFiles(state.string());
}

Result<std::string> InstanceFiles::make_instance(const std::string& instance, const std::string& image_folder) {
  auto folder = make_fresh(fmt::format("{}/instances/{}", state_, instance));
  if (!folder || image_folder.empty()) return folder;
  if (Status copied = copy_folder(image_folder, *folder); !copied) return copied.error();
  return folder;
}

Result<std::string> InstanceFiles::make_node(const std::string& node) {
  return make_fresh(fmt::format("{}/nodes/{}", state_, node));
}

void InstanceFiles::end_instance(const std::string& instance) {
  std::error_code error;
  fs::remove_all(fmt::format("{}/instances/{}", state_, instance), error);
  ended_.push_back(instance);
  while (ended_.size() > kKeptLogs) {
    fs::remove(log_file(ended_.front()), error);
    fs::remove(log_file(ended_.front()) + ".1", error);
    ended_.pop_front();
  }
}

std::string InstanceFiles::log_file(const std::string& name) const {
  return fmt::format("{}/logs/{}.log", state_, name);
}
std::string InstanceFiles::socket(const std::string& node) const { return fmt::format("{}/{}.sock", state_, node); }

}  // namespace rr::sim
