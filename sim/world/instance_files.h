#pragma once
#include <deque>
#include <string>

#include "lb/base/result.h"

namespace rr::sim {

/// The folders and logs of instances and nodes below a state folder:
///
///     STATE/instances/i-.../   a copy of the image's folder, removed with the instance
///     STATE/nodes/NAME/        a node's working folder
///     STATE/logs/NAME.log      output; the last ones of those that have ended are kept
///     STATE/NAME.sock          a node's control channel
class InstanceFiles {
 public:
  static constexpr std::size_t kKeptLogs = 50;

  /// Makes the folders and removes instances that an earlier run left. The error is one line.
  static Result<InstanceFiles> open(const std::string& state_folder);

  /// A new folder for an instance with what lies in `image_folder` (nothing when that is empty). Programs of a megabyte
  /// and more are linked, because nobody writes into a program, everything else is copied (shared by the file system
  /// where it can), so that an instance can change its files without changing the image.
  Result<std::string> make_instance(const std::string& instance, const std::string& image_folder);
  Result<std::string> make_node(const std::string& node);
  /// Removes an instance's folder and, with time, the oldest logs of those that have ended.
  void end_instance(const std::string& instance);
  std::string log_file(const std::string& name) const;
  std::string socket(const std::string& node) const;

 private:
  explicit InstanceFiles(std::string state) : state_(std::move(state)) {}
  std::string state_;
  std::deque<std::string> ended_;
};

}  // namespace rr::sim
