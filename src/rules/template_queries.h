// The `query` function of rule templates without waiting: a template that asks is expanded once to learn what
// it asks, the group asks the data source, and the second expansion finds the answers here. Fed by:
// RuleMachine (expansions) and GroupRunner (answers). Owns: the answers of one evaluation. Thread: the rule
// manager's caller.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "rules/query_result.h"
#include "template/func_map.h"

namespace mlalert {

// Different queries that the templates of one rule may make in one evaluation; more are answered with an
// error.
inline constexpr size_t kTemplateQueriesMax = 100;
// Elements of one answer handed to a template.
inline constexpr size_t kTemplateSamplesMax = 1000;

class TemplateQueries {
 public:
  TemplateQueries();
  TemplateQueries(const TemplateQueries&) = delete;
  TemplateQueries& operator=(const TemplateQueries&) = delete;

  // Forgets the answers of the last evaluation.
  void Begin();
  // For RuleTemplateData::query: the answer when it is known, else an error, and the question is remembered.
  const tmpl::QueryFn& function() const { return function_; }
  // What was asked since the last call and has no answer.
  std::vector<std::string> TakeWanted();
  // Whether the last expansions asked something that has no answer.
  bool missing() const { return !wanted_.empty(); }
  void OnAnswer(const std::string& expr, const QueryAnswer& answer);

 private:
  std::map<std::string, Result<std::vector<tmpl::Sample>>> answers_;
  std::set<std::string> wanted_;
  tmpl::QueryFn function_;
};

}  // namespace mlalert
