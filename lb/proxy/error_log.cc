#include "lb/proxy/error_log.h"

#include "lb/base/check.h"

namespace rr {

ErrorEntry& ErrorLog::add() {
  ++total_;
  if (entries_.size() < kKeptErrors) return entries_.emplace_back();
  ErrorEntry& oldest = entries_[next_];
  next_ = (next_ + 1) % kKeptErrors;
  for (std::string* text : {&oldest.target, &oldest.target_group, &oldest.listener, &oldest.client, &oldest.trace_id,
                            &oldest.request_line}) {
    text->clear();
  }
  return oldest;
}

const ErrorEntry& ErrorLog::newest(std::size_t index) const {
  RR_CHECK(index < entries_.size(), "an error that is not kept");
  return entries_[(next_ + entries_.size() - 1 - index) % entries_.size()];
}

}  // namespace rr
