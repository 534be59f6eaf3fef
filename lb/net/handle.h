#pragma once
// A libuv handle that outlives its owner safely and closes itself.
#include <uv.h>

#include <utility>

namespace rr {

/// The raw handle lives in a heap box with a back pointer to its owner. Destroying or closing the Handle clears the
/// back pointer and calls uv_close; the close callback frees the box. A callback that comes late finds no owner and
/// returns.
///
///   before close:   Handle --> box{raw, owner} <-- libuv          after close:   box{raw, nullptr} <-- libuv, then
///   freed
template <class Raw, class Owner>
class Handle {
 public:
  struct Box {
    Raw raw;  // first member: a uv_handle_t* of it is a Box*
    Owner* owner;
  };

  explicit Handle(Owner* owner) : box_(new Box{{}, owner}) { box_->raw.data = box_; }
  ~Handle() { close(); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  Handle(Handle&& other) noexcept : box_(std::exchange(other.box_, nullptr)), initialised_(other.initialised_) {}

  Raw* raw() { return &box_->raw; }
  const Raw* raw() const { return &box_->raw; }
  template <class As>
  As* as() {
    return reinterpret_cast<As*>(&box_->raw);
  }
  bool open() const { return box_ != nullptr; }
  /// To be called once the uv_..._init function succeeded: only then uv_close is needed.
  void set_initialised() { initialised_ = true; }

  /// Idempotent. No callback reaches the owner after it.
  void close() {
    Box* box = std::exchange(box_, nullptr);
    if (box == nullptr) return;
    box->owner = nullptr;
    if (!initialised_) {
      delete box;
      return;
    }
    uv_close(reinterpret_cast<uv_handle_t*>(&box->raw),
             [](uv_handle_t* handle) { delete static_cast<Box*>(handle->data); });
  }

  /// Calls a function that is a member of the owner. It may destroy or replace the owner's function, so it is moved out
  /// for the time of the call and put back when the owner is still there and has no other.
  template <class AnyRaw, class Function, class... Arguments>
  static void call(AnyRaw* raw, Function Owner::*member, Arguments&&... arguments) {
    Owner* before = owner(raw);
    if (before == nullptr) return;
    Function function = std::move(before->*member);
    before->*member = nullptr;
    function(std::forward<Arguments>(arguments)...);
    Owner* after = owner(raw);
    if (after != nullptr && !(after->*member)) after->*member = std::move(function);
  }

  /// The owner of a raw handle in a C callback; nullptr when it has gone.
  template <class AnyRaw>
  static Owner* owner(AnyRaw* raw) {
    return static_cast<Box*>(raw->data)->owner;
  }

 private:
  Box* box_;
  bool initialised_ = false;
};

}  // namespace rr
