#include "rules/query_result.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "rules/harness.h"

namespace mlalert {
namespace {

using testing::Broken;
using testing::Ok;
using testing::Status;

QueryAnswer Decode(std::string body, int status = 200) {
  return DecodeQueryAnswer(Status(status, std::move(body)));
}

std::string Labels(const QueryAnswer& answer, size_t i) {
  const auto labels = answer.labels(answer.samples().at(i));
  return LabelSet::FromSorted(labels).ToString();
}

std::string Element(const std::string& inside) {
  return R"({"status":"success","data":{"resultType":"vector","result":[{)" + inside + "}]}}";
}

BOOST_AUTO_TEST_SUITE(query_result)

BOOST_AUTO_TEST_CASE(vector_with_labels_in_any_order) {
  const auto answer = Decode(
      R"({"status":"success","data":{"resultType":"vector","result":[)"
      R"({"metric":{"__name__":"m","model":"a","Zone":"z","empty":""},"value":[1435781451.781,"1.5"]},)"
      R"({"metric":{},"value":[1435781451,"-Inf"]}]}})");
  BOOST_TEST(answer.ok());
  BOOST_TEST(answer.samples().size() == 2);
  BOOST_TEST(Labels(answer, 0) == R"({Zone="z", __name__="m", model="a"})");
  BOOST_TEST(answer.samples()[0].value == 1.5);
  BOOST_TEST(Labels(answer, 1) == "{}");
  BOOST_TEST((answer.samples()[1].value == -INFINITY));
  BOOST_TEST(answer.samples()[0].hash ==
             HashLabels(LabelSet::FromSorted(answer.labels(answer.samples()[0]))));
}

BOOST_AUTO_TEST_CASE(views_survive_a_move) {
  auto answer = Decode(Element(R"("metric":{"a":"\u00e4\n"},"value":[1,"1"])"));
  const QueryAnswer moved = std::move(answer);
  BOOST_TEST(moved.labels(moved.samples().at(0))[0].value == "ä\n");
}

BOOST_AUTO_TEST_CASE(scalar_is_one_sample_without_labels) {
  const auto answer = Decode(R"({"status":"success","data":{"resultType":"scalar","result":[1,"2.5"]}})");
  BOOST_TEST(answer.ok());
  BOOST_TEST(answer.samples().size() == 1);
  BOOST_TEST(answer.samples()[0].value == 2.5);
  BOOST_TEST(answer.labels(answer.samples()[0]).empty());
}

BOOST_AUTO_TEST_CASE(result_may_come_before_its_type) {
  BOOST_TEST(
      Decode(R"({"data":{"result":[1,"2"],"resultType":"scalar"},"status":"success"})").samples().size() ==
      1);
}

BOOST_AUTO_TEST_CASE(string_and_matrix_are_refused) {
  for (const char* body :
       {R"({"status":"success","data":{"resultType":"string","result":[1,"x"]}})",
        R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"]]}]}})",
        R"({"status":"success","data":{"resultType":"matrix","result":[]}})"}) {
    const auto answer = Decode(body);
    BOOST_TEST((answer.error == AnswerError::kRule));
    BOOST_TEST(answer.error_text == "rule result is not a vector or scalar");
    BOOST_TEST(answer.samples().empty());
  }
}

BOOST_AUTO_TEST_CASE(native_histograms_are_tolerated) {
  const auto answer = Decode(
      Element(R"("metric":{"a":"b"},"histogram":[1,{"count":"3","sum":"10","buckets":[[0,"1","2","3"]]}])"));
  BOOST_TEST(answer.ok());
  BOOST_TEST(answer.samples().at(0).histogram);
  BOOST_TEST(answer.samples().at(0).value == 0);
}

BOOST_AUTO_TEST_CASE(values) {
  const struct {
    const char* text;
    double value;
  } good[] = {{"1", 1},          {"0.1", 0.1},     {"+Inf", INFINITY}, {"-inf", -INFINITY},
              {"INF", INFINITY}, {"1e-07", 1e-07}, {"1e+22", 1e22},    {"-0", 0}};
  for (const auto& c : good) {
    BOOST_TEST_CONTEXT(c.text) {
      BOOST_TEST(ParseSampleValue(c.text).value() == c.value);
    }
  }
  BOOST_TEST(std::isnan(ParseSampleValue("NaN").value()));
  BOOST_TEST(std::isnan(ParseSampleValue("nan").value()));
  for (const char* bad : {"", "+", "+-1", "1 ", " 1", "0x10", "nan(1)", "abc", "1,5", "1e999"}) {
    BOOST_TEST_CONTEXT(bad) {
      BOOST_TEST(!ParseSampleValue(bad).has_value());
    }
  }
}

BOOST_AUTO_TEST_CASE(warnings_and_partial_answers) {
  const std::string success = R"({"status":"success","data":{"resultType":"vector","result":[]},)";
  auto remarks = Decode(success + R"("warnings":["PromQL warning: x"],"infos":["PromQL info: y"]})");
  BOOST_TEST(remarks.ok());
  BOOST_TEST(!remarks.partial);
  BOOST_TEST(remarks.warnings.size() == 2);
  BOOST_TEST(Decode(success + R"("warnings":["store 10.0.0.1 is down"]})").partial);
  BOOST_TEST(Decode(success + R"("warnings":["results truncated due to limit"]})").partial);
  BOOST_TEST(Decode(success + R"("isPartial":true})").partial);
  BOOST_TEST(!Decode(success + R"("isPartial":false,"stats":{"seriesFetched":"3"}})").partial);
  std::string many = success + "\"warnings\":[\"w\"";
  for (int i = 0; i < 1000; ++i) {
    many += ",\"w\"";
  }
  BOOST_TEST(Decode(many + "]}").warnings.size() == kQueryWarningsMax);
}

BOOST_AUTO_TEST_CASE(who_is_to_blame) {
  const char* parse_error =
      R"({"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:5: parse error: unclosed left parenthesis"})";
  const struct {
    int status;
    std::string body;
    AnswerError error;
    bool retryable;
    std::string text;
  } cases[] = {
      {400, parse_error, AnswerError::kRule, false,
       "bad_data: invalid parameter \"query\": 1:5: parse error: unclosed left parenthesis"},
      {200, parse_error, AnswerError::kRule, false,
       "bad_data: invalid parameter \"query\": 1:5: parse error: unclosed left parenthesis"},
      {422, R"({"status":"error","errorType":"execution","error":"too many samples"})", AnswerError::kRule,
       false, "execution: too many samples"},
      {422, R"({"status":"error","errorType":"422","error":"cannot parse"})", AnswerError::kRule, false,
       "422: cannot parse"},
      {503, R"({"status":"error","errorType":"timeout","error":"query timed out"})", AnswerError::kSource,
       true, "timeout: query timed out"},
      {500, R"({"status":"error","errorType":"internal","error":"oops"})", AnswerError::kSource, false,
       "internal: oops"},
      {502, "<html><head><title>502 Bad Gateway</title></head></html>", AnswerError::kSource, true,
       "server returned 502 Bad Gateway: <html><head><title>502 Bad Gateway</title></head></html>"},
      {503, "Service Unavailable\n", AnswerError::kSource, true,
       "server returned 503 Service Unavailable: Service Unavailable "},
      {504, "", AnswerError::kSource, true, "server returned 504 Gateway Timeout"},
      {429, "slow down", AnswerError::kSource, true, "server returned 429 Too Many Requests: slow down"},
      {401, "no", AnswerError::kSource, false, "server returned 401 Unauthorized: no"},
      {404, "404 page not found", AnswerError::kSource, false,
       "server returned 404 Not Found: 404 page not found"},
      {200, "<html>login</html>", AnswerError::kSource, false,
       "not an answer of a Prometheus API: the body is not JSON: <html>login</html>"},
      {200, "{}", AnswerError::kSource, false,
       "not an answer of a Prometheus API: it says neither success nor error"},
      {200, R"({"status":"success"})", AnswerError::kSource, false, "bad answer: it holds no result"},
      {418, R"({"status":"success","data":{"resultType":"vector","result":[]}})", AnswerError::kSource, false,
       "server returned status 418: "
       "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.status << " " << c.body) {
      const auto answer = Decode(c.body, c.status);
      BOOST_TEST((answer.error == c.error));
      BOOST_TEST(answer.retryable == c.retryable);
      BOOST_TEST(answer.error_text == c.text);
    }
  }
}

BOOST_AUTO_TEST_CASE(transport_failures) {
  const struct {
    Failure failure;
    AnswerError error;
    bool retryable;
  } cases[] = {{Failure::kConnect, AnswerError::kSource, true},
               {Failure::kDns, AnswerError::kSource, true},
               {Failure::kTimeout, AnswerError::kSource, true},
               {Failure::kReset, AnswerError::kSource, true},
               {Failure::kQueueFull, AnswerError::kSource, true},
               {Failure::kOther, AnswerError::kSource, false},
               {Failure::kTooLarge, AnswerError::kRule, false},
               {Failure::kCancelled, AnswerError::kCancelled, false}};
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(FailureName(c.failure)) {
      const auto answer = DecodeQueryAnswer(Broken(c.failure));
      BOOST_TEST((answer.error == c.error));
      BOOST_TEST(answer.retryable == c.retryable);
    }
  }
}

BOOST_AUTO_TEST_CASE(hostile_bodies_are_errors) {
  const std::string deep(3000000, '[');
  std::string wide = R"("metric":{)";
  for (size_t i = 0; i <= kSampleLabelsMax; ++i) {
    wide += fmt::format("\"l{}\":\"v\",", i);
  }
  wide.back() = '}';
  const std::string cases[] = {
      R"({"status":"success","data":)" + deep,
      R"({"status":"success","data":{"resultType":"vector","result":[)" + deep,
      Element(wide + R"(,"value":[1,"1"])"),
      Element(R"("metric":{"a":"1","a":"2"},"value":[1,"1"])"),
      Element(R"("metric":{"a":1},"value":[1,"1"])"),
      Element(R"("metric":{"a":{}},"value":[1,"1"])"),
      Element(R"("metric":{"a":[]},"value":[1,"1"])"),
      Element(R"("metric":{"a":null},"value":[1,"1"])"),
      Element(R"("metric":{},"metric":{},"value":[1,"1"])"),
      Element(R"("metric":{}})"),
      Element(R"("metric":{},"value":[1,1])"),
      Element(R"("metric":{},"value":["1","1"])"),
      Element(R"("metric":{"a":"\ud800"},"value":[1,"1"])"),
      Element(R"("metric":{"a":"\udc00"},"value":[1,"1"])"),
      Element(R"("metric":{"a":"\ud800\u0041"},"value":[1,"1"])"),
      Element(R"("metric":{},"value":[1,"x"])"),
      Element("\"metric\":{\"a\":\"\xff\"},\"value\":[1,\"1\"]"),
      R"({"status":"success","data":{"resultType":"vector","result":[],"result":[]}})",
      R"({"status":"success","data":{"resultType":"vector","result":[]},"data":{}})",
      R"({"status":"success","data":{"resultType":"scalar","result":["1"]}})",
      R"({"status":"success","data":{"resultType":"vector","result":{}}})",
      R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"1"])",
      R"({"status":"success"}{)",
  };
  for (const auto& body : cases) {
    BOOST_TEST_CONTEXT(body.substr(0, 100)) {
      const auto answer = Decode(body);
      BOOST_TEST(!answer.ok());
      BOOST_TEST(!answer.error_text.empty());
      BOOST_TEST(answer.samples().empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(error_texts_are_capped_and_printable) {
  const auto html = Decode(std::string(100000, 'x'), 502);
  BOOST_TEST(html.error_text.size() < 300);
  const auto json =
      Decode(R"({"status":"error","errorType":"internal","error":")" + std::string(100000, 'x') + "\"}", 500);
  BOOST_TEST(json.error_text.size() < kErrorTextBytesMax + 100);
  BOOST_TEST(Decode("a\x01\xff"
                    "b",
                    500)
                 .error_text == "server returned 500 Internal Server Error: a ?b");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
