// Heads from bytes and back.
#include <benchmark/benchmark.h>

#include <string>

#include "bench/micro/measure.h"
#include "bench/micro/requests.h"
#include "lb/http/request_parser.h"
#include "lb/policy/desync.h"

namespace rr::bench {
namespace {

template <class Parser>
bool read_message(Parser& parser, std::string_view bytes) {
  for (;;) {
    const ParseStep step = parser.next(bytes);
    bytes.remove_prefix(step.consumed);
    if (step.kind == ParseStep::Kind::kError || step.kind == ParseStep::Kind::kNeedMore) return false;
    if (step.kind == ParseStep::Kind::kMessageEnd) return true;
  }
}

void parse_request(benchmark::State& state, std::string_view bytes) {
  RequestParser parser;
  measure(state, [&] { return read_message(parser, bytes); });
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes.size()));
}
BENCHMARK_CAPTURE(parse_request, small, kSmallRequest);
BENCHMARK_CAPTURE(parse_request, browser, kBrowserRequest);
BENCHMARK_CAPTURE(parse_request, post, kPost);

void parse_response(benchmark::State& state) {
  ResponseParser parser;
  measure(state, [&] {
    parser.expect(false);
    return read_message(parser, kResponse);
  });
}
BENCHMARK(parse_response);

void forward_request(benchmark::State& state, std::string_view bytes) {
  RequestParser parser;
  if (parser.next(bytes).kind != ParseStep::Kind::kHead) return give_up(state, "no head");
  const ForwardContext forward = context();
  std::string out;
  measure(state, [&] {
    out.clear();
    append_forwarded_request(out, parser.head(), forward);
    benchmark::DoNotOptimize(out.data());
    return !out.empty();
  });
}
BENCHMARK_CAPTURE(forward_request, small, kSmallRequest);
BENCHMARK_CAPTURE(forward_request, browser, kBrowserRequest);

void forward_response(benchmark::State& state) {
  ResponseParser parser;
  if (parser.next(kResponse).kind != ParseStep::Kind::kHead) return give_up(state, "no head");
  std::string out;
  measure(state, [&] {
    out.clear();
    append_forwarded_response(out, parser.head(), true, 1);
    benchmark::DoNotOptimize(out.data());
    return !out.empty();
  });
}
BENCHMARK(forward_response);

void desync(benchmark::State& state, std::string_view bytes) {
  RequestParser parser;
  if (parser.next(bytes).kind != ParseStep::Kind::kHead) return give_up(state, "no head");
  measure(state, [&] {
    benchmark::DoNotOptimize(classify(parser.head().view, parser.head().clean));
    return true;
  });
}
BENCHMARK_CAPTURE(desync, browser, kBrowserRequest);
BENCHMARK_CAPTURE(desync, post, kPost);

}  // namespace
}  // namespace rr::bench
