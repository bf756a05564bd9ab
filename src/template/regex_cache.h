// Compiled patterns of match and reReplaceAll: rule templates run the same pattern for every series.
// Owned by a template set, shared by its copies. Keeps kMaxEntries patterns; when full it starts anew.
// Thread: safe; one short lock around the lookup. Compilation happens outside the lock.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "template/func_map.h"

namespace mlalert::tmpl {

class RegexCache {
 public:
  static constexpr size_t kMaxEntries = 64;
  static constexpr size_t kMaxPatternBytes = 4096;

  // Compiling counts as work of `context`. Error: "error parsing regexp: ...: `...`".
  Result<std::shared_ptr<const re2::RE2>> Get(std::string_view pattern, ExecContext& context);

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const re2::RE2>, std::less<>> compiled_;  // guarded by mutex_
};

// Go's ReplaceAllString: $1, ${1}, $name, ${name}, $$; `limit` bounds the result.
Result<std::string> ReplaceAll(const re2::RE2& re, std::string_view text, std::string_view replacement,
                               size_t limit);
bool Matches(const re2::RE2& re, std::string_view text);

}  // namespace mlalert::tmpl
