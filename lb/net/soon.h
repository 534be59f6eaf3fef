#pragma once
// A call that is made after the current callback, unless its owner has gone by then.
#include "lb/net/loop.h"

namespace rr {

/// A place in the list of calls due at the end of this pass of the loop. Linking and unlinking cost a few stores: no
/// allocation, no system call. Loop::post is for calls that nobody needs to take back.
class Soon {
 public:
  /// `call` gets `owner`. It may arm the Soon again or destroy it.
  Soon(Loop& loop, void (*call)(void* owner) noexcept, void* owner) : loop_(loop), call_(call), owner_(owner) {}
  ~Soon() { disarm(); }
  Soon(const Soon&) = delete;
  Soon& operator=(const Soon&) = delete;

  /// Idempotent until the call is made.
  void arm();
  /// Within kLatest, together with all others that wait so: for what will most often not be needed any more by then.
  /// arm() brings it forward.
  void arm_later();
  void disarm();
  bool armed() const { return link_.before != &link_; }

  static constexpr Duration kLatest = 20 * kMillisecond;

 private:
  friend class Loop;
  // A ring through all armed ones; the loop holds one link of its own that is never a Soon.
  struct Link {
    Link* before = this;
    Link* after = this;
    Soon* soon = nullptr;
    void unlink() {
      before->after = after;
      after->before = before;
      before = after = this;
    }
    void insert_before(Link& other) {
      before = other.before;
      after = &other;
      before->after = this;
      other.before = this;
    }
    /// Takes over what is in the ring of `other`.
    void take(Link& other) {
      if (other.after == &other) return;
      insert_before(other);
      other.unlink();
    }
  };

  Loop& loop_;
  void (*call_)(void*) noexcept;
  void* owner_;
  Link link_;
  bool waits_ = false;  // armed by arm_later()
};

}  // namespace rr
