// A data source in memory: series are functions of time, a query is "NAME > LIMIT", and both endpoints tell
// the same.
#pragma once

#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "net/transport.h"

namespace mlalert::testing {

class FakePrometheus {
 public:
  using Value = std::function<double(int64_t at_ms)>;
  // `labels`: the rest of a JSON object, `"model":"a"`.
  void Add(const std::string& name, const std::string& labels, Value value) {
    series_[name].push_back({labels, value});
  }

  HttpResult Answer(const HttpCall& call) {
    ++calls;
    const std::map<std::string, std::string> form = Form(call.body);
    HttpResult out;
    out.status = 200;
    const std::string query = form.at("query");
    const size_t space = query.find(" > ");
    const bool range = call.url.ends_with("/api/v1/query_range");
    if (range) {
      const int64_t from = Millis(form.at("start")), until = Millis(form.at("end")),
                    step = Millis(form.at("step"));
      if ((until - from) / step + 1 > points_max) {
        out.status = 400;
        out.body =
            R"({"status":"error","errorType":"bad_data","error":"exceeded maximum resolution of 11,000 points"})";
        return out;
      }
      longest_range = std::max(longest_range, (until - from) / step + 1);
      std::string rows;
      for (const auto& [labels, value] : series_[query.substr(0, space)]) {
        std::string points;
        for (int64_t at = from; at <= until; at += step) {
          if (const double v = value(at); v > std::stod(query.substr(space + 3))) {
            points += fmt::format("{}[{}.{:03},\"{}\"]", points.empty() ? "" : ",", at / 1000, at % 1000, v);
          }
        }
        if (!points.empty()) {
          rows += fmt::format("{}{{\"metric\":{{\"__name__\":\"{}\",{}}},\"values\":[{}]}}",
                              rows.empty() ? "" : ",", query.substr(0, space), labels, points);
        }
      }
      out.body = R"({"status":"success","data":{"resultType":"matrix","result":[)" + rows + "]}}";
      return out;
    }
    const int64_t at = Millis(form.at("time"));
    std::string rows;
    if (space == std::string::npos) {
      rows = fmt::format("{{\"metric\":{{}},\"value\":[{},\"1\"]}}", at / 1000);  // is there any series: yes
    } else {
      for (const auto& [labels, value] : series_[query.substr(0, space)]) {
        if (const double v = value(at); v > std::stod(query.substr(space + 3))) {
          rows +=
              fmt::format("{}{{\"metric\":{{\"__name__\":\"{}\",{}}},\"value\":[{}.{:03},\"{}\"]}}",
                          rows.empty() ? "" : ",", query.substr(0, space), labels, at / 1000, at % 1000, v);
        }
      }
    }
    out.body = R"({"status":"success","data":{"resultType":"vector","result":[)" + rows + "]}}";
    return out;
  }

  int calls = 0;
  int64_t points_max = 11'000;
  int64_t longest_range = 0;

 private:
  static int64_t Millis(const std::string& text) { return std::llround(std::stod(text) * 1000); }
  static std::map<std::string, std::string> Form(const std::string& text) {
    std::map<std::string, std::string> out;
    size_t at = 0;
    while (at < text.size()) {
      const size_t end = std::min(text.find('&', at), text.size());
      const std::string field = text.substr(at, end - at);
      const size_t equals = field.find('=');
      std::string value;
      for (size_t i = equals + 1; i < field.size(); ++i) {
        if (field[i] == '%') {
          value += static_cast<char>(std::stoi(field.substr(i + 1, 2), nullptr, 16));
          i += 2;
        } else {
          value += field[i] == '+' ? ' ' : field[i];
        }
      }
      out[field.substr(0, equals)] = value;
      at = end + 1;
    }
    return out;
  }
  std::map<std::string, std::vector<std::pair<std::string, Value>>> series_;
};

}  // namespace mlalert::testing
