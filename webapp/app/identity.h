#pragma once
#include <string>

namespace rr::webapp {

/// Who is answering: what the page and /version say. Texts, as the environment gave them; empty where it gave none.
struct Identity {
  std::string host_name;  // "ip-172-31-9-166"
  std::string commit;     // "814d1293e6b73a8810435611c49a52a6033c3545"
  std::string build;      // "28"
  std::string instance;   // "i-0123456789abcdef0"
  std::string zone;       // "eu-west-1a"
  std::string image;      // "ami-0123456789abcdef0"
  bool operator==(const Identity&) const = default;
};

}  // namespace rr::webapp
