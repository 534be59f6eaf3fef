#include "deploy/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace rr::deploy {
namespace {

// A terminal's, where nobody made it wider. The lines of examples are commands, and stay whole.
// not a setting: how wide text is for people
constexpr std::size_t kColumns = 80;

/// Insertions, deletions and replacements from one to the other.
std::size_t distance(const std::string& from, const std::string& to) {
  std::vector<std::size_t> row(to.size() + 1);
  for (std::size_t at = 0; at <= to.size(); ++at) row[at] = at;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::size_t corner = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t change = corner + (from[i - 1] == to[j - 1] ? 0 : 1);
      corner = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[to.size()];
}

bool may_be_left_out(const std::string& argument) { return argument[0] == '['; }
bool is_rest(const std::string& argument) { return argument.rfind("[--", 0) == 0; }

std::string usage_of(const CommandSpec& command) {
  std::string usage = "rr-deploy " + command.name;
  for (const std::string& argument : command.arguments) {
    if (!is_rest(argument)) usage += " " + argument;
  }
  if (!command.flags.empty()) usage += " [FLAGS]";
  if (!command.arguments.empty() && is_rest(command.arguments.back())) usage += " " + command.arguments.back();
  return usage;
}

bool is_url(const std::string& text) {
  for (const std::string scheme : {"http://", "https://"}) {
    if (text.starts_with(scheme) && text.size() > scheme.size()) return true;
  }
  return false;
}

const FlagSpec* find_flag(const std::vector<FlagSpec>& flags, const std::string& word) {
  for (const FlagSpec& flag : flags) {
    if (flag.name == word || (flag.letter != 0 && word == std::string{'-', flag.letter})) return &flag;
  }
  return nullptr;
}

Error unknown_flag(const CommandSpec& command, const std::string& word) {
  std::vector<std::string> known;
  for (const FlagSpec& flag : command.flags) known.push_back(flag.name);
  if (const auto meant = nearest(word, known))
    return Error{fmt::format("{}: there is no such flag; is {} meant?", word, *meant)};
  return Error{fmt::format("{}: there is no such flag; `rr-deploy {} --help` lists them", word, command.name)};
}

}  // namespace

std::string Arguments::value(const std::string& flag, const std::string& otherwise) const {
  const auto at = flags_.find(flag);
  return at == flags_.end() ? otherwise : at->second;
}

std::string wrapped(const std::string& text, std::size_t indent) {
  std::string lines, line;
  const auto end_line = [&] {
    lines += line;
    line = "\n" + std::string(indent, ' ');
  };
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    const std::size_t width = line.size() - (line.rfind('\n', 0) == 0 ? 1 : 0);
    if (width + (end - at) > kColumns && width > indent) {
      while (!line.empty() && line.back() == ' ') line.pop_back();
      end_line();
    }
    line += text.substr(at, end - at);
    at = end;
    if (at < text.size() && text[at] == '\n') {
      end_line();
    } else if (at < text.size()) {
      line += ' ';
    }
    ++at;
  }
  return lines + line;
}

std::optional<std::string> nearest(const std::string& word, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& name : known) {
    const std::size_t away = distance(word, name);
    if (away < least) {
      least = away;
      best = name;
    }
  }
  return best;
}

Result<Arguments> CommandSpec::parse(const std::vector<std::string>& words) const {
  Arguments read;
  for (std::size_t at = 0; at < words.size(); ++at) {
    const std::string& word = words[at];
    if (word == "--") {
      if (arguments.empty() || !is_rest(arguments.back())) return Error{"--: this command takes nothing behind it"};
      read.rest_.assign(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end());
      break;
    }
    if (word.size() < 2 || word[0] != '-') {
      read.words_.push_back(word);
      continue;
    }
    const std::size_t equals = word.rfind("--", 0) == 0 ? word.find('=') : std::string::npos;
    const FlagSpec* flag = find_flag(flags, word.substr(0, equals));
    if (flag == nullptr) return unknown_flag(*this, word.substr(0, equals));
    if (flag->value.empty()) {
      if (equals != std::string::npos) return Error{fmt::format("{}: it takes no value", flag->name)};
      read.flags_[flag->name] = "";
    } else if (equals != std::string::npos) {
      read.flags_[flag->name] = word.substr(equals + 1);
    } else if (at + 1 < words.size()) {
      read.flags_[flag->name] = words[++at];
    } else {
      return Error{fmt::format("{}: {} is missing behind it", flag->name, flag->value)};
    }
    if (!flag->value.empty() && read.flags_[flag->name].empty())
      return Error{fmt::format("{}: {} is empty", flag->name, flag->value)};
    if (flag->value == "URL" && !is_url(read.flags_[flag->name]))
      return Error{fmt::format("{} {}: http://HOST or https://HOST is right", flag->name, read.flags_[flag->name])};
  }
  const auto wanted = static_cast<std::size_t>(std::count_if(
      arguments.begin(), arguments.end(), [](const auto& argument) { return !may_be_left_out(argument); }));
  const auto most = static_cast<std::size_t>(
      std::count_if(arguments.begin(), arguments.end(), [](const auto& argument) { return !is_rest(argument); }));
  if (read.words_.size() < wanted)
    return Error{fmt::format("{} is missing: {}", arguments[read.words_.size()], usage_of(*this))};
  if (read.words_.size() > most)
    return Error{fmt::format("{}: one word too many: {}", read.words_[most], usage_of(*this))};
  return read;
}

std::string CommandSpec::help() const {
  std::string text = fmt::format("usage: {}\n\n{}\n", usage_of(*this), wrapped(summary, 0));
  if (!more.empty()) text += "\n" + wrapped(more, 0) + "\n";
  if (!flags.empty()) text += "\nFlags:\n";
  for (const FlagSpec& flag : flags) {
    const std::string letter = flag.letter != 0 ? fmt::format("-{}, ", flag.letter) : "";
    const std::string head = letter + flag.name + (flag.value.empty() ? "" : " " + flag.value);
    text += wrapped(fmt::format("  {:<22} {}", head, flag.help), 25) + "\n";
  }
  if (!examples.empty()) text += "\nExamples:\n";
  for (const auto& [line, meaning] : examples) {
    text += "  " + line + "\n";
    if (!meaning.empty()) text += wrapped("      " + meaning, 6) + "\n";
  }
  return text;
}

int fail(const CommandSpec& command, int code, const std::string& message) {
  std::fflush(stdout);
  const std::string line = fmt::format("rr-deploy {}: {}", command.name, message);
  fmt::print(stderr, "{}\n", ::isatty(STDERR_FILENO) == 1 ? wrapped(line, 2) : line);
  return code;
}

std::vector<FlagSpec> with_common_flags(std::vector<FlagSpec> flags) {
  const std::vector<FlagSpec> common = {
      {"--settings", "FILE",
       "the environment's settings (default deploy/settings/ENVIRONMENT.yaml of this checkout, else"},
      // not a setting: it is said in a help text
      {"--name", "NAME", "what Parameter Store keeps for NAME; default round-robin)"},
      {"--region", "REGION", "default: AWS_REGION, the settings, the profile"},
      {"--profile", "PROFILE", "of ~/.aws; it wins over the environment"},
      {"--json", "", "the result as one JSON document on standard output; people read standard error"},
  };
  flags.insert(flags.end(), common.begin(), common.end());
  return flags;
}

}  // namespace rr::deploy
