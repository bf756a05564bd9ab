// Idle TCP connections to servers that speak plain HTTP, by origin, and which of these servers are better
// left to libcurl. Used by: net/plain_transfer. Owns: the sockets. Limits below. Thread: the transport's
// only. Time is an argument, on the monotonic clock.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "net/oauth2.h"
#include "net/socket.h"

namespace mlalert {

// As libcurl's: 256 kept, none older than two minutes.
inline constexpr size_t kIdleSocketsMax = 256;
inline constexpr std::chrono::seconds kIdleSocketAgeMax{118};
// For how long a server whose answer was odd is asked through libcurl at once.
inline constexpr std::chrono::minutes kOddServerFor{5};
inline constexpr size_t kOddServersMax = 256;

class PlainConnections {
 public:
  // One that is open and has nothing to read; none: empty. The youngest first, so that what is not needed
  // ages.
  Socket Take(const std::string& origin, MonoTime now);
  void Put(const std::string& origin, Socket socket, MonoTime now);
  // The path to the server is in doubt.
  void Drop(const std::string& origin);
  // Closes what is old or was closed by its server.
  void Prune(MonoTime now);

  void MarkOdd(const std::string& origin, MonoTime now);
  bool IsOdd(const std::string& origin, MonoTime now);

 private:
  struct Idle {
    Socket socket;
    MonoTime since;
  };

  std::map<std::string, std::vector<Idle>> idle_;  // youngest last
  size_t count_ = 0;
  std::map<std::string, MonoTime> odd_until_;
};

}  // namespace mlalert
