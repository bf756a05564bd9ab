#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

#include "api/metric_family_builder.h"
#include "api/metrics_collector.h"

namespace mlalert {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

void AddMemory(FamilyList& out) {
  std::ifstream file("/proc/self/statm");
  int64_t pages_virtual = 0;
  int64_t pages_resident = 0;
  if (!(file >> pages_virtual >> pages_resident)) {
    return;
  }
  int64_t page = sysconf(_SC_PAGESIZE);
  out.Gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.").Add(pages_virtual * page);
  out.Gauge("process_resident_memory_bytes", "Resident memory size in bytes.").Add(pages_resident * page);
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) == 0) {
    out.Gauge("process_virtual_memory_max_bytes", "Maximum amount of virtual memory available in bytes.")
        .Add(limit.rlim_cur);
  }
}

void AddDescriptors(FamilyList& out) {
  std::error_code error;
  int64_t open = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error)) {
    ++open;
  }
  if (!error) {
    out.Gauge("process_open_fds", "Number of open file descriptors.").Add(open);
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    out.Gauge("process_max_fds", "Maximum number of open file descriptors.").Add(limit.rlim_cur);
  }
}

}  // namespace

std::vector<prometheus::MetricFamily> CollectProcess(Timestamp started_at) {
  FamilyList out;
  out.Gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.")
      .Add(IsSet(started_at) ? ToSeconds(started_at.time_since_epoch()) : 0);
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    out.Counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.")
        .Add(Seconds(usage.ru_utime) + Seconds(usage.ru_stime));
  }
  AddMemory(out);
  AddDescriptors(out);
  return out.Take();
}

}  // namespace mlalert
