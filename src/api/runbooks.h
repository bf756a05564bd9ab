// Runbooks: Markdown files in the folders of --runbooks.path, shown at /runbooks/NAME and named by the last
// part of a rule's runbook_url. NAME.md is for everybody, NAME.MODEL.md for one model; the first folder that
// has it wins. Files are read when somebody asks: what is mounted anew shows at once. Fed by: the shell.
// Owns: the list of folders. Thread: immutable; any.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_router.h"
#include "config/config.h"

namespace mlalert {

inline constexpr size_t kRunbookBytesMax = 256 * 1024;
inline constexpr size_t kRunbooksMax = 2000;  // files that a folder is searched for

class Runbooks {
 public:
  explicit Runbooks(std::vector<std::string> folders) : folders_(std::move(folders)) {}

  bool configured() const { return !folders_.empty(); }
  // Without those of a single model, sorted, each once.
  std::vector<std::string> Names() const;
  // For this model, else for everybody; nothing when there is neither, or when either name is none.
  std::optional<std::string> Text(std::string_view name, std::string_view model) const;

 private:
  std::vector<std::string> folders_;
};

// The last part of a URL, when it can be the name of a runbook: "serving-down" of
// "https://wiki/runbooks/serving-down". Empty otherwise, and for URLs with a query or an anchor.
std::string_view RunbookNameOf(std::string_view url);

// GET /runbooks, the list, and /runbooks/{name}?model=MODEL: HTML for browsers, else the Markdown as it is.
// Above it stand owner and links of the model from the config's `models`; {{model}} in the text becomes the
// model. Both arguments must outlive the router's server.
void AddRunbooks(HttpRouter& router, const Runbooks& runbooks, std::function<ConfigPtr()> config);

}  // namespace mlalert
