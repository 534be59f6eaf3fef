#include "sim/console/key_input.h"

namespace rr::sim {

KeyInput::KeyInput(int fd) : fd_(fd) {
  if (::tcgetattr(fd_, &before_) != 0) return;
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  changed_ = ::tcsetattr(fd_, TCSANOW, &raw) == 0;
}

KeyInput::~KeyInput() {
  if (changed_) ::tcsetattr(fd_, TCSANOW, &before_);
}

}  // namespace rr::sim
