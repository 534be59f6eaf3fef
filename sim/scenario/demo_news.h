#pragma once
// What has become different between two looks at a tier, as sentences.
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "sim/console/palette.h"

namespace rr::sim {

struct News {
  std::string text;
  Ink ink = Ink::kPlain;
};

class DemoNews {
 public:
  /// Of instances first, then of nodes; empty when nothing is new. `status`: what the control socket answers at
  /// /status.
  std::vector<News> since_last(const nlohmann::json& status);

 private:
  void say_of_instances(const nlohmann::json& status, std::vector<News>& out);
  void say_who_vanished(const nlohmann::json& status, std::vector<News>& out);
  void say_of_nodes(const nlohmann::json& status, std::vector<News>& out);

  std::map<std::string, std::string> instances_;  // id -> what was last said of it
  std::map<std::string, bool> in_dns_;            // by node
};

}  // namespace rr::sim
