// A scripted SMTP server on 127.0.0.1, port 0: each step says what it expects and what it answers. For what a
// real server never does; real ones are in test/e2e/email_test.py.
// Thread: scripts run on the server's thread and must not assert; lines are looked at from the test's.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "net/local_server.h"

namespace mlalert::testing {

struct SmtpScriptOptions {
  std::string greeting = "220 test ESMTP\r\n";
  std::vector<std::string> extensions{"8BITMIME", "AUTH CRAM-MD5 LOGIN PLAIN", "SMTPUTF8"};
  // The answer to a line that starts with the first text; "" closes the connection.
  std::vector<std::pair<std::string, std::string>> answers{};
  bool hang_at_end_of_data = false;
};

// Answers line by line; a message ends with a dot. Holds what the client said.
class SmtpScript {
 public:
  explicit SmtpScript(SmtpScriptOptions options = {}) : options_(std::move(options)) {}

  void operator()(Connection& connection) {
    if (!connection.Write(options_.greeting)) {
      return;
    }
    std::string line;
    bool data = false;
    while (connection.ReadLine(&line)) {
      Add(line);
      if (data && line != ".") {
        continue;
      }
      if (data && options_.hang_at_end_of_data) {
        connection.Hang();
        return;
      }
      std::string answer = data ? Answer("<message>", "250 queued\r\n") : AnswerTo(line, &data);
      if (line == ".") {
        data = false;
      }
      if (answer.empty() || !connection.Write(answer) || line == "QUIT") {
        return;
      }
    }
  }

  std::vector<std::string> lines() {
    std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  void Add(const std::string& line) {
    std::lock_guard lock(mutex_);
    lines_.push_back(line);
  }
  std::string Answer(const std::string& line, std::string fallback) {
    for (const auto& [start, answer] : options_.answers) {
      if (line.rfind(start, 0) == 0) {
        return answer;
      }
    }
    return fallback;
  }
  std::string AnswerTo(const std::string& line, bool* data) {
    if (line.rfind("EHLO", 0) == 0) {
      std::string all = "250-test\r\n";
      for (const std::string& extension : options_.extensions) {
        all += "250-" + extension + "\r\n";
      }
      return Answer(line, all + "250 HELP\r\n");
    }
    if (line == "DATA") {
      const std::string answer = Answer(line, "354 go\r\n");
      *data = answer.rfind("354", 0) == 0;
      return answer;
    }
    if (line.rfind("AUTH LOGIN", 0) == 0) {
      return Answer(line, "334 VXNlcm5hbWU6\r\n");
    }
    if (line == "dXNlcg==") {  // "user"
      return Answer(line, "334 UGFzc3dvcmQ6\r\n");
    }
    if (line.rfind("AUTH CRAM-MD5", 0) == 0) {
      return Answer(line, "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\r\n");
    }
    if (line == "QUIT") {
      return Answer(line, "221 bye\r\n");
    }
    const bool credentials = line.rfind("AUTH ", 0) == 0 || line.find(' ') == std::string::npos;
    return Answer(line, credentials ? "235 ok\r\n" : "250 ok\r\n");
  }

  const SmtpScriptOptions options_;
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace mlalert::testing
