#pragma once
// What a parser says about bytes, as text, for comparing two ways of feeding it. Pieces of one body are joined.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/check.h"
#include "lb/http/request_parser.h"

namespace rr::fuzz {

inline std::string describe(const RequestHead& head) {
  std::string text(head.view.method);
  text.append(" ").append(head.view.target);
  return text + (head.keep_alive ? " kept " : " closed ") + std::to_string(head.view.minor);
}

inline std::string describe(const ResponseHead& head) {
  return std::to_string(head.view.status) + std::string(head.view.reason) + (head.interim ? " interim" : "");
}

inline std::string describe(std::span<const HeaderView> fields) {
  std::string text;
  for (const HeaderView& field : fields) text.append(field.name).append("=").append(field.value).append(";");
  return text;
}

/// Feeds the bytes in pieces of the given sizes (the last one takes the rest). `stop_at_end`: as a response is read.
template <class Parser>
std::string steps(Parser& parser, std::string_view bytes, const std::vector<std::size_t>& sizes, bool stop_at_end) {
  std::string said;
  std::string body;
  std::size_t piece = 0;
  std::string_view rest = bytes;
  while (true) {
    const std::size_t size = piece < sizes.size() ? std::min(sizes[piece], rest.size()) : rest.size();
    const std::vector<char> copy(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size));
    std::string_view fed(copy.data(), copy.size());
    while (true) {
      const ParseStep step = parser.next(fed);
      RR_CHECK(step.consumed <= fed.size(), "no more is consumed than there is");
      if (step.kind == ParseStep::Kind::kBody) {
        RR_CHECK(!step.body.empty() && step.body.data() >= fed.data() &&
                     step.body.data() + step.body.size() == fed.data() + step.consumed,
                 "a body piece is the end of what was consumed");
        body += step.body;
      }
      fed.remove_prefix(step.consumed);
      rest.remove_prefix(step.consumed);
      if (step.kind == ParseStep::Kind::kNeedMore) {
        RR_CHECK(fed.empty(), "more is needed only when everything was consumed");
        break;
      }
      if (step.kind == ParseStep::Kind::kHead)
        said += "\nhead " + describe(parser.head()) + " " + describe(parser.head().view.headers);
      if (step.kind == ParseStep::Kind::kMessageEnd) {
        said += "\nbody " + body + "\nend " + describe(parser.trailers());
        body.clear();
        if (stop_at_end) return said + "\nleft " + std::string(rest);
      }
      if (step.kind == ParseStep::Kind::kError) {
        return said + "\nbody " + body + "\nerror " + std::string(to_string(parser.error()));
      }
    }
    if (piece++ >= sizes.size() && rest.empty()) break;
  }
  return said + "\nbody " + body + (parser.idle() ? "\nidle" : "\nwaiting");
}

}  // namespace rr::fuzz
