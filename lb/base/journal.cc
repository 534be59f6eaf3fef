#include "lb/base/journal.h"

namespace rr {
namespace {

std::uint64_t fnv1a(std::uint64_t digest, std::string_view bytes) {
  for (const char c : bytes) digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return (digest ^ 0xff) * 0x100000001b3;  // ends the field: "ab","c" differs from "a","bc"
}

}  // namespace

void Journal::write(Time time, std::string_view entity, std::string_view event) {
  digest_ = fnv1a(digest_, std::to_string(time.time_since_epoch().count()));
  digest_ = fnv1a(digest_, entity);
  digest_ = fnv1a(digest_, event);
  ++written_;
  lines_.push_back({time, std::string(entity), std::string(event)});
  // The sink comes before the line may be dropped: a journal that keeps none still tells of each.
  if (sink_) sink_(lines_.back());
  if (lines_.size() > keep_) lines_.pop_front();
}

}  // namespace rr
