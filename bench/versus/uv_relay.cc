// The floor on libuv: uv_try_write from one shared buffer, uv_write only for what a short write left.
#include <uv.h>

#include <cstdio>
#include <memory>
#include <vector>

#include "bench/versus/sockets.h"

namespace rr::bench {
namespace {

struct Pair;

struct Side {
  uv_tcp_t tcp{};
  uv_write_t request{};
  Pair* pair = nullptr;
  Side* other = nullptr;
  std::string waiting;
};

struct Pair {
  Side client, target;
  uv_connect_t connect{};
  int open = 2;
  bool over = false;
};

struct Server {
  uv_loop_t loop{};
  uv_tcp_t listener{};
  std::vector<sockaddr_in> targets;
  std::size_t turn = 0;
  std::vector<char> space = std::vector<char>(262144);
};

uv_stream_t* stream_of(Side& side) { return reinterpret_cast<uv_stream_t*>(&side.tcp); }
Side& side_of(const void* data) { return *static_cast<Side*>(const_cast<void*>(data)); }
Server& server_of(const uv_loop_t* loop) { return *static_cast<Server*>(loop->data); }

void on_closed(uv_handle_t* handle) {
  Pair* pair = side_of(handle->data).pair;
  if (--pair->open == 0) delete pair;
}

void end(Pair& pair) {
  if (pair.over) return;
  pair.over = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&pair.client.tcp), on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&pair.target.tcp), on_closed);
}

void give_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
  std::vector<char>& space = server_of(handle->loop).space;
  *buffer = uv_buf_init(space.data(), static_cast<unsigned>(space.size()));
}

void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer);

void on_written(uv_write_t* request, int status) {
  Side& to = side_of(request->data);
  to.waiting.clear();
  if (status != 0) return end(*to.pair);
  if (!to.pair->over) uv_read_start(stream_of(*to.other), give_buffer, on_read);
}

void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  Side& from = side_of(stream->data);
  if (count == 0) return;
  if (count < 0) return end(*from.pair);
  Side& to = *from.other;
  uv_buf_t bytes = uv_buf_init(buffer->base, static_cast<unsigned>(count));
  const int sent = uv_try_write(stream_of(to), &bytes, 1);
  if (sent == count) return;
  if (sent < 0 && sent != UV_EAGAIN) return end(*from.pair);
  const auto done = static_cast<std::size_t>(sent < 0 ? 0 : sent);
  to.waiting.assign(buffer->base + done, static_cast<std::size_t>(count) - done);
  to.request.data = &to;
  uv_buf_t rest = uv_buf_init(to.waiting.data(), static_cast<unsigned>(to.waiting.size()));
  uv_read_stop(stream);
  if (uv_write(&to.request, stream_of(to), &rest, 1, on_written) != 0) end(*from.pair);
}

void on_connected(uv_connect_t* request, int status) {
  Pair& pair = *static_cast<Pair*>(request->data);
  if (pair.over) return;
  if (status != 0) return end(pair);
  uv_tcp_nodelay(&pair.target.tcp, 1);
  uv_read_start(stream_of(pair.client), give_buffer, on_read);
  uv_read_start(stream_of(pair.target), give_buffer, on_read);
}

void on_connection(uv_stream_t* listener, int status) {
  if (status != 0) return;
  Server& server = server_of(listener->loop);
  auto* pair = new Pair;
  pair->client.other = &pair->target;
  pair->target.other = &pair->client;
  for (Side* side : {&pair->client, &pair->target}) {
    side->pair = pair;
    uv_tcp_init(&server.loop, &side->tcp);
    side->tcp.data = side;
  }
  if (uv_accept(listener, stream_of(pair->client)) != 0) return end(*pair);
  uv_tcp_nodelay(&pair->client.tcp, 1);
  const sockaddr_in& target = server.targets[server.turn++ % server.targets.size()];
  pair->connect.data = pair;
  if (uv_tcp_connect(&pair->connect, &pair->target.tcp, reinterpret_cast<const sockaddr*>(&target), on_connected) !=
      0) {
    end(*pair);
  }
}

}  // namespace

int run_uv_relay(int argc, char** argv) {
  if (argc < 2) give_up("uv-relay: an address and a target are needed");
  Server server;
  uv_loop_init(&server.loop);
  server.loop.data = &server;
  sockaddr_in address = parse_address(argv[0]);
  for (int i = 1; i < argc; ++i) server.targets.push_back(parse_address(argv[i]));
  uv_tcp_init(&server.loop, &server.listener);
  uv_tcp_open(&server.listener, listen_on(address));
  uv_listen(reinterpret_cast<uv_stream_t*>(&server.listener), 4096, on_connection);
  std::printf("listening on %s\n", format_address(address).c_str());
  std::fflush(stdout);
  return uv_run(&server.loop, UV_RUN_DEFAULT);
}

}  // namespace rr::bench
