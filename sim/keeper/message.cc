#include "sim/keeper/message.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "lb/base/check.h"

namespace rr::sim {

namespace {

constexpr std::size_t kMostDescriptors = 64;
constexpr char kInline = 'i';
constexpr char kInMemoryFile = 'm';

/// Fields one after the other: numbers as 8 bytes, texts with their length before them.
class Writer {
 public:
  Writer& number(std::int64_t value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    bytes_.append(raw, sizeof raw);
    return *this;
  }
  Writer& text(std::string_view value) {
    number(static_cast<std::int64_t>(value.size()));
    bytes_.append(value);
    return *this;
  }
  Writer& address(const Address& value) {
    number(value.family == Address::Family::kV6 ? 6 : 4);
    bytes_.append(reinterpret_cast<const char*>(value.ip.data()), value.ip.size());
    return number(value.port);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads what Writer wrote; once something is missing everything after it is empty and ok() false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  std::int64_t number() {
    std::int64_t value = 0;
    const std::string_view raw = take(sizeof value);
    if (raw.size() == sizeof value) std::memcpy(&value, raw.data(), sizeof value);
    return value;
  }
  std::string text() { return std::string(take(static_cast<std::size_t>(number()))); }
  std::size_t count() {
    const std::int64_t value = number();
    // Every element takes at least one byte, so a count beyond what is left is a broken message.
    if (value < 0 || static_cast<std::uint64_t>(value) > bytes_.size()) ok_ = false;
    return ok_ ? static_cast<std::size_t>(value) : 0;
  }
  Address address() {
    Address value;
    value.family = number() == 6 ? Address::Family::kV6 : Address::Family::kV4;
    const std::string_view raw = take(value.ip.size());
    if (raw.size() == value.ip.size()) std::memcpy(value.ip.data(), raw.data(), raw.size());
    value.port = static_cast<std::uint16_t>(number());
    return value;
  }
  bool complete() const { return ok_ && bytes_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    if (!ok_ || size > bytes_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  std::string_view bytes_;
  bool ok_ = true;
};

void write(Writer& out, const StartProcess& start) {
  out.text(start.name).number(static_cast<std::int64_t>(start.command.size()));
  for (const std::string& word : start.command) out.text(word);
  out.number(static_cast<std::int64_t>(start.environment.size()));
  for (const auto& [name, value] : start.environment) out.text(name).text(value);
  out.text(start.folder).text(start.log_file).address(start.logical).text(start.host_name);
  out.number(static_cast<std::int64_t>(start.numbers.size()));
  for (const int number : start.numbers) out.number(number);
  out.number(start.boot_delay);
}
void write(Writer& out, const SignalProcess& signal) {
  out.text(signal.name).number(signal.signal_number).number(signal.whole ? 1 : 0);
}
void write(Writer& out, const SetLink& link) { out.text(link.name).number(link.up ? 1 : 0); }
void write(Writer& out, const OpenDoor& door) { out.text(door.name).address(door.target); }
void write(Writer& out, const KeeperReady& ready) { out.text(ready.error); }
void write(Writer& out, const KeeperReply& reply) { out.text(reply.error).number(reply.pid); }
void write(Writer& out, const ProcessEnded& ended) { out.text(ended.name).number(ended.status).number(ended.signal); }

StartProcess read_start(Reader& in) {
  StartProcess start;
  start.name = in.text();
  for (std::size_t left = in.count(); left > 0; --left) start.command.push_back(in.text());
  for (std::size_t left = in.count(); left > 0; --left) {
    std::string name = in.text();
    start.environment[std::move(name)] = in.text();
  }
  start.folder = in.text();
  start.log_file = in.text();
  start.logical = in.address();
  start.host_name = in.text();
  for (std::size_t left = in.count(); left > 0; --left) start.numbers.push_back(static_cast<int>(in.number()));
  start.boot_delay = in.number();
  return start;
}

template <class Message>
std::string encode_any(const Message& message) {
  Writer out;
  out.number(static_cast<std::int64_t>(message.index()));
  std::visit([&out](const auto& content) { write(out, content); }, message);
  return out.take();
}

/// What the other side sent as a memory file.
std::string read_memory_file(int fd) {
  struct ::stat file {};
  if (::fstat(fd, &file) != 0) return {};
  std::string bytes(static_cast<std::size_t>(file.st_size), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got <= 0) return {};
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

Result<Descriptor> make_memory_file(const std::string& bytes) {
  Descriptor fd(::memfd_create("rr-keeper-message", MFD_CLOEXEC));
  if (!fd.open()) return Error{std::string("memfd_create: ") + std::strerror(errno)};
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put = ::write(fd.get(), bytes.data() + done, bytes.size() - done);
    if (put <= 0) return Error{std::string("memory file: ") + std::strerror(errno)};
    done += static_cast<std::size_t>(put);
  }
  return fd;
}

}  // namespace

std::string encode(const KeeperRequest& request) { return encode_any(request); }
std::string encode(const KeeperEvent& event) { return encode_any(event); }

std::optional<KeeperRequest> decode_request(std::string_view bytes) {
  Reader in(bytes);
  KeeperRequest request;
  switch (in.number()) {
    case 0:
      request = read_start(in);
      break;
    case 1: {
      SignalProcess signal;
      signal.name = in.text();
      signal.signal_number = static_cast<int>(in.number());
      signal.whole = in.number() != 0;
      request = signal;
      break;
    }
    case 2: {
      SetLink link;
      link.name = in.text();
      link.up = in.number() != 0;
      request = link;
      break;
    }
    case 3: {
      OpenDoor door;
      door.name = in.text();
      door.target = in.address();
      request = door;
      break;
    }
    default:
      return std::nullopt;
  }
  if (!in.complete()) return std::nullopt;
  return request;
}

std::optional<KeeperEvent> decode_event(std::string_view bytes) {
  Reader in(bytes);
  KeeperEvent event;
  switch (in.number()) {
    case 0:
      event = KeeperReady{in.text()};
      break;
    case 1: {
      KeeperReply reply;
      reply.error = in.text();
      reply.pid = static_cast<int>(in.number());
      event = reply;
      break;
    }
    case 2: {
      ProcessEnded ended;
      ended.name = in.text();
      ended.status = static_cast<int>(in.number());
      ended.signal = static_cast<int>(in.number());
      event = ended;
      break;
    }
    default:
      return std::nullopt;
  }
  if (!in.complete()) return std::nullopt;
  return event;
}

Status send_packet(int socket, const std::string& bytes, const std::vector<int>& descriptors) {
  std::vector<int> passed = descriptors;
  Descriptor memory;
  std::string body;
  if (bytes.size() > kInlineMessage) {
    auto file = make_memory_file(bytes);
    if (!file) return file.error();
    memory = std::move(*file);
    passed.insert(passed.begin(), memory.get());
    body.assign(1, kInMemoryFile);
  } else {
    body.reserve(bytes.size() + 1);
    body.assign(1, kInline);
    body += bytes;
  }
  RR_CHECK(passed.size() <= kMostDescriptors, "too many descriptors in one packet");

  iovec part{body.data(), body.size()};
  std::array<char, CMSG_SPACE(sizeof(int) * kMostDescriptors)> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!passed.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(sizeof(int) * passed.size());
    cmsghdr* message = CMSG_FIRSTHDR(&header);
    message->cmsg_level = SOL_SOCKET;
    message->cmsg_type = SCM_RIGHTS;
    message->cmsg_len = CMSG_LEN(sizeof(int) * passed.size());
    std::memcpy(CMSG_DATA(message), passed.data(), sizeof(int) * passed.size());
  }
  for (;;) {
    if (::sendmsg(socket, &header, MSG_NOSIGNAL) >= 0) return Ok{};
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd wait{socket, POLLOUT, 0};
      ::poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return Error{std::string("send: ") + std::strerror(errno)};
    }
  }
}

ReceiveOutcome receive_packet(int socket, Packet& packet) {
  std::array<char, kInlineMessage + 1> body;
  std::array<char, CMSG_SPACE(sizeof(int) * kMostDescriptors)> control{};
  iovec part{body.data(), body.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? ReceiveOutcome::kNothingNow : ReceiveOutcome::kClosed;

  packet.descriptors.clear();
  for (cmsghdr* message = CMSG_FIRSTHDR(&header); message != nullptr; message = CMSG_NXTHDR(&header, message)) {
    if (message->cmsg_level != SOL_SOCKET || message->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (message->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t index = 0; index < count; ++index) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(message) + index * sizeof(int), sizeof fd);
      packet.descriptors.emplace_back(fd);
    }
  }
  if (got == 0) return ReceiveOutcome::kClosed;
  if (body[0] == kInMemoryFile && !packet.descriptors.empty()) {
    packet.bytes = read_memory_file(packet.descriptors.front().get());
    packet.descriptors.erase(packet.descriptors.begin());
  } else {
    packet.bytes.assign(body.data() + 1, static_cast<std::size_t>(got) - 1);
  }
  return ReceiveOutcome::kPacket;
}

}  // namespace rr::sim
