// Asks a data source whether the series that rules need exist: a rule whose series nobody exports is dead.
// Used by: check_command.cc. Owns: a transport of its own. Blocks. Thread: one.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/diagnostics.h"
#include "config/rule_file.h"
#include "net/http_transport.h"
#include "rules/datasource.h"

namespace mlalert {

class SeriesCheck {
 public:
  static Result<std::unique_ptr<SeriesCheck>> Open(const std::string& url);
  ~SeriesCheck();

  // Warns about every selector without which a rule cannot speak and that finds nothing. One error when the
  // data source cannot be asked.
  Diagnostics Check(const std::vector<RuleGroup>& groups);

 private:
  SeriesCheck(const std::string& url, std::unique_ptr<SystemClock> clock,
              std::unique_ptr<HttpTransport> transport);
  Result<bool> Exists(const std::string& query);
  Status CheckRule(const RuleGroup& group, const AlertingRule& rule, Diagnostics& out);

  std::unique_ptr<SystemClock> clock_;
  std::unique_ptr<HttpTransport> transport_;
  Datasource datasource_;
  LaneId lane_{};
  std::map<std::string, bool> known_;  // by query
};

}  // namespace mlalert
