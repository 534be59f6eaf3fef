// What is written down about a request.
#include <benchmark/benchmark.h>

#include <string>

#include "lb/proxy/access_log.h"
#include "lb/proxy/latency_histogram.h"

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
  for (auto _ : state) {
    out.clear();
    append_access_log_line(out, entry);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(log_line);

void count_latency(benchmark::State& state) {
  LatencyHistogram histogram;
  Duration span = std::chrono::microseconds(50);
  for (auto _ : state) {
    histogram.observe(span);
    span = span * 9 / 8;
    if (span > std::chrono::seconds(100)) span = std::chrono::microseconds(50);
  }
  benchmark::DoNotOptimize(histogram);
}
BENCHMARK(count_latency);

}  // namespace
}  // namespace rr::bench
