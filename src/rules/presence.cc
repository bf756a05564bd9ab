#include "rules/presence.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

#include "promql/printer.h"

namespace mlalert {

namespace {

constexpr char kSeparator = '\xFF';  // never inside UTF-8

std::string_view ValueOf(std::span<const Label> labels, std::string_view name) {
  const auto at =
      std::find_if(labels.begin(), labels.end(), [name](const Label& l) { return l.name == name; });
  return at == labels.end() ? std::string_view() : at->value;
}

template <class Values>
std::string KeyOf(const std::vector<std::string>& names, const Values& value_of) {
  std::string key;
  for (const std::string& name : names) {
    key += value_of(name);
    key += kSeparator;
  }
  return key;
}

std::string KeyOf(const std::vector<std::string>& names, const LabelSet& labels) {
  return KeyOf(names, [&labels](const std::string& name) { return labels.Get(name); });
}

std::string KeyOf(const std::vector<std::string>& names, std::span<const Label> labels) {
  return KeyOf(names, [labels](const std::string& name) { return ValueOf(labels, name); });
}

std::string QuoteRegex(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) {
      out += '\\';
    }
    out += c;
  }
  return out;
}

// What the subjects want of one label.
struct Wanted {
  std::set<std::string_view> values;
  size_t bytes = 0;
  size_t subjects = 0;    // that have it
  bool may_lack = false;  // some subject would also take series without it
};

std::map<std::string_view, Wanted> Collect(const std::vector<PresenceSubject>& subjects) {
  std::map<std::string_view, Wanted> out;
  for (const PresenceSubject& subject : subjects) {
    for (const Label label : subject.sample_labels) {
      const bool asked =
          subject.known == nullptr ||
          std::binary_search(subject.known->labels.begin(), subject.known->labels.end(), label.name);
      if (label.name == promql::kMetricNameLabel || !asked) {
        continue;
      }
      Wanted& wanted = out[label.name];
      ++wanted.subjects;
      wanted.may_lack = wanted.may_lack || subject.known == nullptr;
      if (wanted.values.insert(label.value).second) {
        wanted.bytes += label.value.size() + 1;
      }
    }
  }
  return out;
}

promql::LabelMatcher Narrow(std::string_view name, const Wanted& wanted) {
  promql::LabelMatcher matcher;
  matcher.name = name;
  if (wanted.values.size() == 1 && !wanted.may_lack) {
    matcher.value = *wanted.values.begin();
    return matcher;
  }
  matcher.op = promql::MatchOp::kRegex;
  bool first = !wanted.may_lack;  // a leading "|" admits the empty value
  for (const std::string_view value : wanted.values) {
    matcher.value += std::exchange(first, false) ? "" : "|";
    matcher.value += QuoteRegex(value);
  }
  return matcher;
}

}  // namespace

const PresenceMemory::Entry* PresenceMemory::Find(uint32_t selector) const {
  const auto at =
      std::find_if(entries.begin(), entries.end(), [=](const Entry& e) { return e.selector == selector; });
  return at == entries.end() ? nullptr : &*at;
}

Json PresenceMemory::ToJson() const {
  Json out = Json::MakeArray();
  for (const Entry& entry : entries) {
    Json one = Json::MakeArray();
    one.Push(static_cast<int64_t>(entry.selector));
    for (const std::string& label : entry.labels) {
      one.Push(label);
    }
    out.Push(std::move(one));
  }
  return out;
}

std::optional<PresenceMemory> PresenceMemory::FromJson(const Json& json) {
  if (!json.is_array()) {
    return std::nullopt;
  }
  PresenceMemory out;
  for (const Json& one : json.AsArray()) {
    const Json::Array& parts = one.AsArray();
    if (parts.empty() || !parts[0].is_int() || parts[0].AsInt() < 0) {
      return std::nullopt;
    }
    Entry& entry = out.entries.emplace_back();
    entry.selector = static_cast<uint32_t>(parts[0].AsInt());
    for (size_t i = 1; i < parts.size(); ++i) {
      entry.labels.push_back(parts[i].AsString());
    }
    std::sort(entry.labels.begin(), entry.labels.end());
  }
  return out;
}

SharedText PresenceMemory::ToText() const {
  return ToJson().Dump();
}

PresenceMemory PresenceMemory::FromText(const SharedText& text) {
  const Result<Json> json = ParseJson(text);
  return json ? FromJson(*json).value_or(PresenceMemory{}) : PresenceMemory{};
}

std::string PresenceQuestion(const promql::RequiredSelector& selector,
                             const std::vector<PresenceSubject>& subjects) {
  const std::map<std::string_view, Wanted> wanted = Collect(subjects);
  std::vector<promql::LabelMatcher> matchers;
  std::string by;
  for (const auto& [name, one] : wanted) {
    by += by.empty() ? "" : ", ";
    by += IsClassicLabelName(name) ? std::string(name) : GoQuote(name);
    // Narrowing must not hide what a subject without this label would find.
    if (one.subjects == subjects.size() && one.values.size() <= kPresenceValuesMax &&
        one.bytes <= kPresencePatternBytesMax) {
      matchers.push_back(Narrow(name, one));
    }
  }
  const std::string count = promql::PresenceQuery(selector, matchers);
  constexpr std::string_view kCount = "count";
  return by.empty() ? count
                    : fmt::format("count by ({}) {}", by, std::string_view(count).substr(kCount.size()));
}

std::string BarePresenceQuestion(const promql::RequiredSelector& selector) {
  return promql::PresenceQuery(selector);
}

PresenceAnswer::PresenceAnswer(const QueryAnswer& answer) {
  std::map<std::string, size_t> by_names;
  for (const QuerySample& sample : answer.samples()) {
    const std::span<const Label> labels = answer.labels(sample);
    std::string names;
    for (const Label& label : labels) {
      names.append(label.name) += kSeparator;
    }
    const auto [at, fresh] = by_names.try_emplace(std::move(names), shapes_.size());
    if (fresh) {
      Shape& shape = shapes_.emplace_back();
      for (const Label& label : labels) {
        shape.names.emplace_back(label.name);
      }
    }
    Shape& shape = shapes_[at->second];
    shape.elements.push_back(labels);
  }
}

std::optional<std::vector<std::string>> PresenceAnswer::FindNames(const LabelSet& sample_labels) {
  std::optional<std::vector<std::string>> best;
  for (const Shape& shape : shapes_) {
    std::vector<std::string> shared;
    std::copy_if(shape.names.begin(), shape.names.end(), std::back_inserter(shared),
                 [&](const std::string& name) { return sample_labels.Has(name); });
    if ((!best || shared.size() > best->size()) && Has(sample_labels, shared)) {
      best = std::move(shared);
    }
  }
  return best;
}

bool PresenceAnswer::Has(const LabelSet& sample_labels, const std::vector<std::string>& names) {
  if (names.empty()) {
    return !shapes_.empty();
  }
  std::string joined;
  for (const std::string& name : names) {
    joined.append(name) += kSeparator;
  }
  const auto [at, fresh] = projections_.try_emplace(std::move(joined));
  if (fresh) {
    for (const Shape& shape : shapes_) {
      for (const std::span<const Label> element : shape.elements) {
        at->second.insert(KeyOf(names, element));
      }
    }
  }
  return at->second.contains(KeyOf(names, sample_labels));
}

}  // namespace mlalert
