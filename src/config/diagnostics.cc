#include "config/diagnostics.h"

#include <algorithm>
#include <fmt/format.h>

namespace mlalert {

std::string_view ToString(DiagnosticLevel level) {
  return level == DiagnosticLevel::kError ? "error" : "warning";
}

std::string Diagnostic::ToString() const {
  std::string place = where.ToString();
  std::string out =
      fmt::format("{}{}{}: {}", place, place.empty() ? "" : ": ", mlalert::ToString(level), message);
  if (!path.empty()) {
    out += fmt::format(" [{}]", path);
  }
  if (!source_line.empty()) {
    std::string number = std::to_string(where.line);
    out += fmt::format("\n  {} | {}", number, source_line);
    if (caret > 0) {
      out += fmt::format("\n  {} | {}^", std::string(number.size(), ' '),
                         std::string(static_cast<size_t>(caret - 1), ' '));
    }
  }
  if (!hint.empty()) {
    out += fmt::format("\n  hint: {}", hint);
  }
  return out;
}

void Diagnostics::Add(Diagnostic diagnostic) {
  size_t& count = diagnostic.level == DiagnosticLevel::kError ? error_count_ : warning_count_;
  auto key = std::make_tuple(diagnostic.where.file, diagnostic.where.line, diagnostic.where.column,
                             diagnostic.message);
  if (seen_.contains(key)) {
    return;
  }
  ++count;
  if (count > kDiagnosticsMax) {
    ++dropped_;
    return;
  }
  seen_.insert(std::move(key));
  items_.push_back(std::move(diagnostic));
}

void Diagnostics::Append(Diagnostics other) {
  for (auto& item : other.items_) {
    Add(std::move(item));
  }
  error_count_ += other.error_count_ > kDiagnosticsMax ? other.error_count_ - kDiagnosticsMax : 0;
  dropped_ += other.dropped_;
}

void Diagnostics::Sort() {
  std::stable_sort(items_.begin(), items_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.where.file, a.where.line, a.where.column, a.level) <
           std::tie(b.where.file, b.where.line, b.where.column, b.level);
  });
}

std::string Diagnostics::ToText() const {
  std::string out;
  for (const auto& item : items_) {
    if (!out.empty()) {
      out += "\n";
    }
    out += item.ToString() + "\n";
  }
  if (dropped_ > 0) {
    out += fmt::format("\nand {} more\n", dropped_);
  }
  return out;
}

Json Diagnostics::ToJson() const {
  Json list = Json::MakeArray();
  for (const auto& item : items_) {
    Json one = Json::MakeObject();
    one.Set("level", mlalert::ToString(item.level))
        .Set("file", item.where.file)
        .Set("line", item.where.line)
        .Set("column", item.where.column)
        .Set("path", item.path)
        .Set("message", item.message)
        .Set("hint", item.hint)
        .Set("source", item.source_line);
    list.Push(std::move(one));
  }
  Json out = Json::MakeObject();
  out.Set("errors", static_cast<int64_t>(error_count_))
      .Set("warnings", static_cast<int64_t>(warning_count_))
      .Set("diagnostics", std::move(list));
  return out;
}

Status Diagnostics::ToStatus() const {
  if (ok()) {
    return {};
  }
  auto first = std::find_if(items_.begin(), items_.end(),
                            [](const Diagnostic& d) { return d.level == DiagnosticLevel::kError; });
  Error error{ErrorCode::kInvalid, first->message, first->where, first->hint};
  if (error_count_ > 1) {
    error.message += fmt::format(" (and {} more)", error_count_ - 1);
  }
  return Fail(std::move(error));
}

size_t EditDistance(std::string_view a, std::string_view b, size_t limit) {
  if (a.size() > b.size() + limit || b.size() > a.size() + limit) {
    return limit + 1;
  }
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) {
    last[j] = j;
  }
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return std::min(last[b.size()], limit + 1);
}

std::string_view NearestWord(std::string_view word, const std::vector<std::string_view>& candidates) {
  constexpr size_t kWordBytesMax = 64;
  if (word.empty() || word.size() > kWordBytesMax) {
    return {};
  }
  size_t best = std::max<size_t>(1, word.size() / 3) + 1;
  std::string_view out;
  for (std::string_view candidate : candidates) {
    size_t distance = EditDistance(word, candidate, best);
    if (distance < best) {
      best = distance;
      out = candidate;
    }
  }
  return out;
}

std::string DidYouMean(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view nearest = NearestWord(word, candidates);
  return nearest.empty() ? std::string() : fmt::format("did you mean \"{}\"?", nearest);
}

}  // namespace mlalert
