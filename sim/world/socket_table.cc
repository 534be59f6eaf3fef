#include "sim/world/socket_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "sim/keeper/process_tree.h"

namespace rr::sim {

namespace {

constexpr std::string_view kListening = "0A";

template <class Number>
bool read_hex(std::string_view text, Number& number) {
  return std::from_chars(text.data(), text.data() + text.size(), number, 16).ec == std::errc{};
}

/// "0100007F:1F90": 32-bit words in the machine's byte order, then the port.
bool parse_local(std::string_view text, Address& address) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon % 8 != 0 || colon > 32) return false;
  for (std::size_t word = 0; word < colon / 8; ++word) {
    std::uint32_t value = 0;
    if (!read_hex(text.substr(word * 8, 8), value)) return false;
    std::memcpy(address.ip.data() + word * 4, &value, sizeof value);
  }
  return read_hex(text.substr(colon + 1), address.port);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void add_inodes(int pid, std::set<std::uint64_t>& inodes) {
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid), error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::error_code unreadable;
    const std::string link = std::filesystem::read_symlink(entry->path(), unreadable).string();
    if (link.starts_with("socket:[")) inodes.insert(std::strtoull(link.c_str() + 8, nullptr, 10));
  }
}

int parent_of(int pid) {
  pid_t parent = 0;
  char state = 0;
  return parse_stat(read_file(fmt::format("/proc/{}/stat", pid)), parent, state) ? parent : 0;
}

}  // namespace

std::vector<TableSocket> parse_socket_table(std::string_view text, Address::Family family) {
  std::vector<TableSocket> sockets;
  std::istringstream lines{std::string(text)};
  std::string line;
  std::getline(lines, line);  // headings
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string slot, local, remote, state, queues, timer, retransmits, user, timeout;
    TableSocket socket;
    socket.address.family = family;
    if (!(fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >>
          socket.inode)) {
      continue;
    }
    if (state == kListening && parse_local(local, socket.address)) sockets.push_back(socket);
  }
  return sockets;
}

std::vector<Address> listening_sockets(int pid) {
  const int init = parent_of(pid);
  if (pid <= 0 || init <= 1) return {};
  std::set<std::uint64_t> inodes;
  for (const pid_t one : descendants(init)) add_inodes(one, inodes);
  std::set<Address> found;
  const auto add = [&](const char* table, Address::Family family) {
    for (const TableSocket& socket :
         parse_socket_table(read_file(fmt::format("/proc/{}/net/{}", pid, table)), family)) {
      if (inodes.contains(socket.inode)) found.insert(socket.address);
    }
  };
  add("tcp", Address::Family::kV4);
  add("tcp6", Address::Family::kV6);
  return {found.begin(), found.end()};
}

}  // namespace rr::sim
