// What is written down about a request, and what is told of all of them.
#include <benchmark/benchmark.h>

#include <string>

#include "bench/micro/measure.h"
#include "lb/net/loop.h"
#include "lb/proxy/access_log.h"
#include "lb/proxy/latency_histogram.h"
#include "lb/proxy/metrics.h"
#include "lb/proxy/node.h"

namespace rr::bench {
namespace {

void log_line(benchmark::State& state) {
  ExchangeRecord record;
  record.created = record.sent = record.head = record.ended = Time(std::chrono::seconds(1'795'380'342));
  record.assigned = record.sent_to_target = record.request_complete = true;
  record.cause = ExchangeCause::kCompleted;
  record.status = record.target_status = 200;
  AccessLogEntry entry;
  entry.load_balancer = "app/web/0123456789abcdef";
  entry.client_ip = "203.0.113.9";
  entry.client_port = 41522;
  entry.target = "172.31.16.10:8080";
  entry.record = &record;
  entry.request_line_method = "GET";
  entry.request_target = "/cart?id=7";
  entry.host = "shop.example.com";
  entry.listener_port = 8080;
  entry.user_agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0";
  entry.target_group = "targetgroup/web/0123456789abcdef";
  entry.trace_id = "Root=1-67891233-abcdef012345678912345678";
  entry.actions = "forward";
  entry.rule_priority = 0;
  std::string out;
  measure(state, [&] {
    out.clear();
    append_access_log_line(out, entry);
    benchmark::DoNotOptimize(out.data());
    return !out.empty();
  });
}
BENCHMARK(log_line);

void count_latency(benchmark::State& state) {
  LatencyHistogram histogram;
  Duration span = std::chrono::microseconds(50);
  measure(state, [&] {
    histogram.observe(span);
    span = span * 9 / 8;
    if (span > std::chrono::seconds(100)) span = std::chrono::microseconds(50);
    return true;
  });
  benchmark::DoNotOptimize(histogram);
}
BENCHMARK(count_latency);

std::string configuration(std::int64_t targets) {
  std::string text =
      R"({"generation": 1, "load_balancers": [{"name": "web", "unrestricted": true, "listeners": [{"name": "http", )"
      R"("sockets": ["127.0.0.1:0"], "default_action": {"type": "forward", "target_groups": ["web"]}}], )"
      R"("target_groups": [{"name": "web", "targets": [)";
  for (std::int64_t i = 0; i < targets; ++i) {
    const std::string number = std::to_string(i), port = std::to_string(20'000 + i);
    text += (i > 0 ? ", " : "") + (R"({"id": "i-)" + number) + R"(", "address": "127.0.0.1:)" + port + R"("})";
  }
  return text + "]}]}]}";
}

/// All of /metrics, as a scrape of one worker has it; the argument is how many targets there are. Not on a request's
/// way.
void metrics_page(benchmark::State& state) {
  const auto config = read_desired(configuration(state.range(0)));
  if (!config) return give_up(state, config.error().front());
  Loop loop;
  Node node(loop, Rng(6), {});
  if (!node.apply(*config)) return give_up(state, "the configuration was not taken");
  std::size_t size = 0;
  measure(
      state,
      [&] {
        const std::string page = metrics_text(node, report_of(node, ReportErrors::kNo));
        size = page.size();
        return page.find("RequestCount") != std::string::npos;
      },
      Allocates::kSometimes);
  state.counters["bytes"] = static_cast<double>(size);
  node.stop();
}
BENCHMARK(metrics_page)->Arg(2)->Arg(100)->Arg(1000);

}  // namespace
}  // namespace rr::bench
