#include "deploy/bundle.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "deploy/process.h"

namespace rr::deploy {
namespace {

constexpr const char* kInstaller = "install";
constexpr const char* kDescription = "bundle.json";
constexpr const char* kApplication = "application/";

std::string without_dot(const std::string& path) { return path.rfind("./", 0) == 0 ? path.substr(2) : path; }

/// As the archive itself calls a member, which may begin with "./"; empty when it is not there.
std::string member_of(const std::string& listing, const std::string& wanted) {
  std::istringstream lines(listing);
  for (std::string line; std::getline(lines, line);) {
    if (without_dot(line) == wanted) return line;
  }
  return "";
}

std::string content_of(const std::string& file, const std::string& member) {
  if (member.empty()) return "";
  const auto content = run_and_collect({"tar", "-xzOf", file, "--", member});
  return content ? *content : "";
}

/// "NAME=value" before a command is the shell's, and so is `exec`.
bool is_program(const std::string& word) {
  const std::size_t equals = word.find('=');
  return word != "exec" && (equals == std::string::npos || word.find('/') < equals);
}

/// The first word of the start command that is a program: "rr-webapp" of "exec ./rr-webapp --log json".
std::string program_of(const std::string& start_command) {
  std::istringstream words(start_command);
  for (std::string word; words >> word;) {
    if (is_program(word)) return without_dot(word);
  }
  return "";
}

/// What a Linux program runs on, by its ELF header (elf(5): e_machine is the half word at 18, in the byte order that
/// the byte at 5 says); empty for everything else, such as a script.
std::string architecture_of(const std::string& program) {
  if (program.size() < 20 || program.rfind("\x7f"
                                           "ELF",
                                           0) != 0)
    return "";
  const auto byte = [&program](std::size_t at) { return static_cast<unsigned char>(program[at]); };
  const bool little = byte(5) == 1;
  const int machine = little ? byte(18) | byte(19) << 8 : byte(19) | byte(18) << 8;
  switch (machine) {
    case 62:
      return "x86_64";
    case 183:
      return "arm64";
    default:
      return fmt::format("a processor that instances do not have (ELF machine {})", machine);
  }
}

std::string described_architecture(const std::string& description) {
  const auto document = nlohmann::json::parse(description, nullptr, false);
  if (!document.is_object()) return "";
  const auto found = document.find("architecture");
  return found != document.end() && found->is_string() ? found->get<std::string>() : "";
}

Status fits(const Settings& settings, const std::string& what, const std::string& found) {
  const std::string& right = settings.instance.architecture;
  if (found.empty() || found == right) return Ok{};
  return Error{fmt::format("{} is for {}, and instances are {} (instance.architecture)", what, found, right)};
}

}  // namespace

Status check_bundle(const Settings& settings, const std::string& file) {
  const std::string named = fmt::format("--artifact {}", file);
  const auto listing = run_and_collect({"tar", "-tzf", file});
  if (!listing) {
    return Error{fmt::format("{}: not a bundle (a tar archive, packed with gzip): {}", named, listing.error().message)};
  }
  if (member_of(*listing, kInstaller).empty()) {
    return Error{
        fmt::format("{}: there is no {} in it, which instances call; packer/bundle puts it there", named, kInstaller)};
  }
  const std::string description = content_of(file, member_of(*listing, kDescription));
  const Status described = fits(settings, named + ": it", described_architecture(description));
  if (!described) return described;
  const std::string program = kApplication + program_of(settings.application.start_command);
  return fits(settings, fmt::format("{}: {} in it", named, program),
              architecture_of(content_of(file, member_of(*listing, program))));
}

}  // namespace rr::deploy
