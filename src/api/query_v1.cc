// What a Prometheus data source of Grafana asks before it shows the rules of one: whether the server answers
// queries (1+1), and which labels there are. There are no series here, so constants are all that is computed;
// whatever reads series is refused in plain words, not answered with an empty result that would look like
// data.
#include <cmath>
#include <fmt/format.h>
#include <optional>

#include "api/handlers.h"
#include "api/http_parse.h"
#include "base/json.h"
#include "promql/parser.h"
#include "template/number.h"

namespace mlalert {
namespace {

void SetError(HttpResponse& response, int status, std::string_view type, const std::string& message) {
  Json json = Json::MakeObject();
  json.Set("status", "error").Set("errorType", type).Set("error", message);
  response.status = status;
  response.content_type = "application/json";
  response.body = json.Dump();
}

void SetSuccess(HttpResponse& response, Json data) {
  Json json = Json::MakeObject();
  json.Set("status", "success").Set("data", std::move(data));
  response.content_type = "application/json";
  response.body = json.Dump();
}

std::optional<double> Combine(promql::BinaryOp op, double a, double b) {
  switch (op) {
    case promql::BinaryOp::kAdd:
      return a + b;
    case promql::BinaryOp::kSub:
      return a - b;
    case promql::BinaryOp::kMul:
      return a * b;
    case promql::BinaryOp::kDiv:
      return a / b;
    case promql::BinaryOp::kMod:
      return std::fmod(a, b);
    case promql::BinaryOp::kPow:
      return std::pow(a, b);
    case promql::BinaryOp::kAtan2:
      return std::atan2(a, b);
    case promql::BinaryOp::kEqual:
      return a == b ? 1 : 0;
    case promql::BinaryOp::kNotEqual:
      return a != b ? 1 : 0;
    case promql::BinaryOp::kGreater:
      return a > b ? 1 : 0;
    case promql::BinaryOp::kGreaterEqual:
      return a >= b ? 1 : 0;
    case promql::BinaryOp::kLess:
      return a < b ? 1 : 0;
    case promql::BinaryOp::kLessEqual:
      return a <= b ? 1 : 0;
    default:
      return std::nullopt;
  }
}

// Nothing: it needs series. The parser bounds the depth.
std::optional<double> Constant(const promql::Expr& expr) {
  if (const auto* number = promql::As<promql::NumberLiteral>(expr)) {
    return number->value;
  }
  if (const auto* paren = promql::As<promql::ParenExpr>(expr)) {
    return Constant(*paren->expr);
  }
  if (const auto* unary = promql::As<promql::UnaryExpr>(expr)) {
    const std::optional<double> value = Constant(*unary->expr);
    return value && unary->negative ? std::optional(-*value) : value;
  }
  if (const auto* binary = promql::As<promql::BinaryExpr>(expr)) {
    const std::optional<double> a = Constant(*binary->lhs);
    const std::optional<double> b = Constant(*binary->rhs);
    return a && b ? Combine(binary->op, *a, *b) : std::nullopt;
  }
  return std::nullopt;
}

// From the URL or the form in the body, as Prometheus takes it.
std::string ParamOf(const HttpRequest& request, std::string_view name) {
  std::vector<HttpParam> form;
  if (request.method == "POST" && ParseHttpQuery(request.body, form)) {
    for (HttpParam& param : form) {
      if (param.name == name) {
        return std::move(param.value);
      }
    }
  }
  const std::string* value = request.Query(name);
  return value != nullptr ? *value : std::string();
}

void Query(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  const auto expr = promql::ParseExpr(ParamOf(request, "query"));
  if (!expr) {
    SetError(response, 400, "bad_data", fmt::format("invalid parameter \"query\": {}", expr.error().message));
    return;
  }
  const std::optional<double> value = Constant(**expr);
  if (!value) {
    SetError(response, 422, "execution",
             "mlalert stores no series: it computes constants only. Ask the data source that its rules are "
             "evaluated against");
    return;
  }
  Json result = Json::MakeArray();
  result.Push(ToSeconds(context.clock.Now().time_since_epoch()));
  result.Push(tmpl::FormatFloat(*value));
  Json data = Json::MakeObject();
  data.Set("resultType", "scalar").Set("result", std::move(result));
  SetSuccess(response, std::move(data));
}

}  // namespace

void AddQueryV1(HttpRouter& router, ApiContext& context) {
  const auto query = [&context](HttpRequest& request, HttpResponse& response) {
    Query(context, request, response);
  };
  const auto refuse = [](HttpRequest&, HttpResponse& response) {
    SetError(response, 422, "execution",
             "mlalert stores no series. Ask the data source that its rules are evaluated against");
  };
  const auto none = [](HttpRequest&, HttpResponse& response) { SetSuccess(response, Json::MakeArray()); };
  router.Get("/api/v1/query", query);
  router.Post("/api/v1/query", query);
  router.Get("/api/v1/query_range", refuse);
  router.Post("/api/v1/query_range", refuse);
  router.Get("/api/v1/labels", none);
  router.Post("/api/v1/labels", none);
  router.Get("/api/v1/label/{name}/values", none);
  router.Get("/api/v1/series", none);
  router.Post("/api/v1/series", none);
  router.Get("/api/v1/metadata",
             [](HttpRequest&, HttpResponse& response) { SetSuccess(response, Json::MakeObject()); });
}

}  // namespace mlalert
