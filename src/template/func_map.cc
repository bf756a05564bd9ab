#include "template/func_map.h"

#include <fmt/format.h>

#include "template/regex_cache.h"

namespace mlalert::tmpl {

Result<std::vector<Sample>> ExecContext::Query(const std::string& expr) {
  if (env_.query == nullptr || !*env_.query) {
    return Fail(ErrorCode::kUnavailable, "no data source to query");
  }
  if (++queries_ > limits_.query_calls) {
    return Fail(ErrorCode::kLimit, fmt::format("more than {} queries in one template", limits_.query_calls));
  }
  return (*env_.query)(expr);
}

Result<std::shared_ptr<const re2::RE2>> ExecContext::Regex(std::string_view pattern) {
  return regexes_.Get(pattern, *this);
}

void FuncMap::Put(FuncDef def) {
  if (functions_.use_count() > 1) {
    functions_ = std::make_shared<Map>(*functions_);
  }
  std::string name = def.name;
  functions_->insert_or_assign(std::move(name), std::make_shared<const FuncDef>(std::move(def)));
}

void FuncMap::Add(std::string name, std::vector<ParamType> params, Function fn) {
  Put({std::move(name), {std::move(params), false}, std::move(fn)});
}

void FuncMap::AddVariadic(std::string name, std::vector<ParamType> params, Function fn) {
  Put({std::move(name), {std::move(params), true}, std::move(fn)});
}

void FuncMap::AddSpecial(std::string name, std::vector<ParamType> params, SpecialForm form) {
  Put({std::move(name), {std::move(params), true}, nullptr, form});
}

void FuncMap::Merge(const FuncMap& other) {
  for (const auto& [name, def] : *other.functions_) {
    Put(*def);
  }
}

const FuncDef* FuncMap::Find(std::string_view name) const {
  auto it = functions_->find(name);
  return it == functions_->end() ? nullptr : it->second.get();
}

}  // namespace mlalert::tmpl
