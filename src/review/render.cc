#include "review/render.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fmt/format.h>
#include <functional>
#include <vector>

#include "template/quote.h"

namespace mlalert {
namespace {

// What a review consists of, whatever it is printed as.
struct Section {
  std::string title;
  std::vector<std::string> lines;    // plain sentences
  std::vector<std::string> columns;  // of the table, if any
  std::vector<std::vector<std::string>> rows;
  std::string code;  // a patch
};

const Json& At(const Json& json, std::string_view key) {
  static const Json kNull;
  const Json* found = json.Find(key);
  return found != nullptr ? *found : kNull;
}

std::string Count(const Json& json) {
  return json.is_number() ? fmt::format("{}", json.AsInt()) : "-";
}

std::string Percent(const Json& json) {
  return json.is_number() ? fmt::format("{:.0f} %", 100 * json.AsDouble()) : "-";
}

std::string Number(const Json& json) {
  if (!json.is_number()) {
    return "-";
  }
  return json.is_int() ? fmt::format("{}", json.AsInt()) : fmt::format("{:.1f}", json.AsDouble());
}

std::string RatioText(const Json& ratio) {
  if (!At(ratio, "value").is_number()) {
    return "- (nobody was told)";
  }
  return fmt::format("{} ({} of {}; 95 %: {} to {})", Percent(At(ratio, "value")), At(ratio, "k").AsInt(),
                     At(ratio, "n").AsInt(), Percent(At(ratio, "low")), Percent(At(ratio, "high")));
}

std::string SpreadText(const Json& spread) {
  const int64_t n = At(spread, "n").AsInt();
  if (n == 0) {
    return "- (n = 0)";
  }
  return fmt::format("mean {}, p50 {}, p90 {} (n = {})", MinutesText(At(spread, "mean_seconds").AsDouble()),
                     MinutesText(At(spread, "p50_seconds").AsDouble()),
                     MinutesText(At(spread, "p90_seconds").AsDouble()), n);
}

std::string CountOf(const Json& json, std::string_view what) {
  return fmt::format("{} {}{}", Count(json), what, Count(json) == "1" ? "" : "s");
}

// A person reads the first ones; --format json has all that was kept.
constexpr size_t kIdsShown = 5;
constexpr size_t kLinesShown = 15;

void AddLines(Section& section, std::vector<std::string> lines) {
  const size_t shown = lines.size() <= kLinesShown + 1 ? lines.size() : kLinesShown;
  section.lines.insert(section.lines.end(), lines.begin(),
                       lines.begin() + static_cast<std::ptrdiff_t>(shown));
  if (shown < lines.size()) {
    section.lines.push_back(fmt::format("and {} more (--format json)", lines.size() - shown));
  }
}

// " (+3 against the median of 4 weeks)".
std::string ChangeText(const Json& review, std::string_view key,
                       const std::function<std::string(double)>& print) {
  const Json& previous = At(review, "previous");
  const Json& change = At(At(previous, "change"), key);
  const size_t weeks = At(previous, "weeks").AsArray().size();
  if (!change.is_number() || weeks == 0) {
    return "";
  }
  const double value = change.AsDouble();
  return fmt::format(" ({}{} against the median of {} week{} before)", value >= 0 ? "+" : "-",
                     print(std::abs(value)), weeks, weeks == 1 ? "" : "s");
}

std::string Plain(double value) {
  return value == std::floor(value) ? fmt::format("{:.0f}", value) : fmt::format("{:.1f}", value);
}
std::string Points(double value) {
  return fmt::format("{:.0f} points", 100 * value);
}

Section TopLine(const Json& review) {
  const Json& t = At(review, "totals");
  const Json& buckets = At(t, "interruptions_by_bucket");
  const Json& ack = At(t, "time_to_acknowledge");
  Section out{"Top line", {}, {"Measure", "Value"}, {}, ""};
  auto row = [&](std::string name, std::string value) {
    out.rows.push_back({std::move(name), std::move(value)});
  };
  row("Incidents", Count(At(t, "incidents")) + ChangeText(review, "incidents", Plain));
  row("Told somebody", Count(At(t, "told")) + ChangeText(review, "told", Plain));
  row("Paged (P0, P1)", Count(At(t, "paged")) + ChangeText(review, "paged", Plain));
  row("Interruptions", fmt::format("{}: {} business, {} off, {} sleep hours{}", Count(At(t, "interruptions")),
                                   Count(At(buckets, "business")), Count(At(buckets, "off")),
                                   Count(At(buckets, "sleep")), ChangeText(review, "interruptions", Plain)));
  row("Acted on", RatioText(At(t, "action_ratio")) + ChangeText(review, "action_ratio", Points));
  row("Acted on or acknowledged", RatioText(At(t, "action_ratio_loose")));
  row("Acknowledged after (MTTA)", SpreadText(ack) +
                                       fmt::format("; {} never", Count(At(ack, "unacknowledged"))) +
                                       ChangeText(review, "mtta_seconds", MinutesText));
  row("Resolved after (MTTR)",
      SpreadText(At(t, "time_to_resolve")) + ChangeText(review, "mttr_seconds", MinutesText));
  row("Over within 5 minutes", RatioText(At(t, "under_5m")));
  row("Came back (flapping)", Count(At(t, "flapping")));
  row("Notifications", fmt::format("{} sent, {} given up", Count(At(t, "notifications")),
                                   Count(At(t, "failed_notifications"))));
  const Json& feedback = At(t, "feedback");
  row("Feedback",
      fmt::format("on {} incidents ({}): {} acted, {} not actionable, {} false alarms, {} poor details",
                  Count(At(feedback, "incidents")), Percent(At(feedback, "response_rate")),
                  Count(At(feedback, "acted")), Count(At(feedback, "not_actionable")),
                  Count(At(feedback, "false_alarm")), Count(At(feedback, "poor_details"))));
  if (At(t, "unsettled").AsInt() > 0) {
    out.lines.push_back(
        fmt::format("{} incidents are open or ended less than 30 minutes ago: not judged yet.",
                    Count(At(t, "unsettled"))));
  }
  return out;
}

Section Targets(const Json& review) {
  Section out{"Response targets", {}, {"Severity", "Target", "Attained", "Breached", "Not measured"}, {}, ""};
  for (const Json& one : At(At(review, "totals"), "response_targets").AsArray()) {
    const int64_t n = At(one, "attained").AsInt() + At(one, "breached").AsInt();
    if (n + At(one, "not_measured").AsInt() == 0) {
      continue;
    }
    std::string breached = Count(At(one, "breached"));
    const auto& ids = At(one, "breaches").AsArray();
    if (!ids.empty()) {
      breached += ids.size() == 1 ? " (incident " : " (incidents ";
      for (size_t i = 0; i < ids.size() && i < kIdsShown; ++i) {
        breached += fmt::format("{}{}", i == 0 ? "" : ", ", ids[i].AsInt());
      }
      breached += ids.size() > kIdsShown ? ", ...)" : ")";
    }
    out.rows.push_back(
        {one.GetString("severity"), one.GetString("target"),
         fmt::format("{} of {} ({})", Count(At(one, "attained")), n, Percent(At(one, "ratio"))), breached,
         Count(At(one, "not_measured"))});
  }
  return out;
}

Section WorstRules(const Json& review) {
  Section out{fmt::format("Worst rules, last {} days", Count(At(review, "rule_window_days"))),
              {},
              {"Rule", "Told", "Interruptions", "Acted on", "Noise", "Reason", "Parts"},
              {},
              ""};
  for (const Json& rule : At(review, "worst_rules").AsArray()) {
    const Json& parts = At(rule, "noise_parts");
    out.rows.push_back(
        {rule.GetString("rule"), Count(At(rule, "told")), Count(At(rule, "interruptions")),
         Count(At(rule, "acted")), fmt::format("{:.0f}", At(rule, "noise").AsDouble()),
         fmt::format("{}: {}", rule.GetString("reason"), rule.GetString("why")),
         fmt::format("not acted {:.2f}, under 5 min {:.2f}, flap {:.2f}, sleep {:.2f}, duplicate {:.2f}",
                     At(parts, "not_acted").AsDouble(), At(parts, "under_5m").AsDouble(),
                     At(parts, "flap").AsDouble(), At(parts, "sleep_share").AsDouble(),
                     At(parts, "duplicate").AsDouble())});
  }
  if (out.rows.empty()) {
    out.lines.emplace_back("None: every rule that told somebody was worth it, as far as the history knows.");
  }
  return out;
}

Section NeverActed(const Json& review) {
  Section out{"Never acted on", {}, {}, {}, ""};
  std::vector<std::string> lines;
  for (const Json& rule : At(review, "never_acted_on").AsArray()) {
    lines.push_back(fmt::format("{}: told {}, acted on 0 times; the true rate is at most {} (95 %): {}",
                                rule.GetString("rule"), CountOf(At(rule, "told"), "time"),
                                Percent(At(rule, "upper_bound")), rule.GetString("verdict")));
  }
  AddLines(out, std::move(lines));
  return out;
}

Section Proposals(const Json& review) {
  Section out{"Proposals", {}, {}, {}, ""};
  for (const Json& p : At(review, "proposals").AsArray()) {
    out.lines.push_back(fmt::format("{}: {}", p.GetString("rule"), p.GetString("summary")));
    out.code += p.GetString("patch");
  }
  return out;
}

Section Hygiene(const Json& review) {
  const Json& h = At(review, "hygiene");
  Section out{"Hygiene", {}, {}, {}, ""};
  auto add = [&](std::string_view list, const std::function<std::string(const Json&)>& line) {
    std::vector<std::string> lines;
    for (const Json& item : At(h, list).AsArray()) {
      lines.push_back(line(item));
    }
    AddLines(out, std::move(lines));
  };
  add("rules_that_never_fired", [](const Json& rule) {
    return fmt::format("{} did not fire in the last {}", rule.GetString("rule"),
                       CountOf(At(rule, "days"), "day"));
  });
  add("stale_silences", [](const Json& s) {
    return fmt::format("silence {} by {} ({}): {}, until {}", s.GetString("id"), s.GetString("created_by"),
                       s.GetString("comment"), s.GetString("why"), s.GetString("ends_at"));
  });
  add("fell_to_default_route", [](const Json& a) {
    return fmt::format("{}: {} fell to the default route", a.GetString("alertname"),
                       CountOf(At(a, "incidents"), "incident"));
  });
  add("failed_notifications", [](const Json& f) {
    const std::string& error = f.GetString("error");
    return fmt::format("{} ({}): {} given up, the last at {}{}{}", f.GetString("receiver"),
                       f.GetString("integration"), CountOf(At(f, "failed"), "notification"),
                       f.GetString("last_at"), error.empty() ? "" : ": ", error);
  });
  const auto& bare = At(h, "rules_without_runbook").AsArray();
  if (!bare.empty()) {
    std::string names;
    for (size_t i = 0; i < bare.size() && i < kLinesShown; ++i) {
      names += (i == 0 ? "" : ", ") + bare[i].AsString();
    }
    if (bare.size() > kLinesShown) {
      names += fmt::format(" and {} more", bare.size() - kLinesShown);
    }
    out.lines.push_back("without a runbook: " + names);
  }
  if (out.lines.empty()) {
    out.lines.emplace_back("Nothing to clean up.");
  }
  return out;
}

Section Promises(const Json& review) {
  Section out{"Promises of the last review", {}, {}, {}, ""};
  for (const Json& p : At(review, "promises").AsArray()) {
    std::string line =
        fmt::format("{}, {}: {}", p.GetString("rule"), p.GetString("change"), p.GetString("status"));
    if (At(p, "applied").AsBool()) {
      line += fmt::format(", promised {}, got {}", Number(At(p, "promised")), Number(At(p, "got")));
    }
    out.lines.push_back(std::move(line));
  }
  return out;
}

std::vector<Section> Sections(const Json& review) {
  std::vector<Section> out = {TopLine(review),   Targets(review), WorstRules(review), NeverActed(review),
                              Proposals(review), Hygiene(review), Promises(review)};
  std::erase_if(out, [](const Section& section) { return section.lines.empty() && section.rows.empty(); });
  return out;
}

// One line, no control characters; for a terminal and for tables.
std::string OneLine(std::string_view text) {
  std::string out;
  for (char c : text) {
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  return out;
}

std::string EscapeMarkdown(std::string_view text) {
  std::string out;
  for (char c : OneLine(text)) {
    if (std::string_view("\\`*_{}[]<>|#").find(c) != std::string_view::npos) {
      out += '\\';
    }
    out += c;
  }
  return out;
}

std::string EscapeMrkdwn(std::string_view text) {
  std::string out;
  for (char c : OneLine(text)) {
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  }
  return out;
}

std::string Period(const Json& review) {
  return fmt::format("{} to {} ({}), definitions {}{}", review.GetString("from"), review.GetString("until"),
                     review.GetString("time_zone"), At(review, "definition_version").AsInt(),
                     At(review, "frozen").AsBool() ? ", frozen" : "");
}

}  // namespace

std::string MinutesText(double seconds) {
  const double s = std::max(0.0, seconds);
  if (s < 90) {
    return fmt::format("{:.0f} s", s);
  }
  const auto minutes = static_cast<int64_t>(std::llround(s / 60));
  if (minutes < 120) {
    return fmt::format("{} min", minutes);
  }
  if (minutes < 48 * 60) {
    return minutes % 60 == 0 ? fmt::format("{} h", minutes / 60)
                             : fmt::format("{} h {} min", minutes / 60, minutes % 60);
  }
  return fmt::format("{} d {} h", minutes / 1440, minutes % 1440 / 60);
}

std::string ReviewTitle(const Json& review) {
  const std::string& week = review.GetString("week");
  const std::string& team = review.GetString("team");
  return fmt::format("{}{}{}", week.empty() ? "Review" : "Weekly review " + week,
                     team.empty() ? "" : ", team ", team);
}

std::string ReviewAsText(const Json& review) {
  std::string out = OneLine(ReviewTitle(review)) + "\n" + Period(review) + "\n";
  for (const Section& section : Sections(review)) {
    out += "\n" + section.title + "\n";
    for (const std::string& line : section.lines) {
      out += "  " + OneLine(line) + "\n";
    }
    std::vector<size_t> widths;
    for (size_t c = 0; c < section.columns.size(); ++c) {
      size_t width = section.columns.size() > 2 ? section.columns[c].size() : 0;
      for (const auto& row : section.rows) {
        width = std::max(width, row[c].size());
      }
      widths.push_back(width);
    }
    auto print = [&](const std::vector<std::string>& row) {
      std::string line = "  ";
      for (size_t c = 0; c < row.size(); ++c) {
        line += c + 1 < row.size() ? fmt::format("{:<{}}  ", OneLine(row[c]), widths[c]) : OneLine(row[c]);
      }
      out += line + "\n";
    };
    if (section.columns.size() > 2 && !section.rows.empty()) {
      print(section.columns);
    }
    for (const auto& row : section.rows) {
      print(row);
    }
    if (!section.code.empty()) {
      out += "\n" + section.code;
    }
  }
  return out;
}

std::string ReviewAsMarkdown(const Json& review) {
  std::string out =
      "# " + EscapeMarkdown(ReviewTitle(review)) + "\n\n" + EscapeMarkdown(Period(review)) + "\n";
  for (const Section& section : Sections(review)) {
    out += "\n## " + section.title + "\n\n";
    for (const std::string& line : section.lines) {
      out += "- " + EscapeMarkdown(line) + "\n";
    }
    if (!section.rows.empty()) {
      out += section.lines.empty() ? "" : "\n";
      std::string rule = "|";
      out += "|";
      for (const std::string& column : section.columns) {
        out += " " + column + " |";
        rule += "---|";
      }
      out += "\n" + rule + "\n";
      for (const auto& row : section.rows) {
        out += "|";
        for (const std::string& cell : row) {
          out += " " + EscapeMarkdown(cell) + " |";
        }
        out += "\n";
      }
    }
    if (!section.code.empty()) {
      // A fence longer than any in the patch.
      out += "\n~~~~~~diff\n" + section.code + "~~~~~~\n";
    }
  }
  return out;
}

std::string ReviewAsHtml(const Json& review) {
  const std::string title = tmpl::EscapeHtml(ReviewTitle(review));
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title></head>\n"
      "<body style=\"font-family:sans-serif;color:#222;max-width:60em;margin:1em auto;padding:0 1em\">\n"
      "<h1 style=\"font-size:1.4em\">{0}</h1>\n<p style=\"color:#666\">{1}</p>\n",
      title, tmpl::EscapeHtml(Period(review)));
  for (const Section& section : Sections(review)) {
    out += fmt::format("<h2 style=\"font-size:1.1em\">{}</h2>\n", tmpl::EscapeHtml(section.title));
    if (!section.lines.empty()) {
      out += "<ul>\n";
      for (const std::string& line : section.lines) {
        out += "<li>" + tmpl::EscapeHtml(line) + "</li>\n";
      }
      out += "</ul>\n";
    }
    if (!section.rows.empty()) {
      out += "<table style=\"border-collapse:collapse\">\n<tr>";
      for (const std::string& column : section.columns) {
        out += "<th style=\"text-align:left;padding:2px 10px 2px 0;border-bottom:1px solid #999\">" +
               tmpl::EscapeHtml(column) + "</th>";
      }
      out += "</tr>\n";
      for (const auto& row : section.rows) {
        out += "<tr>";
        for (const std::string& cell : row) {
          out +=
              "<td style=\"vertical-align:top;padding:2px 10px 2px 0\">" + tmpl::EscapeHtml(cell) + "</td>";
        }
        out += "</tr>\n";
      }
      out += "</table>\n";
    }
    if (!section.code.empty()) {
      out += "<pre style=\"background:#f4f4f4;padding:8px;overflow:auto\">" + tmpl::EscapeHtml(section.code) +
             "</pre>\n";
    }
  }
  return out + "</body></html>\n";
}

std::string CsvCell(std::string_view text) {
  std::string out;
  if (!text.empty() && std::string_view("=+-@\t\r\n").find(text.front()) != std::string_view::npos) {
    out += '\'';
  }
  out += text;
  if (out.find_first_of(",\"\r\n") == std::string::npos) {
    return out;
  }
  std::string quoted = "\"";
  for (char c : out) {
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  }
  return quoted + "\"";
}

std::string ReviewAsCsv(const Json& review) {
  std::string out =
      "week,team,rule,incidents,told,paged,interruptions,acknowledged,acted,action_ratio,action_ratio_low,"
      "action_ratio_high,noise,not_acted,under_5m,flap,sleep_share,duplicate,reason,why\r\n";
  auto number = [](const Json& json) { return json.is_number() ? json.Dump() : std::string(); };
  auto add = [&](const std::string& rule, const Json& row) {
    const Json& ratio = At(row, "action_ratio");
    const Json& parts = At(row, "noise_parts");
    out += fmt::format("{},{},{}", CsvCell(review.GetString("week")), CsvCell(review.GetString("team")),
                       CsvCell(rule));
    for (const char* key : {"incidents", "told", "paged", "interruptions", "acknowledged", "acted"}) {
      out += "," + number(At(row, key));
    }
    for (const char* key : {"value", "low", "high"}) {
      out += "," + number(At(ratio, key));
    }
    out += "," + number(At(row, "noise"));
    for (const char* key : {"not_acted", "under_5m", "flap", "sleep_share", "duplicate"}) {
      out += "," + number(At(parts, key));
    }
    out += fmt::format(",{},{}\r\n", CsvCell(row.GetString("reason")), CsvCell(row.GetString("why")));
  };
  add("(all)", At(review, "totals"));
  for (const Json& rule : At(review, "rules").AsArray()) {
    add(rule.GetString("rule"), rule);
  }
  return out;
}

std::string ReviewAsSlack(const Json& review) {
  std::string out = "*" + EscapeMrkdwn(ReviewTitle(review)) + "*\n";
  for (const Section& section : Sections(review)) {
    out += "\n*" + EscapeMrkdwn(section.title) + "*\n";
    for (const std::string& line : section.lines) {
      out += "• " + EscapeMrkdwn(line) + "\n";
    }
    for (const auto& row : section.rows) {
      // A chat has no tables: the parts of the noise are in the mail.
      out += "• " + EscapeMrkdwn(row[0]) + ": ";
      if (row.size() == 2) {
        out += EscapeMrkdwn(row[1]);
      }
      for (size_t c = 1; c + 1 < row.size(); ++c) {
        out += fmt::format("{}{} {}", c == 1 ? "" : ", ", section.columns[c], EscapeMrkdwn(row[c]));
      }
      out += "\n";
    }
  }
  return out;
}

}  // namespace mlalert
