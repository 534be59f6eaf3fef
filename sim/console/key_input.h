#pragma once
// A terminal whose keys come one by one, at once and unshown, for as long as this lives. No terminal: does nothing.
#include <termios.h>

namespace rr::sim {

class KeyInput {
 public:
  explicit KeyInput(int fd);
  ~KeyInput();
  KeyInput(const KeyInput&) = delete;
  KeyInput& operator=(const KeyInput&) = delete;

 private:
  int fd_;
  bool changed_ = false;
  termios before_{};
};

}  // namespace rr::sim
