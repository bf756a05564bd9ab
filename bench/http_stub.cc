// The other side of the servers under test: answers every request at once, on one thread that never sleeps.
// The kernel charges waking a sleeper to the one who sends, and real peers are on other machines. usage:
// http_stub PORT SERIES [sleep]
//   a path that ends in /api/v1/query   a Prometheus vector of SERIES series
//   /stub/queries                       how many queries were answered, as text
//   /record                             200 without a body; remembers when it came, and its groupLabels.model
//   /stub/recorded                      how many of those came, as text
//   /stub/arrivals                      one line for each: Unix microseconds, model
//   /stub/spin                          from now on it does not sleep any more
//   anything else                       200 without a body (webhook receiver, notifier)
#include <algorithm>
#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>

namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

class Stub {
 public:
  explicit Stub(int series) : series_(series) {}

  bool spins = false;

  // Takes what is complete out of `in` and appends the answers to `out`. False: not HTTP as we speak it.
  bool Serve(std::string& in, std::string& out) {
    size_t at = 0;
    for (;;) {
      std::string_view rest = std::string_view(in).substr(at);
      size_t head_end = rest.find(kHeadEnd);
      if (head_end == std::string_view::npos) {
        break;
      }
      std::string_view head = rest.substr(0, head_end);
      size_t body = 0;
      if (size_t length = head.find("Content-Length: "); length != std::string_view::npos) {
        body = std::strtoul(head.data() + length + 16, nullptr, 10);
      }
      if (head.find("Transfer-Encoding") != std::string_view::npos) {
        std::fprintf(stderr, "http_stub: chunked request\n");
        return false;
      }
      if (rest.size() < head_end + kHeadEnd.size() + body) {
        break;
      }
      Answer(head, rest.substr(head_end + kHeadEnd.size(), body), out);
      at += head_end + kHeadEnd.size() + body;
    }
    in.erase(0, at);
    return true;
  }

 private:
  void Answer(std::string_view head, std::string_view body, std::string& out) {
    std::string_view target = head.substr(0, head.find("\r\n"));
    target.remove_prefix(std::min(target.find(' ') + 1, target.size()));
    std::string_view path = target.substr(0, target.find_first_of(" ?"));
    if (path == "/record") {
      Record(body);
      Reply("", out);
    } else if (path == "/stub/recorded") {
      Reply(std::to_string(recorded_), out);
    } else if (path == "/stub/arrivals") {
      Reply(arrivals_, out);
    } else if (path == "/stub/spin") {
      spins = true;
      Reply("", out);
    } else if (path == "/stub/queries") {
      Reply(std::to_string(queries_), out);
    } else if (path.ends_with("/api/v1/query")) {
      ++queries_;
      Reply(Vector(), out);
    } else {
      Reply("", out);
    }
  }

  void Record(std::string_view body) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    constexpr std::string_view kLabel = R"("groupLabels":{"model":")";
    std::string_view model;
    if (size_t at = body.find(kLabel); at != std::string_view::npos) {
      model = body.substr(at + kLabel.size());
      model = model.substr(0, model.find('"'));
    }
    arrivals_ +=
        std::to_string(now.tv_sec * 1000000LL + now.tv_nsec / 1000) + ' ' + std::string(model) + '\n';
    ++recorded_;
  }

  // The first one is as it always was; the others differ by their instance.
  const std::string& Vector() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec == vector_of_ && series_ != 1) {
      return vector_;
    }
    vector_of_ = now.tv_sec;
    vector_ = R"({"status":"success","data":{"resultType":"vector","result":[)";
    char value[64];
    std::snprintf(value, sizeof(value), "[%lld.%03ld,\"0.97\"]", static_cast<long long>(now.tv_sec),
                  now.tv_nsec / 1000000);
    for (int i = 0; i < series_; ++i) {
      vector_ += i > 0 ? "," : "";
      vector_ += R"({"metric":{"cluster":"eu-west-1","env":"production","instance":"serving-)" +
                 std::to_string(i + 1) +
                 R"(.ml.internal:9100","job":"model-serving","model":"fraud-detector-v2",)"
                 R"("pipeline":"online-scoring"},"value":)";
      vector_ += value;
      vector_ += '}';
    }
    vector_ += "]}}";
    return vector_;
  }

  static void Reply(const std::string& body, std::string& out) {
    out += "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  int series_;
  std::string vector_;
  time_t vector_of_ = 0;  // when it was made
  uint64_t queries_ = 0;
  uint64_t recorded_ = 0;
  std::string arrivals_;
};

int Listen(int port) {
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 || ::listen(fd, 1024) != 0) {
    std::perror("http_stub: listen");
    std::exit(1);
  }
  return fd;
}

void SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) {
      return;  // the reader sees the end of the connection
    }
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::fprintf(stderr, "usage: http_stub PORT SERIES [sleep]\n");
    return 2;
  }
  Stub stub(std::atoi(argv[2]));
  stub.spins = argc == 3;  // "sleep": for one that only has to be there
  int listener = Listen(std::atoi(argv[1]));
  int poll = ::epoll_create1(0);
  auto watch = [poll](int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
  };
  watch(listener);
  std::unordered_map<int, std::string> input;
  std::string output;
  for (;;) {
    epoll_event events[64];
    int count = ::epoll_wait(poll, events, 64, stub.spins ? 0 : -1);
    for (int i = 0; i < count; ++i) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        int client = ::accept(listener, nullptr, nullptr);
        int on = 1;
        ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        input[client].clear();
        watch(client);
        continue;
      }
      char chunk[65536];
      ssize_t n = ::recv(fd, chunk, sizeof(chunk), 0);
      std::string& in = input[fd];
      if (n > 0) {
        in.append(chunk, static_cast<size_t>(n));
      }
      output.clear();
      if (n <= 0 || !stub.Serve(in, output)) {
        input.erase(fd);
        ::close(fd);
        continue;
      }
      SendAll(fd, output);
    }
  }
}
