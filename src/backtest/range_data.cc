#include "backtest/range_data.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "base/json.h"
#include "net/url.h"

namespace mlalert {
namespace {

constexpr size_t kChunkBytesMax = size_t{64} << 20;
constexpr size_t kChunksPerQuery = 4;
constexpr size_t kInstantsMax = 10'000;
constexpr int kAttempts = 3;
constexpr int64_t kPointsMin = 60;
constexpr Duration kRangeTimeout = std::chrono::minutes(2);

int HexValue(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                : -1;
}

std::string Decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0) {
      out += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

using Form = std::vector<std::pair<std::string, std::string>>;  // names decoded, values as they are

Form SplitForm(std::string_view text) {
  Form out;
  while (!text.empty()) {
    std::string_view field = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), field.size() + 1));
    const size_t equals = field.find('=');
    out.emplace_back(Decode(field.substr(0, equals)),
                     equals == std::string_view::npos ? "" : std::string(field.substr(equals + 1)));
  }
  return out;
}

// The form of a call, wherever its method puts it.
std::string_view FormOf(const HttpCall& call) {
  if (call.method == "POST") {
    return call.body;
  }
  const size_t mark = call.url.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(call.url).substr(mark + 1);
}

std::string FieldOf(const Form& form, std::string_view name) {
  auto it = std::find_if(form.begin(), form.end(), [&](const auto& field) { return field.first == name; });
  return it != form.end() ? Decode(it->second) : "";
}

Result<int64_t> MillisOf(const std::string& text) {
  double seconds = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) {
    return std::llround(seconds * 1000);
  }
  MLALERT_ASSIGN(Timestamp at, ParseRfc3339(text));
  return ToUnixMillis(at);
}

std::string Seconds(int64_t ms) {
  return fmt::format("{}.{:03}", ms / 1000, ms % 1000);
}

HttpCall RangeCall(const HttpCall& call, int64_t from_ms, int64_t until_ms, int64_t step_ms) {
  HttpCall out = call;
  std::string form;
  for (const auto& [name, value] : SplitForm(FormOf(call))) {
    if (name != "time" && name != "timeout") {
      form += fmt::format("{}{}={}", form.empty() ? "" : "&", QueryEscape(name), value);
    }
  }
  form += fmt::format("&start={}&end={}&step={}", Seconds(from_ms), Seconds(until_ms), Seconds(step_ms));
  const size_t mark = out.url.find('?');
  std::string path = out.url.substr(0, mark);
  if (path.ends_with("/query")) {
    path += "_range";
  }
  out.url = path;
  if (call.method == "POST") {
    out.body = form;
  } else {
    out.url += "?" + form;
  }
  out.timeout = kRangeTimeout;
  out.response_bytes_max = kChunkBytesMax;
  return out;
}

Error Refusal(const HttpResult& result) {
  if (!result.ok()) {
    return Error{ErrorCode::kUnavailable, "the data source did not answer: " + result.error, {}, ""};
  }
  auto json = ParseJson(result.body);
  const std::string text = json ? json->GetString("error") : "";
  return Error{result.status >= 400 && result.status < 500 ? ErrorCode::kInvalid : ErrorCode::kUnavailable,
               fmt::format("the data source answered {}{}{}", result.status, text.empty() ? "" : ": ",
                           text.substr(0, 512)),
               {},
               ""};
}

}  // namespace

Result<HttpResult> RangeData::Answer(const HttpCall& call) {
  const Form form = SplitForm(FormOf(call));
  const std::string query = FieldOf(form, "query");
  const std::string time = FieldOf(form, "time");
  auto interval = intervals_.find(query);
  if (interval == intervals_.end()) {
    const auto key = std::pair(query, time);
    if (auto known = instants_.find(key); known != instants_.end()) {
      return known->second;
    }
    ++calls_;
    HttpResult result = fetch_(call);
    if (instants_.size() >= kInstantsMax) {
      instants_.clear();
    }
    instants_[key] = result;
    return result;
  }
  MLALERT_ASSIGN(const int64_t at, MillisOf(time));
  std::deque<Chunk>& chunks = chunks_[query];
  for (Chunk& chunk : chunks) {
    if (chunk.Has(at)) {
      return AtInstant(chunk, at);
    }
  }
  MLALERT_ASSIGN(Chunk chunk, Load(call, query, at, interval->second));
  // A newer piece of the same grid takes the place of the one before.
  std::erase_if(chunks, [&](const Chunk& old) {
    return old.step_ms == chunk.step_ms && (chunk.from_ms - old.from_ms) % chunk.step_ms == 0;
  });
  if (chunks.size() >= kChunksPerQuery) {
    chunks.pop_front();
  }
  chunks.push_back(std::move(chunk));
  return AtInstant(chunks.back(), at);
}

Result<RangeData::Chunk> RangeData::Load(const HttpCall& call, const std::string& query, int64_t from_ms,
                                         Duration step) {
  Chunk chunk;
  chunk.from_ms = from_ms;
  chunk.step_ms = std::max<int64_t>(1, step / std::chrono::milliseconds(1));
  HttpResult result;
  for (int attempt = 1;; ++attempt) {
    const int64_t last =
        std::max(from_ms, std::min(ToUnixMillis(until_), from_ms + (points_ - 1) * chunk.step_ms));
    chunk.until_ms = from_ms + (last - from_ms) / chunk.step_ms * chunk.step_ms;
    ++calls_;
    result = fetch_(RangeCall(call, from_ms, chunk.until_ms, chunk.step_ms));
    if (result.ok() && result.status == 200) {
      break;
    }
    // Too much at once (of ours or of the server's limits): smaller pieces, from now on.
    const bool too_much = result.failure == Failure::kTooLarge || result.failure == Failure::kTimeout ||
                          result.status == 422 || result.status == 503;
    if (too_much && points_ > kPointsMin) {
      points_ = std::max(kPointsMin, points_ / 2);
      attempt = 0;
      continue;
    }
    if (attempt >= kAttempts || (result.ok() && result.status >= 400 && result.status < 500)) {
      return Fail(Refusal(result).Context(fmt::format("query \"{}\"", query.substr(0, 200))));
    }
  }
  MLALERT_ASSIGN(Json json, ParseJson(result.body, {.depth_max = 8, .bytes_max = kChunkBytesMax}));
  const Json* data = json.Find("data");
  const Json* rows = data != nullptr ? data->Find("result") : nullptr;
  if (json.GetString("status") != "success" || rows == nullptr || data->GetString("resultType") != "matrix") {
    return Fail(ErrorCode::kUnavailable, "the data source's answer is not that of query_range");
  }
  if (const Json* warnings = json.Find("warnings")) {
    for (const Json& warning : warnings->AsArray()) {
      if (warnings_.size() < 20 &&
          std::find(warnings_.begin(), warnings_.end(), warning.AsString()) == warnings_.end()) {
        warnings_.push_back(warning.AsString());
      }
    }
  }
  for (const Json& row : rows->AsArray()) {
    Series& series = chunk.series.emplace_back();
    const Json* metric = row.Find("metric");
    series.metric = metric != nullptr ? metric->Dump() : "{}";
    const Json* values = row.Find("values");
    if (values == nullptr) {
      continue;  // native histograms: instant answers count them as present; rules that compare have none
    }
    for (const Json& point : values->AsArray()) {
      if (point.AsArray().size() == 2) {
        series.points.emplace_back(std::llround(point.AsArray()[0].AsDouble() * 1000),
                                   point.AsArray()[1].AsString());
      }
    }
  }
  return chunk;
}

HttpResult RangeData::AtInstant(Chunk& chunk, int64_t at_ms) {
  std::string body = R"({"status":"success","data":{"resultType":"vector","result":[)";
  bool first = true;
  for (Series& series : chunk.series) {
    if (series.next > 0 && series.points[series.next - 1].first >= at_ms) {
      series.next = 0;  // a question about an earlier time
    }
    while (series.next < series.points.size() && series.points[series.next].first < at_ms) {
      ++series.next;
    }
    if (series.next < series.points.size() && series.points[series.next].first == at_ms) {
      body += first ? "" : ",";
      first = false;
      body += fmt::format(R"({{"metric":{},"value":[{},)", series.metric, Seconds(at_ms));
      AppendJsonString(body, series.points[series.next].second);
      body += "]}";
    }
  }
  body += "]}}";
  HttpResult out;
  out.status = 200;
  out.headers = {{"content-type", "application/json"}};
  out.body = std::move(body);
  return out;
}

}  // namespace mlalert
