// `mlalert review`: the weekly review, from the database file; needs no running mlalert. Thread: one.
#pragma once

#include <string>

#include "cli/console.h"

#include "base/time.h"

namespace CLI {
class App;
}

namespace mlalert {

struct ReviewOptions {
  std::string storage_path = "data/";
  std::string week;
  std::string since;
  std::string team;
  std::string time_zone;
  std::string format = "table";
  bool live = false;
  std::string config_file;  // for proposals
};

int RunReview(const ReviewOptions& options, Timestamp now, Console& console);
void AddReviewCommand(CLI::App& app, int& exit_code);

}  // namespace mlalert
