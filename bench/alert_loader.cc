// Posts the same active alerts again and again, as a Prometheus does with everything that fires. All bodies
// are built before the clock starts; a round only moves endsAt in place, so that the loader costs little
// beside the server. usage: alert_loader HOST PORT ALERTS BATCH CONNECTIONS [MODELS] Alert i is of model i
// modulo MODELS. Each line on stdin starts one round over all alerts; each round answers with one line
// "alerts seconds cpu_seconds", and then, when MODELS is given, with one line of Unix microseconds: when each
// batch was sent. A reply other than 200 ends the program with status 1.
#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

int models = 200;
constexpr std::string_view kTimeShape = "2026-01-01T00:00:00.000Z";
// Prometheus tells the end of an active alert as 4 evaluation or resend intervals ahead.
constexpr int kEndsAheadSeconds = 240;

struct Request {
  std::string bytes;            // head and body
  std::vector<size_t> ends_at;  // where each endsAt stands
};

std::string TimeText(std::chrono::system_clock::time_point time) {
  std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[80];
  std::snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(ms));
  return text;
}

// Keys in the order of Prometheus's encoder, text escaped as Go does.
void AppendAlert(Request& request, int i, const std::string& starts_at) {
  static const char* const kNames[] = {"FeatureDriftHigh", "PredictionLatencyHigh", "ModelStale",
                                       "AccuracyDropped"};
  static const char* const kTeams[] = {"ml-platform", "risk", "search", "ads"};
  int model = i % models;
  const std::string m = "model-" + std::to_string(model) + "-v2";
  const std::string instance = "serving-" + std::to_string(i) + ".ml.internal:9100";
  std::string& out = request.bytes;
  out +=
      R"({"annotations":{"description":"The p99 of )" + m + " on " + instance +
      R"( has been over its limit for 10 minutes, now 512ms.","runbook_url":"https://runbooks.ml.internal/serving/latency",)" +
      R"("summary":")" + m + R"( is slow on )" + instance + R"("},"endsAt":")";
  request.ends_at.push_back(out.size());
  out += kTimeShape;
  out +=
      R"(","startsAt":")" + starts_at +
      R"(","generatorURL":"http://prometheus.ml.internal:9090/graph?g0.expr=histogram_quantile%280.99%2C+rate%28)"
      R"(latency_bucket%5B5m%5D%29%29+%3E+0.5\u0026g0.tab=1","labels":{"alertname":")" +
      kNames[(i / models) % 4] + R"(","cluster":"eu-west-1","env":"production","instance":")" + instance +
      R"(","job":"model-serving","model":")" + m +
      R"(","pipeline":"online-scoring","severity":"warning","team":")" + kTeams[model % 4] + "\"}}";
}

std::vector<Request> BuildRequests(const std::string& host, int alerts, int batch) {
  std::vector<Request> requests;
  const std::string starts_at = TimeText(std::chrono::system_clock::now());
  for (int first = 0; first < alerts; first += batch) {
    Request request;
    request.bytes = "[";
    for (int i = first; i < std::min(first + batch, alerts); ++i) {
      if (i > first) {
        request.bytes += ',';
      }
      AppendAlert(request, i, starts_at);
    }
    request.bytes += ']';
    std::string head =
        "POST /api/v2/alerts HTTP/1.1\r\nHost: " + host +
        "\r\nUser-Agent: Prometheus/2.42.0\r\nContent-Length: " + std::to_string(request.bytes.size()) +
        "\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n";
    request.bytes.insert(0, head);
    for (size_t& at : request.ends_at) {
      at += head.size();
    }
    requests.push_back(std::move(request));
  }
  return requests;
}

int Connect(const char* host, int port) {
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  int on = 1;
  if (fd < 0 || ::inet_pton(AF_INET, host, &address.sin_addr) != 1 ||
      ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

void SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) {
      std::perror("send");
      std::exit(1);
    }
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

// Both servers answer a good batch with 200 and no body.
void ReadReply(int fd) {
  std::string reply;
  while (reply.find("\r\n\r\n") == std::string::npos) {
    char chunk[4096];
    // Never sleeps: the kernel would charge waking us to the server, and real senders are on other machines.
    ssize_t n = ::recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) {
      continue;
    }
    if (n <= 0) {
      std::fprintf(stderr, "the server closed the connection\n");
      std::exit(1);
    }
    reply.append(chunk, static_cast<size_t>(n));
  }
  if (!reply.starts_with("HTTP/1.1 200")) {
    std::fprintf(stderr, "refused: %s\n", reply.c_str());
    std::exit(1);
  }
}

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// When each batch was sent, in microseconds.
std::vector<long long> RunRound(std::vector<Request>& requests, const std::vector<int>& sockets) {
  std::vector<long long> sent;
  auto now = std::chrono::system_clock::now();
  const std::string ends_at = TimeText(now + std::chrono::seconds(kEndsAheadSeconds));
  for (size_t i = 0; i < requests.size(); ++i) {
    for (size_t at : requests[i].ends_at) {
      std::memcpy(requests[i].bytes.data() + at, ends_at.data(), ends_at.size());
    }
    // One request on its way per connection.
    int fd = sockets[i % sockets.size()];
    if (i >= sockets.size()) {
      ReadReply(fd);
    }
    sent.push_back(std::chrono::duration_cast<std::chrono::microseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count());
    SendAll(fd, requests[i].bytes);
  }
  for (size_t i = 0; i < std::min(sockets.size(), requests.size()); ++i) {
    ReadReply(sockets[i]);
  }
  return sent;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6 && argc != 7) {
    std::fprintf(stderr, "usage: alert_loader HOST PORT ALERTS BATCH CONNECTIONS [MODELS]\n");
    return 2;
  }
  const char* host = argv[1];
  const int port = std::atoi(argv[2]);
  const int alerts = std::atoi(argv[3]);
  if (argc == 7) {
    models = std::atoi(argv[6]);
  }
  std::vector<Request> requests = BuildRequests(host, alerts, std::atoi(argv[4]));
  std::vector<int> sockets;
  for (int i = 0; i < std::atoi(argv[5]); ++i) {
    sockets.push_back(Connect(host, port));
  }
  char line[16];
  while (std::fgets(line, sizeof(line), stdin) != nullptr) {
    double cpu = CpuSeconds();
    auto begin = std::chrono::steady_clock::now();
    const std::vector<long long> sent = RunRound(requests, sockets);
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::printf("%d %.6f %.6f\n", alerts, took.count(), CpuSeconds() - cpu);
    for (size_t i = 0; argc == 7 && i < sent.size(); ++i) {
      std::printf("%lld%c", sent[i], i + 1 < sent.size() ? ' ' : '\n');
    }
    std::fflush(stdout);
  }
  for (int fd : sockets) {
    ::close(fd);
  }
}
