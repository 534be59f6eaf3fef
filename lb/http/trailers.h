#pragma once
// The fields behind a chunked body: which of them go on to the other side, and how.
//
// RFC 9110 section 6.5.1 wants no trailer that says where a message ends, where it goes, who sends it or how it is to
// be read: whoever merges trailers into the header would otherwise believe them after everybody in between had decided
// by the header. An intermediary may drop any trailer (RFC 9112 section 7.1.2), so what is in doubt is dropped.
#include <span>
#include <string>
#include <string_view>

#include "lb/http/message.h"

namespace rr {

/// Whether a trailer of this name may be passed on. "_" counts as "-", because what reads headers into variables cannot
/// tell the two.
bool may_pass_as_trailer(std::string_view name);

/// What else decides about the trailers of one message.
struct TrailerRules {
  std::string_view hop_names{};                  // of named_by_connection()
  std::span<const std::string_view> replaced{};  // names that we write ourselves: they are left out
  bool drop_invalid = false;                     // names that are not [-A-Za-z0-9]+ stay here
};

/// What the Connection fields of a head name, comma-separated: a trailer of such a name stays on its hop as well (RFC
/// 9110 section 7.6.1). Empty where they name only the options that everybody sends.
std::string named_by_connection(std::span<const HeaderView> fields);

/// Ends a chunked body: the last chunk, the trailers that may pass, the empty line.
void append_last_chunk(std::string& out, std::span<const HeaderView> trailers, const TrailerRules& rules);

/// The announcement in a head: Trailer with those of its names that may pass; nothing where none is left.
void append_trailer_names(std::string& out, std::span<const HeaderView> fields);

}  // namespace rr
