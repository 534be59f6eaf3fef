#pragma once
// The only door between threads: values in, one callback in the loop that owns the box.
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "lb/net/handle.h"
#include "lb/net/loop.h"

namespace rr {

template <class Value>
class Mailbox {
 public:
  /// `on_mail` gets all values that came since its last call, in order, in the thread of `loop`.
  Mailbox(Loop& loop, std::function<void(std::vector<Value>)> on_mail) : on_mail_(std::move(on_mail)), handle_(this) {
    RR_CHECK(uv_async_init(loop.raw(), handle_.raw(),
                           [](uv_async_t* raw) noexcept {
                             if (auto* box = Handle<uv_async_t, Mailbox>::owner(raw)) box->deliver();
                           }) == 0,
             "uv_async_init");
    handle_.set_initialised();
  }

  /// From any thread, as long as the mailbox lives.
  void send(Value value) {
    {
      const std::lock_guard lock(mutex_);
      values_.push_back(std::move(value));
    }
    uv_async_send(handle_.raw());
  }

  /// What has come and was not delivered yet, at once. In the thread of the loop: before it ends, say.
  void deliver() {
    std::vector<Value> values;
    {
      const std::lock_guard lock(mutex_);
      values.swap(values_);
    }
    if (!values.empty()) on_mail_(std::move(values));
  }

 private:
  std::mutex mutex_;
  std::vector<Value> values_;
  std::function<void(std::vector<Value>)> on_mail_;
  Handle<uv_async_t, Mailbox> handle_;
};

}  // namespace rr
