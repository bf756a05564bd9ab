#include "template/template.h"

#include <fmt/format.h>

#include "template/ast.h"
#include "template/exec.h"
#include "template/html_escape.h"
#include "template/parser.h"
#include "template/quote.h"
#include "template/regex_cache.h"

namespace mlalert::tmpl {

struct TemplateSet {
  FuncMap functions;
  TreeMap trees;
  std::shared_ptr<RegexCache> regexes = std::make_shared<RegexCache>();
};

namespace {

// Puts a text's trees into the set. An empty definition never replaces one with content.
void Install(TemplateSet& set, const std::vector<std::shared_ptr<const Tree>>& trees) {
  for (const auto& tree : trees) {
    auto [it, fresh] = set.trees.try_emplace(tree->name, tree);
    if (!fresh && !tree->IsEmpty()) {
      it->second = tree;
    }
  }
}

}  // namespace

Result<Template> Template::Parse(std::string name, std::string_view text, const FuncMap& funcs,
                                 const ParseOptions& options) {
  MLALERT_ASSIGN(auto trees, ParseText(name, text, funcs, options));
  auto set = std::make_shared<TemplateSet>();
  set->functions = funcs;
  Install(*set, trees);
  return Template(std::move(set), std::move(name));
}

Status Template::AddFile(std::string name, std::string_view text, const ParseOptions& options) {
  MLALERT_ASSIGN(auto trees, ParseText(std::move(name), text, set_->functions, options));
  auto set = std::make_shared<TemplateSet>(*set_);
  Install(*set, trees);
  set_ = std::move(set);
  return {};
}

Result<Template> Template::With(std::string name, std::string_view text, const ParseOptions& options) const {
  Template copy(set_, name);
  MLALERT_TRY(copy.AddFile(std::move(name), text, options));
  return copy;
}

Result<std::string> Template::Execute(const Value& data, const ExecEnv& env, const ExecLimits& limits,
                                      std::span<const Value> variables) const {
  auto it = set_->trees.find(name_);
  if (it == set_->trees.end()) {
    return Fail(ErrorCode::kNotFound, fmt::format("template: no template {} associated with template {}",
                                                  QuoteGo(name_), QuoteGo(name_)));
  }
  return Executor(set_->trees, env, limits, *set_->regexes).Run(*it->second, data, variables);
}

Result<std::string> Template::ExecuteNamed(std::string_view name, const Value& data, const ExecEnv& env,
                                           const ExecLimits& limits) const {
  auto it = set_->trees.find(name);
  if (it == set_->trees.end()) {
    return Fail(ErrorCode::kNotFound, fmt::format("template: no template {} associated with template {}",
                                                  QuoteGo(name), QuoteGo(name_)));
  }
  return Executor(set_->trees, env, limits, *set_->regexes).Run(*it->second, data, {});
}

Result<Template> Template::Html() const {
  MLALERT_ASSIGN(TreeMap trees, EscapeTrees(set_->trees, name_));
  auto set = std::make_shared<TemplateSet>(*set_);
  set->trees = std::move(trees);
  return Template(std::move(set), name_);
}

bool Template::Has(std::string_view name) const {
  return set_->trees.find(name) != set_->trees.end();
}

std::vector<std::string> Template::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, tree] : set_->trees) {
    names.push_back(name);
  }
  return names;
}

}  // namespace mlalert::tmpl
