#include "lb/http/field_tokenizer.h"

#include <llhttp.h>

#include "lb/base/check.h"
#include "lb/http/characters.h"

// llhttp gets header lines only, after a start line that is always the same. Reasons:
// - it knows a fixed list of methods and refuses all others, which RFC 9110 section 9.1 allows; with methods out of its
//   sight, its special cases (CONNECT, PRI, SOURCE) cannot surprise either;
// - versions 8 and 9 differ in what they let pass in start lines, in chunk framing and in line ends (bare CR, bare LF,
//   chunk extensions without bound); those lines are checked before it sees anything, the same for both versions;
// - a head arrives here whole, so each field is one span, and the parser keeps no state between calls: a connection
//   pays no memory for it.
// - it is not asked about a head that came in one piece of clean lines and has no field that its end depends on.
// The lenient flags stay off. Its own judgement of Content-Length and Transfer-Encoding stays on as a second opinion.

namespace rr {
namespace {

constexpr std::string_view kStartLine = "POST / HTTP/1.1\r\n";

struct Collector {
  std::vector<HeaderView>* fields = nullptr;
  std::size_t count = 0;
  bool complete = false;
};

Collector& collector_of(llhttp_t* parser) { return *static_cast<Collector*>(parser->data); }

int on_field(llhttp_t* parser, const char* at, std::size_t size) {
  collector_of(parser).fields->push_back({{at, size}, {}});
  return 0;
}

int on_value(llhttp_t* parser, const char* at, std::size_t size) {
  std::vector<HeaderView>& fields = *collector_of(parser).fields;
  // Two spans for one value would mean a folded line, which cannot be here.
  if (fields.empty() || !fields.back().value.empty()) return -1;
  fields.back().value = trim_blanks({at, size});
  return 0;
}

int on_complete(llhttp_t* parser) {
  collector_of(parser).complete = true;
  return HPE_PAUSED;
}

int on_field_complete(llhttp_t* parser) {
  ++collector_of(parser).count;
  return 0;
}

llhttp_settings_t callbacks_for(bool fields) {
  llhttp_settings_t callbacks;
  llhttp_settings_init(&callbacks);
  if (fields) {
    callbacks.on_header_field = on_field;
    callbacks.on_header_value = on_value;
  } else {
    callbacks.on_header_field_complete = on_field_complete;
  }
  callbacks.on_headers_complete = on_complete;
  return callbacks;
}

/// A parser that has read the start line already; copied for each head.
llhttp_t primed_parser(const llhttp_settings_t& callbacks) {
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &callbacks);
  const llhttp_errno_t result = llhttp_execute(&parser, kStartLine.data(), kStartLine.size());
  RR_CHECK(result == HPE_OK, "llhttp must accept the constant start line");
  return parser;
}

/// True when it stopped at the end of the block: on its last byte or behind it, by what a version takes for "where".
bool reads_all(llhttp_t parser, Collector& collector, std::string_view block) {
  parser.data = &collector;
  const llhttp_errno_t result = llhttp_execute(&parser, block.data(), block.size());
  return result == HPE_PAUSED && collector.complete && llhttp_get_error_pos(&parser) >= block.data() + block.size() - 1;
}

}  // namespace

bool tokenize_fields(std::string_view block, std::vector<HeaderView>& fields) {
  static const llhttp_settings_t kCallbacks = callbacks_for(true);
  static const llhttp_t kPrimed = primed_parser(kCallbacks);
  fields.clear();
  Collector collector{.fields = &fields};
  return reads_all(kPrimed, collector, block);
}

bool confirm_fields(std::string_view block, std::size_t count) {
  static const llhttp_settings_t kCallbacks = callbacks_for(false);
  static const llhttp_t kPrimed = primed_parser(kCallbacks);
  Collector collector;
  return reads_all(kPrimed, collector, block) && collector.count == count;
}

void split_fields(std::string_view block, std::vector<HeaderView>& fields) {
  fields.clear();
  while (block.size() > 2) {
    const std::size_t end = block.find("\r\n");
    const std::string_view line = block.substr(0, end);
    const std::size_t colon = line.find(':');
    if (end == std::string_view::npos || colon == std::string_view::npos) return;
    fields.push_back({line.substr(0, colon), trim_blanks(line.substr(colon + 1))});
    block.remove_prefix(end + 2);
  }
}

bool split_raw_fields(std::string_view block, std::vector<HeaderView>& fields) {
  fields.clear();
  while (block.size() > 2) {
    const std::size_t end = block.find("\r\n");
    const std::string_view line = block.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      fields.push_back({line.substr(0, colon), trim_blanks(line.substr(colon + 1))});
    } else if (!line.empty() && is_blank(line.front())) {
      fields.push_back({line, {}});
    } else {
      return false;
    }
    block.remove_prefix(end + 2);
  }
  return true;
}

}  // namespace rr
