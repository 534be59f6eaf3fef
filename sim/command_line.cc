#include "sim/command_line.h"

#include <fmt/format.h>

#include <boost/program_options.hpp>

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "sim/console/screen.h"

namespace rr::sim {

namespace options = boost::program_options;

std::string Arguments::value(const std::string& flag, const std::string& otherwise) const {
  const auto at = flags_.find(flag);
  return at == flags_.end() || at->second.empty() ? otherwise : at->second.back();
}

const std::vector<std::string>& Arguments::values(const std::string& flag) const {
  static const std::vector<std::string> none;
  const auto at = flags_.find(flag);
  return at == flags_.end() ? none : at->second;
}

namespace {

// Insertions, deletions and replacements from one to the other.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t corner = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = corner + (a[i - 1] == b[j - 1] ? 0 : 1);
      corner = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> out;
  std::stringstream stream(text);
  for (std::string word; stream >> word;) out.push_back(word);
  return out;
}

struct Shape {
  std::vector<std::string> needed;
  std::size_t most = 0;
  bool rest = false;
};

Shape shape_of(const std::string& arguments) {
  Shape shape;
  const auto rest = arguments.find("[--");
  shape.rest = rest != std::string::npos;
  for (const std::string& word : split_words(arguments.substr(0, rest))) {
    ++shape.most;
    if (word.front() != '[') shape.needed.push_back(word);
  }
  return shape;
}

options::options_description description_of(const std::vector<FlagSpec>& flags) {
  options::options_description out;
  for (const FlagSpec& flag : flags) {
    const std::string long_name = flag.name.substr(2);
    const std::string both = flag.letter == 0 ? long_name : long_name + "," + flag.letter;
    if (flag.value.empty()) {
      out.add_options()(both.c_str(), "");
    } else {
      out.add_options()(both.c_str(), options::value<std::string>(), "");
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> nearest(const std::string& word, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3);
  for (const std::string& one : known) {
    const std::size_t d = distance(word, one);
    if (d <= best_distance) {
      best = one;
      best_distance = d == 0 ? 0 : d - 1;
    }
  }
  return best;
}

Error CommandSpec::unknown_flag(const std::string& word) const {
  std::vector<std::string> known{"--help"};
  for (const FlagSpec& one : flags) known.push_back(one.name);
  const auto meant = nearest(word, known);
  return Error{fmt::format("{}: there is no such flag; {}`rr-sim {} --help` lists them", word,
                           meant ? "is " + *meant + " meant? " : "", name)};
}

// The library's sentences name neither the command nor what would be right, so each kind of error gets ours.
Result<options::parsed_options> CommandSpec::parse_options(const std::vector<std::string>& words) const {
  // A guessed abbreviation would change its meaning with the next flag that begins alike.
  constexpr int kStyle = options::command_line_style::unix_style & ~options::command_line_style::allow_guessing;
  const options::options_description known = description_of(flags);
  try {
    return options::command_line_parser(words).options(known).style(kStyle).run();
  } catch (const options::unknown_option& error) {
    return unknown_flag(error.get_option_name());
  } catch (const options::invalid_command_line_syntax& error) {
    const std::string flag = error.get_option_name();
    if (error.kind() == options::invalid_syntax::extra_parameter) return Error{flag + ": takes no value"};
    const auto spec =
        std::find_if(flags.begin(), flags.end(), [&flag](const FlagSpec& one) { return one.name == flag; });
    return Error{fmt::format("{}: a value is missing: {} {}", flag, flag, spec == flags.end() ? "" : spec->value)};
  } catch (const options::error& error) {
    return Error{error.what()};
  }
}

Result<Arguments> CommandSpec::parse(const std::vector<std::string>& words) const {
  Arguments out;
  const Shape shape = shape_of(arguments);
  const auto cut = shape.rest ? std::find(words.begin(), words.end(), "--") : words.end();
  if (cut != words.end()) {
    out.has_rest_ = true;
    out.rest_.assign(cut + 1, words.end());
  }
  auto parsed = parse_options({words.begin(), cut});
  if (!parsed) return parsed.error();
  for (const options::option& one : parsed->options) {
    if (one.string_key.empty()) {
      out.positional_.push_back(one.value.front());
    } else {
      std::vector<std::string>& values = out.flags_["--" + one.string_key];
      values.insert(values.end(), one.value.begin(), one.value.end());
    }
  }
  if (out.positional_.size() < shape.needed.size()) {
    return Error{fmt::format("{} is missing: rr-sim {} {}", shape.needed[out.positional_.size()], name, arguments)};
  }
  if (out.positional_.size() > shape.most) {
    return Error{fmt::format("{}: is one argument too many: rr-sim {}{}{}", out.positional_[shape.most], name,
                             arguments.empty() ? "" : " ", arguments)};
  }
  return out;
}

namespace {

constexpr std::size_t kFlagColumn = 26;

/// Where what does not fit into a line goes on: below its text, which stands behind spaces or a first column.
std::size_t hanging_indent(std::string_view line) {
  const std::size_t gap = line.substr(0, kFlagColumn).rfind("  ");
  return gap == std::string_view::npos ? 0 : gap + 2;
}

/// The lines of `text`, each broken between words where it is longer than kColumns.
std::string filled(const std::string& text) {
  std::string out;
  std::stringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t indent = hanging_indent(line);
    const std::string head = line.substr(0, indent), words = line.substr(indent);
    out += head + wrapped(words, kColumns, std::string(indent, ' ')).substr(indent) + "\n";
  }
  return out;
}

}  // namespace

std::string CommandSpec::help() const {
  std::string out = fmt::format("rr-sim {}{}{}{}\n\n{}", name, arguments.empty() ? "" : " ", arguments,
                                flags.empty() ? "" : " [FLAGS]", filled(summary));
  if (!more.empty()) out += "\n" + filled(more);
  out += "\nFlags:\n";
  const auto row = [&](const FlagSpec& flag) {
    const std::string head = fmt::format("  {}{}{}{}", flag.letter != 0 ? fmt::format("-{}, ", flag.letter) : "",
                                         flag.name, flag.value.empty() ? "" : " ", flag.value);
    std::stringstream lines(flag.help);
    std::string line;
    std::getline(lines, line);
    if (head.size() >= kFlagColumn) out += head + "\n";
    out += filled(fmt::format("{:<{}}{}", head.size() < kFlagColumn ? head : "", kFlagColumn, line));
    while (std::getline(lines, line)) out += filled(fmt::format("{:{}}{}", "", kFlagColumn, line));
  };
  for (const FlagSpec& flag : flags) row(flag);
  row(FlagSpec{"--help", 'h', "", "this text", ""});
  out += "\nExamples:\n";
  for (const auto& [line, meaning] : examples) {
    out += fmt::format("  {}\n", line);
    if (!meaning.empty()) out += fmt::format("      {}\n", meaning);
  }
  return out;
}

int fail(const CommandSpec& command, int exit, const std::string& message) {
  std::fprintf(stderr, "rr-sim %s: %s\n", command.name.c_str(), message.c_str());
  return exit;
}

}  // namespace rr::sim
