// The functions a template may call, by name. Built once per function set and shared by all its templates.
// Fed by: builtins, rule_funcs, notify_funcs. Read by: parser (does it exist?) and exec (arity, types, call).
// Functions see the world only through ExecContext, so that they are pure and rendering can be repeated.
// Thread: immutable once given to a template; functions must be safe to call from several threads at once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "template/value.h"

namespace re2 {
class RE2;
}

namespace mlalert::tmpl {

// Bounds of one execution. A template that reaches one fails with ErrorCode::kLimit.
struct ExecLimits {
  size_t output_bytes = 1 << 20;  // of the output, and of every string made on the way
  int template_depth = 100;       // {{ template }} inside {{ template }}
  int64_t steps = 1000000;        // nodes visited, loop turns, and work on long strings
  int query_calls = 10;
};

using QueryFn = std::function<Result<std::vector<Sample>>(const std::string& expr)>;
using RouteLabelFn = std::function<Result<std::string>(std::string_view name)>;

// What functions may ask of the world during one execution. Everything is borrowed.
struct ExecEnv {
  Timestamp now = kUnset;
  std::string_view external_url;   // no trailing slash
  const QueryFn* query = nullptr;  // null: query() fails
  const RouteLabelFn* route_label = nullptr;
};

class RegexCache;

// Handed to every function call.
class ExecContext {
 public:
  ExecContext(const ExecEnv& env, const ExecLimits& limits, RegexCache& regexes)
      : env_(env), limits_(limits), regexes_(regexes) {}

  const ExecEnv& env() const { return env_; }
  const ExecLimits& limits() const { return limits_; }

  // Counts work; false when the budget is used up (exec then reports the limit).
  bool Charge(int64_t steps) { return (steps_ += steps) <= limits_.steps; }
  Result<std::vector<Sample>> Query(const std::string& expr);
  // A compiled pattern, shared by all executions of the template set. Errors have Go's text.
  Result<std::shared_ptr<const re2::RE2>> Regex(std::string_view pattern);

 private:
  const ExecEnv& env_;
  const ExecLimits& limits_;
  RegexCache& regexes_;
  int64_t steps_ = 0;
  int queries_ = 0;
};

// Arguments already fit the signature. An error's message becomes "error calling NAME: message".
using Function = std::function<Result<Value>(ExecContext&, std::span<const Value>)>;

// The built-ins that do not evaluate all their arguments, or look at how the argument was written.
enum class SpecialForm : uint8_t { kNone, kAnd, kOr, kCall };

struct FuncDef {
  std::string name;
  Signature signature;
  Function fn;
  SpecialForm special = SpecialForm::kNone;
};

class FuncMap {
 public:
  // Replaces a function of the same name.
  void Add(std::string name, std::vector<ParamType> params, Function fn);
  // The last parameter may be given any number of times.
  void AddVariadic(std::string name, std::vector<ParamType> params, Function fn);
  void AddSpecial(std::string name, std::vector<ParamType> params, SpecialForm form);
  // Adds the other's functions; they win over ours.
  void Merge(const FuncMap& other);

  // Null when not defined. The pointer lives as long as this map, or any copy of it, holds the function.
  const FuncDef* Find(std::string_view name) const;

 private:
  using Map = std::map<std::string, std::shared_ptr<const FuncDef>, std::less<>>;

  void Put(FuncDef def);

  // Shared by copies: every parsed text keeps its function set alive. Copied before it is changed.
  std::shared_ptr<Map> functions_ = std::make_shared<Map>();
};

// and or not len index slice print printf println html js urlquery call eq ne lt le gt ge.
// Every template has them; a FuncMap given to it may override them.
const FuncMap& BuiltinFunctions();

}  // namespace mlalert::tmpl
